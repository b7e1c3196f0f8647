"""Conclude an attempt of a run: it succeeded, or it is planned again, or it fails naming every dataset that failed."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3

from lake.alerts import clean, named
from lake.ledger import Ledger, NotPlannedError, Outcome, Plan
from lake.model import load
from lake.runs import RunId

client = cache(boto3.client)  # one for each service and warm container


class DatasetsFailedError(Exception):
    """A run in which datasets failed; the message names each, its step and its cause."""


def failures(remaining: Plan, failed: list[Outcome]) -> list[str]:
    """A line for each dataset and model that has not succeeded."""
    known = {outcome.dataset: outcome for outcome in failed}
    lines = []
    for dataset in (*remaining.datasets, *remaining.models):
        outcome = known.get(dataset)
        told = f"{outcome.step}: {clean(outcome.cause)}" if outcome else "no outcome: its job ended before it was done"
        lines.append(f"{dataset} ({told})")
    return lines


def handle(event: dict[str, Any], context: object) -> dict[str, bool]:
    """{"run", "attempt"} in; {"again": true} where a redrive has come here before its failed datasets were planned."""
    lake, run, attempt = load(), event["run"], int(event["attempt"])
    ledger = Ledger(lake.environment.ledger, client("dynamodb"))
    planned = ledger.planned(run, attempt)
    if planned is None:
        raise NotPlannedError(
            f"The run '{run}': expected a plan for attempt {attempt} or earlier. Redrive it from Plan."
        )
    ledger.start(run, RunId.parse(run).pipeline, attempt)  # a redrive may begin here
    lines = failures(ledger.remaining(run), ledger.failed(run))
    if not lines:
        ledger.finish(run, "succeeded")
    elif attempt <= planned.attempt:
        ledger.finish(run, "failed", attempt)
        raise DatasetsFailedError(f"{len(lines)} failed in {run}: {named(lines, limit=25)}")
    return {"again": bool(lines)}
