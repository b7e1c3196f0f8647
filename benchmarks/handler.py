"""The consumer function beside a naive one, and beside what no consumer could do without, over the same records.

The naive one reads with json, checks with jsonschema and puts each record by itself. The limit is orjson.loads of each
record and the standard library's gzip of the bytes that bronze gets, to the same size, and nothing else. Beside the
limit no put counts; beside the naive one all go to the same S3, moto in this process, and once more nowhere. The events
are the load generator's, with its copies, corrections, late and malformed ones. Seconds are of the processor, the best
of several turns, so that what else the machine does hardly counts.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import io
import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
import orjson
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from moto import mock_aws

import contracts
from lake.model import Dataset
from lambdas.consume import batch, handler
from lambdas.consume.reading import Reader
from local.clinic import Load

DATASET, BUCKET = "clinic.immunizations", "bronze"
RECORDS, BATCH, TURNS = 10_000, 1000, 7
SAME_SIZE = 6  # the level at which the standard library's gzip makes what the consumer puts
NAIVE_RECORDS = 1000  # its puts into moto take seconds
ENDING = datetime(2026, 1, 1, tzinfo=UTC)
FIRST = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898  # as long as Kinesis' numbers are
LOGIN = {"aws_access_key_id": "none", "aws_secret_access_key": "none", "region_name": "us-east-1"}

Event = dict[str, Any]
Work = Callable[[], None]


class NoS3:
    """Takes puts in no time."""

    def put_object(self, **request: Any) -> None:
        """Nothing is kept."""


def measure(records: int = RECORDS, turns: int = TURNS) -> dict[str, Any]:
    """Records a second, `ratio_to_naive` (with puts) and `ratio_to_limit` (without)."""
    dataset, events = contracts.load(DATASET), list(invocations(records))
    lake = SimpleNamespace(
        dataset={DATASET: dataset}.__getitem__, environment=SimpleNamespace(buckets={"bronze": BUCKET})
    )
    few = [{"Records": events[0]["Records"][:NAIVE_RECORDS]}]
    naive, least, nowhere = Naive(dataset), limit(dataset, events), NoS3()
    with mock_aws(), patch.object(handler, "load", lambda: lake), patch.dict(os.environ, DATASET=DATASET):
        handler.consumed.cache_clear()
        handler.consumed()  # the container is warm
        s3 = boto3.client("s3", **LOGIN)
        s3.create_bucket(Bucket=BUCKET)
        works: dict[str, tuple[int, Work]] = {
            "consumer": (records, lambda: consume(events, nowhere)),
            "limit": (records, least),
            "naive": (NAIVE_RECORDS, lambda: naive.consume(few, nowhere)),
        }
        free = _per_second(works, turns)
        works = {
            "consumer": (records, lambda: consume(events, s3)),
            "naive": (NAIVE_RECORDS, lambda: naive.consume(few, s3)),
        }
        paid = _per_second(works, 2)
    sizes = [len(each["kinesis"]["data"]) * 3 // 4 for event in events for each in event["Records"]]
    return {
        "bytes_of_an_event": sum(sizes) / len(sizes),
        **{f"{name}_per_second": each for name, each in free.items()},
        "ratio_to_limit": free["consumer"] / free["limit"],
        "ratio_to_naive_without_puts": free["consumer"] / free["naive"],
        **{f"{name}_per_second_with_puts": each for name, each in paid.items()},
        "ratio_to_naive": paid["consumer"] / paid["naive"],
    }


def invocations(records: int) -> Iterator[Event]:
    """The load as Lambda hands it in: batches of one shard, some 20 records a millisecond."""
    numbers = count(FIRST)
    for place, each in enumerate(Load(records, ending=ENDING).batches(BATCH)):
        made = []
        for number, record in enumerate(each):
            sequence, arrived = str(next(numbers)), ENDING + timedelta(seconds=place, milliseconds=number // 20)
            kinesis = {
                "partitionKey": record.key,
                "sequenceNumber": sequence,
                "data": base64.b64encode(record.data).decode(),
                "approximateArrivalTimestamp": arrived.timestamp(),
            }
            made.append({"eventID": f"shardId-000000000000:{sequence}", "kinesis": kinesis})
        yield {"Records": made}


class Context:
    """What Powertools reads of a function's context."""

    function_name = "consume"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:consume"
    aws_request_id = "measured"


def consume(events: list[Event], s3: Any) -> None:
    """The function itself, with its metrics written to memory."""
    with patch.object(handler, "client", lambda service: s3), contextlib.redirect_stdout(io.StringIO()):
        for event in events:
            handler.handle(event, Context())


def limit(dataset: Dataset, events: list[Event]) -> Work:
    """orjson.loads of each record that is JSON, and gzip of what the consumer puts."""
    reader = Reader(dataset)
    told = [batch.told_apart(event["Records"], dataset, reader) for event in events]
    lines = [b"".join(each.lines) for each in told]
    read = [[line.rpartition(b',"_arrived_at"')[0] + b"}" for line in each.lines] for each in told]

    def work() -> None:
        for raws, body in zip(read, lines, strict=True):
            for raw in raws:
                orjson.loads(raw)
            gzip.compress(body, SAME_SIZE, mtime=0)

    return work


class Naive:
    """The first that comes to mind: one record after the other."""

    def __init__(self, dataset: Dataset) -> None:
        self._validator = Draft202012Validator(schema(dataset), format_checker=FormatChecker())

    def consume(self, events: list[Event], s3: Any) -> None:
        for event in events:
            for record in event["Records"]:
                data = base64.b64decode(record["kinesis"]["data"])
                try:
                    self._validator.validate(json.loads(data))
                    folder = "good"
                except (ValueError, RecursionError, ValidationError):
                    folder = "bad"
                s3.put_object(Bucket=BUCKET, Key=f"{folder}/{record['eventID']}.json", Body=data)


def schema(dataset: Dataset) -> dict[str, Any]:
    """The contract as JSON Schema, as far as that goes."""
    kinds = {"int": "integer", "bigint": "integer", "double": "number", "boolean": "boolean"}
    formats = {"date": "date", "timestamp": "date-time"}
    fields: dict[str, dict[str, Any]] = {}
    for column in dataset.columns:
        kind = kinds.get(column.type, "string")
        fields[column.source] = {"type": kind if column.required else [kind, "null"]}
        if column.type in formats:
            fields[column.source]["format"] = formats[column.type]
    for rule in dataset.rules:
        if rule.pattern:
            fields[rule.column]["pattern"] = rule.pattern
        elif rule.values:
            fields[rule.column]["enum"] = list(rule.values)
        elif isinstance(rule.minimum, int):
            fields[rule.column] |= {"minimum": rule.minimum, "maximum": rule.maximum}
    return {
        "type": "object",
        "required": [column.source for column in dataset.columns if column.required],
        "properties": fields,
    }


def _per_second(works: dict[str, tuple[int, Work]], turns: int) -> dict[str, float]:
    """The best of turns that they take one after the other."""
    handler.logger.setLevel(logging.CRITICAL)
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(turns):
        for name, (_, work) in works.items():
            began = time.process_time()
            work()
            taken[name].append(time.process_time() - began)
    return {name: records / min(taken[name]) for name, (records, _) in works.items()}
