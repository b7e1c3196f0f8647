"""A stream's events, which lie in bronze before a run asks: the objects that it takes are written down, then read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql.types import StringType, StructField, StructType

from glue_jobs.aws import client
from glue_jobs.windows import instant
from glue_jobs.work import Job, Task
from lake import arrivals
from lake.items import utc_now
from lake.model import Dataset
from lake.records import Head, Load, Mode

MARGIN = timedelta(hours=1)  # beyond the age at which a record is put aside: clocks, and the put itself


@dataclass(frozen=True)
class Span:
    """Objects whose first record arrived from `since` on, and before `until`; None is without end."""

    since: datetime | None = None
    until: datetime | None = None


def take(task: Task) -> Load:
    """What this run reads of the stream: its objects in a manifest, their number of events in the ledger."""
    job, dataset, began, span = task.job, task.dataset, utc_now(), span_of(task)
    bucket = job.lake.environment.buckets["bronze"]
    keys = list(objects(client("s3"), bucket, dataset, span))
    manifest = arrivals.manifest_key(dataset, task.run, job.attempt)
    client("s3").put_object(Bucket=bucket, Key=manifest, Body=json.dumps(keys).encode())
    rows = _read(job, dataset, keys).count()
    complete = span == Span()
    made = Load(task.run, job.attempt, (manifest,), rows, complete, began=began.isoformat())
    return job.ledger.commit_load(dataset.id, made)


def read(job: Job, dataset: Dataset, load: Load) -> DataFrame:
    """The events of a load, each field as the text that came."""
    [manifest] = load.files
    bucket = job.lake.environment.buckets["bronze"]
    return _read(job, dataset, json.load(client("s3").get_object(Bucket=bucket, Key=manifest)["Body"]))


def span_of(task: Task) -> Span:
    job, dataset = task.job, task.dataset
    interval = job.lake.pipeline(job.run.pipeline).interval_hours if job.mode == "backfill" else 0
    age = job.lake.environment.record_hours[dataset.id]
    return span(dataset, job.mode, job.ledger.head(dataset.id), job.run.logical, interval, age)


def span(
    dataset: Dataset, mode: Mode, head: Head | None, logical: datetime, interval_hours: int, age_hours: float
) -> Span:
    """What a run in this mode reads: an object may come as late as its records may wait in their stream."""
    if mode == "backfill":
        return Span(logical, logical + timedelta(hours=interval_hours))
    if mode == "replay" or head is None or not head.watermark or head.cursor != dataset.cursor:
        return Span()
    return Span(instant(head.watermark) - timedelta(hours=age_hours) - MARGIN)


def objects(s3: Any, bucket: str, dataset: Dataset, span: Span) -> Iterator[str]:
    """The keys of batches in a span: a listing is in order of their arrival, so it begins and ends where it must."""
    after = {"StartAfter": arrivals.from_key(dataset, span.since)} if span.since else {}
    end = arrivals.from_key(dataset, span.until) if span.until else None
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=dataset.folder, **after):
        for each in page.get("Contents", ()):
            if end is not None and each["Key"] >= end:
                return
            if arrivals.arrived(each["Key"], dataset) is not None:
                yield each["Key"]


def _read(job: Job, dataset: Dataset, keys: list[str]) -> DataFrame:
    # all as text: what is no value of its type is for the rules to say
    schema = StructType([StructField(name, StringType()) for name in arrivals.fields(dataset)])
    if not keys:
        return job.spark.createDataFrame([], schema)
    paths = [job.lake.bronze_object(key) for key in keys]
    return job.spark.read.schema(schema).option("lineSep", "\n").json(paths)
