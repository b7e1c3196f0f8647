"""A lake over the tables of one PostgreSQL, each loaded in a way of its own, run after run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3
from pyspark.sql import SparkSession

from glue_jobs import apply, aws, ingest, refine
from glue_jobs.work import Job, work
from lake.ledger import Ledger, Outcome
from lake.records import Mode
from lake.runs import RunId
from local.engines.postgres import Server
from tests.spark.shop import FolderLake

COLUMNS = [
    {"name": "seed", "type": "int", "source": "seed", "required": True},
    {"name": "id", "type": "int", "source": "id", "required": True},
    {"name": "content", "type": "string", "source": "content"},
    {"name": "changed_at", "type": "timestamp", "source": "changed", "required": True},
]
DDL = "seed int, id int, content text, changed timestamptz, PRIMARY KEY (seed, id)"
INCREMENT = {"load_mode": "incremental", "cursor": "changed_at", "lookback_hours": 2.0}
WAYS: dict[str, dict[str, Any]] = {
    "whole": {"load_mode": "full", "deletes": True},
    "newer": INCREMENT,
    "shrinking": {**INCREMENT, "deletes": True, "partition_by": ["days(changed_at)"]},
    "log": {**INCREMENT, "load_mode": "append"},
}


class Increments:
    """Runs over the source `play`: `run("20260101T0100")` ingests and refines every table."""

    def __init__(self, spark: SparkSession, ledger: Ledger, warehouse: Path, server: Server, name: str) -> None:
        self.spark, self.ledger, self.server, self.name = spark, ledger, server, name
        self.lake = FolderLake.of(self._described(), warehouse)
        aws.client.cache_clear()
        glue, secrets = boto3.client("glue"), boto3.client("secretsmanager")
        glue.create_database(DatabaseInput={"Name": f"{name}_bronze"})
        spark.sql(f"CREATE NAMESPACE lake.{name}_silver")
        server.create_database(name)
        server.let_read(name, f"{name}_reader", "right")
        secrets.create_secret(Name=name, SecretString=json.dumps({"username": f"{name}_reader", "password": "right"}))
        url = f"jdbc:postgresql://127.0.0.1:{server.port}/{name}"
        properties = {"JDBC_CONNECTION_URL": url, "SECRET_ID": name}
        glue.create_connection(
            ConnectionInput={"Name": name, "ConnectionType": "JDBC", "ConnectionProperties": properties}
        )

    @property
    def datasets(self) -> list[str]:
        return [f"play.{each}" for each in WAYS]

    def execute(self, *statements: str) -> None:
        with self.server.connect(self.name) as connection:
            for each in statements:
                connection.execute(each)

    def job(self, run: str, mode: Mode = "run", datasets: Sequence[str] = ()) -> Job:
        named = RunId.parse(run if "-" in run else f"play-{run}-01")
        self.ledger.plan(str(named), 0, datasets or self.datasets, [], mode=mode)
        return Job(self.spark, self.lake, self.ledger, named, 0)

    def apply(self, job: Job) -> None:
        assert_succeeded(work(job, "apply", apply.unapplied(job, job.plan.datasets), apply.apply))

    def ingest(self, job: Job) -> list[Outcome]:
        return work(job, "ingest", ingest.pending(job), ingest.ingest)

    def refine(self, job: Job) -> list[Outcome]:
        return work(job, "refine", refine.pending(job), refine.refine)

    def run(self, run: str, mode: Mode = "run", datasets: Sequence[str] = ()) -> dict[str, Outcome]:
        """Ingests and refines; the outcomes of refine, or of ingest where that failed."""
        job = self.job(run, mode, datasets)
        failed = [each for each in self.ingest(job) if each.status == "failed"]
        return {each.dataset: each for each in (*failed, *self.refine(job))}

    def silver(self, dataset: str, *columns: str) -> list[tuple[Any, ...]]:
        rows = self.spark.table(self.lake.table(self.lake.dataset(dataset)))
        return sorted(tuple(row) for row in rows.selectExpr(*columns).collect())

    def watermark(self, dataset: str) -> str:
        head = self.ledger.head(dataset)
        assert head is not None
        return head.watermark

    def _described(self) -> dict[str, Any]:
        layers = ("bronze", "silver", "gold")
        environment: dict[str, Any] = {"name": "test", "account": "1", "region": "us-east-1", "ledger": "x"}
        environment |= {"topic_arn": "", "connections": {"play": self.name}}
        environment |= {"buckets": {each: f"{self.name}_{each}" for each in layers}}
        environment |= {"databases": {each: f"{self.name}_{each}" for each in layers}}
        datasets = [
            {
                "id": f"play.{way}", "source": "play", "name": way, "layer": "silver", "version": "1.0.0",
                "source_object": way, "description": way, "hash": way, "columns": COLUMNS, "key": ["seed", "id"], **how,
            }
            for way, how in WAYS.items()
        ]  # fmt: skip
        pipeline = {"name": "play", "schedule": "", "interval_hours": 1, "datasets": self.datasets}
        return {"environment": environment, "datasets": datasets, "pipelines": [pipeline]}


def assert_succeeded(outcomes: Sequence[Outcome]) -> None:
    assert not [f"{each.dataset}: {each.cause}" for each in outcomes if each.status == "failed"]
