"""What Step Functions tells others of an execution: its status to EventBridge, its history to its log group."""

from __future__ import annotations

import json
import logging
import queue
import re
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from moto.stepfunctions.parser.asl.eval.event.logging import is_logging_enabled_for

from local.services.events import emit

if TYPE_CHECKING:
    from local.endpoint import Endpoint
    from local.services.stepfunctions_execution import Run

LOG = logging.getLogger(__name__)
LOG_GROUP = re.compile(r":log-group:([^:]+)")


class ExecutionLog:
    """moto's history writes into it: the events of one attempt, in the level that the state machine asks for."""

    def __init__(self, run: Run, settings: dict[str, Any], send: Callable[[str, str, dict[str, Any]], None]) -> None:
        self.execution_arn = run.exec_arn
        self.configuration = self
        self.include_execution_data = bool(settings.get("includeExecutionData"))
        self._level = settings["level"]
        self._group = LOG_GROUP.findall(settings["destinations"][0]["cloudWatchLogsLogGroup"]["logGroupArn"])[0]
        self._stream = f"states/{run.state_machine.name}/{run.start_date:%Y-%m-%d-%H-%M}/{run.name}"
        self._redrive_count = run.redrive_count
        self._send = send

    def log_level_filter(self, history_event_type: Any) -> bool:
        return bool(is_logging_enabled_for(self._level, history_event_type))

    def publish_history_log(self, history_log: Any) -> None:
        moment = datetime.fromisoformat(history_log["event_timestamp"])
        timestamp = int(moment.timestamp() * 1000)
        line = {
            **history_log,
            "type": str(getattr(history_log["type"], "value", history_log["type"])),
            "event_timestamp": str(timestamp),
            "redrive_count": str(self._redrive_count),
        }
        self._send(self._group, self._stream, {"timestamp": timestamp, "message": json.dumps(line, default=str)})


class StatusReports:
    """Sends in order, from one thread, so that no execution waits for those who listen."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._streams: set[tuple[str, str]] = set()
        endpoint.background(self._send_all, "execution reports")
        endpoint.on_stop(lambda: self._work.put(None))

    def now(self) -> datetime:
        return self._endpoint.clock.now()

    def changed(self, run: Run) -> None:
        detail, moment = status_detail(run), self.now()
        self._work.put(
            lambda: emit(
                self._endpoint, "aws.states", "Step Functions Execution Status Change", detail, [run.exec_arn], moment
            )
        )

    def log_of(self, run: Run) -> ExecutionLog | None:
        settings: dict[str, Any] = run.state_machine.loggingConfiguration  # type: ignore[attr-defined]
        if settings.get("level", "OFF") == "OFF" or not settings.get("destinations"):
            return None
        return ExecutionLog(run, settings, lambda *line: self._work.put(lambda: self._write(*line)))

    def _send_all(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                work()
            except ClientError as error:
                LOG.warning("A report of an execution is lost: %s", error)

    def _write(self, group: str, stream: str, event: dict[str, Any]) -> None:
        logs = self._endpoint.client("logs")
        if (group, stream) not in self._streams:
            logs.create_log_stream(logGroupName=group, logStreamName=stream)
            self._streams.add((group, stream))
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])


def status_detail(run: Run) -> dict[str, Any]:
    """The detail of EventBridge's "Step Functions Execution Status Change"."""
    reason = run.why_not_redrivable()
    succeeded = run.status == "SUCCEEDED"
    return {
        "executionArn": run.exec_arn,
        "stateMachineArn": run.state_machine.arn,
        "name": run.name,
        "status": run.status,
        "startDate": milliseconds(run.start_date),
        "stopDate": milliseconds(run.stop_date),
        "input": json.dumps(run.input_data),
        "output": json.dumps(run.output) if succeeded else None,
        "stateMachineVersionArn": None,
        "stateMachineAliasArn": None,
        "redriveCount": run.redrive_count,
        "redriveDate": milliseconds(run.redrive_date),
        "redriveStatus": "NOT_REDRIVABLE" if reason else "REDRIVABLE",
        "redriveStatusReason": reason,
        "inputDetails": {"included": True},
        "outputDetails": {"included": True} if succeeded else None,
        "error": run.error,
        "cause": run.cause,
    }


def milliseconds(moment: datetime | None) -> int | None:
    return int(moment.timestamp() * 1000) if moment else None
