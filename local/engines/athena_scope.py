"""What names mean inside a query: its relations, their columns, and the query around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sqlglot import exp

from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_types import Type
from local.engines.athena_versions import Version


@dataclass(frozen=True)
class Term:
    """A translated expression: DuckDB's SQL and Athena's type."""

    sql: str
    type: Type


@dataclass(frozen=True)
class Column:
    """A column as the query names it, and the term that stands for it."""

    name: str
    term: Term


@dataclass(frozen=True)
class Relation:
    """A table, a subquery or a CTE in FROM: `path` is what its columns may be qualified with, such as (db, t)."""

    path: tuple[str, ...]
    columns: tuple[Column, ...]

    def answers_to(self, qualifier: Sequence[str]) -> bool:
        return not qualifier or tuple(qualifier) == self.path[-len(qualifier) :]


@dataclass(frozen=True)
class TableColumn:
    name: str
    type: Type


@dataclass(frozen=True)
class View:
    """The query behind a view, and the database in which the names of it are looked up."""

    sql: str
    database: str


@dataclass(frozen=True)
class Table:
    """A table of the catalog, as far as a query's meaning needs it."""

    database: str
    name: str
    columns: tuple[TableColumn, ...]
    partitioned_by: tuple[str, ...] = ()
    view: View | None = None
    snapshot: int | None = None  # the one asked for, where it is not the current one
    at: Callable[[Version, exp.Expr], Table] | None = field(default=None, compare=False)  # as it was, if it can tell
    restriction: Restriction | None = field(default=None, compare=False)  # where not all of it is seen

    @property
    def whole(self) -> Table:
        """The table as it lies there, whatever of it is seen."""
        return self.restriction.whole if self.restriction else self


@dataclass(frozen=True)
class Restriction:
    """What is hidden of a table: `cells` are the columns that are seen, each with the row filter that its cells have.

    `names` are what the columns of the whole table are called today, by which grants and filters know them.
    """

    whole: Table
    cells: Mapping[str, str | None]
    names: tuple[str | None, ...]

    @property
    def seen(self) -> list[int]:
        """The numbers of the whole table's columns that are seen, from 1."""
        return [number for number, name in enumerate(self.names, 1) if name in self.cells]


class Catalog(Protocol):
    """Where tables are looked up: None for one that is not there."""

    def table(self, database: str, name: str) -> Table | None: ...

    def has_database(self, name: str) -> bool: ...


@dataclass
class Scope:
    """The relations that an expression sees, innermost first."""

    relations: list[Relation] = field(default_factory=list)
    parent: Scope | None = None
    seen: set[str] = field(default_factory=set)  # the SQL of every column resolved here
    windows: dict[str, exp.Window] = field(default_factory=dict)  # those that WINDOW names

    def find(self, node: exp.Column) -> Term | None:
        """As `resolve`, with None for a name that nothing here has."""
        try:
            return self.resolve(node)
        except QueryError as error:
            if error.kind != "COLUMN_NOT_FOUND":
                raise
            return None

    def window(self, name: str) -> exp.Window | None:
        found = self.windows.get(name.lower())
        return found if found is not None or self.parent is None else self.parent.window(name)

    def resolve(self, node: exp.Column) -> Term:
        *qualifier, name = (part.name.lower() for part in node.parts)
        found = [column for column in self._columns(qualifier) if column.name.lower() == name]
        if len(found) > 1:
            raise QueryError("AMBIGUOUS_NAME", f"Column '{node.sql()}' is ambiguous", node)
        if found:
            if not found[0].term.type.runs:
                raise RefusedError(f"The type {found[0].term.type} of column '{name}'", "Leave the column out.", node)
            self.seen.add(found[0].term.sql)
            return found[0].term
        if self.parent is not None:
            return self.parent.resolve(node)
        raise QueryError(
            "COLUMN_NOT_FOUND",
            f"Column '{'.'.join((*qualifier, name))}' cannot be resolved or requester is not authorized "
            "to access requested resources",
            node,
        )

    def _columns(self, qualifier: Sequence[str]) -> Iterator[Column]:
        for relation in self.relations:
            if relation.answers_to(qualifier):
                yield from relation.columns
