"""What a statement runs with: its caller's catalog and buckets, DuckDB, and the place of its result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlglot import exp

from local.engines import athena_scans
from local.engines.athena_catalog import Entry, GlueCatalog
from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_quoting import identifier
from local.engines.athena_relations import CATALOG, Query, Scan
from local.engines.athena_watch import Watch
from local.engines.duckdb_instance import bytes_read, count_bytes


@dataclass(frozen=True)
class Done:
    """What a statement came to: lines of text, or how many rows it wrote and the files that it wrote them to."""

    lines: Sequence[str] = ()
    columns: Sequence[dict[str, Any]] = ()
    rows: int | None = None
    files: Sequence[str] | None = None


class Plan(Protocol):
    """A statement that is no query, read."""

    @property
    def verb(self) -> str: ...

    def run(self, session: Session) -> Done: ...


@dataclass
class Session:
    """One statement's; `scanned` counts the bytes that its queries have read."""

    catalog: GlueCatalog
    connection: Any
    request: dict[str, Any]
    translate: Callable[[exp.Expr], tuple[Query, Sequence[Scan]]]
    check: Callable[[Any, Query], None]  # that DuckDB came to the types that we hold
    watch: Watch
    scanned: int = 0

    @property
    def database(self) -> str:
        return str(self.request["database"])

    def named(self, path: tuple[str | None, str]) -> tuple[str, str]:
        return path[0] or self.database, path[1]

    def entry(self, path: tuple[str | None, str]) -> Entry:
        """The table that a statement changes, which must be there."""
        database, name = self.named(path)
        found = self.catalog.entry(database, name)
        if found is None:
            raise QueryError("TABLE_NOT_FOUND", f"Table '{CATALOG}.{database}.{name}' does not exist")
        return found

    def place(self, name: str) -> str:
        """Where a table that has no place of its own lies: with the results."""
        folder = str(self.request["folder"]).rstrip("/")
        if not folder.startswith("s3://"):
            raise RefusedError("A table among managed query results", "Give it an external_location.")
        return f"{folder}/{name}"

    def query(self, tree: exp.Expr, *, inserted: bool = False, apart: bool = False) -> Query:
        """A query that can be run; its columns are written as they are, or `inserted`: in the types of a table's."""
        query, scans = self.translate(tree)
        self.catalog.remember(scans, query.sql)
        if not inserted:
            query.check_printable()
        self.define(scans, apart=apart)
        return query

    def define(self, scans: Sequence[Scan], *, apart: bool = False) -> None:
        self.scanned += athena_scans.define(self.connection, self.catalog, scans, apart=apart)
        self.watch.go_on(self.scanned)

    def execute(self, sql: str) -> Any:
        """Run SQL of DuckDB's that reads tables; what it reads is counted."""
        count_bytes(self.connection)
        return self.connection.execute(sql)

    def counted(self) -> None:
        """Add what the last execution has read, once its rows are fetched."""
        self.scanned += bytes_read(self.connection)
        self.watch.go_on(self.scanned)

    def keep(self, name: str, query: Query) -> int:
        """A query's rows as a temporary table; how many they are."""
        self.execute(f"CREATE OR REPLACE TEMP TABLE {identifier(name)} AS {query.sql}")
        self.counted()
        described = self.connection.execute(f"SELECT * FROM {identifier(name)} LIMIT 0").description
        self.check(described, query)
        count: tuple[int] = self.connection.execute(f"SELECT count(*) FROM {identifier(name)}").fetchone()
        return count[0]
