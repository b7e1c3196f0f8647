"""When schedules last fired."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from croniter import croniter
from hypothesis import given, settings, strategies as st

from lake.schedule import ScheduleError, last_fire


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 3 * * ? *)", "2026-11-21T03:00"),
        ("cron(30 3 * * ? *)", "2026-11-20T03:30"),
        ("cron(0/15 * * * ? *)", "2026-11-21T03:00"),
        ("cron(0 6 ? * MON-FRI *)", "2026-11-20T06:00"),
        ("cron(0 6 ? * 1 *)", "2026-11-15T06:00"),
        ("cron(0 0 1 JAN,JUL ? *)", "2026-07-01T00:00"),
        ("cron(0 0 29 2 ? *)", "2024-02-29T00:00"),
        ("cron(0 0 1 1 ? 2026-2027)", "2026-01-01T00:00"),
    ],
)
def test_a_schedule_fires_when_its_expression_says(expression: str, expected: str) -> None:
    at = datetime(2026, 11, 21, 3, 14, tzinfo=UTC)
    assert last_fire(expression, at) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_a_schedule_of_the_future_has_not_fired() -> None:
    assert last_fire("cron(0 0 1 1 ? 2030)", datetime(2026, 1, 1, tzinfo=UTC)) is None


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["0", "5,35", "*/10", "7-9"]),
    st.sampled_from(["*", "3", "0/6", "22-23"]),
    st.sampled_from(["*", "1", "10-20"]),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)),
)
def test_it_agrees_with_croniter(minute: str, hour: str, day: str, at: datetime) -> None:
    at = at.replace(tzinfo=UTC)
    theirs = f"{minute} {hour.replace('0/6', '*/6')} {day} * *"
    expected = croniter(theirs, at + timedelta(microseconds=1)).get_prev(datetime)
    assert last_fire(f"cron({minute} {hour} {day} * ? *)", at) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "off",
        "rate(1 hour)",
        "cron(0 3 * * *)",
        "cron(0 3 * * * *)",
        "cron(60 3 * * ? *)",
        "cron(0 3 L * ? *)",
        "cron(0 5-3 * * ? *)",
        "cron(0 3 ? * FOO *)",
        "cron(*/0 3 * * ? *)",
    ],
)
def test_what_we_cannot_read_is_refused(expression: str) -> None:
    with pytest.raises(ScheduleError, match="expected"):
        last_fire(expression, datetime(2026, 1, 1, tzinfo=UTC))
