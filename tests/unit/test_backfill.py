"""The intervals of a backfill, and the ranges that it refuses."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cli.backfill import intervals
from cli.errors import CommandError
from lake.model import Pipeline

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
DAILY = Pipeline("tickit", "", 24, ("saas.users",))
WEEKLY = Pipeline("tickit", "", 168, ("saas.users",))


def starts(pipeline: Pipeline, first: str, last: str) -> list[str]:
    return [f"{each:%Y-%m-%d %H:%M}" for each in intervals(pipeline, first, last, NOW)]


def test_every_interval_that_begins_in_the_range_is_loaded() -> None:
    assert starts(DAILY, "2026-11-19", "2026-11-20") == ["2026-11-19 00:00", "2026-11-20 00:00"]
    assert len(starts(Pipeline("tickit", "", 6, ("saas.users",)), "2026-11-20", "2026-11-20")) == 4


def test_hours_of_today_that_are_over_can_be_loaded() -> None:
    hourly = Pipeline("immunizations", "", 1, ("clinic.immunizations",))
    assert starts(hourly, "2026-11-21T06:00", "2026-11-21T07:00") == ["2026-11-21 06:00", "2026-11-21 07:00"]
    with pytest.raises(CommandError, match="ends at 2026-11-21 10:00 UTC"):
        starts(hourly, "2026-11-21T06:00", "2026-11-21T09:00")


def test_an_interval_begins_on_its_grid() -> None:
    assert starts(WEEKLY, "2026-11-03", "2026-11-12") == ["2026-11-09 00:00"]


@pytest.mark.parametrize(
    ("pipeline", "first", "last", "sentence"),
    [
        (DAILY, "2026-11-20", "2026-11-19", "expected the first before the last"),
        (DAILY, "2026-11-19", "2026-11-21", r"ends at 2026-11-22 00:00 UTC\. End the range before it"),
        (DAILY, "yesterday", "2026-11-20", "The --from 'yesterday': expected a day such as"),
        (DAILY, "2026-02-30", "2026-11-20", "The --from '2026-02-30'"),
        (DAILY, "2016-01-01", "2026-11-20", "at most 1000 intervals"),
        (WEEKLY, "2026-11-03", "2026-11-05", "the next at 2026-11-09"),
    ],
)
def test_a_silly_range_is_refused_in_a_sentence(pipeline: Pipeline, first: str, last: str, sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        intervals(pipeline, first, last, NOW)
