"""`information_schema`: the databases, tables and columns that a caller may list, as rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local.engines import athena_views
from local.engines.athena_errors import QueryError
from local.engines.athena_relations import CATALOG
from local.engines.athena_scope import Table, TableColumn
from local.engines.athena_types import BIGINT, VARCHAR

if TYPE_CHECKING:
    from local.engines.athena_catalog import GlueCatalog

INFORMATION = "information_schema"
UNLISTED = ("EntityNotFoundException", "AccessDeniedException")
Rows = Iterator[tuple[Any, ...]]
TEXTS = {
    "schemata": ("catalog_name", "schema_name"),
    "tables": ("table_catalog", "table_schema", "table_name", "table_type"),
    "columns": (
        "table_catalog", "table_schema", "table_name", "column_name", "ordinal_position", "column_default",
        "is_nullable", "data_type",
    ),
}  # fmt: skip


def table(name: str) -> Table | None:
    """One of its tables; None for those that the laptop has not."""
    if name not in TEXTS:
        return None
    types = (BIGINT if column == "ordinal_position" else VARCHAR for column in TEXTS[name])
    return Table(INFORMATION, name, tuple(TableColumn(*each) for each in zip(TEXTS[name], types, strict=True)))


def rows(catalog: GlueCatalog, name: str) -> Rows:
    return {"schemata": _schemata, "tables": _tables, "columns": _columns}[name](catalog)


def _schemata(catalog: GlueCatalog) -> Rows:
    return ((CATALOG, name) for name in (*catalog.databases(), INFORMATION))


def _tables(catalog: GlueCatalog) -> Rows:
    for database, found in _every_table(catalog):
        kind = "VIEW" if athena_views.is_view(found) else "BASE TABLE"
        yield CATALOG, database, found["Name"].lower(), kind


def _columns(catalog: GlueCatalog) -> Rows:
    for database, each in _every_table(catalog):
        try:
            found = catalog.listed(database, each)
        except (ClientError, QueryError):
            continue  # a table that cannot be opened has no columns there, as in Trino
        for number, column in enumerate(found.columns, 1):
            yield CATALOG, database, found.name, column.name, number, None, "YES", str(column.type)


def _every_table(catalog: GlueCatalog) -> Iterator[tuple[str, dict[str, Any]]]:
    """Of a database whose tables the caller may not list there are none, as in Trino's metastore of Glue."""
    for database in catalog.databases():
        try:
            tables = catalog.tables(database)
        except ClientError as error:
            if error.response["Error"]["Code"] not in UNLISTED:
                raise
            continue
        yield from ((database, each) for each in tables)
