"""Ranges in a quality rule: of a number, of a time, and of a time beside when its row arrived."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from contracts.contract import Source
from contracts.expressions import Fault
from contracts.loading import STREAM, mode
from lake.arrivals import ARRIVED_AT

RANGES = frozenset({"minimum", "maximum", "minutesAhead"})
RANGE_WORDS = "`minimum: …`, `maximum: …`"
NUMBERS = ("int", "bigint", "double", "decimal")
EXAMPLES = {"date": "2000-01-31", "timestamp": "2000-01-31T00:00:00Z"}


@dataclass(frozen=True)
class Range:
    """A range as Spark SQL, and as the fields of a row rule."""

    expression: str
    said: Mapping[str, Any]


def arrival(source: Source) -> tuple[str, ...]:
    """The columns that a row's rules may name beside the contract's own."""
    return (ARRIVED_AT,) if mode(source) == STREAM else ()


def range_of(source: Source, column: str, arguments: Mapping[str, Any]) -> Range | Fault:
    """What a column's values lie between, both ends included."""
    kind = source.columns[column].partition("(")[0]
    if fault := next(_faults(source, kind, arguments), None):
        return fault
    low, high, ahead = (arguments.get(name) for name in ("minimum", "maximum", "minutesAhead"))
    if kind in NUMBERS and low is not None and high is not None:
        return Range(f"{column} between {low} and {high}", {"minimum": low, "maximum": high})
    parts = [] if low is None else [f"{column} >= {_literal(low, kind)}"]
    parts += [] if high is None else [f"{column} <= {_literal(high, kind)}"]
    parts += [] if ahead is None else [f"{column} <= {ARRIVED_AT} + INTERVAL {ahead} MINUTES"]
    return Range(" AND ".join(parts), {"minimum": low, "maximum": high, "minutes_ahead": ahead})


def _faults(source: Source, kind: str, arguments: Mapping[str, Any]) -> Iterator[Fault]:
    if kind not in (*NUMBERS, *EXAMPLES):
        yield Fault(kind, "expected a range of a number, a date or a timestamp", "Use `validValues` or `pattern`.")
        return
    for name in ("minimum", "maximum"):
        value = arguments.get(name)
        if value is not None and not _fits(value, kind):
            example = EXAMPLES.get(kind)
            expected = f"expected a {kind} such as {example}" if example else "expected a number"
            yield Fault(str(value), f"{expected}, as {name}", "Correct it.")
    ahead = arguments.get("minutesAhead")
    if ahead is None:
        return
    if isinstance(ahead, bool) or not isinstance(ahead, int) or ahead < 0:
        yield Fault(str(ahead), "expected a whole number of minutes from 0 on", "Correct it.")
    if kind not in EXAMPLES or mode(source) != STREAM:
        yield Fault("minutesAhead", "expected only for a time of a dataset with loadMode stream", "Remove it.")


def _fits(value: Any, kind: str) -> bool:
    if kind in NUMBERS:
        return isinstance(value, int | float) and not isinstance(value, bool)
    try:
        if kind == "date":
            return bool(date.fromisoformat(value))
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


def _literal(value: Any, kind: str) -> str:
    return str(value) if kind in NUMBERS else f"{kind.upper()} '{value}'"
