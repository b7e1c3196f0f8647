"""How a contract says that its dataset is loaded: the mode, the cursor, how far to look back, whether rows go away."""

from __future__ import annotations

import re

from config.positions import Field, Problem
from contracts.contract import PROPERTIES, Source
from lake.arrivals import OWN_FIELDS

MODES = ("full", "incremental", "append", "stream")
INCREMENTS = ("incremental", "append")
STREAM = "stream"
CURSORS = ("timestamp", "date")
COMPARE_KEYS = "compare_keys"
NOT_OF_STREAMS = {
    "cursor": "its events come by their arrival",
    "lookback": "it follows from how old a record may grow in its stream",
    "deletes": "an event that did not come is not an event taken back",
}
LOOKBACK = re.compile(r"([1-9][0-9]*) ?([hd])")
HOURS = {"h": 1, "d": 24}


def mode(source: Source) -> str:
    return str(source.custom("loadMode")[1] or MODES[0])


def version(source: Source) -> str | None:
    """The column by which the latest row of a key is known: an increment's cursor, or a stream's version."""
    found: str | None = source.custom("version" if mode(source) == STREAM else "cursor")[1]
    return found


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
    if given == STREAM:
        return _of_stream(source)
    return [*_versions(source), *_cursor(source, field), *_lookback(source), *_deletes(source)]


def _of_gold(source: Source) -> list[Problem]:
    """Gold is made whole by its model each time: nothing of this is for it."""
    found = []
    for name in ("loadMode", "cursor", "version", "lookback", "deletes"):
        field, value = source.custom(name)
        if value is not None and (name, value) != ("loadMode", MODES[0]):
            expected = f"expected no {name} here: a gold table is what its model selects, each time whole"
            found.append(source.document.problem(field, value, expected, "Remove it."))
    return found


def _of_stream(source: Source) -> list[Problem]:
    """Events arrive by themselves: their own time says which is the latest, their arrival which are new."""
    document, (field, version) = source.document, source.custom("version")
    found = [*_patterns(source), *_reserved(source)]
    for name, why in NOT_OF_STREAMS.items():
        place, value = source.custom(name)
        if value is not None:
            found.append(
                document.problem(place, value, f"expected no {name} with loadMode stream: {why}", "Remove it.")
            )
    if version is None:
        expected = "expected a version beside it, the column that tells which event of a key is the latest"
        remedy = "Add `- { property: version, value: COLUMN }`."
        return [*found, document.problem(source.custom("loadMode")[0], STREAM, expected, remedy)]
    if version not in source.columns:  # told with the columns
        return found
    number, column = next((n, each) for n, each in enumerate(source.properties) if each["name"] == version)
    if column["physicalType"] != "timestamp":
        expected = f"expected a version of type timestamp, and this is {column['physicalType']}"
        found.append(document.problem(field, version, expected, "Name the column that says when the event happened."))
    elif not column.get("required"):
        expected = "expected `required: true`: an event without its version has no place among those of its key"
        found.append(document.problem((*PROPERTIES, number), version, expected, "Add `required: true`."))
    return [*found, *_moving(source)]


def _patterns(source: Source) -> list[Problem]:
    """The consumer checks an event in Python, refine a row in Java: a pattern has to be one for both."""
    found = []
    for number, column in enumerate(source.properties):
        for place, entry in enumerate(column.get("quality", ())):
            pattern = entry.get("arguments", {}).get("pattern")
            try:
                re.compile(pattern or "")
            except (re.error, TypeError) as error:
                field = (*PROPERTIES, number, "quality", place, "arguments", "pattern")
                expected = f"expected a regular expression that Python reads too ({error})"
                found.append(
                    source.document.problem(field, pattern, expected, "Write it without what is Java's alone.")
                )
    return found


def _reserved(source: Source) -> list[Problem]:
    """An event may have no field that bronze writes beside its own."""
    found = []
    for number, column in enumerate(source.properties):
        for field in column.get("transformSourceObjects", ()):
            if field.rpartition(".")[2].lower() in OWN_FIELDS:
                expected = f"expected a field of the event: bronze says by {', '.join(OWN_FIELDS)} where it came from"
                place = (*PROPERTIES, number, "transformSourceObjects")
                found.append(source.document.problem(place, field, expected, "Name another field."))
    return found


def _moving(source: Source) -> list[Problem]:
    """Columns by which the table is partitioned, and that another event of the same key may have otherwise."""
    field, transforms = source.custom("partitionBy")
    key = [each["name"] for each in source.properties if each.get("primaryKey")]
    found = []
    for number, each in enumerate(transforms or ()):
        if not any(name in re.findall(r"\w+", each) for name in key):
            expected = "expected a column of the key: a later event of a key may not move its row"
            found.append(source.document.problem((*field, number), each, expected, "Write it as in bucket(16, ID)."))
    return found


def _versions(source: Source) -> list[Problem]:
    field, value = source.custom("version")
    if value is None:
        return []
    expected = "expected only with loadMode stream: elsewhere the cursor is the version"
    return [source.document.problem(field, value, expected, "Remove it, or name it as cursor.")]


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
