"""Tables as DuckDB reads them: a temporary view for each scan, with columns c1, c2, … of the catalog's types."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from local.engines.athena_casts import cast
from local.engines.athena_catalog import Entry, GlueCatalog
from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_relations import Scan
from local.engines.athena_scope import TableColumn
from local.engines.athena_types import MICROS, Type

READERS = {"avro": "read_avro({files}, union_by_name=true, hive_partitioning=false)",
           "parquet": "read_parquet({files}, union_by_name=true, hive_partitioning=false)"}  # fmt: skip
NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
# what a file may hold for a column of the catalog: the same, or something narrower
NARROWER = {
    "smallint": ("tinyint",),
    "integer": ("tinyint", "smallint"),
    "bigint": ("tinyint", "smallint", "integer"),
    "double": ("real",),
}
DUCKDB_TYPES = {
    "BOOLEAN": "boolean", "TINYINT": "tinyint", "SMALLINT": "smallint", "INTEGER": "integer", "BIGINT": "bigint",
    "FLOAT": "real", "DOUBLE": "double", "VARCHAR": "varchar", "DATE": "date",
}  # fmt: skip


def define(connection: Any, catalog: GlueCatalog, scan: Scan) -> None:
    """Make the view that the query's SQL reads."""
    entry = catalog.entry(scan.table.database, scan.table.name)
    assert entry is not None
    connection.execute(f"CREATE OR REPLACE TEMP VIEW {scan.view} AS {body(connection, catalog, scan, entry)}")


def body(connection: Any, catalog: GlueCatalog, scan: Scan, entry: Entry) -> str:
    columns = scan.table.columns
    if entry.rows is not None:
        return rows_of(columns, entry.rows)
    if entry.empty:
        return nothing(columns)
    if entry.metadata is not None:
        selected = ", ".join(
            f"{f'CAST({name(column)} AS {column.type.duckdb})' if column.type.runs else 'NULL'} AS c{i}"
            for i, column in enumerate(columns, 1)
        )
        return f"SELECT {selected} FROM iceberg_scan({text(entry.metadata_location)})"
    reader = reader_of(entry.glue)
    parts = [
        part
        for values, location in places(connection, catalog, scan, entry)
        if (part := files_of(connection, catalog, scan, reader, values, location))
    ]
    return " UNION ALL ".join(parts) if parts else nothing(columns)


def rows_of(columns: Sequence[TableColumn], rows: Sequence[Sequence[Any]]) -> str:
    if not rows:
        return nothing(columns)
    lines = ", ".join(f"({', '.join(map(literal, row))})" for row in rows)
    selected = ", ".join(f"{from_row(i, column.type)} AS c{i}" for i, column in enumerate(columns, 1))
    return f"SELECT {selected} FROM (VALUES {lines}) v({', '.join(f'v{i}' for i in range(1, len(columns) + 1))})"


def from_row(index: int, type_: Type) -> str:
    if type_.name.startswith("timestamp"):
        return f"to_timestamp(v{index} / 1000.0)"
    return f"CAST(v{index} AS {type_.duckdb})" if type_.runs else f"v{index}"


def nothing(columns: Sequence[TableColumn]) -> str:
    typed = (f"CAST(NULL AS {column.type.duckdb})" if column.type.runs else "NULL" for column in columns)
    return f"SELECT {', '.join(f'{sql} AS c{i}' for i, sql in enumerate(typed, 1))} WHERE false"


def reader_of(glue: dict[str, Any]) -> str:
    library = str(((glue.get("StorageDescriptor") or {}).get("SerdeInfo") or {}).get("SerializationLibrary", ""))
    for name, reader in READERS.items():
        if name in library.lower():
            if str((glue.get("Parameters") or {}).get("projection.enabled", "")).lower() == "true":
                raise RefusedError(f"Partition projection of table '{glue['Name']}'")
            return reader
    advice = "The laptop reads Iceberg, Avro and Parquet."
    raise RefusedError(f"A table of SerDe '{library}' ('{glue['Name']}')", advice)


def places(connection: Any, catalog: GlueCatalog, scan: Scan, entry: Entry) -> list[tuple[list[str | None], str]]:
    """Where the files lie that the query asks for, with the values of the partition columns."""
    if not scan.table.partitioned_by:
        return [([], entry.glue["StorageDescriptor"]["Location"])]
    pages = catalog.glue.get_paginator("get_partitions").paginate(
        DatabaseName=scan.table.database, TableName=scan.table.name, ExcludeColumnSchema=True
    )
    parts = [part for page in pages for part in page["Partitions"]]
    values = [[None if value == NULL_PARTITION else value for value in part["Values"]] for part in parts]
    locations = [part["StorageDescriptor"]["Location"] for part in parts]
    return [(values[i], locations[i]) for i in wanted(connection, scan, values)]


def wanted(connection: Any, scan: Scan, values: list[list[str | None]]) -> list[int]:
    """The partitions that the query's own conditions leave, by the same SQL that filters rows."""
    if not scan.filters or not values:
        return list(range(len(values)))
    lines = ", ".join(f"({i}, {', '.join(map(literal, each))})" for i, each in enumerate(values))
    keys = partition_columns(scan)
    named = ", ".join(f"CAST(v{i} AS {column.type.duckdb}) AS c{i}" for i, column in keys)
    rows = f"(VALUES {lines}) v(n, {', '.join(f'v{i}' for i, _ in keys)})"
    conditions = " AND ".join(scan.filters)
    query = f"SELECT n FROM (SELECT n, {named} FROM {rows}) {scan.alias} WHERE {conditions} ORDER BY n"
    return [row[0] for row in connection.execute(query).fetchall()]


def partition_columns(scan: Scan) -> list[tuple[int, TableColumn]]:
    by_name = {column.name: (i, column) for i, column in enumerate(scan.table.columns, 1)}
    return [by_name[key] for key in scan.table.partitioned_by]


def files_of(
    connection: Any, catalog: GlueCatalog, scan: Scan, reader: str, values: Sequence[str | None], location: str
) -> str:
    """One SELECT for the files of one place; nothing for an empty one."""
    files = objects(catalog.s3, location)
    if not files:
        return ""
    source = reader.format(files=f"[{', '.join(map(text, files))}]")
    held = {row[0].lower(): row for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    constants = dict(zip(scan.table.partitioned_by, values, strict=True))
    selected = []
    for i, column in enumerate(scan.table.columns, 1):
        if column.name in constants:
            sql = f"CAST({literal(constants[column.name])} AS {column.type.duckdb})"
        else:
            sql = from_file(column, held.get(column.name), files[0])
        selected.append(f"{sql} AS c{i}")
    return f"SELECT {', '.join(selected)} FROM {source}"


def from_file(column: TableColumn, held: Sequence[str] | None, file: str) -> str:
    if not column.type.runs:
        return "NULL"
    if held is None:
        return f"CAST(NULL AS {column.type.duckdb})"
    sql, found, wanted_type = name(TableColumn(held[0], column.type)), held[1], column.type
    if wanted_type.name == "timestamp" and found in ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE"):
        return cast(f"CAST({sql} AS TIMESTAMP)", Type("timestamp", MICROS), wanted_type)
    same = found == wanted_type.duckdb
    if not same and DUCKDB_TYPES.get(found) not in NARROWER.get(wanted_type.name, ()):
        raise QueryError(
            "HIVE_BAD_DATA",
            f"Field {column.name}'s type {found} in file {file} is incompatible with type {wanted_type} "
            "defined in table schema",
        )
    return sql if same else f"CAST({sql} AS {wanted_type.duckdb})"


def objects(s3: Any, location: str) -> list[str]:
    """The files below a location; those that begin with a dot or an underscore are hidden, as Hive has it."""
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    prefix = f"{prefix.rstrip('/')}/" if prefix else ""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    found = [item for page in pages for item in page.get("Contents", []) if item["Size"]]
    hidden = [item for item in found if any(part[:1] in "._" for part in item["Key"][len(prefix) :].split("/"))]
    return [f"s3://{bucket}/{item['Key']}" for item in found if item not in hidden]


def name(column: TableColumn) -> str:
    return '"' + column.name.replace('"', '""') + '"'


def text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def literal(value: Any) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else text(value if isinstance(value, str) else json.dumps(value))
