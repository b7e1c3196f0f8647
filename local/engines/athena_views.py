"""Views: Presto's entries in the Glue catalog, and the query behind one in the place of its name."""

from __future__ import annotations

import base64
import json
from typing import Any, Protocol

from sqlglot import exp

from local.engines.athena_casts import coerce
from local.engines.athena_errors import ForbiddenError, QueryError, RefusedError
from local.engines.athena_grammar import AthenaDialect, parse
from local.engines.athena_literals import type_of
from local.engines.athena_relations import CATALOG, Query
from local.engines.athena_scope import Scope, Table, TableColumn, View
from local.engines.athena_types import Type, common

BEFORE, AFTER = "/* Presto View: ", " */"


class Owner(Protocol):
    """The translator of whole queries."""

    database: str
    ctes: dict[str, tuple[str, Query]]
    views: list[Table]

    def query(self, node: exp.Expr, parent: Scope | None) -> Query: ...


def is_view(glue: dict[str, Any]) -> bool:
    return glue.get("TableType") == "VIRTUAL_VIEW"


def table(database: str, glue: dict[str, Any]) -> Table:
    """The view that an entry of the catalog describes."""
    name, text = glue["Name"].lower(), glue.get("ViewOriginalText") or ""
    if not text.startswith(BEFORE):
        raise RefusedError(f"The view '{database}.{name}', which is none of Athena's", "Query the tables below it.")
    told = json.loads(base64.b64decode(text.removeprefix(BEFORE).removesuffix(AFTER)))
    columns = tuple(TableColumn(each["name"].lower(), _type(each["type"])) for each in told["columns"])
    return Table(database, name, columns, view=View(told["originalSql"], told.get("schema") or database))


def expand(owner: Owner, found: Table, node: exp.Expr) -> str:
    """The view's query in DuckDB's SQL, with the columns that the view has promised."""
    view, told = found.view, f"{CATALOG}.{found.database}.{found.name}"
    assert view is not None  # only views come here
    if found in owner.views:
        raise QueryError("VIEW_IS_RECURSIVE", "View is recursive", node)
    around = owner.database, owner.ctes
    owner.database, owner.ctes = view.database.lower(), {}
    owner.views.append(found)
    try:
        query = owner.query(parse(view.sql), None)
    except (RefusedError, ForbiddenError):
        raise
    except QueryError as error:
        text = str(error).partition(": ")[2]
        raise QueryError("INVALID_VIEW", f"Failed analyzing stored view '{told}': {text}", node) from error
    finally:
        owner.views.pop()
        owner.database, owner.ctes = around
    return _as_promised(query, found, told, node)


def _as_promised(query: Query, found: Table, told: str, node: exp.Expr) -> str:
    stale = f"View '{told}' is stale or in invalid state"
    if len(query.types) != len(found.columns):
        text = f"{stale}: stored view column count ({len(found.columns)}) does not match column count derived from"
        raise QueryError("VIEW_IS_STALE", f"{text} the view query analysis ({len(query.types)})", node)
    sqls = []
    for number, (name, has, column) in enumerate(zip(query.names, query.types, found.columns, strict=True), 1):
        if has.runs and common(has, column.type) != column.type:
            raise QueryError(
                "VIEW_IS_STALE",
                f"{stale}: column [{name}] of type {has} projected from query view at position {number - 1} cannot be"
                f" coerced to column [{column.name}] of type {column.type} stored in view definition",
                node,
            )
        sqls.append(coerce(f"c{number}", has, column.type) if has.runs else f"c{number}")
    return f"SELECT {', '.join(f'{sql} AS c{number}' for number, sql in enumerate(sqls, 1))} FROM ({query.sql})"


def _type(text: str) -> Type:
    """A type as Presto names it; one that the laptop does not compute with keeps its name."""
    built = exp.DataType.build(text, dialect=AthenaDialect)
    if built.this == exp.DType.ARRAY and built.expressions:
        return Type("array", element=_type(built.expressions[0].sql("trino")))
    try:
        return type_of(built)
    except RefusedError:
        return Type(text.lower())
