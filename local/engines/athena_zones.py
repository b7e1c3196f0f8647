"""Time zones: the zone of a value is part of its type, since DuckDB keeps the moment alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_types import VARIOUS, Type

REGION = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z_/-]+")
OFFSET = re.compile(r"([+-])(\d\d):(\d\d)")
UNIVERSAL = ("UTC", "Z")


def named(name: str, node: object = None) -> str | None:
    """A zone as a type keeps it: None for UTC."""
    if name in UNIVERSAL or (OFFSET.fullmatch(name) and name[1:] == "00:00"):
        return None
    try:
        if OFFSET.fullmatch(name) or (REGION.fullmatch(name) and ZoneInfo(name)):
            return name
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{name}' is not a valid time zone", node) from error
    raise RefusedError(f"The time zone '{name}'", "Write a name such as Europe/Berlin, or an offset as +02:00.", node)


def zone_of(name: str) -> tzinfo:
    if offset := OFFSET.fullmatch(name):
        return timezone(_minutes(offset))
    return UTC if name == "UTC" else ZoneInfo(name)


def local(sql: str, type_: Type) -> str:
    """The date and the time of day that a value shows in its zone, as a timestamp without one."""
    if not type_.name.endswith("zone") or type_.zone is None:
        return sql
    if type_.zone == VARIOUS:
        raise RefusedError("A date or a time of values in several time zones", "Bring them AT TIME ZONE 'UTC' first.")
    if offset := OFFSET.fullmatch(type_.zone):
        return f"(timezone('UTC', {sql}) + to_minutes({int(_minutes(offset).total_seconds() // 60)}))"
    return f"timezone('{type_.zone}', {sql})"


def moment(sql: str, zone: str | None) -> str:
    """The moment at which clocks of the zone show a timestamp; where two do, or none, the query fails."""
    if zone is None:
        return f"timezone('UTC', {sql})"
    if offset := OFFSET.fullmatch(zone):
        return f"timezone('UTC', {sql} - to_minutes({int(_minutes(offset).total_seconds() // 60)}))"
    return f"t_moment({sql}, '{zone}')"


def read(naive: datetime, zone: str | None, node: object) -> datetime:
    """The same for a literal, in UTC."""
    found = zone_of(zone or "UTC")
    first, second = (naive.replace(tzinfo=found, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first != second:
        raise RefusedError(f"{naive}, which clocks of {zone} show twice or never", "Write it in UTC.", node)
    return first


def _minutes(offset: re.Match[str]) -> timedelta:
    span = timedelta(hours=int(offset[2]), minutes=int(offset[3]))
    return -span if offset[1] == "-" else span
