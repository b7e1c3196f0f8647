"""SHOW COLUMNS, CREATE TABLE, PARTITIONS and TBLPROPERTIES, EXPLAIN, and MSCK REPAIR TABLE: statements of lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import unquote

from sqlglot import exp

from local.engines import athena_iceberg_listings
from local.engines.athena_alter_partitions import partitions
from local.engines.athena_catalog import Entry
from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_files import objects
from local.engines.athena_metadata import is_iceberg
from local.engines.athena_results import column_info
from local.engines.athena_session import Done, Session
from local.engines.athena_storage import add_partitions, current_columns, partition_folder
from local.engines.athena_types import Type
from local.engines.athena_words import Words

STRING = Type("string")
WIDTH = 20
PLANS = ("LOGICAL", "DISTRIBUTED")


@dataclass(frozen=True)
class Show:
    """SHOW of one table, read; `lines` makes them."""

    verb: str
    path: tuple[str | None, str]
    columns: tuple[str, ...]
    lines: Callable[[Session, Entry], Sequence[str]]

    def run(self, session: Session) -> Done:
        database, name = session.named(self.path)
        entry = session.catalog.entry(database, name)
        if entry is None:
            raise QueryError("FAILED", f"SemanticException [Error 10001]: Table not found {database}.{name}")
        return Done(self.lines(session, entry), [column_info(each, STRING) for each in self.columns])


def read_columns(words: Words) -> Show:
    if not words.accept("FROM"):
        words.expect("IN")
    database, table = words.path()
    if words.accept("FROM") or words.accept("IN"):
        database = words.name()
    words.end()
    return Show("show_columns", (database, table), ("field",), columns)


def columns(session: Session, entry: Entry) -> list[str]:
    width = 0 if is_iceberg(entry.glue) else WIDTH
    return [f"{each['Name']:<{width}}" for each in (*current_columns(entry.glue), *keys(entry))]


def keys(entry: Entry) -> list[dict[str, Any]]:
    return list(entry.glue.get("PartitionKeys") or [])


def read_partitions(words: Words) -> Show:
    path = words.path()
    words.end()
    return Show("show_partitions", path, ("partition",), shown_partitions)


def shown_partitions(session: Session, entry: Entry) -> list[str]:
    if is_iceberg(entry.glue):
        raise RefusedError(f"SHOW PARTITIONS of the Iceberg table '{entry.table.name}'", 'Query "t$partitions".')
    if not entry.table.partitioned_by:
        raise QueryError(
            "FAILED", f"SemanticException [Error 10241]: Table {entry.table.name} is not a partitioned table"
        )
    names = entry.table.partitioned_by
    return [
        f"{'/'.join(map('='.join, zip(names, values, strict=True)))}" for values in sorted(partitions(session, entry))
    ]


def read_properties(words: Words) -> Show:
    path = words.path()
    wanted = words.group().string() if words.peek("(") else None
    words.end()

    def lines(session: Session, entry: Entry) -> list[str]:
        told = sorted((entry.glue.get("Parameters") or {}).items())
        return [f"{name}\t{value}" for name, value in told if wanted in (None, name)]

    return Show("show_tblproperties", path, ("prpt_name", "prpt_value"), lines)


def read_create_table(words: Words) -> Show:
    path = words.path()
    words.end()
    return Show("show_create_table", path, ("createtab_stmt",), create_table)


def create_table(session: Session, entry: Entry) -> list[str]:
    """The statement that would make the table, line by line as Hive prints it."""
    if entry.table.view is not None:
        raise QueryError("FAILED", f"SemanticException {entry.table.name} is a view. Use SHOW CREATE VIEW.")
    storage, told = entry.glue["StorageDescriptor"], dict(entry.glue.get("Parameters") or {})
    if is_iceberg(entry.glue):
        return athena_iceberg_listings.create_table(entry)
    lines = [f"CREATE EXTERNAL TABLE `{entry.table.database}.{entry.table.name}`("]
    lines += listing(current_columns(entry.glue))
    if comment := entry.glue.get("Description"):
        lines += [f"COMMENT '{comment}'"]
    if keys(entry):
        lines += ["PARTITIONED BY ( ", *listing(keys(entry))]
    serde = storage.get("SerdeInfo") or {}
    lines += ["ROW FORMAT SERDE ", f"  '{serde.get('SerializationLibrary')}' "]
    if parameters := serde.get("Parameters"):
        lines += ["WITH SERDEPROPERTIES ( ", *pairs(parameters)]
    lines += ["STORED AS INPUTFORMAT ", f"  '{storage.get('InputFormat')}' "]
    lines += ["OUTPUTFORMAT ", f"  '{storage.get('OutputFormat')}'", "LOCATION", f"  '{storage['Location']}'"]
    told.pop("EXTERNAL", None)
    return [*lines, "TBLPROPERTIES (", *pairs(told)] if told else lines


def listing(found: Sequence[dict[str, Any]]) -> list[str]:
    lines = []
    for number, each in enumerate(found, 1):
        comment = f" COMMENT '{each['Comment']}'" if each.get("Comment") else ""
        lines.append(f"  `{each['Name']}` {each['Type']}{comment}{', ' if number < len(found) else ')'}")
    return lines


def pairs(told: dict[str, str]) -> list[str]:
    lines = [f"  '{name}'='{value}'" for name, value in sorted(told.items())]
    return [f"{line}, " for line in lines[:-1]] + [f"{lines[-1]}) "]


@dataclass(frozen=True)
class Explain:
    """EXPLAIN, read: the plan is DuckDB's, since nothing here plans as Athena does."""

    verb: ClassVar[str] = "explain"
    query: exp.Expr
    analyze: bool
    validate: bool

    def run(self, session: Session) -> Done:
        query = session.query(self.query, apart=True)
        if self.validate:
            return Done(["true"], [column_info("Valid", Type("boolean"))])
        word = "EXPLAIN ANALYZE" if self.analyze else "EXPLAIN"
        plan = session.connection.execute(f"{word} {query.sql}").fetchall()
        lines = [line for row in plan for line in str(row[1]).splitlines()]
        return Done(lines, [column_info("Query Plan", Type("varchar"))])


def read_explain(words: Words) -> Explain:
    analyze, validate = words.accept("ANALYZE"), False
    if words.peek("(") and not words.peek("(", "SELECT"):
        group = words.group()
        while not group.ended:
            if group.accept("TYPE", "VALIDATE"):
                validate = True
            elif not any(group.accept("TYPE", kind) for kind in PLANS) and not group.accept("FORMAT", "TEXT"):
                raise RefusedError(f"EXPLAIN ({group.until()})", "Write EXPLAIN, or EXPLAIN (TYPE VALIDATE).")
            group.accept(",")
    return Explain(words.query(), analyze, validate)


@dataclass(frozen=True)
class Repair:
    """MSCK REPAIR TABLE, read."""

    verb: ClassVar[str] = "msck_repair_table"
    path: tuple[str | None, str]

    def run(self, session: Session) -> Done:
        entry = session.entry(self.path)
        entry.need("ALTER")
        names = entry.table.partitioned_by
        if is_iceberg(entry.glue) or not names:
            raise QueryError("FAILED", f"SemanticException Table {entry.table.name} is not a partitioned table")
        base = str(entry.glue["StorageDescriptor"]["Location"]).rstrip("/")
        registered, found = partitions(session, entry), {}
        for file in objects(session.catalog.s3, base):
            parts = [part.partition("=") for part in file.removeprefix(f"{base}/").split("/")[: len(names)]]
            values = tuple(unquote(value) for _, _, value in parts)
            if [name.lower() for name, _, _ in parts] == list(names) and values not in registered:
                found[values] = "/".join([base, *(f"{name}={value}" for name, _, value in parts), ""])
        table = {**entry.glue, "DatabaseName": entry.table.database, "Name": entry.table.name}
        add_partitions(session.catalog.glue, table, sorted(found.items()))
        folders = [f"{entry.table.name}:{partition_folder(names, values)}" for values in sorted(found)]
        if not folders:
            return Done()
        lines = [f"Partitions not in metastore:\t{chr(9).join(folders)}"]
        return Done(lines + [f"Repair: Added partition to metastore {folder}" for folder in folders])


def read_repair(words: Words) -> Repair:
    path = words.path()
    words.end()
    return Repair(path)
