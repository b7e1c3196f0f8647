"""One job run: a deployed script in a process of its own, attached to the warm JVM or with a JVM that it starts.

Started as `python -I -S spark_child.py REQUEST`, so that a script finds what was deployed with it and what Glue brings,
never this repository or another package that happens to be installed here.
"""

from __future__ import annotations

import contextlib
import json
import os
import runpy
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

THREAD = "headwater run {}"
HEADWATER_RUN = "HEADWATER_RUN"


class Attached:
    """A session of our own in the warm JVM; everything that its threads start there is marked with the run."""

    def __init__(self, run: str, conf: dict[str, str], paths: list[str]) -> None:
        from pyspark import SparkConf, SparkContext
        from pyspark.errors.exceptions.captured import install_exception_handler
        from pyspark.java_gateway import launch_gateway

        install_exception_handler()
        self._run, self._conf = run, conf
        launch: Callable[[], Any] = launch_gateway
        self._gateway = launch()  # attaches: the port and the secret are in the environment
        self._jvm = self._gateway.jvm
        self._root = self._jvm.org.apache.spark.sql.SparkSession.getDefaultSession().get()
        java_context = self._jvm.JavaSparkContext.fromSparkContext(self._root.sparkContext())
        self.context = SparkContext(
            gateway=self._gateway, jsc=java_context, conf=SparkConf(_jconf=java_context.getConf())
        )
        self.context.environment.update(_worker_environment())
        self._renew()
        self._mark_connections()
        for path in paths:
            self.context.addPyFile(path)
        self._leave_running()

    def _renew(self) -> Any:
        """A fresh session becomes this process's; the JVM's default one is shared, and stays as it is."""
        from pyspark.sql import SparkSession

        setattr(SparkSession, "_instantiatedSession", SimpleNamespace(_sc=self.context))  # noqa: B010
        session = SparkSession(self.context, self._configured(self._root.newSession()))
        SparkSession._instantiatedSession = SparkSession._activeSession = session
        self.session = session
        self._mark()
        return session

    def _configured(self, java_session: Any) -> Any:
        from pyspark.errors import PySparkException

        for name, value in self._conf.items():
            try:
                java_session.conf().set(name, value)
            except PySparkException as error:
                print(
                    f"The setting '{name}={value}' is left out on the warm JVM: {str(error).splitlines()[0]}",
                    file=sys.stderr,
                )
        return java_session

    def _mark(self) -> None:
        self._jvm.java.lang.Thread.currentThread().setName(THREAD.format(self._run))
        context = self.context._jsc.sc()
        for name in ("spark.job.tags", "spark.jobGroup.id", "spark.scheduler.pool"):
            context.setLocalProperty(name, self._run)
        context.setLocalProperty("spark.job.interruptOnCancel", "true")
        self._jvm.SparkSession.setActiveSession(self.session._jsparkSession)

    def _mark_connections(self) -> None:
        """Each Python thread has a connection, and with it a JVM thread, of its own."""
        from py4j.clientserver import JavaClient

        connect = JavaClient._create_new_connection

        def marked(client: Any) -> Any:
            connection = connect(client)
            self._mark()
            with contextlib.suppress(ValueError):
                client.deque.remove(connection)  # given back by our own calls; the caller will give it back again
            return connection

        JavaClient._create_new_connection = marked

    def _leave_running(self) -> None:
        """A script's own way to make and stop contexts and sessions ends where other runs begin."""
        from pyspark import SparkContext
        from pyspark.sql import SparkSession

        context, renew, configured = self.context, self._renew, self._configured

        def new_session(session: Any) -> Any:
            return SparkSession(context, configured(session._jsparkSession.newSession()))

        replaced: list[tuple[type, str, Callable[..., Any]]] = [
            (SparkContext, "__new__", lambda cls, *_, **__: context),
            (SparkContext, "__init__", lambda *_, **__: None),
            (SparkContext, "stop", lambda _: renew() and None),
            (SparkSession, "stop", lambda _: renew() and None),
            (SparkSession, "newSession", new_session),
        ]
        for owner, name, replacement in replaced:
            setattr(owner, name, replacement)


def _worker_environment() -> dict[str, str]:
    """What Python workers get: without it they would have the JVM's credentials instead of the run's."""
    return {name: value for name, value in os.environ.items() if name.startswith(("AWS_", HEADWATER_RUN))}


class Measured:
    """Spark-seconds of a JVM of our own, read before it ends."""

    def __init__(self) -> None:
        from pyspark import SparkContext

        self.seconds = 0.0
        stop = SparkContext.stop

        def measured(context: Any) -> None:
            self.read()
            stop(context)

        setattr(SparkContext, "stop", measured)  # noqa: B010, mypy knows stop as a method

    def read(self) -> float:
        from pyspark import SparkContext

        context = SparkContext._active_spark_context
        if context is not None and context._jsc is not None and context._gateway is not None:
            scala, jvm = context._jsc.sc(), context._gateway.jvm
            scala.listenerBus().waitUntilEmpty()
            quantiles, statuses = context._gateway.new_array(jvm.double, 0), jvm.java.util.ArrayList()
            stages = scala.statusStore().stageList(None, False, False, quantiles, statuses)
            self.seconds += sum(stages.apply(n).executorRunTime() for n in range(stages.size())) / 1000
        return self.seconds


def _bring_packages(request: dict[str, Any]) -> None:
    runtime = runpy.run_path(str(Path(__file__).with_name("runtime_packages.py")))
    sys.meta_path.append(runtime["RuntimePackages"](request["site_packages"], runtime["GLUE"]))


def _work(request: dict[str, Any]) -> None:
    sys.path[:0] = [str(Path(request["script"]).parent), *request["paths"]]
    sys.argv = [request["script"], *request["arguments"]]
    if request["warm"]:
        Attached(request["run"], request["conf"], request["paths"])
    runpy.run_path(request["script"], run_name="__main__")


def main(argv: list[str]) -> int:
    request = json.loads(Path(argv[1]).read_text())
    _bring_packages(request)
    answer: dict[str, Any] = {"error": None, "seconds": None}
    measured = None if request["warm"] else Measured()
    code = 0
    try:
        _work(request)
    except SystemExit as ending:
        code = ending.code if isinstance(ending.code, int) else 0 if ending.code is None else 1
        if code:
            answer["error"] = f"SystemExit: {ending.code}"
    except BaseException as error:
        traceback.print_exc()
        code = 1
        answer["error"] = f"{type(error).__name__}: {error}"
    if measured:
        with contextlib.suppress(Exception):  # its JVM may have ended
            answer["seconds"] = measured.read()
    Path(request["answer"]).write_text(json.dumps(answer))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv))
