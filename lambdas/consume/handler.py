"""Take a stream's records to bronze: events as one object of JSON lines, each record that is none as a dead letter."""

from __future__ import annotations

import gc
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
import orjson
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from lake import streams
from lake.model import Dataset, load
from lambdas.consume.batch import Batch, batch_key, compressed, told_apart
from lambdas.consume.reading import Reader

AT_ONCE = 16  # objects that are written side by side
PATIENCE = Config(
    connect_timeout=2,
    read_timeout=10,
    max_pool_connections=AT_ONCE,
    retries={"mode": "standard", "total_max_attempts": 4},
)
SAMPLES = 10  # delays that are told of a batch: each costs as much as to read four events

logger, tracer = Logger(service="consume"), Tracer(service="consume")
metrics = Metrics(namespace=streams.NAMESPACE)


@cache
def client(service: str) -> Any:
    """One for each service and warm container."""
    return boto3.client(service, config=PATIENCE)


@cache
def writers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE)


@cache
def consumed() -> tuple[Dataset, str, Reader]:
    """The dataset that this function is for, its bucket, and its contract in compiled form."""
    lake = load()
    dataset = lake.dataset(os.environ["DATASET"])
    metrics.set_default_dimensions(Dataset=dataset.id)
    gc.freeze()  # what was imported stays: no collection need look at it again
    return dataset, lake.environment.buckets["bronze"], Reader(dataset)


@logger.inject_lambda_context
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics
def handle(event: dict[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """A batch of Kinesis in. Where S3 fails: the batch's first record, from which on Lambda hands it in again, whole.

    An error raised would have Lambda cut the batch in two, and the halves would be written under other names.
    """
    records = event["Records"]
    dataset, bucket, reader = consumed()
    batch = told_apart(records, dataset, reader)
    key = batch_key(records, dataset)
    lines = {key: compressed(batch.lines)} if batch.lines else {}
    try:
        write(bucket, {**batch.letters, **lines})
    except (BotoCoreError, ClientError) as error:
        logger.error(f"S3 did not take the batch {key}: {error}")
        metrics.add_metric(streams.FAILED_BATCHES, MetricUnit.Count, 1)
        return {"batchItemFailures": [{"itemIdentifier": records[0]["kinesis"]["sequenceNumber"]}]}
    report(batch, len(records), dataset.cursor_field)
    return {"batchItemFailures": []}


def write(bucket: str, objects: Mapping[str, bytes]) -> None:
    """All of them, or an error when each has been tried: a frozen container must have nothing under way."""
    client("s3")  # before the threads: boto3's default session must not make two at once
    puts = [writers().submit(put, bucket, key, body) for key, body in objects.items()]
    wait(puts)
    for each in puts:
        each.result()


def put(bucket: str, key: str, body: bytes) -> None:
    client("s3").put_object(Bucket=bucket, Key=key, Body=body)


def report(batch: Batch, records: int, time: str) -> None:
    """Counts, and how long a sample of the events was on its way, as metrics; no value of any event."""
    metrics.add_metric(streams.RECORDS, MetricUnit.Count, records)
    metrics.add_metric(streams.DEAD_LETTERS, MetricUnit.Count, len(batch.letters))
    for delay in delays(batch.lines, time, datetime.now(UTC)):
        metrics.add_metric(streams.EVENT_TO_BRONZE, MetricUnit.Seconds, delay)
    if batch.letters:
        logger.warning("Records were refused", extra={"dead_letters": len(batch.letters), "rules": batch.broken})


def delays(lines: Sequence[bytes], time: str, now: datetime) -> list[float]:
    """Of evenly spread events: a metric needs no more to say how long the most of them take."""
    times = (orjson.loads(line)[time] for line in lines[:: -(-len(lines) // SAMPLES) or 1])
    return [(now - datetime.fromisoformat(each)).total_seconds() for each in times]
