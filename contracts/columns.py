"""A contract's columns: their types, the key, and how the table is partitioned and sorted by them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from config.positions import Field, Problem
from contracts.contract import PROPERTIES, Source
from contracts.masks import mask
from lake.model import Column
from lake.roles import SENSITIVE
from lake.subjects import WHOLE

LOGICAL = {"string": "string", "int": "integer", "bigint": "integer", "double": "number", "decimal": "number"}
TIMES = ("date", "timestamp")
TRANSFORM = re.compile(r"(?:(?P<time>years|months|days|hours)\(|(?:bucket|truncate)\([0-9]+, ?)?(?P<column>\w+)\)?")
MAX_PRECISION = 38
SUBJECT_TYPES = (*WHOLE, "string")
# No transform hides enough: years and prefixes are shown as they are, and a bucket of one's own guess is easily found.
SHOWN_BY_PARTITIONS = "Partitions stand in paths and metadata, which more people read: name another column."


def columns(source: Source) -> tuple[Column, ...]:
    return tuple(
        Column(
            name=each["name"],
            type=each["physicalType"],
            source=each["name"] if source.is_gold else _source(each)[1],
            required=each.get("required", False),
            classification=each["classification"],
            description=" ".join(each["description"].split()),
            id=each["id"],
            mask=mask(source, each),
        )
        for each in source.properties
    )


def key(source: Source) -> tuple[str, ...]:
    keyed = [each for each in source.properties if each.get("primaryKey")]
    keyed.sort(key=lambda each: each.get("primaryKeyPosition", 1))
    return tuple(each["name"] for each in keyed)


def source_object(source: Source) -> str:
    """The table in the source, which every column names."""
    return "" if source.is_gold else _source(source.properties[0])[0]


def problems(source: Source) -> list[Problem]:
    """What is wrong with the columns and with the properties that name them."""
    found = [*_repeated(source, "name"), *_repeated(source, "id"), *_keys(source)]
    for number, each in enumerate(source.properties):
        found += _types(source, (*PROPERTIES, number), each["physicalType"], each.get("logicalType"))
    found += _sources(source)
    for name in ("cursor", "version", "subjectId"):
        field, value = source.custom(name)
        if value is not None and value not in source.columns:
            found.append(source.unknown_column(field, value))
    return [*found, *_subject(source), *_partitions(source), *_orders(source)]


def _subject(source: Source) -> Iterator[Problem]:
    """Of these types an id is the same id however it is written."""
    field, column = source.custom("subjectId")
    type_ = next((each["physicalType"] for each in source.properties if each["name"] == column), "string")
    if type_ not in SUBJECT_TYPES:
        expected = f"expected a column of type {', '.join(SUBJECT_TYPES)}, and it is {type_}"
        yield source.document.problem(field, column, expected, "Change its physicalType, or name another column.")


def _repeated(source: Source, what: str) -> list[Problem]:
    found, seen = [], set()
    for number, each in enumerate(source.properties):
        if each[what] in seen:
            field = (*PROPERTIES, number, what)
            expected = f"expected a {what} that no other column has"
            found.append(source.document.problem(field, each[what], expected, "Change one of the two."))
        seen.add(each[what])
    return found


def _keys(source: Source) -> list[Problem]:
    document, found = source.document, []
    keyed = [(number, each) for number, each in enumerate(source.properties) if each.get("primaryKey")]
    if not keyed:
        remedy = "Mark the columns that tell two rows apart with `primaryKey: true`."
        found.append(document.problem(PROPERTIES, source.name, "expected a primary key, and there is none", remedy))
    for number, each in keyed:
        if not each.get("required"):
            expected = "expected `required: true`, since it is part of the key"
            remedy = "Add `required: true`, or take it out of the key."
            found.append(document.problem((*PROPERTIES, number), each["name"], expected, remedy))
    positions = [each.get("primaryKeyPosition", 1) for _, each in keyed]
    if sorted(positions) != list(range(1, len(keyed) + 1)):
        number, each = keyed[-1]
        expected = f"expected the {len(keyed)} key columns to have the positions 1 to {len(keyed)}"
        field = (*PROPERTIES, number, "primaryKeyPosition")
        found.append(document.problem(field, positions[-1], expected, "Number them with primaryKeyPosition."))
    return found


def _types(source: Source, field: Field, type_: str, logical: str | None) -> list[Problem]:
    document, found = source.document, []
    name = type_.partition("(")[0]
    if name == "decimal":
        precision, scale = map(int, re.findall(r"\d+", type_))
        if not 0 < precision <= MAX_PRECISION or scale > precision:
            expected = f"expected decimal(p,s) with p from 1 to {MAX_PRECISION} and s at most p"
            found.append(document.problem((*field, "physicalType"), type_, expected, "Change p or s."))
    fits = LOGICAL.get(name, name)
    if logical not in (None, fits):
        expected = f"expected '{fits}', which is what physicalType {type_} is"
        found.append(document.problem((*field, "logicalType"), logical, expected, "Change one of the two."))
    return found


def _source(described: dict[str, list[str]]) -> tuple[str, str]:
    """The table and the column; a column's name with a dot stands in double quotes."""
    text = described["transformSourceObjects"][0]
    table, quoted, column = text.partition('."')
    if quoted:
        return table, column[:-1].replace('""', '"')
    table, _, column = text.rpartition(".")
    return table, column


def _sources(source: Source) -> list[Problem]:
    """Each column of a source's dataset comes from one column of one table; a gold column comes from its model."""
    document = source.document
    found: list[Problem] = []
    first = ""
    for number, each in enumerate(source.properties):
        field = (*PROPERTIES, number, "transformSourceObjects")
        given = each.get("transformSourceObjects")
        if source.is_gold and given:
            expected = "expected nothing here: a gold column is what its model selects"
            found.append(document.problem(field, given[0], expected, "Remove transformSourceObjects."))
        elif not source.is_gold and not given:
            remedy = f"Add `transformSourceObjects: [TABLE.COLUMN]` to column {each['name']}."
            found.append(document.problem(field, each["name"], "expected to name its source column", remedy))
        elif not source.is_gold and given:
            table, _ = _source(each)
            first = first or table
            if table != first:
                expected = f"expected a column of table '{first}', as the first column is"
                found.append(document.problem(field, given[0], expected, "One contract describes one table."))
    return found


def _partitions(source: Source) -> list[Problem]:
    found = []
    place, transforms = source.custom("partitionBy")
    classes = {each["name"]: each["classification"] for each in source.properties}
    for number, transform in enumerate(transforms or ()):
        field = (*place, number)
        match = TRANSFORM.fullmatch(transform)
        if not match or transform.endswith(")") != ("(" in transform):
            expected = "expected a column, or one in years(), months(), days(), hours(), bucket(n, ) or truncate(n, )"
            found.append(source.document.problem(field, transform, expected, "Write it as in months(sold_at)."))
        elif match["column"] not in source.columns:
            found.append(source.unknown_column(field, match["column"]))
        elif match["time"] and source.columns[match["column"]] not in TIMES:
            expected = f"expected {match['time']} of a date or timestamp, and this is {source.columns[match['column']]}"
            found.append(source.document.problem(field, transform, expected, "Partition by the column itself."))
        elif classes[match["column"]] in SENSITIVE:
            expected = (
                f"expected a column that is neither pii nor phi, and {match['column']} is {classes[match['column']]}"
            )
            found.append(source.document.problem(field, transform, expected, SHOWN_BY_PARTITIONS))
    return found


def _orders(source: Source) -> list[Problem]:
    found = []
    place, orders = source.custom("sortBy")
    for number, order in enumerate(orders or ()):
        column, *direction = order.split(" ")
        if direction not in ([], ["asc"], ["desc"]):
            expected = "expected a column, or a column and asc or desc"
            found.append(source.document.problem((*place, number), order, expected, "Write it as in sale_id desc."))
        elif column not in source.columns:
            found.append(source.unknown_column((*place, number), column))
    return found
