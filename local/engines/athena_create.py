"""CREATE TABLE with columns."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field
from typing import Any, ClassVar

from local.engines import athena_iceberg, athena_storage
from local.engines.athena_errors import HIVE_FAILED, QueryError, RefusedError
from local.engines.athena_iceberg_schemas import Definition
from local.engines.athena_session import Done, Session
from local.engines.athena_words import Words, properties

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
            raise QueryError("FAILED", f"{HIVE_FAILED} AlreadyExistsException(message:Table {name} already exists)")
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
            session, database, name, Definition(columns, self.location, self.partitions, told, comments)
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
