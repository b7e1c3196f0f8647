"""Events through the stream with faults on the way: what silver and the dead letters hold beside what was sent.

A load with copies, corrections, late and malformed events goes through the laptop's Kinesis to the real consumer while
S3 refuses puts, Kinesis refuses single records (the client sends just those again) and the consumer is killed. Then the
pipeline loads silver. Rows and dead letters are compared as sets; any difference fails the benchmark. The consumer's
own speed stands beside two others of the same run: json, jsonschema and a put for each record, and orjson and gzip
alone.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import config
from benchmarks import handler
from cli import execution
from cli.errors import CommandError
from cli.target import Target
from local import laptop
from local.clinic import Load, checking
from local.clinic.faults import KINDS, THROUGH_HTTP
from local.clinic.sending import Way
from local.clinic.trial import PIPELINE, Delivered, Trial

EVENTS, KILLS = 50_000, 20
S3_PUT, PUT_RECORDS = 0.02, 0.01
SCALE = 0.01  # of the other sources, which this does not read
WHOLE = 1_000_000  # events, among which every kill finds the consumer at work
ON_DEMAND = {"StreamMode": "ON_DEMAND"}  # two shards would take 2,000 events a second, and the consumer would wait


OVER: dict[str, Callable[[Trial], Way]] = {"http": Trial.api, "kinesis": Trial.kinesis, "handler": Trial.consumer}


class EventsDifferError(RuntimeError):
    """Silver or the dead letters do not hold what they must."""


def measure(events: int = EVENTS, over: str = "kinesis", rate: int = 0) -> dict[str, Any]:
    """`ratio_to_naive` and `ratio_to_limit` are of the consumer alone; the differences are all zero, or this fails."""
    if over not in OVER:
        raise CommandError(f"The way '{over}' of the events: expected one of {', '.join(OVER)}. Name one of them.")
    speed = handler.measure()
    with _trial() as trial:
        load = Load(events, ending=datetime.now(UTC), kinds=THROUGH_HTTP if over == "http" else KINDS)
        _on_demand(trial)
        faults = {"s3_put": S3_PUT, "put_records": PUT_RECORDS}
        delivered = trial.deliver(load, OVER[over](trial), kills=KILLS, per_second=rate or None, **faults)
        if load.count >= WHOLE and delivered.struck.get("kill", 0) < KILLS:
            raise EventsDifferError(f"The consumer was killed fewer times than {KILLS}: the faults were not injected.")
        began = time.monotonic()
        ended = execution.follow(trial.at, execution.start(trial.at, PIPELINE))
        loaded = time.monotonic() - began
        if ended.status != "SUCCEEDED":
            raise EventsDifferError(f"The run '{ended.run}' ended {ended.status}: {ended.cause}")
        return {"over": over, **_sent(load, delivered), "pipeline_seconds": loaded, **_held(load, trial), **speed}


def _sent(load: Load, delivered: Delivered) -> dict[str, Any]:
    return {
        "events": load.count,
        "duplicates": load.duplicates,
        "corrections": load.corrections,
        "late": load.late,
        "malformed": load.malformed,
        "s3_puts_refused": delivered.struck.get("s3_put", 0),
        "records_refused_by_kinesis": delivered.struck.get("put_records", 0),
        "records_sent_again": delivered.sent.again,
        "consumer_killed": delivered.struck.get("kill", 0),
        "seconds_to_bronze": delivered.seconds,
        "events_per_second_to_bronze": load.count / delivered.seconds,
    }


def _held(load: Load, trial: Trial) -> dict[str, Any]:
    rows, letters = trial.silver(), trial.dead_letters()
    in_silver, in_letters = checking.silver([load], rows), checking.dead_letters([load], letters)
    if in_silver or in_letters or trial.undelivered():
        raise EventsDifferError(
            f"Silver: {in_silver}. Dead letters: {in_letters}. Given up: {trial.undelivered()}. Expected no difference."
        )
    return {
        "silver_rows": rows.num_rows,
        "silver_missing": in_silver.missing,
        "silver_unexpected": in_silver.unexpected,
        "dead_letters": letters.total(),
        "dead_letters_missing": in_letters.missing,
        "dead_letters_unexpected": in_letters.unexpected,
    }


@contextmanager
def _trial() -> Iterator[Trial]:
    with tempfile.TemporaryDirectory() as folder:
        running = laptop.up(Path(folder), scale=SCALE)
        try:
            yield Trial(Target(config.load("local", running.source_ports), running.url))
        finally:
            laptop.down(Path(folder))


def _on_demand(trial: Trial) -> None:
    kinesis = trial.at.client("kinesis")
    arn = kinesis.describe_stream_summary(StreamName=trial.stream)["StreamDescriptionSummary"]["StreamARN"]
    kinesis.update_stream_mode(StreamARN=arn, StreamModeDetails=ON_DEMAND)
