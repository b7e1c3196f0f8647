"""Partition projection: a table's partitions and their places worked out from its properties, without the catalog's."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from local.engines.athena_errors import QueryError, RefusedError

LARGEST = 100_000  # partitions that are listed to be pruned
NOW = re.compile(r"NOW\s*(?:([+-])\s*(\d+)\s*(YEAR|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)S?)?", re.I)
PLACEHOLDER = re.compile(r"\$\{([^}]+)\}")
# Java's letters, coarse to fine, with what Python writes for them
LETTERS = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
PATTERN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")
UNITS = {"WEEK": timedelta(weeks=1), "DAY": timedelta(days=1), "HOUR": timedelta(hours=1),
         "MINUTE": timedelta(minutes=1), "SECOND": timedelta(seconds=1)}  # fmt: skip
MONTHS = {"MONTH": 1, "YEAR": 12}


def enabled(glue: Mapping[str, Any]) -> bool:
    """Whether the catalog's own partitions of the table go unread."""
    return str(properties(glue).get("projection.enabled", "")).strip().lower() == "true"


def properties(glue: Mapping[str, Any]) -> Mapping[str, str]:
    return glue.get("Parameters") or {}


def values(glue: Mapping[str, Any], keys: Sequence[str], now: datetime | None = None) -> list[tuple[str, ...]]:
    """Every partition that the properties project; a condition of the query chooses among them."""
    columns = [_values(Column(glue, key), now or datetime.now(UTC)) for key in keys]
    found = list(itertools.islice(itertools.product(*columns), LARGEST + 1))
    if len(found) > LARGEST:
        advice = f"the laptop lists at most {LARGEST:,}. Narrow the range or widen the interval."
        raise RefusedError(f"The number of partitions that table '{glue['Name']}' projects", advice)
    return found


def locations(glue: Mapping[str, Any], keys: Sequence[str]) -> Callable[[Sequence[str]], str]:
    """Where a partition lies: by the template, or below the table's place as Hive has it."""
    base = str(glue["StorageDescriptor"]["Location"]).rstrip("/")
    hive = "/".join((base, *(f"{key}=${{{key}}}" for key in keys)))
    template = properties(glue).get("storage.location.template") or hive
    named = {name.lower() for name in PLACEHOLDER.findall(template)}
    if named != set(keys):
        raise _invalid(
            glue, f"storage.location.template '{template}': expected ${{NAME}} of each of {', '.join(keys)}, no other"
        )

    def location(partition: Sequence[str]) -> str:
        by_name = dict(zip(keys, partition, strict=True))
        return PLACEHOLDER.sub(lambda found: by_name[found[1].lower()], template)

    return location


@dataclass(frozen=True)
class Column:
    """A partition column's properties: `column["range"]` is `projection.NAME.range`."""

    glue: Mapping[str, Any]
    name: str

    def get(self, what: str) -> str | None:
        return properties(self.glue).get(f"projection.{self.name}.{what}")

    def __getitem__(self, what: str) -> str:
        found = self.get(what)
        if found is None:
            raise self.error(what, "it is required")
        return found

    def error(self, what: str, expected: str) -> QueryError:
        return _invalid(self.glue, f"projection.{self.name}.{what} '{self.get(what) or ''}': {expected}")

    def whole(self, what: str, default: int) -> int:
        text = self.get(what)
        if text is None:
            return default
        if not text.strip().isdigit() or int(text) < 1:
            raise self.error(what, "expected a whole number above zero")
        return int(text)

    def ends(self) -> tuple[str, str]:
        parts = [part.strip() for part in self["range"].split(",")]
        if len(parts) != 2:
            raise self.error("range", "expected two values with a comma between them")
        return parts[0], parts[1]


def _values(column: Column, now: datetime) -> Sequence[str]:
    match kind := column["type"].strip().lower():
        case "enum":
            return column["values"].split(",")
        case "integer":
            return _integers(column)
        case "date":
            return list(_dates(column, now))
        case "injected":
            advice = "the laptop projects date, integer and enum. Use one of them, or run this query on AWS."
            raise RefusedError(f"The projection type injected of column '{column.name}'", advice)
    raise column.error("type", f"'{kind}' is none of enum, integer, date, injected")


def _integers(column: Column) -> list[str]:
    try:
        first, last = map(int, column.ends())
    except ValueError as error:
        raise column.error("range", "expected two whole numbers") from error
    step, digits = column.whole("interval", 1), column.whole("digits", 1)
    return [f"{number:0{digits + (number < 0)}}" for number in _capped(range(first, last + 1, step))]


def _capped(numbers: range) -> range:
    return numbers[: LARGEST + 1]


def _dates(column: Column, now: datetime) -> Iterator[str]:
    pattern, finest = _pattern(column)
    first, last = (_moment(column, text, pattern, now) for text in column.ends())
    step, unit = _step(column, finest)
    seen = None
    for number in itertools.count():
        moment = _after(first, number * step, unit)
        if moment > last or number > LARGEST:
            return
        if (text := moment.strftime(pattern)) != seen:
            seen = text
            yield text


def _pattern(column: Column) -> tuple[str, str]:
    """The format as Python writes it, and its finest letters."""
    text, parts, finest = column["format"].strip(), [], -1
    for part in PATTERN.finditer(text):
        if part[2] is None:
            quoted = part[1] if part[0].startswith("'") else part[0]
            parts.append((quoted.replace("''", "'") or "'").replace("%", "%%"))
        elif part[0] in LETTERS:
            parts.append(LETTERS[part[0]])
            finest = max(finest, list(LETTERS).index(part[0]))
        else:
            advice = f"the laptop knows {', '.join(LETTERS)}."
            raise RefusedError(f"'{part[0]}' in the date format '{text}' of column '{column.name}'", advice)
    if finest < 0:
        raise column.error("format", "expected a pattern such as yyyy/MM/dd")
    return "".join(parts), list(LETTERS)[finest]


def _moment(column: Column, text: str, pattern: str, now: datetime) -> datetime:
    """A side of the range: a date in the column's format, or NOW with what is added to it."""
    if found := NOW.fullmatch(text):
        sign, count, unit = found.groups()
        return _after(now, int(f"{sign}{count}"), unit.upper()) if count else now
    try:
        return datetime.strptime(text, pattern).replace(tzinfo=UTC)
    except ValueError as error:
        expected = f"'{text}' is neither NOW, with as much added as in NOW-3YEARS, nor of the format {column['format']}"
        raise column.error("range", expected) from error


def _step(column: Column, finest: str) -> tuple[int, str]:
    """How far apart partitions are: must be said for a format finer than a day."""
    default = {"dd": "DAY", "MM": "MONTH"}.get(finest)
    unit = (column.get("interval.unit") or default or column["interval.unit"]).strip().upper().removesuffix("S")
    if unit not in (*UNITS, *MONTHS):
        raise column.error("interval.unit", f"expected one of {', '.join(f'{each}S' for each in (*MONTHS, *UNITS))}")
    if default is None:
        _ = column["interval"]
    return column.whole("interval", 1), unit


def _after(moment: datetime, count: int, unit: str) -> datetime:
    if unit in UNITS:
        return moment + count * UNITS[unit]
    months = moment.year * 12 + moment.month - 1 + count * MONTHS[unit]
    year, month = divmod(months, 12)
    for day in range(moment.day, 27, -1):  # the 31st of a shorter month is its last
        try:
            return moment.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    return moment.replace(year=year, month=month + 1)


def _invalid(glue: Mapping[str, Any], told: str) -> QueryError:
    return QueryError("INVALID_TABLE_PROPERTY", f"Partition projection of table '{glue['Name']}': {told}")
