"""Which objects of a stream a run takes: by the arrival in their names, whatever else lies beside them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

import contracts
from glue_jobs.events import Span, objects, span
from lake.arrivals import GIVEN_UP, dead_letter_key, manifest_key, object_key
from lake.records import Head

EVENTS = contracts.load("clinic.immunizations")
BUCKET, SHARD = "bronze", "shardId-000000000000"
AT = datetime(2026, 11, 21, 0, 0, 30, tzinfo=UTC)
HEAD = Head(7, "clinic-20261120T2300-01", AT.isoformat(), AT, AT.isoformat(), "", "event_time")
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        beside = [dead_letter_key(EVENTS, AT, SHARD, "1"), manifest_key(EVENTS, "clinic-20261121T0000-01", 0)]
        beside += [f"{GIVEN_UP}1", f"{EVENTS.folder}notes.txt", f"{EVENTS.folder}2026/11/21/"]
        for key in (*beside, *map(key_at, (AT - SECOND, AT, AT + SECOND, AT - timedelta(days=1)))):
            client.put_object(Bucket=BUCKET, Key=key, Body=b"events")
        yield client


def key_at(at: datetime) -> str:
    return object_key(EVENTS, at, SHARD, "1", "2")


def found(s3: Any, span: Span) -> list[str]:
    return list(objects(s3, BUCKET, EVENTS, span))


def test_all_batches_and_nothing_else_is_found(s3: Any) -> None:
    days = [AT - timedelta(days=1), AT - SECOND, AT, AT + SECOND]
    assert found(s3, Span()) == [key_at(at) for at in days]


def test_a_span_holds_its_first_moment_and_not_its_last(s3: Any) -> None:
    assert found(s3, Span(AT, AT + SECOND)) == [key_at(AT)]
    assert found(s3, Span(AT)) == [key_at(AT), key_at(AT + SECOND)]
    assert found(s3, Span(until=AT)) == [key_at(AT - timedelta(days=1)), key_at(AT - SECOND)]


def test_days_and_years_are_no_border(s3: Any) -> None:
    assert len(found(s3, Span(AT - timedelta(minutes=1), AT + timedelta(days=400)))) == 3


def test_a_run_looks_back_by_the_age_of_records_and_an_hour() -> None:
    assert span(EVENTS, "run", HEAD, AT, 0, 24) == Span(AT - timedelta(hours=25))


def test_a_backfill_reads_its_interval() -> None:
    assert span(EVENTS, "backfill", HEAD, AT, 3, 24) == Span(AT, AT + timedelta(hours=3))


def test_the_first_run_and_a_replay_read_everything() -> None:
    assert span(EVENTS, "run", None, AT, 0, 24) == span(EVENTS, "replay", HEAD, AT, 0, 24) == Span()


def test_a_run_reads_everything_once_events_are_told_apart_by_another_column() -> None:
    other = Head(7, HEAD.run, HEAD.watermark, AT, HEAD.began, "", "created_at")
    assert span(EVENTS, "run", other, AT, 0, 24) == Span()
