"""A few warm worker processes for queries: `Pool.run` waits for a free one, `Pool.cancel` ends the one at work."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SIZE = 2
TRIES = 2
PATIENCE = 10.0  # for a statement that writes to take back what it has written, before its process is ended
Outcome = dict[str, Any]
CANCELLED: Outcome = {"state": "CANCELLED", "reason": "Query cancelled by user"}
LOST: Outcome = {
    "state": "FAILED",
    "reason": "GENERIC_INTERNAL_ERROR: The query's engine ended. Make the query smaller, and please report it.",
    "category": 1,
}


@dataclass(eq=False)
class Job:
    """A query on its way: `begun` is called when a worker takes it, `ended` with its outcome."""

    request: dict[str, Any]
    begun: Callable[[], None]
    ended: Callable[[Outcome], None]
    reads: bool = True
    cancelled: bool = False
    taken: bool = False
    process: subprocess.Popen[str] | None = field(default=None, repr=False)


class Pool:
    """Worker processes, made when first needed and again when one has ended."""

    def __init__(
        self, start: Callable[..., subprocess.Popen[str]], url: str, region: str, environment: dict[str, str]
    ) -> None:
        self._start = start
        self._command = [sys.executable, "-m", "local.engines.duckdb_worker", url, region]
        self._environment = environment
        self._jobs: queue.Queue[Job | None] = queue.Queue()
        self._lock = threading.Lock()
        self._closed = False
        self._threads: list[threading.Thread] = []

    def warm_up(self) -> None:
        """Start the threads that keep a process each; the processes start now too."""
        with self._lock:
            if not self._threads and not self._closed:
                self._threads = [
                    threading.Thread(target=self._work, name=f"athena {i}", daemon=True) for i in range(SIZE)
                ]
                for thread in self._threads:
                    thread.start()

    def run(self, job: Job) -> None:
        self.warm_up()
        self._jobs.put(job)

    def cancel(self, job: Job) -> bool:
        """Whether a query is cancelled for sure: one that waits never starts, of one that reads the process ends. One
        that writes is asked to stop, and its outcome tells whether it did.
        """
        with self._lock:
            job.cancelled = True
            process = job.process
            if process is not None and job.reads:
                process.kill()
            if process is None or job.reads:
                return job.reads or not job.taken
            self._tell(process, {"cancel": job.request["id"]})
        late = threading.Timer(PATIENCE, self._end_late, (job, process))
        late.daemon = True
        late.start()
        return False

    def _end_late(self, job: Job, process: subprocess.Popen[str]) -> None:
        with self._lock:
            if job.process is process:
                process.kill()

    def close(self) -> None:
        with self._lock:
            self._closed = True
        for _ in self._threads:
            self._jobs.put(None)

    def _work(self) -> None:
        process = self._spawn()
        while (job := self._jobs.get()) is not None:
            for _ in range(TRIES if job.reads else 1):  # what only reads may run again when its engine has ended
                if process.poll() is not None:
                    process = self._spawn()
                outcome = self._ask(process, job)
                if outcome is not LOST:
                    break
            job.ended(outcome)
        _end(process)

    def _ask(self, process: subprocess.Popen[str], job: Job) -> Outcome:
        with self._lock:
            if job.cancelled:
                return CANCELLED
            job.process, job.taken = process, True
            told = self._tell(process, job.request)
        job.begun()
        line = process.stdout.readline() if told and process.stdout is not None else ""
        with self._lock:
            job.process = None
        if not line:
            process.wait()
            return CANCELLED if job.cancelled else LOST
        outcome: Outcome = json.loads(line)
        return outcome

    def _tell(self, process: subprocess.Popen[str], what: dict[str, Any]) -> bool:
        """Whether the process is there to be told."""
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(what) + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            return False
        return True

    def _spawn(self) -> subprocess.Popen[str]:
        process = self._start(
            self._command,
            cwd=ROOT,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        process.stdout.readline()  # it says when it is ready
        return process


def _end(process: subprocess.Popen[str]) -> None:
    """Close its input, which ends it."""
    if process.stdin is not None:
        process.stdin.close()
    process.wait()
