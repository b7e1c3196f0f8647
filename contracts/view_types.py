"""The types of a view's columns, told from contracts and casts alone: Athena keeps them with the view."""

from __future__ import annotations

import re

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope

from contracts.query_file import DIALECT, QueryFile, Tables
from lake.views import ViewColumn

TYPES = {
    "VARCHAR": "string", "TEXT": "string", "BOOLEAN": "boolean", "INT": "int", "BIGINT": "bigint", "FLOAT": "float",
    "DOUBLE": "double", "DATE": "date", "TIMESTAMPTZ": "timestamp",
}  # fmt: skip
UNNAMED = re.compile(r"_col_\d+")  # what a column without a name is called here; Athena calls it otherwise
COUNTS = (exp.Count, exp.CountIf, exp.ApproxDistinct, exp.RowNumber, exp.Rank, exp.DenseRank)
SAME = (exp.Max, exp.Min, exp.Paren, exp.Alias, exp.Window)  # of the type of what they are of


def columns(file: QueryFile, query: exp.Query, tables: Tables, described: dict[str, str]) -> tuple[ViewColumn, ...]:
    """Each column by name and type; a comment in the SELECT says what it is, or the contract of the column it is."""
    scope = build_scope(query)
    assert scope is not None  # of a query there is one
    found: list[ViewColumn] = []
    for each in query.selects:
        if UNNAMED.fullmatch(each.alias_or_name):
            raise file.at(each, each.unalias().sql(DIALECT), "expected a column with a name", "Write AS and a name.")
        if each.alias_or_name in (other.name for other in found):
            expected = "expected each column of a view once"
            raise file.at(each, each.alias_or_name, expected, "Leave one out, or give it another name.")
        type_ = _type(each, scope, tables)
        if type_ is None:
            expected = "expected a column, a count, or CAST(… AS a type): a view keeps the types of its columns"
            raise file.at(each, each.alias_or_name, expected, "Write CAST(… AS decimal(12,2)), or whichever it is.")
        found.append(ViewColumn(each.alias_or_name, type_, _description(each, described)))
    return tuple(found)


def _type(node: exp.Expr, scope: Scope, tables: Tables) -> str | None:
    if isinstance(node, exp.Column):
        source = scope.sources.get(node.table)
        if isinstance(source, exp.Table):
            return tables[source.db][source.name].get(node.name)
        if isinstance(source, Scope) and isinstance(source.expression, exp.Query):
            inner = next((each for each in source.expression.selects if each.alias_or_name == node.name), None)
            return None if inner is None else _type(inner, source, tables)
        return None
    if isinstance(node, exp.Cast):
        return _lake_type(node.to)
    if isinstance(node, COUNTS):
        return "bigint"
    return _type(node.this, scope, tables) if isinstance(node, SAME) else None


def _lake_type(said: exp.DataType) -> str | None:
    if said.this == exp.DType.DECIMAL and len(said.expressions) == 2:
        return said.sql(DIALECT).lower().replace(" ", "")
    return TYPES.get(said.this.name)


def _description(node: exp.Expr, described: dict[str, str]) -> str:
    inner = node.unalias()
    told = node.comments or inner.comments
    if told:
        return " ".join(told[0].split())
    return described.get(inner.name, "") if isinstance(inner, exp.Column) else ""
