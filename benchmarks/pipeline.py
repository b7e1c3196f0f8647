"""What the pipeline's few, wide job runs save: the seven tables by it, and by one job run per table and layer.

Spark-seconds are those for which a job run holds its Spark, start-up included: what Glue's bill counts.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import config
import pipelines
from cli import execution
from cli.target import Target
from lake.model import Dataset
from local import laptop

PIPELINE = "tickit"
SCRIPTS = Path(__file__).parent / "per_table"
STEPS = ("apply", "ingest", "refine")  # to silver; the other way has no gold


@dataclass(frozen=True)
class Lake:
    """A lake that is up for this measurement alone."""

    target: Target
    state: Path

    def client(self, service: str) -> Any:
        return self.target.client(service)


def measure() -> dict[str, float]:
    """Spark-seconds per table both ways; `ratio` compares like with like, every job run with a JVM of its own."""
    import contracts

    described = pipelines.load(PIPELINE)
    datasets = [contracts.load(each) for each in described.datasets]
    with lake(cold=True) as up:
        wide = pipeline_seconds(up)
        narrow = per_table_seconds(up, datasets)
    with lake(cold=False) as up:
        warm = pipeline_seconds(up)
    tables = len(datasets)
    return {
        "tables": tables,
        "pipeline_seconds_per_table": wide / tables,
        "per_table_jobs_seconds_per_table": narrow / tables,
        "pipeline_warm_seconds_per_table": warm / tables,
        "ratio": narrow / wide,
        "ratio_warm": narrow / warm,
    }


@contextmanager
def lake(*, cold: bool) -> Iterator[Lake]:
    with tempfile.TemporaryDirectory() as folder:
        running = laptop.up(Path(folder), cold=cold)
        try:
            environment = config.load("local", running.source_ports)
            yield Lake(Target(environment, running.url), Path(folder))
        finally:
            laptop.down(Path(folder))


def pipeline_seconds(up: Lake) -> float:
    run = execution.start(up.target, PIPELINE)
    ended = execution.follow(up.target, run, lambda *_: None)
    if ended.status != "SUCCEEDED":
        raise RuntimeError(f"The run '{run}' ended {ended.status}: {ended.cause}")
    jobs = [up.target.environment.resource(step) for step in STEPS]
    return sum(_held(each) for job in jobs for each in up.client("glue").get_job_runs(JobName=job)["JobRuns"])


def per_table_seconds(up: Lake, datasets: list[Dataset]) -> float:
    """Bronze and then silver of each table, one job run after the other, as a schedule would start them."""
    environment, seconds = up.target.environment, 0.0
    for dataset in datasets:
        bronze = f"s3://{environment.bucket('scratch')}/bench/bronze/{dataset.table}/"
        silver = f"s3://{environment.bucket('scratch')}/bench/silver/{dataset.table}/"
        connection = environment.resource(dataset.source)
        asked = {"--connection": connection, "--table": dataset.source_object, "--target": bronze}
        seconds += _run(up, "bronze", f"bench-bronze-{dataset.table}", like="ingest", arguments=asked)
        asked = {"--dataset": dataset.id, "--origin": bronze, "--target": silver}
        seconds += _run(up, "silver", f"bench-silver-{dataset.table}", like="refine", arguments=asked)
    return seconds


def _run(up: Lake, script: str, name: str, *, like: str, arguments: dict[str, str]) -> float:
    glue, environment = up.client("glue"), up.target.environment
    deployed = glue.get_job(JobName=environment.resource(like))["Job"]
    bucket, key = environment.bucket("scratch"), f"bench/{script}.py"
    up.client("s3").put_object(Bucket=bucket, Key=key, Body=(SCRIPTS / f"{script}.py").read_bytes())
    glue.create_job(
        Name=name,
        Role=deployed["Role"],
        Command={"Name": "glueetl", "ScriptLocation": f"s3://{bucket}/{key}", "PythonVersion": "3"},
        DefaultArguments=deployed["DefaultArguments"],
        GlueVersion=deployed["GlueVersion"],
        WorkerType=deployed["WorkerType"],
        NumberOfWorkers=deployed["NumberOfWorkers"],
    )
    run = glue.start_job_run(JobName=name, Arguments=arguments)["JobRunId"]
    while True:
        found = glue.get_job_run(JobName=name, RunId=run)["JobRun"]
        if found["JobRunState"] == "SUCCEEDED":
            return _held(found)
        if found["JobRunState"] not in ("STARTING", "RUNNING"):
            raise RuntimeError(f"The job '{name}' ended {found['JobRunState']}: {found.get('ErrorMessage')}")
        time.sleep(0.2)


def _held(job_run: dict[str, Any]) -> float:
    held: float = (job_run["CompletedOn"] - job_run["StartedOn"]).total_seconds()
    return held
