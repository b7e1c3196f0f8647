"""A lake of one stream: events put into bronze as the consumer does, on moto for listing and on a folder for Spark."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from pyspark.sql import SparkSession

import contracts
from glue_jobs import apply, iceberg, ingest, maintain, model, refine
from glue_jobs.work import Job, work
from lake.arrivals import ARRIVED_AT, SEQUENCE, SHARD, object_key
from lake.environment import Maintenance
from lake.ledger import Ledger, Outcome
from lake.records import Mode
from lake.runs import RunId
from tests.spark.shop import FolderLake

EVENTS = "clinic.immunizations"
MODELS = ("gold.doses_by_vaccine_site_week", "gold.coverage_by_cohort")
LAYERS = ("bronze", "silver", "gold")
AGE = 24.0
START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=6)  # within a look-back
SHARD_ID = "shardId-000000000000"

Event = dict[str, Any]


def event(number: int, minutes: float = 0, **fields: Any) -> Event:
    """A valid event made so many minutes after the start; fields replace its own."""
    at = START + timedelta(minutes=minutes)
    return {
        "event_id": f"event-{number:04}",
        "event_time": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "patient_id": f"PAT-{number:04}",
        "birth_date": "2020-02-29",
        "vaccine_code": "208",
        "dose_number": 1,
        "series_doses": 2,
        "lot_number": "LOT-1",
        "site_id": "site-001",
        "clinician_id": "DR-7",
        "administered_at": "2026-11-16T08:00:00Z",
        "status": "completed",
        **fields,
    }


class BronzeFolder(FolderLake):
    """Its objects of bronze lie in a folder too, where Spark finds them."""

    def bronze_object(self, key: str) -> str:
        return super().bronze_object(key).replace("s3://", f"file://{self.warehouse}/")


class Clinic:
    """Runs over the stream, one after another."""

    def __init__(self, spark: SparkSession, ledger: Ledger, warehouse: Path, name: str) -> None:
        self.spark, self.ledger, self.warehouse = spark, ledger, warehouse
        self.number, self.sequence = 0, 0
        environment = {
            "name": "test", "account": "1", "region": "us-east-1", "ledger": "x", "topic_arn": "",
            "buckets": {each: f"{name}-{each}" for each in LAYERS},
            "databases": {each: f"{name}_{each}" for each in LAYERS},
            "record_hours": {EVENTS: AGE},
        }  # fmt: skip
        datasets = [json.loads(json.dumps(asdict(contracts.load(each)))) for each in (EVENTS, *MODELS)]
        hourly = {"name": "clinic", "schedule": "", "interval_hours": 1, "datasets": [EVENTS], "models": list(MODELS)}
        data = {"environment": environment, "datasets": datasets, "pipelines": [hourly]}
        made = BronzeFolder.of(data, warehouse)
        self.lake, self.bucket = made, made.environment.buckets["bronze"]
        self.dataset = made.dataset(EVENTS)
        boto3.client("s3").create_bucket(Bucket=self.bucket)
        boto3.client("glue").create_database(DatabaseInput={"Name": made.environment.databases["bronze"]})
        for layer in ("silver", "gold"):
            spark.sql(f"CREATE NAMESPACE lake.{name}_{layer}")

    def arrive(self, *events: Event, minutes: float = 0, text: str | None = None) -> str:
        """A batch that arrives so many minutes after the start, in an object of bronze; its key."""
        at, first = START + timedelta(minutes=minutes), self.sequence + 1
        lines = []
        for each in events:
            self.sequence += 1
            arrived = f"{at:%Y-%m-%dT%H:%M:%S}.000Z"
            lines.append(json.dumps({**each, ARRIVED_AT: arrived, SHARD: SHARD_ID, SEQUENCE: str(self.sequence)}))
        key = object_key(self.dataset, at, SHARD_ID, str(first), str(self.sequence))
        body = gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0)
        boto3.client("s3").put_object(Bucket=self.bucket, Key=key, Body=body)
        path = self.warehouse / self.bucket / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return key

    def job(self, mode: Mode = "run", run: str = "") -> Job:
        if not run:
            self.number += 1
            run = f"clinic-20260101T{self.number:02}00-01"
        self.ledger.plan(run, 0, [EVENTS], MODELS, mode=mode)
        return Job(self.spark, self.lake, self.ledger, RunId.parse(run), 0)

    def run(self, mode: Mode = "run", run: str = "") -> Outcome:
        """All steps up to silver: what refining came to, or what failed before it."""
        self.last = job = self.job(mode, run)
        outcomes = work(job, "apply", apply.pending(job), apply.apply)
        outcomes += work(job, "ingest", ingest.pending(job), ingest.ingest)
        outcomes += work(job, "refine", refine.pending(job), refine.refine)
        return outcomes[-1]

    def backfill(self, minutes: float) -> Outcome:
        """The hour that begins so many minutes after the start."""
        return self.run("backfill", str(RunId("clinic", START + timedelta(minutes=minutes))))

    def build(self) -> list[Outcome]:
        """Gold of the last run."""
        return model.model(self.last, model.pending(self.last))

    def maintain(self) -> Outcome:
        """Every partition is looked at as one that loads have left."""
        settled = replace(self.lake.environment, maintenance=replace(Maintenance(), open_days=0))
        self.lake.__dict__["environment"] = settled
        job = Job(self.spark, self.lake, self.ledger, RunId.parse("maintain-20260101T0000-01"), 0)
        [outcome] = maintain.maintain_all(job, maintain.read({"datasets": [EVENTS]}, self.lake))
        return outcome

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        return sorted(tuple(row) for row in self.spark.table(self.lake.table(self.dataset)).select(*columns).collect())

    def gold(self, name: str) -> list[tuple[Any, ...]]:
        table = self.lake.table(self.lake.dataset(name))
        return sorted(tuple(row)[:-3] for row in self.spark.table(table).collect())

    def quarantined(self) -> Sequence[tuple[str, list[str], str]]:
        found = self.spark.table(self.lake.quarantine(self.dataset)).collect()
        return sorted((json.loads(row["_raw"])["event_id"], row["_rules"], row["_state"]) for row in found)

    def snapshots(self) -> int:
        tables = (self.lake.table(self.dataset), self.lake.quarantine(self.dataset))
        return sum(len(list(iceberg.load(self.spark, each).snapshots())) for each in tables)
