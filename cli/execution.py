"""A Step Functions execution: started, and followed state by state to its end."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cli.errors import CommandError
from cli.target import Target
from lake.runs import RunId

POLL_SECONDS = 0.5
AWS_POLL_SECONDS = 3.0  # 20 executions of a backfill are then followed within what Step Functions allows
MOST_RUNS = 99  # of one interval, as a run id writes its number


@dataclass(frozen=True)
class Ended:
    """How an execution ended."""

    run: str
    status: str
    error: str
    cause: str
    seconds: float


def start(lake: Target, pipeline: str, *, logical: datetime | None = None, **asked: Any) -> str:
    """Start an execution of the pipeline and give its run id; all commands start runs by this.

    It is the next run of the interval `logical`, without one of the last complete interval. `asked` are fields of
    lake.asked.Asked: mode, repeats, first_step, datasets.
    """
    import pipelines
    from lake.asked import Asked, read

    described = pipelines.load(pipeline, lake.root)
    due = RunId.due(pipeline, datetime.now(UTC), described.interval_hours)
    wanted = Asked(pipeline, **asked)
    run = free(lake, RunId(pipeline, logical or due.logical))
    if asked:  # what Plan would refuse is better refused before an execution fails and people are alerted
        read(json.loads(wanted.to_input()), run, lake.lake(), datetime.now(UTC))
    states = lake.client("stepfunctions")
    while True:
        try:
            states.start_execution(stateMachineArn=lake.state_machine(pipeline), name=str(run), input=wanted.to_input())
        except states.exceptions.ExecutionAlreadyExists:  # somebody else has just started one
            run = free(lake, _next(run))
        except states.exceptions.StateMachineDoesNotExist as error:
            raise CommandError(
                f"The pipeline '{pipeline}' is not deployed to '{lake.environment.name}'. "
                f"Deploy it: `./headwater deploy --env {lake.environment.name}`."
            ) from error
        else:
            return str(run)


def free(lake: Target, run: RunId) -> RunId:
    """The first run from this one on that was never started.

    A start of one that still runs would answer with it; one that is over Step Functions forgets after 90 days.
    """
    states, ledger = lake.client("stepfunctions"), lake.ledger()
    while True:
        try:
            states.describe_execution(executionArn=lake.execution(str(run)))
        except states.exceptions.ExecutionDoesNotExist:
            if ledger.run(str(run)) is None:
                return run
        run = _next(run)


def _next(run: RunId) -> RunId:
    if run.number == MOST_RUNS:
        raise CommandError(
            f"The interval {run.logical_text} of '{run.pipeline}' has had {MOST_RUNS} runs: expected fewer."
            f" Redrive one that failed: `./headwater redrive {run}`."
        )
    return run.next()


def follow(lake: Target, run: str, seen: Callable[[str, float], None] | None = None) -> Ended:
    """Wait for the end; `seen` is told of each state as it ends, with its seconds."""
    states = lake.client("stepfunctions")
    pause = POLL_SECONDS if lake.endpoint_url else AWS_POLL_SECONDS
    arn = lake.execution(run)
    told = 0
    while True:
        described = states.describe_execution(executionArn=arn)
        entered: dict[str, Any] = {}
        events = _history(states, arn) if seen else []
        redriven = (number for number, event in enumerate(events) if event["type"] == "ExecutionRedriven")
        told = max(told, *redriven, 0)  # what an earlier attempt did was told in its time
        for number, event in enumerate(events):
            if details := event.get("stateEnteredEventDetails"):
                entered[details["name"]] = event["timestamp"]
            if (details := event.get("stateExitedEventDetails")) and number >= told and seen:
                seen(details["name"], (event["timestamp"] - entered[details["name"]]).total_seconds())
        told = len(events)
        if described["status"] != "RUNNING":
            took = (described["stopDate"] - described["startDate"]).total_seconds()
            cause = _sentence(described.get("cause", ""))
            return Ended(run, described["status"], described.get("error", ""), cause, took)
        time.sleep(pause)


def _sentence(cause: str) -> str:
    """What a person reads in the cause of an execution: of a function or job it is a document around one sentence."""
    try:
        document = json.loads(cause)
    except ValueError:
        return cause
    if found := document.get("errorMessage") or document.get("ErrorMessage"):
        return str(found)
    if "JobRunState" in document:  # of one that somebody stopped Glue says no more
        return f"The run {document['Id']} of job {document['JobName']} is {document['JobRunState']}."
    return cause


def _history(states: Any, arn: str) -> list[dict[str, Any]]:
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
    return [event for page in pages for event in page["events"]]
