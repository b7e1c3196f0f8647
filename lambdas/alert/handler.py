"""Tell people of an execution that failed, timed out, was aborted or warned: which datasets, why, and what to do."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import boto3

from lake.alerts import (
    DATASET_FAILED,
    EXECUTION_FAILED,
    WARNED,
    Alert,
    Failure,
    clean,
    failures_of,
    publish,
    warnings_of,
)
from lake.ledger import Ledger
from lake.model import Lake, load
from lake.runs import RunId, RunIdError

client = cache(boto3.client)  # one for each service and warm container

NAMED_BY_LEDGER = "DatasetsFailedError"  # what conclude raises: the ledger has every cause
NAMED_BY_CRAWLERS = "CrawlersFailedError"  # its cause names each crawler that failed, and why
_HISTORY = 100  # the last events are enough: a failed state is followed by a few at most


def plain_cause(error: str, cause: str) -> str:
    """The sentence in an execution's cause, which for jobs and functions is a JSON document around it."""
    try:
        parsed = json.loads(cause)
    except ValueError:
        parsed = None
    if isinstance(parsed, dict):
        kind = parsed.get("errorType", error)
        told = parsed.get("ErrorMessage") or parsed.get("errorMessage") or ""
        state = parsed.get("JobRunState", "")
        cause = f"{kind}: {told}" if told else f"{kind} {state}".strip()
    elif cause and error:
        cause = f"{error}: {cause}"
    return clean(cause or error or "Step Functions gives no cause.")


def failed_event(events: list[dict[str, Any]]) -> tuple[str, str, str]:
    """Of events, newest first: the state that was entered last, and the error and cause of the last failure."""
    states = (event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event)
    details = (value for event in events for name, value in event.items() if name.endswith("EventDetails"))
    failed: dict[str, str] = next((each for each in details if each.get("error") or each.get("cause")), {})
    return next(states, ""), failed.get("error", ""), failed.get("cause", "")


def execution_failure(detail: dict[str, Any], events: list[dict[str, Any]]) -> Failure:
    """The failure that the execution tells of, where the ledger does not."""
    state, error, cause = failed_event(events)
    told = plain_cause(detail.get("error") or error, detail.get("cause") or cause)
    if detail["status"] == "ABORTED":
        remedy = "Someone stopped it. Redrive the execution if it is to be finished."
    elif detail["status"] == "TIMED_OUT":
        remedy = "Look in the log of the job that was running for what it waited for, then redrive the execution."
    elif (detail.get("error") or error) == NAMED_BY_CRAWLERS:
        remedy = "Mend what each crawler names, then start the state machine again."
    else:
        remedy = "Look in the log of the job or function of that state, mend the cause, then redrive the execution."
    return Failure("", state or "an unknown state", told, remedy)


def run_of(detail: dict[str, Any]) -> RunId | None:
    """None for an execution that was started under a name of its own; Plan refuses it."""
    try:
        return RunId.parse(detail["name"])
    except RunIdError:
        return None


def alert(detail: dict[str, Any], failures: tuple[Failure, ...], warnings: tuple[str, ...], lake: Lake) -> Alert:
    run = run_of(detail)
    pipeline = run.pipeline if run else detail["stateMachineArn"].rpartition(":")[2]
    page = DATASET_FAILED if any(each.dataset for each in failures) else EXECUTION_FAILED
    runbook = f"{lake.environment.runbook}#{page if failures else WARNED}"
    name = lake.environment.name
    return Alert(pipeline, detail["name"], detail["status"], failures, runbook, name, bool(run), warnings)


def remember(ledger: Ledger, run: RunId, attempt: int) -> None:
    """Conclude tells the ledger how a run ended, unless the execution did not get there, or not even to Plan."""
    ledger.start(str(run), run.pipeline, attempt)
    ledger.finish(str(run), "failed", attempt)  # a redrive that has begun meanwhile goes on


def failures(detail: dict[str, Any], ledger: Ledger) -> tuple[Failure, ...]:
    """What the ledger knows; of what it does not know, what the execution's history tells, first."""
    known = failures_of(ledger.failed(detail["name"]))
    if known and detail.get("error") == NAMED_BY_LEDGER:
        return known
    history = client("stepfunctions").get_execution_history(
        executionArn=detail["executionArn"], reverseOrder=True, maxResults=_HISTORY
    )
    return (execution_failure(detail, history["events"]), *known)


def handle(event: dict[str, Any], context: object) -> dict[str, str]:
    """A `Step Functions Execution Status Change` in, the message's subject out. Delivered twice, it tells twice."""
    lake, detail = load(), event["detail"]
    ledger = Ledger(lake.environment.ledger, client("dynamodb"))
    succeeded = detail["status"] == "SUCCEEDED"
    warnings = warnings_of(ledger.outcomes(detail["name"]))
    if succeeded and not warnings:
        return {"alert": ""}
    told = alert(detail, () if succeeded else failures(detail, ledger), warnings, lake)
    publish(told, lake.environment.topic_arn, client("sns"))
    if (run := run_of(detail)) and not succeeded:
        remember(ledger, run, int(detail.get("redriveCount") or 0))
    return {"alert": told.subject}
