"""A job run that ends early leaves nothing behind: no late commit, no process, on the warm JVM and on cold ones."""

from __future__ import annotations

import os
import signal
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field

import psutil
import pytest
from pyiceberg.catalog import load_catalog

from tests.local.conftest import RunningEndpoint, start_endpoint
from tests.local.job_runs import JobLake

INSERTS = """
import sys
import time
from awsglue.utils import getResolvedOptions
from pyspark.sql import SparkSession, functions as F

options = getResolvedOptions(sys.argv, ["bucket"])
spark = SparkSession.builder.getOrCreate()
catalog(spark, options["bucket"])
table = f"lake.{options['bucket']}.slow"
spark.sql(f"CREATE TABLE IF NOT EXISTS {table} (id bigint) USING iceberg")

def slowly(number):
    time.sleep(1)
    return number

rows = spark.range(0, 8, 1, 8).select(F.udf(slowly, "bigint")("id").alias("id"))
print("inserting", flush=True)
rows.writeTo(table).append()
print("inserted", flush=True)
"""
BETWEEN_JOBS = """
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
print("in the JVM", flush=True)
spark._jvm.java.lang.Thread.sleep(60000)
"""
LONGER_THAN_UNDISTURBED = 7.0


@dataclass
class Ended:
    """A run that was ended early: what its table held, and may hold later."""

    lake: JobLake
    run: str
    rows: int
    at: float = field(default_factory=time.monotonic)


@pytest.fixture(scope="module")
def early() -> list[Ended]:
    return []


@pytest.fixture(scope="module")
def warm(endpoint: RunningEndpoint) -> JobLake:
    return JobLake(endpoint)


@pytest.fixture(scope="module")
def cold(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobLake]:
    running = start_endpoint(tmp_path_factory.mktemp("cold"), "--cold")
    yield JobLake(running)
    running.process.terminate()
    running.process.wait(30)


def processes(run: str) -> list[psutil.Process]:
    """Every process of a run: its script, its JVM if it has one of its own, its Python workers."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("HEADWATER_RUN") == run and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def script(run: str) -> psutil.Process:
    return next(process for process in processes(run) if any("spark_child" in part for part in process.cmdline()))


def warm_jvm(endpoint: RunningEndpoint) -> psutil.Process:
    return next(child for child in psutil.Process(endpoint.process.pid).children() if child.name() == "java")


def rows(lake: JobLake) -> int:
    settings = {
        "type": "glue",
        "glue.endpoint": lake.endpoint.url,
        "s3.endpoint": lake.endpoint.url,
        "client.region": lake.endpoint.region,
        "client.access-key-id": "headwater",
        "client.secret-access-key": "headwater",
    }
    return int(load_catalog("lake", **settings).load_table(f"{lake.name}.slow").scan().to_arrow().num_rows)


def start_insert(lake: JobLake, job: str) -> str:
    run = lake.start(job)
    lake.wait_for_line(run, "inserting")
    end = time.monotonic() + 180
    while not any("pyspark.daemon" in process.cmdline() for process in processes(run)):
        assert time.monotonic() < end, lake.log(run, "error")
        time.sleep(0.1)
    time.sleep(1)  # well into its tasks, and far from done
    return run


def assert_nothing_is_left(lake: JobLake, job: str, run: str, state: str) -> str:
    """Of the run, as soon as it is over; its error."""
    found = lake.wait(job, run)
    assert found["JobRunState"] == state
    assert processes(run) == []
    assert rows(lake) == 0
    return str(found.get("ErrorMessage"))


def test_a_killed_process_commits_nothing(warm: JobLake, early: list[Ended]) -> None:
    job = warm.job("killed", INSERTS)
    run = start_insert(warm, job)
    script(run).kill()
    assert "SIGKILL" in assert_nothing_is_left(warm, job, run, "FAILED")
    assert warm.run(job)["JobRunState"] == "SUCCEEDED"
    assert rows(warm) == 8
    early.append(Ended(warm, run, rows=8))  # the second one's


def test_a_stopped_run_commits_nothing(warm: JobLake, early: list[Ended]) -> None:
    lake = JobLake(warm.endpoint)
    job = lake.job("stopped", INSERTS)
    run = start_insert(lake, job)
    lake.client("glue").batch_stop_job_run(JobName=job, JobRunIds=[run])
    assert_nothing_is_left(lake, job, run, "STOPPED")
    early.append(Ended(lake, run, rows=0))


def test_a_run_that_is_in_the_jvm_without_a_spark_job_ends_too(warm: JobLake) -> None:
    job = warm.job("between", BETWEEN_JOBS)
    run = warm.start(job)
    warm.wait_for_line(run, "in the JVM")
    script(run).kill()
    assert warm.wait(job, run)["JobRunState"] == "FAILED"


def test_no_run_that_was_ended_early_commits_later(early: list[Ended]) -> None:
    """In the JVM that they all had, when each would long have been through."""
    assert len(early) == 2
    time.sleep(max(0.0, max(each.at for each in early) + LONGER_THAN_UNDISTURBED - time.monotonic()))
    for each in early:
        assert rows(each.lake) == each.rows
        assert "inserted" not in each.lake.log(each.run)


def test_after_a_crash_of_the_jvm_the_next_run_gets_a_new_one(warm: JobLake) -> None:
    job = warm.job("crash", BETWEEN_JOBS)
    run = warm.start(job)
    warm.wait_for_line(run, "in the JVM")
    warm_jvm(warm.endpoint).kill()
    found = warm.wait(job, run)
    assert found["JobRunState"] == "FAILED"
    assert "JVM ended" in found["ErrorMessage"]
    assert warm.run(warm.job("next", "print(2)"))["JobRunState"] == "SUCCEEDED"


def test_a_cold_run_is_ended_whole(cold: JobLake) -> None:
    job = cold.job("cold-stop", INSERTS)
    run = start_insert(cold, job)
    assert len(processes(run)) >= 3  # the script, its JVM, its Python workers
    cold.client("glue").batch_stop_job_run(JobName=job, JobRunIds=[run])
    assert_nothing_is_left(cold, job, run, "STOPPED")


def test_a_run_past_its_time_out_is_ended(cold: JobLake) -> None:
    job = cold.job("late", "import time\nprint('waiting', flush=True)\ntime.sleep(60)", Timeout=5)
    run = cold.start(job)
    cold.wait_for_line(run, "waiting")
    with urllib.request.urlopen(f"{cold.endpoint.url}/_headwater/clock?advance=301"):
        pass
    found = cold.wait(job, run)
    assert (found["JobRunState"], "5 minutes" in found["ErrorMessage"]) == ("TIMEOUT", True)


def test_nothing_is_left_when_the_endpoint_is_killed(tmp_path_factory: pytest.TempPathFactory) -> None:
    running = start_endpoint(tmp_path_factory.mktemp("killed"), "--lazy")
    lake = JobLake(running)
    run = lake.start(lake.job("orphan", BETWEEN_JOBS))
    lake.wait_for_line(run, "in the JVM")
    children = psutil.Process(running.process.pid).children(recursive=True)
    assert {"java"} <= {child.name() for child in children}
    os.kill(running.process.pid, signal.SIGKILL)
    running.process.wait()
    _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []
