"""Warm worker processes: `Workers.invoke` runs one event of a function in a process of its own, within its time-out."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

import boto3

from local.engines.lambda_worker import END_OF_LOG

SITE_PACKAGES = str(Path(boto3.__file__).parents[1])
SCRIPT = str(Path(__file__).with_name("lambda_worker.py"))
AT_ONCE = 8  # processes of one function; further events wait, where AWS would start more sandboxes
LOG_PATIENCE = 2.0


@dataclass(frozen=True)
class Program:
    """What a worker process runs: two equal programs can share a warm process."""

    function: str
    task_root: str
    handler: str
    environment: tuple[tuple[str, str], ...]
    packages: tuple[str, ...] = ()  # that its layers bring
    log_format: str = "Text"


@dataclass
class Answer:
    """How one event ended: `payload` is the result's JSON, or the error's where `error` is set."""

    payload: str
    error: bool
    log: list[str] = field(default_factory=list)
    seconds: float = 0.0
    stream: str = ""


class Worker:
    """One process; `ask` gives it an event."""

    def __init__(self, program: Program, spawn: Callable[..., subprocess.Popen[Any]]) -> None:
        self.program = program
        self.stream = uuid.uuid4().hex
        read_end, write_end = os.pipe()
        command = [sys.executable, "-I", "-S", SCRIPT, str(write_end), program.task_root, SITE_PACKAGES]
        self._process = spawn(
            [*command, program.handler, program.log_format, ",".join(program.packages)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=dict(program.environment),
            pass_fds=(write_end,),
        )
        os.close(write_end)
        self._answers = os.fdopen(read_end)
        self._events = cast(IO[str], self._process.stdin)
        self._log: list[str] = []
        self._log_ended = threading.Event()
        threading.Thread(target=self._read_log, name=f"log of {program.function}", daemon=True).start()

    def ask(self, event: Any, context: dict[str, Any], timeout: float) -> Answer:
        self._log, started = [], time.monotonic()
        self._log_ended.clear()
        try:
            self._events.write(json.dumps({"event": event, "context": context, "timeout": timeout}) + "\n")
            self._events.flush()
        except BrokenPipeError:
            return self._exited(context, started)
        ready, _, _ = select.select([self._answers], [], [], timeout)
        if not ready:
            return self._timed_out(context, timeout, started)
        line = self._answers.readline()
        if not line:
            return self._exited(context, started)
        self._log_ended.wait(LOG_PATIENCE)
        told = json.loads(line)
        payload = told["result"] if "result" in told else json.dumps(told["error"])
        return self._answer(payload, "error" in told, started)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> int:
        """End the process and whatever it started; its exit code."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        code = self._process.wait()
        self._answers.close()
        with contextlib.suppress(BrokenPipeError):
            self._events.close()
        return code

    def _answer(self, payload: str, error: bool, started: float) -> Answer:
        return Answer(payload, error, list(self._log), time.monotonic() - started, self.stream)

    def _timed_out(self, context: dict[str, Any], timeout: float, started: float) -> Answer:
        self.kill()
        self._log_ended.wait(LOG_PATIENCE)
        request = context["aws_request_id"]
        told = f"RequestId: {request} Error: Task timed out after {timeout:.2f} seconds"
        self._log.append(
            f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime())}Z {request} {told.partition('Error: ')[2]}"
        )
        return self._answer(json.dumps({"errorType": "Sandbox.Timedout", "errorMessage": told}), True, started)

    def _exited(self, context: dict[str, Any], started: float) -> Answer:
        try:
            code = self._process.wait(LOG_PATIENCE)
        except subprocess.TimeoutExpired:
            code = 0
        self.kill()
        self._log_ended.wait(LOG_PATIENCE)
        how = f"signal: {signal.Signals(-code).name.lower().removeprefix('sig')}" if code < 0 else f"exit status {code}"
        told = f"RequestId: {context['aws_request_id']} Error: Runtime exited with error: {how}"
        self._log.append(told)
        return self._answer(json.dumps({"errorType": "Runtime.ExitError", "errorMessage": told}), True, started)

    def _read_log(self) -> None:
        for line in cast(IO[str], self._process.stdout):
            before, mark, _ = line.rstrip("\n").partition(END_OF_LOG)
            if before or not mark:
                self._log.append(before)
            if mark:
                self._log_ended.set()
        self._log_ended.set()


class Workers:
    """All worker processes of an endpoint: `spawn` starts a process that cannot outlive it."""

    def __init__(self, spawn: Callable[..., subprocess.Popen[Any]]) -> None:
        self._spawn = spawn
        self._idle: dict[str, list[Worker]] = {}
        self._lock = threading.Lock()
        # One for each function, since a function that invokes another must not wait for itself.
        self._slots: defaultdict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(AT_ONCE))

    def invoke(self, program: Program, event: Any, context: dict[str, Any], timeout: float) -> Answer:
        with self._slots[program.function]:
            worker = self._take(program) or Worker(program, self._spawn)
            try:
                answer = worker.ask(event, {**context, "log_stream_name": worker.stream}, timeout)
            finally:
                self._give_back(worker)
            return answer

    def _take(self, program: Program) -> Worker | None:
        with self._lock:
            idle = self._idle.setdefault(program.function, [])
            fitting = [worker for worker in idle if worker.program == program and worker.alive]
            for stale in [worker for worker in idle if worker not in fitting]:
                stale.kill()
            self._idle[program.function] = fitting
            return fitting.pop() if fitting else None

    def _give_back(self, worker: Worker) -> None:
        if worker.alive:
            with self._lock:
                self._idle.setdefault(worker.program.function, []).append(worker)

    def close(self) -> None:
        with self._lock:
            for worker in [worker for idle in self._idle.values() for worker in idle]:
                worker.kill()
            self._idle.clear()
