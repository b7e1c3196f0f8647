"""Glue job runs: each a process that runs the deployed script, watched from its start until nothing of it is left."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from botocore.exceptions import ClientError

from local.children import end_group
from local.engines import spark_child
from local.engines.java import JavaNotFoundError
from local.engines.spark import DYING_SECONDS, JarsNotFoundError, JvmError, Spark
from local.services.glue_arguments import ArgumentError
from local.services.glue_logs import RunLog, groups
from local.services.glue_request import SESSION, Requests, Work
from local.services.iam_services import RoleNotAssumedError
from local.services.role_clients import RoleClients

if TYPE_CHECKING:
    from local.endpoint import Endpoint

POLL_SECONDS = 0.05
SETTLE_SECONDS = 0.3  # what a killed process had already sent is answered by then
REFUSALS = (ArgumentError, JavaNotFoundError, JarsNotFoundError, JvmError, ClientError, RoleNotAssumedError)


@dataclass(frozen=True)
class End:
    """How a run ended: Glue's word for it and, unless it succeeded, why."""

    state: str
    message: str | None = None


class Runner:
    """Runs a script as Glue would, with its job's role: `runner.run(work, on_running)` answers how it ended."""

    def __init__(self, endpoint: Endpoint, spark: Spark) -> None:
        self._endpoint, self._spark = endpoint, spark
        self._clients = RoleClients(endpoint, "glue", SESSION)
        self._requests = Requests(endpoint, spark, self._clients)

    def run(self, work: Work, on_running: Callable[[], None]) -> End:
        folder = self._endpoint.state / "glue" / work.run
        folder.mkdir(parents=True)
        try:
            return self._run(work, folder, on_running)
        except REFUSALS as error:
            return End("FAILED", str(error))
        except Exception as error:
            return End("FAILED", f"The laptop's Glue failed: {type(error).__name__}: {error}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _run(self, work: Work, folder: Path, on_running: Callable[[], None]) -> End:
        request, environment = self._requests.prepare(work, folder)
        (folder / "request.json").write_text(json.dumps(request))
        if work.stop.is_set():
            return End("STOPPED")
        port = environment.get("PYSPARK_GATEWAY_PORT")
        child = self._start(folder, environment)
        on_running()
        logs = self._logs(work, child)
        ended = self._watch(work, child, port)
        self._end(work, child, port)
        end = ended or self._outcome(folder, child, port)
        for log in logs:
            log.finish()
        work.seconds = self._spark.seconds(work.run) if port else _answer(folder).get("seconds")
        return end

    def _start(self, folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-I", "-S", "-u", spark_child.__file__, str(folder / "request.json")]
        pipe = subprocess.PIPE
        return self._endpoint.children.start(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe
        )

    def _logs(self, work: Work, child: subprocess.Popen[bytes]) -> list[RunLog]:
        client = self._clients.of("logs", work.role)
        pipes = (("output", child.stdout), ("error", child.stderr))
        return [RunLog(client, f"{groups(work.arguments)}/{name}", work.run, pipe) for name, pipe in pipes if pipe]

    def _watch(self, work: Work, child: subprocess.Popen[bytes], port: str | None) -> End | None:
        """Until the process ends by itself (None), or has to be ended."""
        due = self._endpoint.clock.now() + timedelta(minutes=work.minutes)
        while child.poll() is None:
            if work.stop.is_set():
                return End("STOPPED")
            if self._endpoint.stopping.is_set():
                return End("STOPPED", "The endpoint was stopped.")
            if self._endpoint.clock.now() > due:
                return End(
                    "TIMEOUT", f"The job run was ended: it took longer than its time-out, {work.minutes} minutes."
                )
            if port and not self._spark.is_up(port):
                return _jvm_ended()
            time.sleep(POLL_SECONDS)
        return None

    def _end(self, work: Work, child: subprocess.Popen[bytes], port: str | None) -> None:
        """Nothing of the run is left when this returns: its process group, its work in the JVM, its Python workers."""
        end_group(child, signal.SIGKILL)
        child.wait()
        if port and self._spark.is_up(port):
            self._spark.end_run(work.run)
        while _end_marked(work.run):  # a daemon may have forked one more while the others were ended
            time.sleep(SETTLE_SECONDS)

    def _outcome(self, folder: Path, child: subprocess.Popen[bytes], port: str | None) -> End:
        answer = _answer(folder)
        if child.returncode == 0:
            return End("SUCCEEDED")
        error = answer.get("error") or ""
        if port and self._spark.is_gone(port, DYING_SECONDS if "Py4J" in error or "Connection" in error else 0):
            return _jvm_ended()
        if child.returncode < 0:
            name = signal.Signals(-child.returncode).name
            return End(
                "FAILED",
                f"The job's process was ended by {name}. Redrive the execution; if it was not you, look for memory.",
            )
        return End("FAILED", error or f"The job's process ended with exit code {child.returncode}.")


def _jvm_ended() -> End:
    return End("FAILED", "The Spark JVM ended while this run was at work. Redrive the execution: it gets a new JVM.")


def _answer(folder: Path) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = json.loads((folder / "answer.json").read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return answer


def _end_marked(run: str) -> bool:
    """Kill every process that carries the run's mark; whether there was one."""
    found = False
    for process in psutil.process_iter():
        try:
            marked = process.pid != os.getpid() and process.environ().get(spark_child.HEADWATER_RUN) == run
            if marked:
                process.kill()
                process.wait(5)
                found = True
        except psutil.Error:
            continue
    return found


def utc_now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
