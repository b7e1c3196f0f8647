"""Tables as DuckDB reads them: a temporary view for each scan, with columns c1, c2, … of the catalog's types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from local.engines import athena_deletes, athena_guards
from local.engines.athena_catalog import Entry, GlueCatalog
from local.engines.athena_errors import QueryError
from local.engines.athena_files import Files
from local.engines.athena_guards import Guard
from local.engines.athena_quoting import identifier, literal, text
from local.engines.athena_relations import Scan
from local.engines.athena_scope import Table, TableColumn
from local.engines.athena_types import Type
from local.engines.duckdb_instance import bytes_read, count_bytes


def define(connection: Any, catalog: GlueCatalog, scan: Scan, *, apart: bool = False) -> int:
    """Make the view that a statement's SQL reads; answers the bytes of it that DuckDB will not count. `apart`: what is
    seen of a table is taken out of it first, so that a plan which is shown tells nothing of the rest.
    """
    sql, uncounted = body(connection, catalog, scan, apart=apart)
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {scan.view} AS {sql}")
    return uncounted


def inline(connection: Any, catalog: GlueCatalog, query: str, scans: Sequence[Scan]) -> tuple[str, int]:
    """A query with its scans in itself, and those bytes: a view would have DuckDB read an Iceberg table's metadata
    twice.
    """
    if not scans:
        return query, 0
    found = [(scan.view, *body(connection, catalog, scan)) for scan in scans]
    parts = ", ".join(f"{view} AS NOT MATERIALIZED ({sql})" for view, sql, _ in found)
    rest = f", {query.removeprefix('WITH ')}" if query.startswith("WITH ") else f" {query}"
    return f"WITH {parts}{rest}", sum(uncounted for *_, uncounted in found)


def body(connection: Any, catalog: GlueCatalog, scan: Scan, *, apart: bool = False) -> tuple[str, int]:
    """The rows of a scan as a SELECT, and the bytes of it that DuckDB will not count."""
    entry = catalog.entry(scan.table.database, scan.table.name)
    assert entry is not None
    if scan.guard is not None:
        return guarded(connection, catalog, scan, scan.guard, apart=apart)
    entry = entry.behind or entry
    if entry.reader is not None:
        entry.reader.open(connection)
    if entry.rows is not None:
        return constant(scan.table.columns, entry.rows), 0
    if entry.empty and scan.table.snapshot is None:
        return nothing(scan.table.columns), 0
    if entry.metadata is not None:
        athena_deletes.check(entry.metadata, scan.table.name, scan.table.snapshot)
        return iceberg(scan.table, entry), 0
    files = Files(connection, catalog, scan, entry)
    return files.sql() or nothing(scan.table.columns), files.uncounted


def guarded(connection: Any, catalog: GlueCatalog, scan: Scan, guard: Guard, *, apart: bool) -> tuple[str, int]:
    """What is seen of a table. Where rows or cells are hidden, those that are seen are taken out first, as a table of
    their own: else a condition of the query's could be computed on a hidden one, and fail with what stands in it.
    """
    apart = apart or bool(guard.rows or guard.cells)
    alias = athena_guards.ALIAS if apart else scan.alias
    behind = Scan(f"{scan.view}_behind", alias, scan.table, [] if apart else scan.filters)
    sql, uncounted = body(connection, catalog, behind)
    columns = numbered(cell(number, column, guard, alias) for number, column in enumerate(scan.table.columns, 1))
    seen = f"SELECT {columns} FROM ({sql}) {alias}"
    if not apart:
        return seen, uncounted
    where = f" WHERE {guard.rows}" if guard.rows else ""
    count_bytes(connection)
    try:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {behind.view} AS {seen}{where}")
    except duckdb.Error as error:  # whose words may hold a hidden value
        text = f"Error opening Hive split of {scan.table.database}.{scan.table.name}"
        raise QueryError("HIVE_CURSOR_ERROR", text) from error
    return f"SELECT * FROM {behind.view}", uncounted + bytes_read(connection)


def cell(number: int, column: TableColumn, guard: Guard, alias: str) -> str:
    hidden = f"CAST(NULL AS {column.type.duckdb})" if column.type.runs else "NULL"
    if number not in guard.columns:
        return hidden
    if number in guard.cells:
        return f"CASE WHEN {guard.cells[number]} THEN {alias}.c{number} ELSE {hidden} END"
    return f"{alias}.c{number}"


def iceberg(table: Table, entry: Entry) -> str:
    """The very metadata file that the catalog names, so that a query sees one snapshot."""
    columns = table.columns
    version = "" if table.snapshot is None else f", snapshot_from_id = {table.snapshot}"
    typed = (f"CAST({identifier(each.name)} AS {each.type.duckdb})" if each.type.runs else "NULL" for each in columns)
    return f"SELECT {numbered(typed)} FROM iceberg_scan({text(entry.metadata_location)}{version})"


def constant(columns: Sequence[TableColumn], rows: Sequence[Sequence[Any]]) -> str:
    if not rows:
        return nothing(columns)
    lines = ", ".join(f"({', '.join(map(literal, row))})" for row in rows)
    typed = (from_row(f"v{i}", column.type) for i, column in enumerate(columns, 1))
    return f"SELECT {numbered(typed)} FROM (VALUES {lines}) v({', '.join(f'v{i}' for i in range(1, len(columns) + 1))})"


def from_row(sql: str, type_: Type) -> str:
    if type_.name.startswith("timestamp"):
        return f"to_timestamp({sql} / 1000.0)"
    return f"CAST({sql} AS {type_.duckdb})" if type_.runs else "NULL"


def nothing(columns: Sequence[TableColumn]) -> str:
    typed = (f"CAST(NULL AS {column.type.duckdb})" if column.type.runs else "NULL" for column in columns)
    return f"SELECT {numbered(typed)} WHERE false"


def numbered(sqls: Any) -> str:
    return ", ".join(f"{sql} AS c{i}" for i, sql in enumerate(sqls, 1))
