"""A stream's events, which lie in bronze before a run asks: the objects that it takes are written down, then read."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql.types import StringType, StructField, StructType

from glue_jobs.aws import client
from glue_jobs.causes import FileUnreadableError
from glue_jobs.failures import LoadMissingError
from glue_jobs.windows import instant
from glue_jobs.work import Job, Task
from lake import arrivals
from lake.items import utc_now
from lake.model import Dataset
from lake.records import Head, Load, Mode

GZIP = 16 + zlib.MAX_WBITS
AT_ONCE = 16  # objects that are looked at side by side
RESTORE = (
    "Restore the object's earlier version, then redrive the execution. If it has none, move it out of the dataset's"
    " folder, and send what its name spans of the shard again while the stream keeps it."
)
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
    try:
        rows = _read(job, dataset, keys).count()
    except (Py4JJavaError, PySparkException) as error:  # which of thousands of objects it was, Spark does not say
        raise unreadable(bucket, dataset, keys) or error from None
    complete = span == Span()
    made = Load(task.run, job.attempt, (manifest,), rows, complete, began=began.isoformat())
    return job.ledger.commit_load(dataset.id, made)


def read(job: Job, dataset: Dataset, load: Load) -> DataFrame:
    """The events of a load, each field as the text that came."""
    [manifest] = load.files
    bucket = job.lake.environment.buckets["bronze"]
    try:
        keys = json.load(client("s3").get_object(Bucket=bucket, Key=manifest)["Body"])
    except (client("s3").exceptions.NoSuchKey, json.JSONDecodeError):
        raise LoadMissingError(
            f"The list of the objects that run {load.run} took, {manifest} in bronze, is gone or broken.",
            "Restore its earlier version, then redrive the execution; or start a new run, which makes one of its own.",
        ) from None
    return _read(job, dataset, keys)


def unreadable(bucket: str, dataset: Dataset, keys: Sequence[str]) -> FileUnreadableError | None:
    """The first of the objects that is no whole gzip file, as an error; None where all are."""

    def whole(key: str) -> bool:
        body = client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        packed = zlib.decompressobj(GZIP)
        try:
            packed.decompress(body)
        except zlib.error:
            return False
        return packed.eof

    with ThreadPoolExecutor(AT_ONCE) as readers:
        found = [key for key, fine in zip(keys, readers.map(whole, keys), strict=True) if not fine]
    if not found:
        return None
    others = f" Nor can {len(found) - 1} others." if found[1:] else ""
    return FileUnreadableError(
        f"The object {found[0]} of {dataset.id} in bronze cannot be read: it is no whole gzip file.{others}", RESTORE
    )


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
            if arrivals.arrived(each["Key"], dataset) is None:
                continue
            if not each["Size"]:  # which Spark takes for a file without events
                raise FileUnreadableError(f"The object {each['Key']} of {dataset.id} in bronze is empty.", RESTORE)
            yield each["Key"]


def _read(job: Job, dataset: Dataset, keys: list[str]) -> DataFrame:
    # all as text: what is no value of its type is for the rules to say
    schema = StructType([StructField(name, StringType()) for name in arrivals.fields(dataset)])
    if not keys:
        return job.spark.createDataFrame([], schema)
    paths = [job.lake.bronze_object(key) for key in keys]
    return job.spark.read.schema(schema).option("lineSep", "\n").json(paths)
