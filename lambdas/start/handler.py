"""Start the run that a schedule asks for, once, however often the schedule delivers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import ClientError

from lake.model import Lake, load
from lake.runs import MAINTENANCE, RunId

client = cache(boto3.client)  # one for each service and warm container


class ScheduleInputError(ValueError):
    """An event that names no pipeline or no scheduled time."""


def scheduled_time(event: dict[str, Any]) -> datetime:
    try:
        scheduled = datetime.fromisoformat(event["scheduled"])
    except (KeyError, TypeError, ValueError) as error:
        raise ScheduleInputError(_expected(event)) from error
    if scheduled.tzinfo is None or not isinstance(event.get("pipeline"), str):
        raise ScheduleInputError(_expected(event))
    return scheduled


def due(event: dict[str, Any], lake: Lake) -> RunId:
    """The run of a pipeline's last complete interval; one of maintenance is named after the time itself."""
    scheduled, name = scheduled_time(event), event["pipeline"]
    if name == MAINTENANCE:
        return RunId(name, scheduled.astimezone(UTC))
    return RunId.due(name, scheduled, lake.pipeline(name).interval_hours)


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """{"pipeline", "scheduled"} in; the run's id, and whether this delivery started it."""
    lake = load()
    run = due(event, lake)
    machine = lake.environment.arn("states", f"stateMachine:{lake.environment.resources[run.pipeline]}")
    # a pipeline's own plan is told which it is; maintenance of all takes no input
    given = {} if run.pipeline == MAINTENANCE else {"pipeline": run.pipeline}
    try:
        client("stepfunctions").start_execution(stateMachineArn=machine, name=str(run), input=json.dumps(given))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ExecutionAlreadyExists":
            raise
        return {"run": str(run), "started": False}
    return {"run": str(run), "started": True}


def _expected(event: dict[str, Any]) -> str:
    return (
        f"The event '{json.dumps(event)[:200]}': expected a pipeline and a scheduled time with a zone, such as"
        ' {"pipeline": "tickit", "scheduled": "2026-11-21T03:00:00Z"}. Set the schedule\'s input to'
        ' {"pipeline": …, "scheduled": "<aws.scheduler.scheduled-time>"}.'
    )
