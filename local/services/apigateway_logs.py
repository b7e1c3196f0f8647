"""Access logs: a line for each call in the stage's own format, sent to its log group a moment later, in bunches."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from local.services.apigateway_integration import Answer
from local.services.apigateway_request import Request

if TYPE_CHECKING:
    from local.endpoint import Endpoint

LOG = logging.getLogger(__name__)
PAUSE_SECONDS = 0.2
MOST = 1000
STREAM = "api-gateway"

Line = tuple[str, int, str]


class AccessLogs:
    """`logs.keep(request, settings, answer)` returns at once."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._lines: queue.SimpleQueue[Line] = queue.SimpleQueue()
        self._streams: set[str] = set()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def keep(self, request: Request, settings: Mapping[str, str], answer: Answer) -> None:
        from local.services.apigateway_calls import substituted

        status, latency = request.environ.get("headwater.integration", ("-", "-"))
        known = {
            **request.context,
            "integrationLatency": latency,
            "integrationStatus": status,
            "responseLatency": int((time.time() - request.at) * 1000),
            "responseLength": len(answer.body),
            "status": answer.status,
        }
        line = substituted(settings["format"], known, missing="-")
        group = settings["destinationArn"].partition(":log-group:")[2].removesuffix(":*")
        self._lines.put((group, int(request.at * 1000), line))
        with self._lock:
            if self._thread is None:
                self._thread = self._endpoint.background(self._send_all, "api-access-logs")

    def _send_all(self) -> None:
        while not self._endpoint.stopping.wait(PAUSE_SECONDS):
            self._send()

    def _send(self) -> None:
        waiting: dict[str, list[dict[str, Any]]] = {}
        for _ in range(min(self._lines.qsize(), MOST)):
            group, at, line = self._lines.get()
            waiting.setdefault(group, []).append({"timestamp": at, "message": line})
        for group, events in waiting.items():
            try:
                self._put(group, events)
            except (BotoCoreError, ClientError) as error:
                LOG.warning("Access logs to '%s' are lost: %s", group, error)

    def _put(self, group: str, events: list[dict[str, Any]]) -> None:
        client = self._endpoint.client("logs")
        if group not in self._streams:
            try:
                client.create_log_stream(logGroupName=group, logStreamName=STREAM)
            except client.exceptions.ResourceAlreadyExistsException:
                LOG.debug("The log stream of '%s' is there", group)
            self._streams.add(group)
        client.put_log_events(
            logGroupName=group, logStreamName=STREAM, logEvents=sorted(events, key=lambda each: each["timestamp"])
        )
