"""What befalls executions: a process killed at its work, an execution stopped in a state, a function that hangs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psutil

from local.engines.spark_child import HEADWATER_RUN
from tests.local.small_lake import DATASET, GOLD, SmallLake

SECONDS = 180.0
T = TypeVar("T")


def until(found: Callable[[], T | None], what: str, pause: float = 0.02) -> T:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if (value := found()) is not None:
            return value
        time.sleep(pause)
    raise AssertionError(f"{what}: not within {SECONDS:g} s")


def at_work(lake: SmallLake, run: str, step: str) -> str:
    """The id of the job run that works a step of this run, once it holds a lease."""
    glue, job, ledger = lake.client("glue"), lake.environment.resource(step), lake.target.ledger()
    silver, gold = lake.environment.database("silver"), lake.environment.database("gold")
    tables = {"ingest": [f"bronze.{DATASET}.{run}"], "model": [f"lake.{gold}.{each}" for each in GOLD]}
    tables["apply"] = tables["refine"] = [f"lake.{silver}.saas_orders"]

    def started() -> str | None:
        for each in glue.get_job_runs(JobName=job)["JobRuns"]:
            if each["Arguments"]["--run"] == run and each["JobRunState"] == "RUNNING":
                holder = (run, int(each["Arguments"]["--attempt"]))
                for _ in range(100):  # some hold it for a moment only, so it alone is asked for
                    held = ledger.holders(tables[step]).values()
                    if any((one.owner, one.attempt) == holder for one in held):
                        return str(each["Id"])
                    time.sleep(0.01)  # else asking would take the time of what is waited for
                return None
        return None

    return until(started, f"{step} of {run} at work", 0.1)  # its process takes longer than that to start


def process(job_run: str, program: str) -> psutil.Process:
    """The one process of a job run that is this program, once it has started."""

    def found() -> psutil.Process | None:
        for each in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if each.environ().get(HEADWATER_RUN) == job_run and each.name().startswith(program):
                    return each
        return None

    return until(found, f"a process '{program}' of job run {job_run}")


def entered(lake: SmallLake, run: str, state: str, times: int) -> None:
    """Until the execution has entered a state so many times."""
    states, arn = lake.client("stepfunctions"), lake.target.execution(run)

    def found() -> bool | None:
        events: list[dict[str, Any]] = states.get_execution_history(executionArn=arn, maxResults=1000)["events"]
        named = [each["stateEnteredEventDetails"]["name"] for each in events if "stateEnteredEventDetails" in each]
        return True if named.count(state) >= times else None

    until(found, f"{state} of {run}")


def stop(lake: SmallLake, run: str) -> None:
    lake.client("stepfunctions").stop_execution(executionArn=lake.target.execution(run))
    assert lake.wait(run).status == "ABORTED"


@contextmanager
def hanging(lake: SmallLake, function: str) -> Iterator[None]:
    """A function whose worker, started by an earlier call, answers nobody meanwhile."""
    name, workers = lake.environment.resource(function), []
    for each in psutil.Process(lake.laptop.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if each.environ().get("AWS_LAMBDA_FUNCTION_NAME") == name:
                workers.append(each)
    assert workers, f"{name} was never called"
    for each in workers:
        each.suspend()
    try:
        yield
    finally:
        for each in workers:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.resume()
