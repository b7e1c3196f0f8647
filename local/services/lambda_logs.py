"""A function's log: what it wrote, between Lambda's own lines, sent to CloudWatch Logs as the function's role."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local.services.lambda_metrics import put_metrics

if TYPE_CHECKING:
    from local.endpoint import Endpoint
    from local.engines.workers import Answer
    from local.services.role_clients import RoleClients

LOG = logging.getLogger(__name__)


class FunctionLogs:
    """One log stream for each worker process; a role that may not write has no log, as on AWS."""

    def __init__(self, endpoint: Endpoint, clients: RoleClients) -> None:
        self._endpoint = endpoint
        self._clients = clients
        self._streams: set[tuple[str, str]] = set()

    def keep(self, function: Any, request_id: str, answer: Answer) -> list[str]:
        """Send the lines of one event, and give them back."""
        version, as_json = str(function.version), logging_of(function).get("LogFormat") == "JSON"
        lines = framed(answer, request_id, version, int(function.memory_size), as_json)
        stream = f"{time.strftime('%Y/%m/%d')}/[{version}]{answer.stream}"
        now = int(time.time() * 1000)
        try:
            self._send(function.role, log_group_of(function), stream, [{"timestamp": now, "message": x} for x in lines])
            put_metrics(self._endpoint.account, self._endpoint.region, answer.log)
        except ClientError as error:
            LOG.warning("The log of function '%s' is lost: %s", function.function_name, error)
        return lines

    def _send(self, role: str, group: str, stream: str, events: list[dict[str, Any]]) -> None:
        client = self._clients.of("logs", role)
        if (group, stream) not in self._streams:
            self._make(client, group, stream)
            self._streams.add((group, stream))
        client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)

    @staticmethod
    def _make(client: Any, group: str, stream: str) -> None:
        try:
            client.create_log_stream(logGroupName=group, logStreamName=stream)
        except client.exceptions.ResourceNotFoundException:
            with contextlib.suppress(client.exceptions.ResourceAlreadyExistsException):  # another worker was first
                client.create_log_group(logGroupName=group)
            client.create_log_stream(logGroupName=group, logStreamName=stream)


def framed(answer: Answer, request_id: str, version: str, memory: int, as_json: bool) -> list[str]:
    milliseconds = answer.seconds * 1000
    if as_json:
        start = {"type": "platform.start", "record": {"requestId": request_id, "version": version}}
        status = "error" if answer.error else "success"
        metrics = {"durationMs": round(milliseconds, 3), "memorySizeMB": memory}
        report = {
            "type": "platform.report",
            "record": {"requestId": request_id, "status": status, "metrics": metrics},
        }
        return [json.dumps(start), *answer.log, json.dumps(report)]
    billed = int(milliseconds) + 1
    return [
        f"START RequestId: {request_id} Version: {version}",
        *answer.log,
        f"END RequestId: {request_id}",
        f"REPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms\tBilled Duration: {billed} ms\t"
        f"Memory Size: {memory} MB",
    ]


def logging_of(function: Any) -> dict[str, Any]:
    settings: dict[str, Any] = getattr(function, "kept_settings", {}).get("LoggingConfig") or {}
    return settings


def log_group_of(function: Any) -> str:
    return str(logging_of(function).get("LogGroup") or f"/aws/lambda/{function.function_name}")
