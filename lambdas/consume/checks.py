"""A contract in compiled form: one Python function that names the rules which an event breaks.

The function is written out from the contract once for each container, column by column: a loop over checks took twice
as long. Names and values of the contract reach it through its globals, so that nothing of a contract becomes code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from lake.arrivals import ARRIVED_AT, SEQUENCE, SHARD
from lake.model import Column, Dataset, RowRule

Check = Callable[[Mapping[str, Any], datetime], list[str]]

OWN_FIELDS = frozenset({ARRIVED_AT, SHARD, SEQUENCE})  # what bronze says of an event beside its own fields
INTEGERS = {"int": 2**31, "bigint": 2**63}
TIMES = ("date", "timestamp")
OFFSET = re.compile(r"(?:\.\d{1,9})?[+-](?:0\d:[0-5]\d|1[0-7]:[0-5]\d|18:00)", re.ASCII)
EXPECTED = {
    "string": "a text",
    "int": "a whole number of 32 bits",
    "bigint": "a whole number of 64 bits",
    "double": "a number",
    "boolean": "true or false",
    "date": "a date such as 2000-01-31",
    "timestamp": "a time with its zone such as 2000-01-31T08:30:00Z",
}


def compiled(dataset: Dataset) -> Check:
    """A check of one event: the rules that it breaks, by the names that refine gives them.

    Rules that concern more than one column are left to refine.
    """
    names: dict[str, Any] = {"instant": instant, "day": day, "fits": fits}
    lines = ["def check(row, arrived):", " broken, get = [], row.get"]
    for column in dataset.columns:
        if column.source not in OWN_FIELDS:
            rules = [rule for rule in dataset.rules if rule.column == column.name]
            lines += (f" {line}" for line in _column(column, rules, names))
    exec("\n".join([*lines, " return broken"]), names)
    check: Check = names["check"]
    return check


def reason(dataset: Dataset, rules: list[str]) -> str:
    """What is wrong, in the contract's words: nothing of the event is in it."""
    said = {rule.name: rule.description or rule.expression for rule in dataset.rules}
    for column in dataset.columns:
        expected = EXPECTED.get(column.type, f"a number that {column.type} holds")
        said[f"type_{column.name}"] = f"The field '{column.source}': expected {expected}."
        said[f"required_{column.name}"] = f"The field '{column.source}': expected a value, and there is none."
    return " ".join(said[name] for name in rules)


def instant(value: Any) -> datetime | None:
    """An ISO 8601 time with its zone as Spark and Athena read it too, None where the value is none.

    datetime.fromisoformat also takes weeks, spaces, commas, half a time: so the separators are looked at first.
    """
    if type(value) is not str or value[4:17:3] != "--T::":
        return None
    try:
        at = datetime.fromisoformat(value)
        if value[-1] == "Z" and (value[19] == "Z" or (value[19] == "." and 21 < len(value) < 31)):
            return at
        return at if OFFSET.fullmatch(value, 19) else None
    except (ValueError, IndexError):  # no such day; cut short
        return None


def day(value: Any) -> date | None:
    """An ISO 8601 day, None where the value is none."""
    if type(value) is not str or value[4:8:3] != "--":
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:  # no such day
        return None


def fits(value: Any, precision: int, scale: int) -> bool:
    """Whether decimal(precision, scale) holds a number as it is."""
    if type(value) is not float and type(value) is not int:
        return False
    number = Decimal(repr(value)).normalize()
    return -int(number.as_tuple().exponent) <= scale and abs(number) < 10 ** (precision - scale)


def _column(column: Column, rules: list[RowRule], names: dict[str, Any]) -> Iterator[str]:
    """The lines that check one column; `known` gives a value a name among the function's globals."""

    def known(value: Any) -> str:
        name = f"value_{len(names)}"
        names[name] = value
        return name

    yield f"value = get({known(column.source)})"
    yield "if value is None:"
    yield f" broken.append({known(f'required_{column.name}')})" if column.required else " pass"
    yield f"elif {_mistyped(column.type)}:"
    yield f" broken.append({known(f'type_{column.name}')})"
    yield "else:"
    yield " pass"
    for rule in rules:
        if conditions := " or ".join(_broken(column, rule, known)):
            yield f" if {conditions}: broken.append({known(rule.name)})"


def _mistyped(type_: str) -> str:
    """A condition on `value`; a time that is one is in `at` afterwards."""
    kind, *digits = re.findall(r"\w+", type_)
    match kind:
        case "timestamp":
            return "(at := instant(value)) is None"
        case "date":
            return "(at := day(value)) is None"
        case "int" | "bigint":
            return f"type(value) is not int or not {-INTEGERS[kind]} <= value < {INTEGERS[kind]}"
        case "double":
            return "type(value) is not float and type(value) is not int"
        case "decimal":
            return f"not fits(value, {', '.join(digits)})"
        case "boolean":
            return "type(value) is not bool"
        case _:
            return "type(value) is not str"


def _broken(column: Column, rule: RowRule, known: Callable[[Any], str]) -> Iterator[str]:
    """Conditions on a value of the right type, any of which breaks the rule."""
    value, ends = "value", [rule.minimum, rule.maximum]
    if column.type in TIMES:
        value, ends = "at", [None if end is None else _time(end, column.type) for end in ends]
    elif rule.values:
        yield f"value not in {known(frozenset(rule.values))}"
    elif rule.pattern and column.type == "string":
        yield f"not {known(re.compile(rule.pattern, re.ASCII).search)}(value)"  # Java's \d and \w are ASCII's
    for end, sign in zip(ends, "<>", strict=True):
        if end is not None:
            yield f"{value} {sign} {known(end)}"
    if rule.minutes_ahead is not None:
        delta = known(timedelta(minutes=rule.minutes_ahead))
        whole = "" if column.type == "timestamp" else ".date()"
        yield f"at > arrived{whole} and at > (arrived + {delta}){whole}"


def _time(text: str, type_: str) -> date:
    if type_ == "date":
        return date.fromisoformat(text)
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
