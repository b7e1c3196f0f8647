"""INSERT INTO a table of plain files or an Iceberg table, and UNLOAD: a query's rows as files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from sqlglot import exp

from local.engines import athena_deletes, athena_files, athena_iceberg, athena_storage
from local.engines.athena_casts import coerce
from local.engines.athena_catalog import Entry
from local.engines.athena_ctas import DEFAULT_CODECS, layout_of
from local.engines.athena_errors import QueryError, RefusedError, only
from local.engines.athena_metadata import is_iceberg
from local.engines.athena_relations import CATALOG, Query
from local.engines.athena_scope import TableColumn
from local.engines.athena_session import Done, Session
from local.engines.athena_types import Type, common, nameless
from local.engines.athena_undo import taken_back
from local.engines.athena_views import is_view
from local.engines.athena_words import Words, options
from local.engines.athena_writes import Layout, columns_of, empty_place, store

UNLOAD_OPTIONS = ("format", "compression", "partitioned_by", "field_delimiter")


@dataclass(frozen=True)
class Insert:
    """INSERT INTO, read."""

    verb: ClassVar[str] = "insert"
    tree: exp.Expr

    def run(self, session: Session) -> Done:
        only(self.tree, "this", "expression", "with_")
        target = self.tree.this.this if isinstance(self.tree.this, exp.Schema) else self.tree.this
        entry = target_of(session, target)
        entry.need("INSERT")
        if "bucketed_by" in entry.glue or (entry.glue.get("StorageDescriptor") or {}).get("NumberOfBuckets", 0) > 0:
            raise QueryError("NOT_SUPPORTED", "Inserting into bucketed tables is not supported by Athena.")
        asked = self.tree.this.expressions if isinstance(self.tree.this, exp.Schema) else []
        source = session.query(self._source(), inserted=True)
        query = fitted(source, entry.table.columns, [each.name.lower() for each in asked])
        database, name = entry.table.database, entry.table.name
        if is_iceberg(entry.glue):
            athena_deletes.check(entry.metadata or {}, name)
            rows, files = athena_iceberg.append_to(session, database, name, query)
            return Done(rows=rows, files=files)
        written = store(session, query, layout(entry), entry.glue["StorageDescriptor"]["Location"])
        table = {**entry.glue, "DatabaseName": database, "Name": name}
        with taken_back(session, written.files):
            session.watch.go_on()
            athena_storage.add_partitions(session.catalog.glue, table, written.partitions)
        return Done(rows=written.rows, files=written.files)

    def _source(self) -> exp.Expr:
        source: exp.Expr = self.tree.expression.copy()
        if around := self.tree.args.get("with_"):
            source.set("with_", around.copy())
        return source


def target_of(session: Session, node: exp.Expr) -> Entry:
    """The table that DML changes."""
    only(node, "this", "db", "catalog", "alias")
    assert isinstance(node, exp.Table)  # the grammar lets no other here
    if node.catalog and node.catalog.lower() != CATALOG:
        raise QueryError("CATALOG_NOT_FOUND", f"Catalog '{node.catalog}' does not exist", node)
    database, name = (node.db or session.database).lower(), node.name.lower()
    entry = session.catalog.entry(database, name)
    if entry is None:
        if not session.catalog.has_database(database):
            raise QueryError("SCHEMA_NOT_FOUND", f"Schema '{database}' does not exist", node)
        raise QueryError("TABLE_NOT_FOUND", f"Table '{CATALOG}.{database}.{name}' does not exist", node)
    if is_view(entry.glue):
        raise QueryError("NOT_SUPPORTED", "Inserting into views is not supported", node)
    if entry.rows is not None:
        raise QueryError("NOT_SUPPORTED", "This connector does not support inserts", node)
    return entry


def fitted(query: Query, columns: tuple[TableColumn, ...], asked: list[str]) -> Query:
    """The query's columns as the table has them: each by its place, of a type that goes into the table's by itself."""
    names = asked or [column.name for column in columns]
    known = {column.name: column.type for column in columns}
    for number, name in enumerate(names):
        if name not in known:
            raise QueryError("COLUMN_NOT_FOUND", f"Insert column name does not exist in target table: {name}")
        if name in names[:number]:
            raise QueryError("DUPLICATE_COLUMN_NAME", f"Insert column name is specified more than once: {name}")
    for column in columns:
        if not column.type.runs:
            raise RefusedError(f"INSERT into a table with column '{column.name}' of type {column.type}")
    wanted = [known[name] for name in names]
    if len(wanted) != len(query.types) or not all(map(goes_into, query.types, wanted)):
        told = [f"[{', '.join(map(str, types))}]" for types in (wanted, query.types)]
        raise QueryError(
            "TYPE_MISMATCH", f"Insert query has mismatched column types: Table: {told[0]}, Query: {told[1]}"
        )
    given = {
        name: stored(f"c{i}", have, want)
        for i, (name, have, want) in enumerate(zip(names, query.types, wanted, strict=True), 1)
    }
    sqls = [given.get(column.name, f"CAST(NULL AS {column.type.duckdb})") for column in columns]
    selected = ", ".join(f"{sql} AS c{i}" for i, sql in enumerate(sqls, 1))
    return Query(
        f"SELECT {selected} FROM ({query.sql})",
        tuple(column.name for column in columns),
        tuple(column.type for column in columns),
    )


def goes_into(have: Type, want: Type) -> bool:
    """Whether a value is stored without a cast of the query's own; a text goes into a column for shorter ones."""
    if have.kind == want.kind == "varchar":
        return True
    return common(nameless(have), nameless(want)) == nameless(want)  # fields of rows go by their place


def stored(sql: str, have: Type, want: Type) -> str:
    """A value as the column has it; of a text that is too long only spaces are cut off."""
    if want.kind != "varchar" or want.precision is None or have.kind != "varchar" or common(have, want) == want:
        return coerce(sql, have, want)
    told = f"Cannot truncate non-space characters when casting from {have} to {want} on INSERT"
    long = f"length(rtrim({sql}, ' ')) > {want.precision}"
    return f"CASE WHEN {long} THEN error('INVALID_CAST_ARGUMENT: {told}') ELSE left({sql}, {want.precision}) END"


def layout(entry: Entry) -> Layout:
    """How the table's files are written."""
    glue = entry.glue
    library = str((glue["StorageDescriptor"].get("SerdeInfo") or {}).get("SerializationLibrary", ""))
    form = next((form for form, serde in athena_storage.SERDES.items() if serde[2] == library), None)
    if form is None:
        raise RefusedError(f"INSERT into a table of SerDe '{library}'", "Make the table of PARQUET.")
    athena_files.form_of(glue)  # what cannot be read back is not written
    serde = (glue["StorageDescriptor"].get("SerdeInfo") or {}).get("Parameters") or {}
    told = {"format": form, "partitioned_by": entry.table.partitioned_by}
    if form == "textfile":
        told["field_delimiter"] = serde.get("field.delim", "\x01")
    codec = (glue.get("Parameters") or {}).get("write.compression") or (glue.get("Parameters") or {}).get(
        "parquet.compression"
    )
    return layout_of({**told, "write_compression": codec or DEFAULT_CODECS.get(form, "")})


@dataclass(frozen=True)
class Unload:
    """UNLOAD, read."""

    verb: ClassVar[str] = "unload"
    query: exp.Expr
    location: str
    options: dict[str, Any]

    def run(self, session: Session) -> Done:
        if unknown := sorted(set(self.options) - set(UNLOAD_OPTIONS)):
            raise QueryError("INVALID_TABLE_PROPERTY", f"UNLOAD property '{unknown[0]}' does not exist")
        if "format" not in self.options:
            raise QueryError("INVALID_TABLE_PROPERTY", "Unload requires the property 'format' to be set")
        query = session.query(self.query)
        columns_of(query.names, query.types)
        empty_place(session, self.location, "unload")
        written = store(session, query, layout_of(self.options), self.location)
        return Done(rows=written.rows, files=written.files)


def read_unload(words: Words) -> Unload:
    query = words.group().query()
    words.expect("TO")
    location = words.string()
    found = options(words) if words.accept("WITH") else {}
    words.end()
    return Unload(query, location, found)
