"""CREATE TABLE with columns, CREATE DATABASE, and DROP of tables, views and databases."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from typing import Any, ClassVar

from local.engines import athena_iceberg, athena_storage
from local.engines.athena_catalog import is_iceberg
from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_session import Done, Session
from local.engines.athena_views import is_view
from local.engines.athena_words import Words, properties

FAILED = "Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask."
DELIMITERS = {"FIELDS": "field.delim", "COLLECTION ITEMS": "collection.delim", "MAP KEYS": "mapkey.delim",
              "LINES": "line.delim"}  # fmt: skip
STORED = {"PARQUET": "parquet", "ORC": "orc", "AVRO": "avro", "TEXTFILE": "textfile", "PARQUETFILE": "parquet",
          "JSONFILE": "json", "RCFILE": "", "SEQUENCEFILE": "", "ION": ""}  # fmt: skip
Columns = list[dict[str, str]]


@dataclass
class CreateTable:
    """CREATE [EXTERNAL] TABLE with its columns, read."""

    verb: ClassVar[str] = "create_table"
    path: tuple[str | None, str]
    external: bool
    if_absent: bool
    columns: Columns
    comment: str | None = None
    partitions: list[str] = field(default_factory=list)
    keys: Columns = field(default_factory=list)
    buckets: tuple[list[str], int] = field(default_factory=lambda: ([], 0))
    form: str = "textfile"
    formats: tuple[str, str] | None = None
    serde: str | None = None
    serde_properties: dict[str, str] = field(default_factory=dict)
    location: str | None = None
    properties: dict[str, str] = field(default_factory=dict)

    def run(self, session: Session) -> Done:
        database, name = session.named(self.path)
        if session.catalog.entry(database, name) is not None:
            if self.if_absent:
                return Done()
            raise QueryError("FAILED", f"{FAILED} AlreadyExistsException(message:Table {name} already exists)")
        if not session.catalog.has_database(database):
            raise QueryError("FAILED", f"SemanticException [Error 10072]: Database does not exist: {database}")
        if not self.location:
            raise QueryError("FAILED", "SemanticException table location can not be null")
        if self.properties.get("table_type", "").upper() == "ICEBERG":
            self._iceberg(session, database, name)
        else:
            self._hive(session, database, name)
        return Done()

    def _iceberg(self, session: Session, database: str, name: str) -> None:
        if self.external:
            raise QueryError("INVALID_TABLE_PROPERTY", "Iceberg tables are made by CREATE TABLE, without EXTERNAL")
        told = {key: value for key, value in self.properties.items() if key not in ("table_type", "format")}
        if self.properties.get("format", "parquet").lower() != "parquet":
            raise RefusedError(f"An Iceberg table of {self.properties['format']}", "the laptop writes PARQUET.")
        columns = [(column["Name"], column["Type"]) for column in self.columns]
        comments = {column["Name"]: column["Comment"] for column in self.columns if "Comment" in column}
        assert self.location  # looked at before
        athena_iceberg.create(
            session, database, name, athena_iceberg.Definition(columns, self.location, self.partitions, told, comments)
        )

    def _hive(self, session: Session, database: str, name: str) -> None:
        if not self.external:
            text = "CREATE TABLE without EXTERNAL is for Iceberg tables: TBLPROPERTIES ('table_type' = 'ICEBERG')"
            raise QueryError("NOT_SUPPORTED", text)
        if not self.form:
            raise RefusedError("This STORED AS", f"the laptop has {', '.join(key for key in STORED if STORED[key])}.")
        assert self.location  # looked at before
        storage = athena_storage.storage(self.form, self.columns, self.location, **self.serde_properties)
        if self.serde:
            storage["SerdeInfo"]["SerializationLibrary"] = self.serde
        if self.formats:
            storage["InputFormat"], storage["OutputFormat"] = self.formats
        if self.buckets[1]:
            storage |= {"BucketColumns": self.buckets[0], "NumberOfBuckets": self.buckets[1]}
        table: dict[str, Any] = {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "Parameters": {"EXTERNAL": "TRUE", **self.properties},
            "PartitionKeys": self.keys,
            "StorageDescriptor": storage,
        }
        if self.comment is not None:
            table |= {"Description": self.comment, "Parameters": {**table["Parameters"], "comment": self.comment}}
        session.catalog.glue.create_table(DatabaseName=database, TableInput=table)


def read_table(words: Words, *, external: bool) -> CreateTable:
    if_absent = words.accept("IF", "NOT", "EXISTS")
    found = CreateTable(words.path(), external, if_absent, words.group().listed(column))
    partitioned = None
    while not words.ended:
        if words.accept("PARTITIONED", "BY"):
            partitioned = words.group()
        else:
            _clause(words, found)
    if partitioned and found.properties.get("table_type", "").upper() == "ICEBERG":
        found.partitions = partitioned.listed(Words.until)
    elif partitioned:
        found.keys = partitioned.listed(column)
    return found


def _clause(words: Words, found: CreateTable) -> None:
    if words.accept("COMMENT"):
        found.comment = words.string()
    elif words.accept("CLUSTERED", "BY"):
        names = words.group().listed(Words.name)
        words.expect("INTO")
        found.buckets = names, words.number()
        words.expect("BUCKETS")
    elif words.accept("ROW", "FORMAT"):
        _row_format(words, found)
    elif words.accept("STORED", "AS"):
        _stored(words, found)
    elif words.accept("LOCATION"):
        found.location = words.string()
    elif words.accept("TBLPROPERTIES"):
        found.properties = properties(words)
    else:
        raise words.unexpected("'COMMENT', 'PARTITIONED', 'CLUSTERED', 'ROW', 'STORED', 'LOCATION', 'TBLPROPERTIES'")


def _row_format(words: Words, found: CreateTable) -> None:
    if words.accept("SERDE"):
        found.serde = words.string()
        if words.accept("WITH", "SERDEPROPERTIES"):
            found.serde_properties = properties(words)
        return
    words.expect("DELIMITED")
    while name := next((name for name in DELIMITERS if words.accept(*name.split())), None):
        words.expect("TERMINATED", "BY")
        found.serde_properties[DELIMITERS[name]] = codecs.decode(words.string(), "unicode_escape")
        if name == "FIELDS" and words.accept("ESCAPED", "BY"):
            found.serde_properties["escape.delim"] = codecs.decode(words.string(), "unicode_escape")
    if words.accept("NULL", "DEFINED", "AS"):
        found.serde_properties["serialization.null.format"] = words.string()


def _stored(words: Words, found: CreateTable) -> None:
    if words.accept("INPUTFORMAT"):
        inputs = words.string()
        words.expect("OUTPUTFORMAT")
        found.formats = inputs, words.string()
        return
    form = words.name().upper()
    if form not in STORED:
        words.at -= 1
        raise words.unexpected(", ".join(f"'{each}'" for each in STORED))
    found.form = STORED[form]


def column(words: Words) -> dict[str, str]:
    """`name type [COMMENT 'text']`."""
    found = {"Name": words.name(), "Type": hive_text(words.until("COMMENT"))}
    if not found["Type"]:
        raise words.unexpected("<type>")
    if words.accept("COMMENT"):
        found["Comment"] = words.string()
    return found


def hive_text(text: str) -> str:
    """A type as Glue keeps it."""
    text = text.replace("`", "").lower()
    return {"integer": "int"}.get(text, text)


@dataclass(frozen=True)
class CreateDatabase:
    """CREATE DATABASE, read."""

    verb: ClassVar[str] = "create_database"
    name: str
    if_absent: bool
    told: dict[str, Any]

    def run(self, session: Session) -> Done:
        glue = session.catalog.glue
        try:
            glue.create_database(DatabaseInput={"Name": self.name, **self.told})
        except glue.exceptions.AlreadyExistsException as error:
            if not self.if_absent:
                text = f"{FAILED} AlreadyExistsException(message:Database {self.name} already exists)"
                raise QueryError("FAILED", text) from error
        return Done()


def read_database(words: Words) -> CreateDatabase:
    if_absent, name = words.accept("IF", "NOT", "EXISTS"), words.name()
    told: dict[str, Any] = {}
    while not words.ended:
        if words.accept("COMMENT"):
            told["Description"] = words.string()
        elif words.accept("LOCATION"):
            told["LocationUri"] = words.string()
        elif words.accept("WITH", "DBPROPERTIES"):
            told["Parameters"] = properties(words)
        else:
            raise words.unexpected("'COMMENT', 'LOCATION', 'WITH DBPROPERTIES'")
    return CreateDatabase(name, if_absent, told)


@dataclass(frozen=True)
class Drop:
    """DROP TABLE or DROP VIEW, read."""

    verb: str
    path: tuple[str | None, str]
    if_there: bool

    def run(self, session: Session) -> Done:
        database, name = session.named(self.path)
        glue = session.catalog.table_of(database, name)
        if glue is None and self.if_there:
            return Done()
        if glue is None:
            kind = "Table not found" if self.verb == "drop_table" else "View not found"
            raise QueryError("FAILED", f"SemanticException [Error 10001]: {kind} {database}.{name}")
        if is_view(glue) != (self.verb == "drop_view"):
            kind = "a view, not a table. Use DROP VIEW" if is_view(glue) else "a table, not a view. Use DROP TABLE"
            raise QueryError("FAILED", f"SemanticException [Error 10001]: {database}.{name} is {kind}.")
        session.catalog.glue.delete_table(DatabaseName=database, Name=name)
        if is_iceberg(glue):  # Athena owns an Iceberg table's files; others it leaves
            remove(session, glue["StorageDescriptor"]["Location"])
        return Done()


def read_drop(verb: str, words: Words) -> Drop:
    if_there = words.accept("IF", "EXISTS")
    found = Drop(verb, words.path(), if_there)
    words.end()
    return found


@dataclass(frozen=True)
class DropDatabase:
    """DROP DATABASE, read."""

    verb: ClassVar[str] = "drop_database"
    name: str
    if_there: bool
    cascade: bool

    def run(self, session: Session) -> Done:
        if not session.catalog.has_database(self.name):
            if self.if_there:
                return Done()
            raise QueryError("FAILED", f"SemanticException [Error 10072]: Database does not exist: {self.name}")
        tables = session.catalog.tables(self.name)
        if tables and not self.cascade:
            text = f"InvalidOperationException(message:Database {self.name} is not empty. One or more tables exist.)"
            raise QueryError("FAILED", f"{FAILED} {text}")
        for table in tables:
            Drop("drop_view" if is_view(table) else "drop_table", (self.name, table["Name"]), True).run(session)
        session.catalog.glue.delete_database(Name=self.name)
        return Done()


def read_drop_database(words: Words) -> DropDatabase:
    if_there, name = words.accept("IF", "EXISTS"), words.name()
    cascade = words.accept("CASCADE")
    if not cascade:
        words.accept("RESTRICT")
    words.end()
    return DropDatabase(name, if_there, cascade)


def remove(session: Session, location: str) -> None:
    """Delete every file below a location."""
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    s3 = session.catalog.s3
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix.rstrip("/") + "/"):
        keys = [{"Key": each["Key"]} for each in page.get("Contents", ())]
        if keys:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": keys, "Quiet": True})
