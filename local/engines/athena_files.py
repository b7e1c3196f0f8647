"""Tables of plain files, as Hive has them: which files, by partition, and how DuckDB reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from local.engines.athena_casts import cast
from local.engines.athena_catalog import Entry, GlueCatalog
from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_quoting import identifier, literal, text
from local.engines.athena_relations import Scan
from local.engines.athena_scope import TableColumn
from local.engines.athena_types import MICROS, Type

AVRO, PARQUET = "avro", "parquet"
READERS = {
    AVRO: "read_avro([{files}], hive_partitioning=false)",
    PARQUET: "read_parquet([{files}], union_by_name=true, hive_partitioning=false)",
}
NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
Held = tuple[str, str]  # a column of a file: its name and DuckDB's type
# what a file may hold for a column of the catalog: the same, or something narrower
NARROWER = {
    "SMALLINT": ("TINYINT",),
    "INTEGER": ("TINYINT", "SMALLINT"),
    "BIGINT": ("TINYINT", "SMALLINT", "INTEGER"),
    "DOUBLE": ("FLOAT",),
}


@dataclass
class Files:
    """The files that a scan reads: `sql()`, after which `uncounted` has the bytes that DuckDB does not count itself."""

    connection: Any
    catalog: GlueCatalog
    scan: Scan
    entry: Entry
    uncounted: int = 0

    def sql(self) -> str:
        """A SELECT with columns c1, c2, …; nothing for a table without files."""
        form = form_of(self.entry.glue)
        return " UNION ALL ".join(part for place in self._places() for part in self._parts(form, *place))

    def _places(self) -> list[tuple[list[str | None], str]]:
        """Where the files lie that the query asks for, with the values of the partition columns."""
        table = self.scan.table
        if not table.partitioned_by:
            return [([], self.entry.glue["StorageDescriptor"]["Location"])]
        pages = self.catalog.glue.get_paginator("get_partitions").paginate(
            DatabaseName=table.database, TableName=table.name, ExcludeColumnSchema=True
        )
        parts = [part for page in pages for part in page["Partitions"]]
        values = [[None if value == NULL_PARTITION else value for value in part["Values"]] for part in parts]
        locations = [part["StorageDescriptor"]["Location"] for part in parts]
        return [(values[i], locations[i]) for i in self._wanted(values)]

    def _wanted(self, values: list[list[str | None]]) -> list[int]:
        """The partitions that the query's own conditions leave, by the same SQL that filters rows."""
        if not self.scan.filters or not values:
            return list(range(len(values)))
        lines = ", ".join(f"({i}, {', '.join(map(literal, each))})" for i, each in enumerate(values))
        by_name = {column.name: (i, column) for i, column in enumerate(self.scan.table.columns, 1)}
        keys = [by_name[key] for key in self.scan.table.partitioned_by]
        named = ", ".join(f"CAST(v{i} AS {column.type.duckdb}) AS c{i}" for i, column in keys)
        rows = f"(VALUES {lines}) v(n, {', '.join(f'v{i}' for i, _ in keys)})"
        conditions = " AND ".join(self.scan.filters)
        query = f"SELECT n FROM (SELECT n, {named} FROM {rows}) {self.scan.alias} WHERE {conditions} ORDER BY n"
        return [row[0] for row in self.connection.execute(query).fetchall()]

    def _parts(self, form: str, values: Sequence[str | None], location: str) -> Iterator[str]:
        constants = dict(zip(self.scan.table.partitioned_by, values, strict=True))
        files = objects(self.catalog.s3, location)
        if form == AVRO:
            self.uncounted += sum(files.values())
        for source, held, file in self._sources(form, list(files)):
            selected = [
                f"CAST({literal(constants[column.name])} AS {column.type.duckdb})"
                if column.name in constants
                else from_file(column, held.get(column.name), file)
                for column in self.scan.table.columns
            ]
            columns = ", ".join(f"{sql} AS c{i}" for i, sql in enumerate(selected, 1))
            yield f"SELECT {columns} FROM {source}"

    def _sources(self, form: str, files: list[str]) -> Iterator[tuple[str, dict[str, Held], str]]:
        """What DuckDB reads, its columns, and one of its files. Avro files go together only with those of their schema:
        the reader takes the first file's columns for all.
        """
        groups: dict[tuple[Held, ...], list[str]] = {}
        for group in [[file] for file in files] if form == AVRO else [files]:
            if group:
                described = self.connection.execute(f"DESCRIBE SELECT * FROM {reader(form, group)}").fetchall()
                groups.setdefault(tuple((row[0], row[1]) for row in described), []).extend(group)
        for columns, group in groups.items():
            yield reader(form, group), {column[0].lower(): column for column in columns}, group[0]


def form_of(glue: dict[str, Any]) -> str:
    library = str(((glue.get("StorageDescriptor") or {}).get("SerdeInfo") or {}).get("SerializationLibrary", ""))
    if str((glue.get("Parameters") or {}).get("projection.enabled", "")).lower() == "true":
        raise RefusedError(f"Partition projection of table '{glue['Name']}'")
    for form in READERS:
        if form in library.lower():
            return form
    advice = "the laptop reads Iceberg, Avro and Parquet."
    raise RefusedError(f"A table of SerDe '{library}' ('{glue['Name']}')", advice)


def reader(form: str, files: Sequence[str]) -> str:
    return READERS[form].format(files=", ".join(map(text, files)))


def from_file(column: TableColumn, held: Held | None, file: str) -> str:
    """A column of a file as the catalog's type, which it must hold or something narrower."""
    if not column.type.runs:
        return "NULL"
    wanted = column.type.duckdb
    if held is None:
        return f"CAST(NULL AS {wanted})"
    sql, found = identifier(held[0]), held[1]
    if column.type.name == "timestamp" and found in ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE"):
        return cast(f"CAST({sql} AS TIMESTAMP)", Type("timestamp", MICROS), column.type)
    if found != wanted and found not in NARROWER.get(wanted, ()):
        text = f"Field {column.name}'s type {found} in file {file} is incompatible with type {column.type}"
        raise QueryError("HIVE_BAD_DATA", f"{text} defined in table schema")
    return f"CAST({sql} AS {wanted})"


def objects(s3: Any, location: str) -> dict[str, int]:
    """The files below a location and their sizes; what begins with a dot or an underscore is hidden, as Hive has it."""
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    prefix = f"{prefix.rstrip('/')}/" if prefix else ""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    found = {item["Key"]: item["Size"] for page in pages for item in page.get("Contents", []) if item["Size"]}
    return {
        f"s3://{bucket}/{key}": size
        for key, size in found.items()
        if not any(part[:1] in "._" for part in key[len(prefix) :].split("/"))
    }
