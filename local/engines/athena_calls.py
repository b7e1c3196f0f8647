"""Calls of functions, with FILTER, OVER and ORDER BY: from what the parser makes of one to the list of functions."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

# importing these puts their functions on the list
from local.engines import athena_aggregates, athena_numbers, athena_texts, athena_times  # noqa: F401
from local.engines.athena_errors import QueryError, RefusedError, only
from local.engines.athena_expressions import Expressions
from local.engines.athena_functions import FUNCTIONS, Call
from local.engines.athena_scope import Scope, Term

ADVICE = (
    "its answers are not proven equal to Athena's. Use another function, run this query on AWS, or add the function "
    "with a case to tests/unit/athena_conformance.yaml."
)
EXTRACTED = ("year", "quarter", "month", "week", "day", "day_of_week", "day_of_year", "hour", "minute", "second")


def call(own: Expressions, node: exp.Expr, scope: Scope) -> Term:
    inner, filtered, over = _unwrap(node)
    name, nodes = _arguments(inner)
    found = FUNCTIONS.get(name)
    if found is None:
        raise RefusedError(f"Function '{name}'", ADVICE, inner)
    tail = _filter(own, filtered, scope) + _over(own, over, scope)
    if (found.sort == "scalar" and tail) or (found.sort == "window" and (over is None or filtered is not None)):
        raise QueryError("FUNCTION_NOT_WINDOW" if tail else "MISSING_OVER", f"{name} in this place", inner)
    nodes, distinct, order = _modifiers(own, nodes, scope)
    if (distinct or order) and found.sort != "aggregate":
        raise RefusedError(f"DISTINCT or ORDER BY in {name}", node=inner)
    if order and name != "array_agg":
        raise RefusedError(f"ORDER BY in {name}", node=inner)
    if name == "count" and nodes and isinstance(nodes[0], exp.Star):
        nodes = []
    terms = [own.term(each, scope) for each in nodes]
    return found.build(Call(name, inner, terms, nodes, tail, distinct, order))


def _unwrap(node: exp.Expr) -> tuple[exp.Expr, exp.Expr | None, exp.Window | None]:
    over = node if isinstance(node, exp.Window) else None
    inner = node.this if over else node
    filtered = inner if isinstance(inner, exp.Filter) else None
    if filtered is not None:
        inner = filtered.this
    if isinstance(inner, exp.IgnoreNulls | exp.RespectNulls):
        raise RefusedError("IGNORE NULLS or RESPECT NULLS", node=inner)
    return inner, filtered.expression if filtered else None, over


def _arguments(node: exp.Expr) -> tuple[str, list[exp.Expr]]:
    """The name and the arguments, of the few calls with a grammar of their own too."""
    match node:
        case exp.Extract():
            unit = node.name.lower()
            if unit not in EXTRACTED:
                raise RefusedError(f"EXTRACT of {unit}", node=node)
            return unit, [node.expression]
        case exp.Trim():
            only(node, "this")
            return "trim", [node.this]
        case exp.Substring():
            only(node, "this", "start", "length")
            return "substring", [node.this, *(node.args[name] for name in ("start", "length") if node.args.get(name))]
        case exp.StrPosition():
            only(node, "this", "substr")
            return "strpos", [node.this, node.args["substr"]]
        case exp.Anonymous():
            return str(node.this).lower(), list(node.expressions)
    raise RefusedError(f"The call '{node.sql('trino')[:60]}'", node=node)


def _filter(own: Expressions, node: exp.Expr | None, scope: Scope) -> str:
    return f" FILTER (WHERE {own.condition(node.this, scope, 'FILTER')})" if node is not None else ""


def _modifiers(own: Expressions, nodes: Sequence[exp.Expr], scope: Scope) -> tuple[list[exp.Expr], bool, str]:
    """Arguments without the DISTINCT before and the ORDER BY after them."""
    arguments, order, distinct = list(nodes), "", False
    if arguments and isinstance(last := arguments[-1], exp.Order):
        order, arguments[-1] = f" {ordering(own, last, scope)}", last.this
    if arguments and isinstance(first := arguments[0], exp.Distinct):
        only(first, "expressions")
        distinct, arguments[:1] = True, first.expressions
    return arguments, distinct, order


def _over(own: Expressions, node: exp.Window | None, scope: Scope) -> str:
    if node is None:
        return ""
    only(node, "this", "partition_by", "order", "spec")
    parts = []
    if by := node.args.get("partition_by"):
        parts.append(f"PARTITION BY {', '.join(own.term(each, scope).sql for each in by)}")
    if order := node.args.get("order"):
        parts.append(ordering(own, order, scope))
    if spec := node.args.get("spec"):
        parts.append(_frame(spec))
    return f" OVER ({' '.join(parts)})"


def ordering(own: Expressions, node: exp.Order, scope: Scope) -> str:
    return f"ORDER BY {', '.join(own.term(each.this, scope).sql + direction(each) for each in node.expressions)}"


def direction(node: exp.Ordered) -> str:
    """Athena puts NULL last, whichever the direction, unless the query says otherwise."""
    only(node, "this", "desc")
    nulls = "FIRST" if node.args.get("nulls_first") else "LAST"
    return f"{' DESC' if node.args.get('desc') else ' ASC'} NULLS {nulls}"


def _frame(spec: exp.WindowSpec) -> str:
    only(spec, "kind", "start", "start_side", "end", "end_side")
    kind = spec.args["kind"].upper()
    ends = [_frame_end(spec, "start"), _frame_end(spec, "end") if spec.args.get("end") else "CURRENT ROW"]
    if kind not in ("ROWS", "RANGE") or (kind == "RANGE" and any(end[0].isdigit() for end in ends)):
        raise RefusedError(f"The window frame '{spec.sql('trino')}'", node=spec)
    return f"{kind} BETWEEN {ends[0]} AND {ends[1]}"


def _frame_end(spec: exp.WindowSpec, which: str) -> str:
    value, side = spec.args[which], (spec.args.get(f"{which}_side") or "").upper()
    if isinstance(value, exp.Literal) and value.name.isdigit():
        return f"{value.name} {side}"
    if isinstance(value, str) and value.upper() in ("UNBOUNDED", "CURRENT ROW"):
        return f"{value.upper()} {side}".strip()
    raise RefusedError(f"The window frame '{spec.sql('trino')}'", node=spec)
