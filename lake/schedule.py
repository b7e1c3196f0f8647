"""When a schedule last fired: EventBridge Scheduler's cron expressions, read in UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS = (  # name, lowest, highest, words that stand for lowest, lowest + 1, …
    ("minutes", 0, 59, ()),
    ("hours", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 1, 7, _DAYS),
    ("year", 1970, 2199, ()),
)
_LOOK_BACK_DAYS = 8 * 366  # 29 February may be eight years apart


class ScheduleError(ValueError):
    """An expression that is no schedule we can read."""


def last_fire(expression: str, at: datetime) -> datetime | None:
    """The latest time, not after `at`, at which the schedule fires; None if it has not fired for eight years."""
    minutes, hours, days, months, weekdays, years = parse(expression)
    at = at.astimezone(UTC)
    for back in range(_LOOK_BACK_DAYS):
        day = at.date() - timedelta(days=back)
        if day.day in days and day.month in months and day.year in years and _weekday(day) in weekdays:
            for hour in sorted(hours, reverse=True):
                for minute in sorted(minutes, reverse=True):
                    fire = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
                    if fire <= at:
                        return fire
    return None


def parse(expression: str) -> tuple[set[int], ...]:
    """The values of each of the six fields."""
    found = re.fullmatch(r"cron\((\S+(?: \S+){5})\)", expression.strip())
    if not found:
        raise ScheduleError(
            f"The schedule '{expression}': expected cron(MINUTES HOURS DAY-OF-MONTH MONTH DAY-OF-WEEK YEAR),"
            " such as cron(0 3 * * ? *). Write it so, in UTC."
        )
    texts = found[1].split(" ")
    if (texts[2] == "?") == (texts[4] == "?"):
        raise ScheduleError(
            f"The schedule '{expression}': expected '?' for exactly one of day of month and day of week."
            " Put '?' where the other one decides."
        )
    return tuple(_values(text, *field) for text, field in zip(texts, _FIELDS, strict=True))


def _values(text: str, name: str, low: int, high: int, words: tuple[str, ...]) -> set[int]:
    values: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, _, last = (f"{low}-{high}" if span in ("*", "?") else span).partition("-")
        try:
            start = _value(first, low, words)
            # 5/15 counts on from 5 to the end; 5 alone is itself.
            end = _value(last, low, words) if last else (high if step else start)
            found = set(range(start, end + 1, int(step or 1)))
        except ValueError as error:
            raise _refused(part, name, low, high) from error
        if not found or min(found) < low or max(found) > high:
            raise _refused(part, name, low, high)
        values |= found
    return values


def _value(text: str, low: int, words: tuple[str, ...]) -> int:
    return low + words.index(text.upper()) if text.upper() in words else int(text)


def _weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1  # SUN is 1


def _refused(text: str, name: str, low: int, high: int) -> ScheduleError:
    return ScheduleError(
        f"The {name} '{text}' of a schedule: expected numbers from {low} to {high}, lists, ranges, steps or '*'."
        " L, W and # are not supported."
    )
