"""Tables as DuckDB reads them: a temporary view for each scan, with columns c1, c2, … of the catalog's types."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import duckdb

from local.engines import athena_guards
from local.engines.athena_catalog import Entry, GlueCatalog
from local.engines.athena_errors import QueryError
from local.engines.athena_files import Files
from local.engines.athena_guards import Guard
from local.engines.athena_quoting import identifier, literal, text
from local.engines.athena_relations import Scan
from local.engines.athena_scope import Table, TableColumn
from local.engines.athena_types import Type


def define(connection: Any, catalog: GlueCatalog, scan: Scan) -> int:
    """Make the view that the query's SQL reads; answers the bytes of it that DuckDB will not count."""
    entry = catalog.entry(scan.table.database, scan.table.name)
    assert entry is not None
    if scan.guard is not None:
        return guarded(connection, catalog, scan, scan.guard)
    entry = entry.behind or entry
    if entry.reader is not None:
        entry.reader.open(connection)
    uncounted = 0
    if entry.rows is not None:
        body = constant(scan.table.columns, entry.rows)
    elif entry.empty and scan.table.snapshot is None:
        body = nothing(scan.table.columns)
    elif entry.metadata is not None:
        body = iceberg(scan.table, entry)
    else:
        files = Files(connection, catalog, scan, entry)
        body = files.sql() or nothing(scan.table.columns)
        uncounted = files.uncounted
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {scan.view} AS {body}")
    return uncounted


def guarded(connection: Any, catalog: GlueCatalog, scan: Scan, guard: Guard) -> int:
    """What is seen of a table. Where rows are hidden, those that are seen are taken out first, as a table of their own:
    else a condition of the query's could be computed on a hidden row, and fail with what stands in it.
    """
    alias = athena_guards.ALIAS if guard.rows else scan.alias
    behind = Scan(f"{scan.view}_behind", alias, scan.table, [] if guard.rows else scan.filters)
    uncounted = define(connection, catalog, behind)
    columns = numbered(cell(number, column, guard, alias) for number, column in enumerate(scan.table.columns, 1))
    body = f"SELECT {columns} FROM {behind.view} {alias}"
    if not guard.rows and not guard.cells:
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {scan.view} AS {body}")
        return uncounted
    connection.execute("PRAGMA enable_profiling = 'no_output'")
    connection.execute("""SET custom_profiling_settings = '{"TOTAL_BYTES_READ": "true"}'""")
    where = f" WHERE {guard.rows}" if guard.rows else ""
    try:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {scan.view} AS {body}{where}")
    except duckdb.Error as error:  # whose words may hold a hidden value
        text = f"Error opening Hive split of {scan.table.database}.{scan.table.name}"
        raise QueryError("HIVE_CURSOR_ERROR", text) from error
    found = json.loads(connection.get_profiling_information("json"))
    return uncounted + int(found.get("total_bytes_read", 0))


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
