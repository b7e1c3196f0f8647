"""Schedule expressions fire when AWS says they do."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from local.services.schedule_expressions import ScheduleExpressionError, schedule


def moments(expression: str, begin: str, count: int = 3, zone: str = "UTC") -> list[str]:
    when, found = datetime.fromisoformat(begin).replace(tzinfo=UTC), []
    since = when
    for _ in range(count):
        following = schedule(expression, zone).after(when, since)
        if following is None:
            break
        when = following
        found.append(f"{when:%a %Y-%m-%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 6 * * ? *)", ["Sun 2026-11-22 06:00", "Mon 2026-11-23 06:00", "Tue 2026-11-24 06:00"]),
        ("cron(0 6 ? * MON-FRI *)", ["Mon 2026-11-23 06:00", "Tue 2026-11-24 06:00", "Wed 2026-11-25 06:00"]),
        ("cron(0 6 ? * 2-6 *)", ["Mon 2026-11-23 06:00", "Tue 2026-11-24 06:00", "Wed 2026-11-25 06:00"]),
        ("cron(0 6 ? * 1,7 *)", ["Sun 2026-11-22 06:00", "Sat 2026-11-28 06:00", "Sun 2026-11-29 06:00"]),
        ("cron(0/20 8-9 1 1 ? 2027)", ["Fri 2027-01-01 08:00", "Fri 2027-01-01 08:20", "Fri 2027-01-01 08:40"]),
        ("cron(0 0 1 1 ? 2026)", []),
        ("rate(12 hours)", ["Sat 2026-11-21 19:00", "Sun 2026-11-22 07:00", "Sun 2026-11-22 19:00"]),
        ("at(2026-12-01T10:00:00)", ["Tue 2026-12-01 10:00"]),
    ],
)
def test_expressions_fire_as_aws_says(expression: str, expected: list[str]) -> None:
    assert moments(expression, "2026-11-21T07:00:00") == expected


def test_a_zone_with_summer_time_keeps_its_wall_clock() -> None:
    found = moments("cron(0 6 * * ? *)", "2026-10-24T00:00:00", 2, "Europe/Berlin")
    assert found == ["Sat 2026-10-24 04:00", "Sun 2026-10-25 05:00"]


@pytest.mark.parametrize(
    "expression", ["cron(0 6 * * * *)", "cron(0 6 ? * ? *)", "cron(61 6 * * ? *)", "rate(1 hours)"]
)
def test_a_wrong_expression_is_named(expression: str) -> None:
    with pytest.raises(ScheduleExpressionError, match=expression.partition("(")[0]):
        schedule(expression)
