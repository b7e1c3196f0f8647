"""Follow a Step Functions execution: its states as they go by, and how it ended."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cli.errors import CommandError
from cli.target import Target

POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Ended:
    """How an execution ended."""

    run: str
    status: str
    error: str
    cause: str
    seconds: float


def start(lake: Target, pipeline: str) -> str:
    """Start the pipeline's next run for the last complete interval; its run id."""
    from datetime import UTC, datetime

    import pipelines
    from lake.runs import RunId

    described = pipelines.load(pipeline)
    states = lake.client("stepfunctions")
    run = RunId.due(pipeline, datetime.now(UTC), described.interval_hours)
    while True:
        try:
            states.start_execution(
                stateMachineArn=lake.state_machine(pipeline), name=str(run), input=f'{{"pipeline": "{pipeline}"}}'
            )
        except states.exceptions.ExecutionAlreadyExists:
            run = run.next()
        except states.exceptions.StateMachineDoesNotExist as error:
            raise CommandError(
                f"The pipeline '{pipeline}' is not deployed to '{lake.environment.name}'. "
                f"Deploy it: `./headwater deploy --env {lake.environment.name}`."
            ) from error
        else:
            return str(run)


def follow(lake: Target, run: str, seen: Callable[[str, float], None]) -> Ended:
    """Wait for the end; `seen` is told of each state as it ends, with its seconds."""
    states = lake.client("stepfunctions")
    arn = lake.execution(run)
    told = 0
    while True:
        described = states.describe_execution(executionArn=arn)
        entered: dict[str, Any] = {}
        events = _history(states, arn)
        redriven = (number for number, event in enumerate(events) if event["type"] == "ExecutionRedriven")
        told = max(told, *redriven, 0)  # what an earlier attempt did was told in its time
        for number, event in enumerate(events):
            if details := event.get("stateEnteredEventDetails"):
                entered[details["name"]] = event["timestamp"]
            if (details := event.get("stateExitedEventDetails")) and number >= told:
                seen(details["name"], (event["timestamp"] - entered[details["name"]]).total_seconds())
        told = len(events)
        if described["status"] != "RUNNING":
            took = (described["stopDate"] - described["startDate"]).total_seconds()
            cause = _sentence(described.get("cause", ""))
            return Ended(run, described["status"], described.get("error", ""), cause, took)
        time.sleep(POLL_SECONDS)


def _sentence(cause: str) -> str:
    """What a person reads in the cause of an execution: of a function or job it is a document around one sentence."""
    try:
        document = json.loads(cause)
    except ValueError:
        return cause
    return str(document.get("errorMessage") or document.get("ErrorMessage") or cause)


def _history(states: Any, arn: str) -> list[dict[str, Any]]:
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
    return [event for page in pages for event in page["events"]]
