"""A gold column lower than what it is made of: refused, unless the contract says why, and how few it may tell of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from config.positions import Field, Problem
from contracts.contract import PROPERTIES, TABLE, Source
from contracts.lineage import Lineage, Made, Origin
from lake.parts import Gate
from lake.roles import CLASSES, SENSITIVE
from lake.subjects import WHOLE


@dataclass(frozen=True)
class Above:
    """A column of an input that is of a higher class; `by_rows` where only rows are chosen, joined or grouped by it."""

    origin: Origin
    classification: str
    by_rows: bool


def gates(source: Source) -> tuple[Gate, ...]:
    """No row tells of fewer than the smallest group."""
    _, said = source.custom("declassified")
    if said is None or "counts" not in said:
        return ()
    column, least = said["counts"], said["smallestGroup"]
    query = f"SELECT coalesce(min(coalesce(`{column}`, 0)), {least}) FROM {{table}}"
    return (Gate("smallest_group", "sql", (column,), query, ">=", least),)


def problems(source: Source, file: str, sql: str, query: exp.Query, used: Sequence[Source]) -> list[Problem]:
    """Of a model that selects the columns of its contract from these inputs."""
    lineage = Lineage(query, {each.table: each.columns for each in used})
    made = lineage.columns()
    classes = {(each.table, column["name"]): column["classification"] for each in used for column in each.properties}
    found = {each["name"]: _above(each["classification"], made[each["name"]], classes) for each in source.properties}
    lower = {name: above for name, above in found.items() if above}
    unfiltered = list(_unfiltered(source, used, made.values()))
    place, said = source.custom("declassified")
    named = (said or {}).get("columns", [])
    told = [*_silent(source, file, sql, {name: above for name, above in lower.items() if name not in named})]
    if said is None:
        return [*told, *unfiltered]
    told += _idle(source, place, named, lower, bool(unfiltered))
    if any(made[name].is_aggregated for name in (made if unfiltered else lower)):
        told += _uncounted(source, place, said, lineage, used)
    return told


def _above(held: str, made: Made, classes: Mapping[Origin, str]) -> Above | None:
    """The column of the highest class, among those that it is made of and that its own class does not cover.

    What rows are chosen, joined or grouped by counts where it is pii or phi: then it tells of a person which rows
    there are. An internal column makes another one internal by its values alone.
    """
    values = [Above(each, classes[each], False) for each in sorted(made.values)]
    rows = [Above(each, classes[each], True) for each in sorted(made.rows) if classes[each] in SENSITIVE]
    higher = [each for each in (*values, *rows) if not _covers(held, each.classification)]
    return max(higher, key=lambda each: CLASSES.index(each.classification), default=None)


def _covers(held: str, other: str) -> bool:
    """Whether who may see the one class may see the other: pii and phi are apart, since roles may have one alone."""
    return held == other or (CLASSES.index(held) > CLASSES.index(other) and other not in SENSITIVE)


def _silent(source: Source, file: str, sql: str, lower: Mapping[str, Above]) -> Iterator[Problem]:
    for number, each in enumerate(source.properties):
        if above := lower.get(each["name"]):
            table, column = above.origin
            line = next((n for n, text in enumerate(sql.splitlines(), 1) if re.search(rf"\b{column}\b", text)), 1)
            how = "its rows are chosen, joined or grouped by" if above.by_rows else "it is made of"
            expected = f"expected {above.classification} for {each['name']}: {how} {table}.{column} ({file}:{line})"
            remedy = f"Write {above.classification}, or name it in `declassified` and say why it may be seen."
            field = (*PROPERTIES, number, "classification")
            yield source.document.problem(field, each["classification"], expected, remedy)


def _unfiltered(source: Source, used: Sequence[Source], made: Iterable[Made]) -> Iterator[Problem]:
    """Row filters of inputs that the table does not have; one that hides cells matters where these are read."""
    own = {each["name"]: each for each in source.custom("rowFilters")[1] or ()}
    read = {origin for each in made for origin in each.origins}
    for each in used:
        for limit in each.custom("rowFilters")[1] or ():
            hidden = limit.get("columns", [])
            kept = own.get(limit["name"])
            matters = not hidden or any((each.table, name) in read for name in hidden)
            if matters and (kept is None or ("columns" in kept and not hidden)):
                expected = f"expected the row filter '{limit['name']}' of {each.id}, whose rows it shows to everybody"
                remedy = "Add it to `rowFilters`, or say in `declassified` why all rows may be seen."
                yield source.document.problem((*TABLE, "name"), source.name, expected, remedy)


def _idle(
    source: Source, place: Field, named: Sequence[str], lower: Mapping[str, Above], unfiltered: bool
) -> Iterator[Problem]:
    """Reasons for what needs none would hide what comes later."""
    for number, name in enumerate(named):
        if name not in source.columns:
            yield source.unknown_column((*place, "columns", number), name)
        elif name not in lower:
            expected = "expected a column whose class is lower than that of a column that it is made of"
            yield source.document.problem((*place, "columns", number), name, expected, "Remove it.")
    if not named and not unfiltered:
        expected = "expected columns, or an input with row filters that the table does not have"
        yield source.document.problem((*place, "because"), source.id, expected, "Remove `declassified`.")


def _uncounted(
    source: Source, place: Field, said: Mapping[str, Any], lineage: Lineage, used: Sequence[Source]
) -> Iterator[Problem]:
    """Rows that tell of groups say by which column how many each is of, and that is a count of people."""
    if "counts" not in said:
        expected = "expected `counts` and `smallestGroup`: its rows tell of groups, and a group of one is a person"
        remedy = "Name the column that counts them, and leave smaller groups out in the model."
        yield source.document.problem(place, source.id, expected, remedy)
        return
    name, field = said["counts"], (*place, "counts")
    if name not in source.columns:
        yield source.unknown_column(field, name)
        return
    counts = {each: lineage.counted(each) for each, type_ in source.columns.items() if type_ in WHOLE}
    subjects = {(each.table, each.custom("subjectId")[1]) for each in used if each.custom("subjectId")[1]}
    fitting = [each for each, by in counts.items() if by is not None and (by & subjects or not subjects)]
    if name not in fitting:
        by = " or ".join(f"{table}.{column}" for table, column in sorted(subjects))
        people = f" of people, by {by}: many rows may be one person's" if by else " in the model"
        remedy = f"Write {' or '.join(fitting)}." if fitting else "Select one, and leave smaller groups out by it."
        yield source.document.problem(field, name, f"expected a column that is count(…){people}", remedy)
