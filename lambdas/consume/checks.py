"""A contract in compiled form: one Python function that names the rules which an event breaks.

The function is written out from the contract once for each container, column by column: a loop over checks took twice
as long. Names and values of the contract reach it through its globals, so that nothing of a contract becomes code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from operator import itemgetter
from typing import Any

from lake.model import Column, Dataset, RowRule

Event = dict[str, Any]
Check = Callable[[Event, datetime], list[str]]

INTEGERS = {"int": 2**31, "bigint": 2**63}
REMEMBERED = 5000  # texts of a column
TIMES = ("date", "timestamp")
ZONE = re.compile(
    r"(?:\.\d{1,9})?(?:Z|[+-](?:0\d:[0-5]\d|1[0-7]:[0-5]\d|18:00))", re.ASCII
)  # from the 20th character on
EXPECTED = {
    "string": "a text",
    "int": "a whole number of 32 bits",
    "bigint": "a whole number of 64 bits",
    "double": "a number",
    "boolean": "true or false",
    "date": "a date such as 2000-01-31",
    "timestamp": "a time with its zone such as 2000-01-31T08:30:00Z",
}


def compiled(dataset: Dataset, other: Callable[[Event], None]) -> Check:
    """A check of one event: the rules that it breaks, by the names that refine gives them.

    Rules that concern more than one column are left to refine. `other` is called first with an event that does not have
    the contract's fields and no others.
    """
    columns = dataset.columns
    sources = [column.source for column in columns]
    names: dict[str, Any] = {"instant": instant, "day": day, "fits": fits, "sources": sources, "other": other}
    names["values"] = itemgetter(sources[0], *sources)  # the first twice, since of one alone it makes no tuple
    variables = ", ".join(f"value_{number}" for number in range(len(columns)))
    lines = ["def check(event, arrived):", " broken = []"]
    lines += [" try:", f"  _, {variables} = values(event)", f"  if len(event) != {len(columns)}: other(event)"]
    lines += [" except KeyError:", "  other(event)", f"  {variables}, = map(event.get, sources)"]
    for number, column in enumerate(columns):
        rules = [rule for rule in dataset.rules if rule.column == column.name]
        again = column.name not in dataset.key
        lines += (f" {line}" for line in _column(f"value_{number}", column, rules, names, again))
    exec("\n".join([*lines, " return broken"]), names)
    check: Check = names["check"]
    return check


def reasons(dataset: Dataset) -> dict[str, str]:
    """What is wrong where a rule is broken, in the contract's words: nothing of the event is in it."""
    said = {rule.name: rule.description or rule.expression for rule in dataset.rules}
    for column in dataset.columns:
        expected = EXPECTED.get(column.type, f"a number that {column.type} holds")
        said[f"type_{column.name}"] = f"The field '{column.source}': expected {expected}."
        said[f"required_{column.name}"] = f"The field '{column.source}': expected a value, and there is none."
    return said


def instant(value: Any) -> datetime | None:
    """An ISO 8601 time with its zone as Spark and Athena read it too, None where the value is none.

    datetime.fromisoformat also takes weeks, spaces, commas, half a time: so the separators are looked at first.
    """
    if type(value) is not str or value[4:17:3] != "--T::":
        return None
    if not ((value[-1] == "Z" and 21 < len(value) < 31 and value[19] == ".") or ZONE.fullmatch(value, 19)):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:  # no such day
        return None


def day(value: Any) -> date | None:
    """An ISO 8601 day, None where the value is none."""
    if type(value) is not str or value[4:8:3] != "--":
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:  # no such day
        return None


def remembering(search: Callable[[str], object], matched: set[str]) -> Callable[[str], bool]:
    """The search, whose finds are kept: sites, codes and lots come again, and a set knows them four times as fast."""

    def matches(text: str) -> bool:
        if not search(text):
            return False
        if len(matched) < REMEMBERED:
            matched.add(text)
        return True

    return matches


def fits(value: Any, precision: int, scale: int) -> bool:
    """Whether decimal(precision, scale) holds a number as it is."""
    if type(value) is not float and type(value) is not int:
        return False
    number = Decimal(repr(value)).normalize()
    return -int(number.as_tuple().exponent) <= scale and abs(number) < 10 ** (precision - scale)


def _column(value: str, column: Column, rules: list[RowRule], names: dict[str, Any], again: bool) -> Iterator[str]:
    """The lines that check one column, whose values come `again` or not."""

    def known(thing: Any) -> str:
        """Its name among the function's globals."""
        name = f"known_{len(names)}"
        names[name] = thing
        return name

    yield f"if {value} is None:"
    yield f" broken.append({known(f'required_{column.name}')})" if column.required else " pass"
    yield f"elif {_mistyped(value, column.type)}:"
    yield f" broken.append({known(f'type_{column.name}')})"
    yield "else:"
    yield " pass"
    for rule in rules:
        if conditions := " or ".join(_broken(value, column, rule, known, again)):
            yield f" if {conditions}: broken.append({known(rule.name)})"


def _mistyped(value: str, type_: str) -> str:
    """A condition; a time that is one is in `at` afterwards."""
    kind, *digits = re.findall(r"\w+", type_)
    match kind:
        case "timestamp":
            return f"(at := instant({value})) is None"
        case "date":
            return f"(at := day({value})) is None"
        case "int" | "bigint":
            return f"type({value}) is not int or not {-INTEGERS[kind]} <= {value} < {INTEGERS[kind]}"
        case "double":
            return f"type({value}) is not float and type({value}) is not int"
        case "decimal":
            return f"not fits({value}, {', '.join(digits)})"
        case "boolean":
            return f"type({value}) is not bool"
        case _:
            return f"type({value}) is not str"


def _broken(value: str, column: Column, rule: RowRule, known: Callable[[Any], str], again: bool) -> Iterator[str]:
    """Conditions on a value of the right type, any of which breaks the rule."""
    ends = [rule.minimum, rule.maximum]
    if column.type in TIMES:
        value, ends = "at", [None if end is None else _time(end, column.type) for end in ends]
    elif rule.values:
        yield f"{value} not in {known(frozenset(rule.values))}"
    elif rule.pattern and column.type == "string":
        search, matched = re.compile(rule.pattern, re.ASCII).search, set[str]()  # Java's \d and \w are ASCII's too
        if again:
            yield f"{value} not in {known(matched)} and not {known(remembering(search, matched))}({value})"
        else:
            yield f"not {known(search)}({value})"
    for end, sign in zip(ends, "<>", strict=True):
        if end is not None:
            yield f"{value} {sign} {known(end)}"
    if rule.minutes_ahead is not None:
        whole = "" if column.type == "timestamp" else ".date()"
        ahead = known(timedelta(minutes=rule.minutes_ahead))
        yield f"at > arrived{whole} and at > (arrived + {ahead}){whole}"


def _time(text: str, type_: str) -> date:
    if type_ == "date":
        return date.fromisoformat(text)
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
