"""Row filter expressions of data cells filters: the part of PartiQL that Lake Formation has, and nothing more."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from local.engines.athena_errors import QueryError
from local.engines.athena_grammar import parse

LONGEST = 2048
# https://docs.aws.amazon.com/lake-formation/latest/dg/partiql-support.html
COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like)
TYPES = ("string", "char", "varchar", "tinyint", "smallint", "int", "integer", "long", "bigint", "float", "decimal",
         "double", "boolean")  # fmt: skip


class FilterError(Exception):
    """A row filter expression that Lake Formation would not take."""


def tree_of(text: str) -> exp.Expr:
    """The expression, parsed; nothing may come after it."""
    if ";" in text or "--" in text or "/*" in text:
        raise FilterError(f"The row filter expression '{text}': expected one condition, without comments.")
    try:
        query = parse(f"SELECT 1 WHERE {text}")
    except QueryError as error:
        raise FilterError(f"The row filter expression '{text}' cannot be parsed: {error}") from error
    where = query.args.get("where")
    if where is None or any(value for name, value in query.args.items() if name not in ("expressions", "where")):
        raise FilterError(f"The row filter expression '{text}': expected a condition, and nothing after it.")
    found: exp.Expr = where.this
    return found


def check(text: str, types: Mapping[str, str]) -> None:
    """Refuse an expression that is more than comparisons of the table's columns with constants."""
    if len(text) >= LONGEST:
        raise FilterError(f"The row filter expression: expected less than {LONGEST} characters.")
    _check(tree_of(text), {name.lower(): type_.lower() for name, type_ in types.items()}, text)


def _check(node: exp.Expr, types: Mapping[str, str], text: str) -> None:
    match node:
        case exp.And() | exp.Or():
            for side in (node.this, node.expression):
                _check(side, types, text)
        case exp.Not() | exp.Paren():
            _check(node.this, types, text)
        case exp.Boolean():
            return
        case exp.Is() if isinstance(node.expression, exp.Null):
            _column(node.this, types, text)
        case exp.Between():
            _column(node.this, types, text)
            _constant(node.args["low"], text)
            _constant(node.args["high"], text)
        case exp.In() if not node.args.get("query") and not node.args.get("unnest"):
            _column(node.this, types, text)
            for each in node.expressions:
                _constant(each, text)
        case _ if isinstance(node, COMPARISONS):
            column, constant = node.this, node.expression
            _column(column, types, text)
            _constant(constant, text)
        case _:
            told = "comparisons of columns with constants, AND, OR, NOT, BETWEEN, IN, LIKE, IS NULL"
            raise FilterError(f"'{node.sql('trino')[:60]}' in the row filter expression '{text}': expected {told}.")


def _column(node: exp.Expr, types: Mapping[str, str], text: str) -> None:
    if not isinstance(node, exp.Column) or len(node.parts) != 1:
        raise FilterError(f"'{node.sql('trino')[:60]}' in the row filter expression '{text}': expected a column.")
    name = node.name.lower()
    if name not in types:
        raise FilterError(f"The column '{name}' of the row filter expression '{text}': the table has no such column.")
    if types[name].partition("(")[0] not in TYPES:
        told = f"expected one of {', '.join(TYPES)}"
        raise FilterError(f"The column '{name}' of type {types[name]} in the row filter expression '{text}': {told}.")


def _constant(node: exp.Expr, text: str) -> None:
    bare = node.this if isinstance(node, exp.Neg) else node
    if not isinstance(bare, exp.Literal | exp.Boolean):
        raise FilterError(f"'{node.sql('trino')[:60]}' in the row filter expression '{text}': expected a constant.")
