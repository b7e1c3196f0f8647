"""CREATE TABLE … AS SELECT: the files first and the table last, so that there is a whole table or none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from sqlglot import exp

from local.engines import athena_iceberg, athena_storage
from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_iceberg_schemas import Definition, from_type
from local.engines.athena_relations import CATALOG, Query
from local.engines.athena_session import Done, Session
from local.engines.athena_undo import taken_back
from local.engines.athena_words import Words, options
from local.engines.athena_writes import Layout, columns_of, empty_place, store

HIVE, ICEBERG = "hive", "iceberg"
HIVE_OPTIONS = ("table_type", "is_external", "format", "write_compression", "parquet_compression", "orc_compression",
                "external_location", "partitioned_by", "bucketed_by", "bucket_count", "field_delimiter")  # fmt: skip
ICEBERG_OPTIONS = ("table_type", "is_external", "format", "write_compression", "location", "partitioning",
                   "vacuum_max_snapshot_age_seconds", "vacuum_min_snapshots_to_keep",
                   "optimize_rewrite_delete_file_threshold")  # fmt: skip
DEFAULT_CODECS = {"parquet": "gzip", "json": "gzip", "textfile": "gzip", "avro": "uncompressed"}


@dataclass(frozen=True)
class CreateTableAs:
    """CTAS, read."""

    verb: ClassVar[str] = "create_table_as_select"
    path: tuple[str | None, str]
    if_absent: bool
    options: dict[str, Any]
    query: exp.Expr
    with_data: bool

    def run(self, session: Session) -> Done:
        database, name = session.named(self.path)
        if session.catalog.entry(database, name) is not None:
            if self.if_absent:
                return Done()
            text = f"line 1:1: Destination table '{CATALOG}.{database}.{name}' already exists"
            raise QueryError("TABLE_ALREADY_EXISTS", text)
        if not session.catalog.has_database(database):
            raise QueryError("SCHEMA_NOT_FOUND", f"Schema {database} not found")
        found = session.query(self.query)
        query = replace(found, names=tuple(each.lower() for each in found.names))
        if not self.with_data:
            query = replace(query, sql=f"SELECT * FROM ({query.sql}) WHERE false")
        columns_of(query.names, query.types)
        kind = str(self.options.get("table_type", HIVE)).lower()
        if kind not in (HIVE, ICEBERG):
            raise QueryError("INVALID_TABLE_PROPERTY", f"Unknown table_type '{kind}': expected HIVE or ICEBERG.")
        known = HIVE_OPTIONS if kind == HIVE else ICEBERG_OPTIONS
        if unknown := sorted(set(self.options) - set(known)):
            text = f"Catalog '{CATALOG}' table property '{unknown[0]}' does not exist"
            raise QueryError("INVALID_TABLE_PROPERTY", text)
        return (self._hive if kind == HIVE else self._iceberg)(session, database, name, query)

    def _hive(self, session: Session, database: str, name: str, query: Query) -> Done:
        layout = layout_of(self.options)
        location = self.options.get("external_location") or session.place(f"tables/{session.request['id']}")
        location = f"{location.rstrip('/')}/"
        empty_place(session, location, f"table '{database}.{name}'")
        types = [athena_storage.hive_type(type_) for type_ in query.types]
        columns = [{"Name": each, "Type": type_} for each, type_ in zip(query.names, types, strict=True)]
        written = store(session, query, layout, location)
        kept = len(columns) - len(layout.partitioned_by)
        serde = {"field.delim": layout.delimiter, "serialization.format": layout.delimiter}
        storage = athena_storage.storage(
            layout.form, columns[:kept], location, **(serde if layout.form == "textfile" else {})
        )
        if layout.buckets:
            storage |= {"BucketColumns": list(layout.bucketed_by), "NumberOfBuckets": layout.buckets}
        table = {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"EXTERNAL": "TRUE", "has_encrypted_data": "false", "classification": layout.form},
            "PartitionKeys": columns[kept:],
            "StorageDescriptor": storage,
        }
        glue = session.catalog.glue
        with taken_back(session, written.files):
            session.watch.go_on()
            glue.create_table(DatabaseName=database, TableInput=table)
            try:
                athena_storage.add_partitions(glue, {**table, "DatabaseName": database}, written.partitions)
            except BaseException:
                glue.delete_table(DatabaseName=database, Name=name)
                raise
        return Done(rows=written.rows, files=written.files)

    def _iceberg(self, session: Session, database: str, name: str, query: Query) -> Done:
        if self.options.get("is_external", True) is not False:
            raise QueryError("INVALID_TABLE_PROPERTY", "Iceberg tables must have is_external = false")
        if str(self.options.get("format", "parquet")).lower() != "parquet":
            raise RefusedError(f"An Iceberg table of {self.options['format']}", "the laptop writes PARQUET.")
        location = self.options.get("location")
        if not location:
            raise QueryError("INVALID_TABLE_PROPERTY", "Iceberg tables need a location in WITH (location = 's3://…')")
        empty_place(session, location, f"table '{database}.{name}'")
        columns = [(each, from_type(type_)) for each, type_ in zip(query.names, query.types, strict=True)]
        properties = {key: str(self.options[key]) for key in ICEBERG_OPTIONS[6:] if key in self.options}
        if codec := self.options.get("write_compression"):
            properties["write.parquet.compression-codec"] = str(codec).lower()
        definition = Definition(columns, location, tuple(self.options.get("partitioning", ())), properties)
        rows, files = athena_iceberg.create_with(session, database, name, definition, query)
        return Done(rows=rows, files=files)


def layout_of(options: dict[str, Any]) -> Layout:
    """How CTAS and UNLOAD write files, by their options."""
    form = str(options.get("format", "parquet")).lower()
    told = [options[key] for key in ("write_compression", "compression", f"{form}_compression") if key in options]
    codec = str(told[0]).lower() if told else DEFAULT_CODECS.get(form, "")
    buckets, by = options.get("bucket_count", 0), tuple(each.lower() for each in options.get("bucketed_by", ()))
    if bool(buckets) != bool(by):
        raise QueryError("INVALID_TABLE_PROPERTY", "bucketed_by and bucket_count must be specified together")
    return Layout(
        form,
        {"none": "uncompressed"}.get(codec, codec),
        tuple(each.lower() for each in options.get("partitioned_by", ())),
        by,
        buckets,
        options.get("field_delimiter", "\x01"),
    )


def read(words: Words) -> CreateTableAs | None:
    """After CREATE TABLE, up to its query; None for a CREATE TABLE of columns."""
    if_absent = words.accept("IF", "NOT", "EXISTS")
    path = words.path()
    if words.accept("COMMENT"):
        words.string()
    found = options(words) if words.accept("WITH") else {}
    if not words.accept("AS"):
        return None
    with_data = not _drop_tail(words, "WITH", "NO", "DATA")
    if with_data:
        _drop_tail(words, "WITH", "DATA")
    return CreateTableAs(path, if_absent, found, words.query(), with_data)


def _drop_tail(words: Words, *tail: str) -> bool:
    if [token.upper for token in words.tokens[-len(tail) :]] != list(tail):
        return False
    del words.tokens[-len(tail) :]
    return True
