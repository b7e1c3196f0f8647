"""Spark: one warm JVM that job runs attach to, owned by the endpoint, or a cold JVM for each run."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JError

from local.engines import gateway, jars, java, spark_settings
from local.engines.gateway import Gateway, JvmError
from local.engines.jars import JarsNotFoundError, fetch
from local.engines.spark_runs import Runs

WARM_MEMORY, COLD_MEMORY = "4g", "2g"
PATIENCE = 60.0
DYING_SECONDS = 3.0  # a connection may break before the system tells us that the JVM has ended
LOG = logging.getLogger(__name__)
__all__ = ["JarsNotFoundError", "JvmError", "Spark", "fetch"]


@dataclass
class Spark:
    """The laptop's Spark: `environment()` attaches a child to the warm JVM, `cold_environment()` gives it its own."""

    url: str
    folder: Path
    credentials: Mapping[str, str]  # the JVM's own, with which it assumes the runs' roles
    start: Callable[..., subprocess.Popen[Any]]
    _gateway: Gateway | None = None
    _runs: Runs | None = None
    _process: subprocess.Popen[Any] | None = None
    _ended: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ensure(self) -> Gateway:
        """The warm JVM, started when there is none or when the last one ended."""
        with self._lock:
            if self._ended:
                raise JvmError("The endpoint is stopping: no JVM is started any more.")
            if self._gateway is None or self._gateway.process.poll() is not None:
                self._gateway, self._runs = None, None
                self._gateway, self._runs = self._launch()
            return self._gateway

    def environment(self) -> dict[str, str]:
        """Variables for a child that attaches to the warm JVM."""
        found = self.ensure()
        ours = {"PYSPARK_GATEWAY_PORT": str(found.port), "PYSPARK_GATEWAY_SECRET": found.secret}
        return {**ours, "PYSPARK_PYTHON": sys.executable}

    def cold_environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Variables for a child whose PySpark starts a JVM of its own, with these settings besides."""
        chosen = {**self._settings(COLD_MEMORY), **settings}
        arguments = [part for name, value in chosen.items() for part in ("--conf", f"{name}={value}")]
        ours = {"JAVA_HOME": str(java.find().home), "PYSPARK_SUBMIT_ARGS": shlex.join([*arguments, "pyspark-shell"])}
        return {**ours, "PYSPARK_PYTHON": sys.executable}

    def is_up(self, port: str) -> bool:
        """Whether the JVM that a child was attached to is still there."""
        found = self._gateway
        return found is not None and str(found.port) == port and found.process.poll() is None

    def is_gone(self, port: str, patience: float) -> bool:
        """Whether that JVM has ended, or does so within these seconds."""
        end = time.monotonic() + patience
        while self.is_up(port) and time.monotonic() < end:
            time.sleep(0.05)
        return not self.is_up(port)

    def end_run(self, run: str) -> None:
        """Nothing of the run is at work in the warm JVM afterwards, come what may: at worst the JVM is ended."""
        found, runs = self._gateway, self._runs
        if found is None or runs is None:
            return
        try:
            if runs.end(run, PATIENCE):
                return
        except (Py4JError, OSError):
            if self.is_gone(str(found.port), DYING_SECONDS):
                return  # a JVM that has ended commits nothing
            LOG.exception("The run '%s' could not be ended; its JVM is", run)
        found.process.kill()
        found.process.wait()

    def seconds(self, run: str) -> float | None:
        """The run's Spark-seconds, None when its JVM is gone."""
        runs = self._runs
        try:
            return runs.seconds(run) if runs else None
        except (Py4JError, OSError):
            return None

    def stop(self) -> None:
        """End the warm JVM and remove what it left on disk."""
        self._ended = True
        if self._runs:
            self._runs.disconnect()
        if self._process:
            self._process.kill()  # one that is still starting holds the lock until then
        with self._lock:
            found, self._gateway, self._runs = self._gateway, None, None
        if found:
            found.process.kill()
            found.process.wait()
        shutil.rmtree(self._scratch(), ignore_errors=True)

    def _launch(self) -> tuple[Gateway, Runs]:
        arguments = [
            part for name, value in self._settings(WARM_MEMORY).items() for part in ("--conf", f"{name}={value}")
        ]
        environment = {**gateway.inherited(), **self.credentials, "PYSPARK_PYTHON": sys.executable}
        log = self.folder / "spark.log"
        found = gateway.launch(java.find(), arguments, environment, log, self._start)
        try:
            client = found.connect()
            session = client.jvm.org.apache.spark.sql.SparkSession.builder().getOrCreate()
            session.sql("SELECT count(*) FROM range(1000) GROUP BY id % 7").count()  # loads what all queries need
            return found, Runs(client)
        except (Py4JError, OSError) as error:
            found.process.kill()
            found.process.wait()
            raise JvmError(f"Spark's JVM ended while it was starting. See {log}.") from error

    def _start(self, command: list[str], **options: Any) -> subprocess.Popen[Any]:
        self._process = self.start(command, **options)
        return self._process

    def _settings(self, memory: str) -> dict[str, str]:
        return spark_settings.settings(self.url, fetch(), self._scratch(), memory)

    def _scratch(self) -> Path:
        scratch = self.folder / "spark"
        scratch.mkdir(parents=True, exist_ok=True)
        return scratch


def main(argv: list[str]) -> int:
    """`python -m local.engines.spark fetch` fills the cache; what it needs is in it afterwards."""
    if argv != ["fetch"]:
        print(
            f"The command '{' '.join(argv)}': expected fetch. Run python -m local.engines.spark fetch.", file=sys.stderr
        )
        return 2
    try:
        found = fetch()
    except (jars.JarsNotFoundError, java.JavaNotFoundError) as error:
        print(error, file=sys.stderr)
        return 1
    print(os.path.commonpath([str(jar) for jar in found]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
