"""Tables of plain files, as Hive has them: which files, by partition, and how DuckDB reads them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from local.engines import athena_json, athena_json_columns, athena_lines, athena_projection
from local.engines.athena_catalog import NULL_PARTITION, Entry, GlueCatalog
from local.engines.athena_errors import RefusedError
from local.engines.athena_file_values import Held, from_file
from local.engines.athena_quoting import literal, text
from local.engines.athena_relations import Scan
from local.engines.athena_scope import TableColumn

AVRO, PARQUET, JSON, LINES = "avro", "parquet", "json", "lines"
READERS = {
    AVRO: "read_avro([{files}], hive_partitioning=false)",
    PARQUET: "read_parquet([{files}], union_by_name=true, hive_partitioning=false)",
}
LINKS = "SymlinkTextInputFormat"
FEW = 8  # places that are listed one by one
BUCKET_SLASHES = 2  # of s3://bucket
COUNTED = {AVRO: 0, JSON: 10, LINES: 10}  # of a gzipped file DuckDB counts the header alone


@dataclass
class Files:
    """The files that a scan reads: `sql()`, after which they are `named`, and `uncounted` are the bytes of them that
    DuckDB does not count itself.
    """

    connection: Any
    catalog: GlueCatalog
    scan: Scan
    entry: Entry
    uncounted: int = 0
    named: set[str] = field(default_factory=set)

    def sql(self) -> str:
        """A SELECT with columns c1, c2, …; nothing for a table without files."""
        form = form_of(self.entry.glue)
        places = self._places()
        reader = self.entry.reader or self.catalog
        files = objects_of(reader.s3, [location for _, location in places])
        self.named.update(*files)
        return " UNION ALL ".join(
            part for (values, _), there in zip(places, files, strict=True) for part in self._parts(form, values, there)
        )

    def _places(self) -> list[tuple[list[str | None], str]]:
        """Where the files lie that the query asks for, with the values of the partition columns."""
        table = self.scan.table
        if not table.partitioned_by:
            return [([], self.entry.glue["StorageDescriptor"]["Location"])]
        if athena_projection.enabled(self.entry.glue):
            return list(self._projected())
        reader = self.entry.reader or self.catalog
        pages = reader.glue.get_paginator("get_partitions").paginate(
            DatabaseName=table.database, TableName=table.name, ExcludeColumnSchema=True
        )
        parts = [part for page in pages for part in page["Partitions"]]
        values = [[None if value == NULL_PARTITION else value for value in part["Values"]] for part in parts]
        locations = [part["StorageDescriptor"]["Location"] for part in parts]
        return [(values[i], locations[i]) for i in self._wanted(values)]

    def _projected(self) -> Iterator[tuple[list[str | None], str]]:
        glue, keys = self.entry.glue, self.scan.table.partitioned_by
        values: list[list[str | None]] = [list(each) for each in athena_projection.values(glue, keys)]
        place = athena_projection.locations(glue, keys)
        for i in self._wanted(values):
            yield values[i], place([str(each) for each in values[i]])

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

    def _parts(self, form: str, values: Sequence[str | None], files: Mapping[str, int]) -> Iterator[str]:
        constants = dict(zip(self.scan.table.partitioned_by, values, strict=True))
        self.uncounted += sum(size - COUNTED[form] for file, size in files.items() if uncounted(form, file))
        for source, read in self._sources(form, list(files)):
            selected = [
                f"CAST({literal(constants[column.name])} AS {column.type.duckdb})"
                if column.name in constants
                else read(column)
                for column in self.scan.table.columns
            ]
            columns = ", ".join(f"{sql} AS c{i}" for i, sql in enumerate(selected, 1))
            yield f"SELECT {columns} FROM {source}"

    def _sources(self, form: str, files: list[str]) -> Iterator[tuple[str, Callable[[TableColumn], str]]]:
        """What DuckDB reads, and how a column is read of it. Avro files go together only with those of their schema:
        the reader takes the first file's columns for all.
        """
        if form == JSON:
            if files:
                yield athena_json.source(self.entry.glue, files), partial(athena_json_columns.value, self.entry.glue)
            return
        if form == LINES:
            if files:
                yield athena_lines.source(self.entry.glue, files)
            return
        groups: dict[tuple[Held, ...], list[str]] = {}
        for group in [[file] for file in files] if form == AVRO else [files]:
            if group:
                described = self.connection.execute(f"DESCRIBE SELECT * FROM {reader(form, group)}").fetchall()
                groups.setdefault(tuple((row[0], row[1]) for row in described), []).extend(group)
        for columns, group in groups.items():
            held = {column[0].lower(): column for column in columns}
            yield reader(form, group), partial(from_file, held=held, file=group[0])


def form_of(glue: dict[str, Any]) -> str:
    storage = glue.get("StorageDescriptor") or {}
    library = str((storage.get("SerdeInfo") or {}).get("SerializationLibrary", ""))
    if str(storage.get("InputFormat", "")).endswith(LINKS):
        raise RefusedError(f"A table of links ('{glue['Name']}')", "Name the place of its files.")
    for form in READERS:
        if form in library.lower():
            return form
    if library == athena_json.SERDE:
        athena_json.check(glue)
        return JSON
    if library in athena_lines.KNOWN:
        athena_lines.check(glue)
        return LINES
    advice = f"the laptop reads Iceberg, Avro, Parquet, {athena_json.SERDE} and {', '.join(athena_lines.KNOWN)}."
    raise RefusedError(f"A table of SerDe '{library}' ('{glue['Name']}')", advice)


def uncounted(form: str, file: str) -> bool:
    """Whether DuckDB leaves a file's bytes out of what it has read."""
    return form == AVRO or (form in (JSON, LINES) and file.endswith(".gz"))


def reader(form: str, files: Sequence[str]) -> str:
    return READERS[form].format(files=", ".join(map(text, files)))


def objects_of(s3: Any, locations: Sequence[str]) -> list[dict[str, int]]:
    """The files of each location; those of many days are listed at once, below what their places have in common."""
    folders = [location.rstrip("/") for location in locations]
    parts = zip(*(folder.split("/") for folder in folders), strict=False)
    shared = "/".join(part[0] for part in itertools.takewhile(lambda each: len(set(each)) == 1, parts))
    if len(locations) <= FEW or shared.count("/") < BUCKET_SLASHES:
        return [objects(s3, location) for location in locations]
    found: dict[str, dict[str, int]] = {folder: {} for folder in folders}
    for file, size in objects(s3, shared).items():
        for end in (place for place, letter in enumerate(file) if letter == "/" and place >= len(shared)):
            if file[:end] in found:
                found[file[:end]][file] = size
    return [found[folder] for folder in folders]


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
