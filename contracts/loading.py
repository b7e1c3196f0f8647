"""How a contract says that its dataset is loaded: the mode, the cursor, how far to look back, whether rows go away."""

from __future__ import annotations

import re

from config.positions import Field, Problem
from contracts.contract import PROPERTIES, Source

MODES = ("full", "incremental", "append")
INCREMENTS = ("incremental", "append")
CURSORS = ("timestamp", "date")
COMPARE_KEYS = "compare_keys"
LOOKBACK = re.compile(r"([1-9][0-9]*) ?([hd])")
HOURS = {"h": 1, "d": 24}


def mode(source: Source) -> str:
    return str(source.custom("loadMode")[1] or MODES[0])


def lookback_hours(source: Source) -> float:
    """How far behind the watermark an increment begins to read."""
    text = source.custom("lookback")[1]
    found = LOOKBACK.fullmatch(text) if text else None
    return float(int(found[1]) * HOURS[found[2]]) if found else 0.0


def deletes(source: Source) -> bool:
    return bool(source.custom("deletes")[1] == COMPARE_KEYS)


def problems(source: Source) -> list[Problem]:
    """What cannot be meant by the mode and the properties that go with it."""
    field, given = source.custom("loadMode")
    if source.is_gold:
        return _of_gold(source)
    if given is not None and given not in MODES:
        expected = f"expected one of {', '.join(MODES)}: the lake does not load in this way yet"
        return [source.document.problem(field, given, expected, "Write one of those.")]
    return [*_cursor(source, field), *_lookback(source), *_deletes(source)]


def _of_gold(source: Source) -> list[Problem]:
    """Gold is made whole by its model each time: nothing of this is for it."""
    found = []
    for name in ("loadMode", "cursor", "lookback", "deletes"):
        field, value = source.custom(name)
        if value is not None and (name, value) != ("loadMode", MODES[0]):
            expected = f"expected no {name} here: a gold table is what its model selects, each time whole"
            found.append(source.document.problem(field, value, expected, "Remove it."))
    return found


def _cursor(source: Source, load_mode: Field) -> list[Problem]:
    document, (field, cursor), how = source.document, source.custom("cursor"), mode(source)
    if cursor is None and how in INCREMENTS:
        expected = "expected a cursor beside it, the column that tells which rows are new"
        remedy = "Add `- { property: cursor, value: COLUMN }`, or write full."
        return [document.problem(load_mode, how, expected, remedy)]
    if cursor is None or cursor not in source.columns:  # a column that is not there is told with the columns
        return []
    if (kind := source.columns[cursor]) not in CURSORS:
        expected = f"expected a cursor of type {' or '.join(CURSORS)}, since a look-back is a time, and this is {kind}"
        return [document.problem(field, cursor, expected, "Name the column that says when a row last changed.")]
    number, column = next((n, each) for n, each in enumerate(source.properties) if each["name"] == cursor)
    if how in INCREMENTS and not column.get("required"):
        expected = f"expected `required: true`: a row without its cursor has no place in an {how} load"
        remedy = "Add `required: true`; such rows are then read each time, and kept in quarantine."
        return [document.problem((*PROPERTIES, number), cursor, expected, remedy)]
    return []


def _lookback(source: Source) -> list[Problem]:
    field, value = source.custom("lookback")
    if value is None or mode(source) in INCREMENTS:
        return []
    expected = "expected only with loadMode incremental or append: a full load reads everything"
    return [source.document.problem(field, value, expected, "Remove it, or change loadMode.")]


def _deletes(source: Source) -> list[Problem]:
    field, value = source.custom("deletes")
    if value is None or mode(source) != "append":
        return []
    expected = "expected no deletes with loadMode append, whose rows never go away"
    return [source.document.problem(field, value, expected, "Remove it, or write loadMode incremental.")]
