"""CREATE VIEW: a query kept in the Glue catalog as Presto keeps it, with the columns that it promises."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlglot import exp

from local.engines.athena_errors import QueryError
from local.engines.athena_relations import CATALOG
from local.engines.athena_session import Done, Session
from local.engines.athena_storage import hive_type
from local.engines.athena_types import Type
from local.engines.athena_views import AFTER, BEFORE, is_view
from local.engines.athena_words import Words
from local.engines.athena_writes import columns_of


@dataclass(frozen=True)
class CreateView:
    """CREATE [OR REPLACE] VIEW, read."""

    verb: ClassVar[str] = "create_view"
    path: tuple[str | None, str]
    replaces: bool
    sql: str
    query: exp.Expr

    def run(self, session: Session) -> Done:
        database, name = session.named(self.path)
        before = session.catalog.table_of(database, name)
        if before is not None and not (self.replaces and is_view(before)):
            kind = "View" if is_view(before) else "Table"
            text = f"line 1:1: {kind} already exists: '{CATALOG}.{database}.{name}'"
            raise QueryError("TABLE_ALREADY_EXISTS", text)
        if not session.catalog.has_database(database):
            raise QueryError("SCHEMA_NOT_FOUND", f"Schema {database} not found")
        query, _ = session.translate(self.query)
        names = [each.lower() for each in query.names]
        columns_of(names, query.types)
        table = table_input(name, self.sql, session.database, list(zip(names, query.types, strict=True)))
        glue = session.catalog.glue
        (glue.create_table if before is None else glue.update_table)(DatabaseName=database, TableInput=table)
        return Done()


def table_input(name: str, sql: str, database: str, columns: list[tuple[str, Type]]) -> dict[str, Any]:
    told = {
        "originalSql": sql,
        "catalog": CATALOG,
        "schema": database,
        "columns": [{"name": each, "type": str(type_)} for each, type_ in columns],
    }
    return {
        "Name": name,
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "PartitionKeys": [],
        "ViewOriginalText": f"{BEFORE}{base64.b64encode(json.dumps(told).encode()).decode()}{AFTER}",
        "ViewExpandedText": "/* Presto View */",
        "StorageDescriptor": {
            "Columns": [{"Name": each, "Type": view_type(type_)} for each, type_ in columns],
            "Location": "",
            "SerdeInfo": {},
        },
    }


def view_type(type_: Type) -> str:
    """A column's type for those who read the catalog alone; Hive has no zones."""
    return "timestamp" if type_.name.startswith("timestamp") else hive_type(type_)


def read(words: Words, *, replaces: bool) -> CreateView:
    path = words.path()
    words.expect("AS")
    sql = words.text()
    return CreateView(path, replaces, sql, words.query())
