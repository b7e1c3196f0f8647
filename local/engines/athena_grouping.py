"""GROUP BY with its sets, numbers of output columns, LIMIT, OFFSET and FETCH."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from local.engines.athena_errors import QueryError, RefusedError, only
from local.engines.athena_expressions import Expressions
from local.engines.athena_operators import distinguishable, distinguished
from local.engines.athena_scope import Column, Scope


def group(own: Expressions, node: exp.Select, scope: Scope, outputs: Sequence[Column]) -> str:
    clause = node.args.get("group")
    if clause is None:
        return ""
    only(clause, "expressions")
    if clause.args.get("all") is not None:
        raise RefusedError("GROUP BY DISTINCT or ALL", node=clause)
    return " GROUP BY " + ", ".join(_grouping(own, each, scope, outputs) for each in clause.expressions)


def _grouping(own: Expressions, node: exp.Expr, scope: Scope, outputs: Sequence[Column]) -> str:
    match node:
        case exp.Rollup() | exp.Cube() | exp.GroupingSets():
            word = "GROUPING SETS" if isinstance(node, exp.GroupingSets) else node.key.upper()
            return f"{word} ({', '.join(_grouping(own, each, scope, outputs) for each in node.expressions)})"
        case exp.Tuple():
            return f"({', '.join(_grouping(own, each, scope, outputs) for each in node.expressions)})"
    if number := nth(node, outputs):
        distinguishable(outputs[int(number) - 1].term.type, node)
        return number
    return distinguished(own.term(node, scope), node).sql


def check_grouped(own: Expressions, node: exp.Select, scope: Scope) -> None:
    """A bare column beside GROUP BY is one of those that are grouped; DuckDB would name it in its own words."""
    clause = node.args.get("group")
    if clause is None:
        return
    sets = (exp.Rollup, exp.Cube, exp.GroupingSets, exp.Tuple, exp.Paren)
    bare_keys = [each for key in clause.expressions for each in key.walk(prune=lambda part: not isinstance(part, sets))]
    grouped = {own.term(each, scope).sql for each in bare_keys if isinstance(each, exp.Column)}
    positions = {each.name for each in clause.expressions if isinstance(each, exp.Literal)}
    for number, item in enumerate(node.expressions, 1):
        bare = item.unalias()
        if not isinstance(bare, exp.Column) or isinstance(bare.this, exp.Star) or str(number) in positions:
            continue
        if scope.resolve(bare).sql not in grouped:
            text = f"'{bare.sql('trino')}' must be an aggregate expression or appear in GROUP BY clause"
            raise QueryError("EXPRESSION_NOT_AGGREGATE", text, bare)


def nth(node: exp.Expr, outputs: Sequence[Column]) -> str | None:
    """The number of an output column, where that is what a GROUP BY or ORDER BY names."""
    if not isinstance(node, exp.Literal) or node.is_string:
        return None
    if not node.name.isdigit() or not 1 <= int(node.name) <= len(outputs):
        raise QueryError("INVALID_COLUMN_REFERENCE", f"position {node.name} is not in select list", node)
    return node.name


def limits(node: exp.Expr) -> str:
    sql = ""
    for name in ("limit", "offset"):
        found = node.args.get(name)
        if found is None or (isinstance(found, exp.Limit) and found.expression.name.upper() == "ALL"):
            continue
        if isinstance(found, exp.Fetch):
            found = _fetch(found)
        if not isinstance(found, exp.Limit | exp.Offset) or not found.expression.name.isdigit():
            raise RefusedError(f"'{found.sql('trino').strip()}'", "Write LIMIT with a number.", found)
        only(found, "expression")
        sql += f" {name.upper()} {found.expression.name}"
    return sql


def _fetch(node: exp.Fetch) -> exp.Limit:
    options = node.args.get("limit_options")
    if options is not None and (options.args.get("with_ties") or options.args.get("percent")):
        raise RefusedError(f"'{node.sql('trino').strip()}'", "Use rank().", node)
    return exp.Limit(expression=node.args.get("count") or exp.Literal.number(1))
