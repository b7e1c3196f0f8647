"""A contract's row filters: which column's values say who sees a row, or who sees some cells of it."""

from __future__ import annotations

from collections.abc import Iterator

from config.positions import Field, Problem
from contracts.contract import Source
from lake.roles import RowFilter

TYPES = ("string", "int", "bigint")  # whose values a filter of Lake Formation writes as a person does


def row_filters(source: Source) -> tuple[RowFilter, ...]:
    _, said = source.custom("rowFilters")
    return tuple(RowFilter(each["name"], each["column"], tuple(each.get("columns", ()))) for each in said or ())


def problems(source: Source) -> Iterator[Problem]:
    """What is wrong with them, known to fit the schema."""
    place, said = source.custom("rowFilters")
    seen: set[str] = set()
    for number, each in enumerate(said or ()):
        field: Field = (*place, number)
        if each["name"] in seen:
            expected = "expected a name that no other filter of it has"
            yield source.document.problem((*field, "name"), each["name"], expected, "Change one of the two.")
        seen.add(each["name"])
        yield from _columns(source, field, each["column"], each.get("columns", ()))


def _columns(source: Source, field: Field, column: str, hidden: list[str]) -> Iterator[Problem]:
    if column not in source.columns:
        yield source.unknown_column((*field, "column"), column)
    elif (kind := source.columns[column]) not in TYPES:
        expected = f"expected a column of type {', '.join(TYPES)}, and this is {kind}"
        remedy = "Filter by a column of names or numbers."
        yield source.document.problem((*field, "column"), column, expected, remedy)
    for place, name in enumerate(hidden):
        if name not in source.columns:
            yield source.unknown_column((*field, "columns", place), name)
