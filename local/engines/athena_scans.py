"""Tables as DuckDB reads them: a temporary view for each scan, with columns c1, c2, … of the catalog's types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from local.engines import athena_deletes, athena_guards, athena_lending
from local.engines.athena_catalog import Entry, GlueCatalog
from local.engines.athena_errors import QueryError
from local.engines.athena_files import Files
from local.engines.athena_guards import Guard
from local.engines.athena_quoting import identifier, literal, text
from local.engines.athena_relations import Scan
from local.engines.athena_scope import Table, TableColumn
from local.engines.athena_types import Type
from local.engines.duckdb_instance import bytes_read, count_bytes


def define(connection: Any, catalog: GlueCatalog, scans: Sequence[Scan], *, apart: bool = False) -> int:
    """Make the views that a statement's SQL reads; answers the bytes of them that DuckDB will not count. `apart`: what
    is seen of a table is taken out of it first, so that a plan which is shown tells nothing of the rest.
    """
    found = bodies(connection, catalog, scans, apart=apart)
    for scan, (sql, _) in zip(scans, found, strict=True):
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {scan.view} AS {sql}")
    return sum(uncounted for _, uncounted in found)


def inline(connection: Any, catalog: GlueCatalog, query: str, scans: Sequence[Scan]) -> tuple[str, int]:
    """A query with its scans in itself, and those bytes: a view would have DuckDB read an Iceberg table's metadata
    twice.
    """
    if not scans:
        return query, 0
    found = bodies(connection, catalog, scans)
    named = zip(scans, found, strict=True)
    parts = ", ".join(f"{scan.view} AS NOT MATERIALIZED ({sql})" for scan, (sql, _) in named)
    rest = f", {query.removeprefix('WITH ')}" if query.startswith("WITH ") else f" {query}"
    return f"WITH {parts}{rest}", sum(uncounted for _, uncounted in found)


def bodies(
    connection: Any, catalog: GlueCatalog, scans: Sequence[Scan], *, apart: bool = False
) -> list[tuple[str, int]]:
    """The rows of each scan as a SELECT, and the bytes of it that DuckDB will not count."""
    athena_lending.lend(connection, catalog, [entry_of(catalog, scan) for scan in scans])
    return [
        guarded(connection, catalog, scan, scan.guard, apart=apart) if scan.guard else whole(connection, catalog, scan)
        for scan in scans
    ]


def entry_of(catalog: GlueCatalog, scan: Scan) -> Entry:
    entry = catalog.entry(scan.table.database, scan.table.name)
    assert entry is not None
    return entry


def body(connection: Any, catalog: GlueCatalog, scan: Scan) -> tuple[str, int, bool]:
    """The whole table as a SELECT, the uncounted bytes, and whether its files may lie in what is open for others."""
    entry = entry_of(catalog, scan)
    entry = entry.behind or entry
    if entry.rows is not None:
        return constant(scan.table.columns, entry.rows), 0, False
    if entry.empty and scan.table.snapshot is None:
        return nothing(scan.table.columns), 0, False
    if entry.metadata is not None:
        athena_deletes.check(entry.metadata, scan.table.name, scan.table.snapshot)
        return iceberg(scan.table, entry), 0, True
    files = Files(connection, catalog, scan, entry)
    sql = files.sql() or nothing(scan.table.columns)
    return sql, files.uncounted, athena_lending.covers(catalog, files.named)


def whole(connection: Any, catalog: GlueCatalog, scan: Scan) -> tuple[str, int]:
    """All of a table; one that the caller may have written is read with what is its own, since an Iceberg table's files
    are known only once it is read.
    """
    entry = entry_of(catalog, scan)
    if not athena_lending.is_apart(catalog, entry):
        return body(connection, catalog, scan)[:2]
    with athena_lending.alone(connection, catalog, (entry.behind or entry).reader):
        sql, uncounted, doubtful = body(connection, catalog, scan)
        if not doubtful:
            return sql, uncounted
        count_bytes(connection)
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {scan.view}_alone AS {sql}")
    return f"SELECT * FROM {scan.view}_alone", uncounted + bytes_read(connection)


def guarded(connection: Any, catalog: GlueCatalog, scan: Scan, guard: Guard, *, apart: bool) -> tuple[str, int]:
    """What is seen of a table. Where rows or cells are hidden, those that are seen are taken out first, as a table of
    their own: else a condition of the query's could be computed on a hidden one, and fail with what stands in it.
    """
    apart = apart or bool(guard.rows or guard.cells)
    alias = athena_guards.ALIAS if apart else scan.alias
    behind = Scan(f"{scan.view}_behind", alias, scan.table, [] if apart else scan.filters)
    sql, uncounted = whole(connection, catalog, behind)
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
