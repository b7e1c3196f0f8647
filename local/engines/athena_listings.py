"""SHOW TABLES, DATABASES, VIEWS and CREATE VIEW, and DESCRIBE: their lines and their columns."""

from __future__ import annotations

import re
from typing import Any

from local.engines import athena_iceberg_listings
from local.engines.athena_catalog import GlueCatalog
from local.engines.athena_errors import QueryError
from local.engines.athena_metadata import is_iceberg
from local.engines.athena_results import column_info
from local.engines.athena_sql import Statement, refuse
from local.engines.athena_storage import current_columns
from local.engines.athena_types import Type
from local.engines.athena_views import is_view

STRING = Type("string")
TOLD = [column_info(name, STRING) for name in ("col_name", "data_type", "comment")]
Listing = tuple[list[str], list[dict[str, Any]]]


def answer(statement: Statement, catalog: GlueCatalog, database: str) -> Listing:
    match statement.verb, statement.names:
        case "show_databases", (pattern,):
            return matching(catalog.databases(), pattern), [column_info("database_name", STRING)]
        case "show_tables", (named, pattern):
            wanted = (named or database).lower()
            if not catalog.has_database(wanted):
                raise missing(wanted)
            names = [str(table["Name"]) for table in catalog.tables(wanted)]
            return matching(names, pattern), [column_info("tab_name", STRING)]
        case "show_views", (named, pattern):
            views = [str(each["Name"]) for each in catalog.tables((named or database).lower()) if is_view(each)]
            return matching(views, pattern), [column_info("views", STRING)]
        case "show_create_view", (named, str(view)):
            return create_view(catalog, (named or database).lower(), view.lower())
        case "describe", (named, str(table)):
            return describe(catalog, (named or database).lower(), table.lower())
    raise refuse(statement)


def matching(names: list[str], pattern: str | None) -> list[str]:
    """Hive's patterns: `*` for anything, `|` between alternatives."""
    if pattern is None:
        return names
    expression = re.compile("|".join(re.escape(part).replace(r"\*", ".*") for part in pattern.split("|")), re.I)
    return [name for name in names if expression.fullmatch(name)]


def describe(catalog: GlueCatalog, database: str, table: str) -> Listing:
    entry = catalog.entry(database, table)
    if entry is None:
        raise QueryError("FAILED", f"Execution Error. Table not found {database}.{table}")
    if is_iceberg(entry.glue):
        return athena_iceberg_listings.described(entry), TOLD
    described = current_columns(entry.glue)
    keys = entry.glue.get("PartitionKeys") or []
    lines = [line(column) for column in (*described, *keys)]
    if keys:
        lines += ["\t \t ", "# Partition Information\t \t ", line({"Name": "# col_name", "Type": "data_type",
                                                                  "Comment": "comment"}), "\t \t "]  # fmt: skip
        lines += [line(key) for key in keys]
    return lines, TOLD


def create_view(catalog: GlueCatalog, database: str, name: str) -> Listing:
    entry = catalog.entry(database, name)
    if entry is None or entry.table.view is None:
        raise QueryError("FAILED", f"Execution Error. View not found {database}.{name}")
    return [f"CREATE VIEW {database}.{name} AS", *entry.table.view.sql.splitlines()], [
        column_info("Create View", STRING)
    ]


def line(column: dict[str, Any]) -> str:
    """Columns padded to 20 characters and parted by tabs, as Hive prints them."""
    return "\t".join(f"{column.get(key) or '':<20}" for key in ("Name", "Type", "Comment"))


def missing(database: str) -> QueryError:
    return QueryError("FAILED", f"SemanticException [Error 10072]: Database does not exist: {database}")
