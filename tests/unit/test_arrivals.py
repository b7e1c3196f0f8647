"""Objects of a stream's events: their names say when, and only theirs do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

import contracts
from lake.arrivals import arrived, dead_letters, from_key, object_key

EVENTS = contracts.load("clinic.immunizations")
AT = datetime(2026, 11, 21, 23, 59, 59, 999_700, tzinfo=UTC)
SHARD = "shardId-000000000001"


def test_an_object_is_named_by_arrival_shard_and_first_and_last_record() -> None:
    key = object_key(EVENTS, AT, SHARD, "495", "497")
    assert key == "clinic/immunizations/2026/11/21/235959999-shardId-000000000001-495-497.json.gz"


def test_a_name_is_the_same_in_any_zone() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=13)))
    assert object_key(EVENTS, elsewhere, SHARD, "1", "2") == object_key(EVENTS, AT, SHARD, "1", "2")


@given(st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_a_name_tells_the_arrival_to_the_millisecond(at: datetime) -> None:
    told = arrived(object_key(EVENTS, at, SHARD, "1", "2"), EVENTS)
    assert told == at.replace(microsecond=at.microsecond // 1000 * 1000)


@pytest.mark.parametrize(
    "key",
    [
        f"{dead_letters(EVENTS)}2026/11/21/{SHARD}-1.json",
        "clinic/immunizations/2026/11/21/",
        "clinic/immunizations/2026/11/21/235959999-shardId-1-2-3.json",
        "clinic/immunizations/2026/13/21/235959999-shardId-1-2-3.json.gz",
        "clinic/immunizations/2026/11/21/notes.txt",
    ],
)
def test_what_is_no_batch_is_none(key: str) -> None:
    assert arrived(key, EVENTS) is None


@given(
    st.lists(st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)), min_size=2, max_size=2)
)
def test_a_listing_is_in_order_of_arrival(two: list[datetime]) -> None:
    earlier, later = (at.replace(microsecond=at.microsecond // 1000 * 1000) for at in sorted(two))
    key = object_key(EVENTS, later, SHARD, "1", "2")
    assert key > from_key(EVENTS, later) >= from_key(EVENTS, earlier)
    assert earlier == later or object_key(EVENTS, earlier, SHARD, "1", "2") < from_key(EVENTS, later)
