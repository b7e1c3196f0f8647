"""What stands between a query and a table of which its caller may see a part: columns, rows and cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from local.engines.athena_errors import ForbiddenError, QueryError
from local.engines.athena_expressions import Expressions
from local.engines.athena_scope import Column, Relation, Scope, Table, Term
from local.engines.athena_unnest import relation_of
from local.engines.lake_formation_filters import tree_of

ALIAS = "g"


@dataclass(frozen=True)
class Guard:
    """In DuckDB's SQL: the rows that are seen (all where empty), the columns, and where a column's cells are NULL."""

    rows: str
    columns: frozenset[int]
    cells: Mapping[int, str]


def check(table: Table) -> None:
    """A table of which no column may be read is not read at all, not even to be counted."""
    if table.restriction is not None and not table.columns:
        raise denied(table.name)


def denied(name: str) -> ForbiddenError:
    return ForbiddenError(f"Insufficient Lake Formation permission(s) on {name}")


def relation(alias: str, path: tuple[str, ...], names: Sequence[str], table: Table) -> Relation:
    """The columns that are seen, with the numbers that they have in the whole table."""
    types = [column.type for column in table.columns]
    if table.restriction is None:
        return relation_of(alias, path, names, types)
    numbered = zip(table.restriction.seen, names, types, strict=True)
    return Relation(path, tuple(Column(name, Term(f"{alias}.c{i}", type_)) for i, name, type_ in numbered))


def guard(expressions: Expressions, table: Table) -> Guard | None:
    restriction = table.restriction
    if restriction is None:
        return None
    seen = {number: restriction.cells[str(restriction.names[number - 1])] for number in restriction.seen}
    texts = sorted({text for text in seen.values() if text})
    known = {text: _condition(expressions, table, text) for text in texts}
    rows = "" if None in seen.values() or not texts else " OR ".join(known[text] for text in texts)
    cells = {number: known[text] for number, text in seen.items() if text and known[text] != rows}
    return Guard(rows, frozenset(seen), cells)


def _condition(expressions: Expressions, table: Table, text: str) -> str:
    """A row filter over the whole table, whose columns have the names of today."""
    assert table.restriction is not None  # only of a restricted table
    whole = table.restriction.whole
    named = enumerate(zip(table.restriction.names, whole.columns, strict=True), 1)
    columns = tuple(Column(name, Term(f"{ALIAS}.c{i}", each.type)) for i, (name, each) in named if name)
    try:
        return f"coalesce({expressions.condition(tree_of(text), Scope([Relation((), columns)]), 'row filter')}, false)"
    except QueryError as error:  # a filter that cannot be applied lets no row through
        raise denied(table.name) from error
