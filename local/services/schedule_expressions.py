"""Schedule expressions of AWS: rate(), cron() and at(), as the moments at which they fire."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterError, croniter

RATE = re.compile(r"rate\((\d+) (minute|hour|day)(s?)\)")
CRON = re.compile(r"cron\((.*)\)")
AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
DAY_NUMBER = re.compile(r"(?<!/)\b([1-7])\b")


class ScheduleExpressionError(ValueError):
    """An expression that AWS does not know, or that is not translated here."""


class Schedule(Protocol):
    """When something fires."""

    def after(self, moment: datetime, since: datetime) -> datetime | None:
        """The next moment after the given one, of a schedule that began at `since`; None when there is none."""


@dataclass(frozen=True)
class Rate:
    """Every so often since it began."""

    every: timedelta

    def after(self, moment: datetime, since: datetime) -> datetime | None:
        if moment < since:
            return since
        return since + self.every * ((moment - since) // self.every + 1)


@dataclass(frozen=True)
class At:
    """Once."""

    when: datetime

    def after(self, moment: datetime, since: datetime) -> datetime | None:
        return self.when if moment < self.when else None


@dataclass(frozen=True)
class Cron:
    """At moments of a calendar in a time zone; the fields are croniter's."""

    fields: str
    zone: ZoneInfo

    def after(self, moment: datetime, since: datetime) -> datetime | None:
        try:
            found: datetime = croniter(self.fields, moment.astimezone(self.zone)).get_next(datetime)
        except CroniterError:  # no such moment in the years that are left
            return None
        return found.astimezone(UTC)


def schedule(expression: str, zone: str = "UTC") -> Schedule:
    """The schedule that an expression says."""
    try:
        place = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ScheduleExpressionError(f"The time zone '{zone}': expected a name such as Europe/Berlin.") from error
    if found := RATE.fullmatch(expression):
        return rate(expression, int(found[1]), found[2], bool(found[3]))
    if found := AT.fullmatch(expression):
        return At(datetime.fromisoformat(found[1]).replace(tzinfo=place).astimezone(UTC))
    if found := CRON.fullmatch(expression):
        return Cron(croniter_fields(expression, found[1].split()), place)
    raise ScheduleExpressionError(
        f"The expression '{expression}': expected rate(1 hour), cron(0 6 * * ? *) or at(2026-01-31T06:00:00)."
    )


def rate(expression: str, count: int, unit: str, plural: bool) -> Rate:
    if count < 1 or plural is (count == 1):
        raise ScheduleExpressionError(f"The expression '{expression}': expected rate(1 {unit}) or rate(2 {unit}s).")
    return Rate(timedelta(**{f"{unit}s": count}))


def croniter_fields(expression: str, fields: list[str]) -> str:
    """AWS's six fields as croniter's seven: weekdays count from 0, and seconds stand before years."""
    if len(fields) != 6:
        raise ScheduleExpressionError(f"The expression '{expression}': expected six fields, found {len(fields)}.")
    minute, hour, day, month, weekday, year = fields
    if (day == "?") == (weekday == "?"):
        raise ScheduleExpressionError(f"The expression '{expression}': expected ? as day of month or as day of week.")
    if found := set(day + re.sub("[A-Z]{3}", "", weekday.upper())) & set("LW#"):
        raise ScheduleExpressionError(
            f"The expression '{expression}': the laptop does not know '{min(found)}' in it. Write the days out."
        )
    days = DAY_NUMBER.sub(lambda number: str(int(number[1]) - 1), weekday).replace("?", "*")
    translated = f"{minute} {hour} {day.replace('?', '*')} {month} {days} 0 {year}"
    if not croniter.is_valid(translated):
        raise ScheduleExpressionError(f"The expression '{expression}': a field is out of its range.")
    return translated
