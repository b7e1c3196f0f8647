"""A job run's logs in CloudWatch: standard output and error, each in Glue's group for it, the stream being the run."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from typing import IO, Any

from botocore.exceptions import ClientError

GROUP = "/aws-glue/jobs"
PREFIX = "--custom-logGroup-prefix"
LONGEST_LINE = 250_000  # CloudWatch takes 256 KB
LARGEST_BATCH = 900_000  # and 1 MB at once
WAIT_SECONDS = 0.5
LOG = logging.getLogger(__name__)


class RunLog:
    """Reads one of the run's pipes to its end and sends the lines on as they come."""

    def __init__(self, client: Any, group: str, run: str, pipe: IO[bytes]) -> None:
        self._client, self._group, self._run = client, group, run
        self._lines: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._made = False
        self._threads = [
            threading.Thread(target=work, args=arguments, daemon=True)
            for work, arguments in ((self._read, (pipe,)), (self._send_on, ()))
        ]
        for thread in self._threads:
            thread.start()

    def finish(self, last: str = "") -> None:
        """Everything is sent when this returns; a process that keeps the pipe open is not waited for."""
        self._threads[0].join(WAIT_SECONDS * 4)
        for line in last.splitlines():
            self._keep(line)
        self._done.set()
        self._threads[1].join(30)

    def _read(self, pipe: IO[bytes]) -> None:
        with contextlib.suppress(ValueError), pipe:
            for line in pipe:
                self._keep(line.decode(errors="replace").rstrip("\n"))

    def _keep(self, line: str) -> None:
        if line.strip():
            with self._lock:
                self._lines.append({"timestamp": int(time.time() * 1000), "message": line[:LONGEST_LINE]})

    def _send_on(self) -> None:
        while not self._done.wait(WAIT_SECONDS):
            self._send()
        self._send()

    def _send(self) -> None:
        with self._lock:
            lines, self._lines = self._lines, []
        try:
            if not self._made:
                make(self._client, self._group, self._run)
                self._made = True
            for batch in _batches(lines):
                self._client.put_log_events(logGroupName=self._group, logStreamName=self._run, logEvents=batch)
        except ClientError as error:
            LOG.warning("Lines of the log of job run '%s' are lost: %s", self._run, error)


def groups(arguments: Mapping[str, str]) -> str:
    """What the names of a run's log groups begin with."""
    return arguments.get(PREFIX, GROUP)


def make(client: Any, group: str, stream: str) -> None:
    with contextlib.suppress(client.exceptions.ResourceAlreadyExistsException):
        client.create_log_group(logGroupName=group)
    with contextlib.suppress(client.exceptions.ResourceAlreadyExistsException):
        client.create_log_stream(logGroupName=group, logStreamName=stream)


def _batches(lines: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    for line in lines:
        weight = len(line["message"].encode()) + 26
        if batch and (size + weight > LARGEST_BATCH or len(batch) == 5000):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += weight
    if batch:
        yield batch
