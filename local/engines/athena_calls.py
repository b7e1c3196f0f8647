"""Calls of functions, with FILTER, OVER and ORDER BY: from what the parser makes of one to the list of functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

# importing these puts their functions on the list
from local.engines import (  # noqa: F401
    athena_aggregates,
    athena_array_parts,
    athena_arrays,
    athena_attempts,
    athena_binary,
    athena_clocks,
    athena_container_casts,
    athena_documents,
    athena_forms,
    athena_lambdas as lambdas,
    athena_maps,
    athena_mathematics,
    athena_numbers,
    athena_patterns,
    athena_statistics,
    athena_strings,
    athena_texts,
    athena_times,
    athena_urls,
)
from local.engines.athena_errors import QueryError, RefusedError, only
from local.engines.athena_expressions import Expressions
from local.engines.athena_functions import FUNCTIONS, Call
from local.engines.athena_operators import distinguishable, distinguished
from local.engines.athena_scope import Scope, Term
from local.engines.athena_types import Type

ADVICE = (
    "its answers are not proven equal to Athena's. Use another function, run this query on AWS, or add the function "
    "with a case to tests/local/athena."
)
IGNORING = ("lag", "lead", "first_value", "last_value", "nth_value")
ORDERED = ("array_agg", "listagg")
WINDOW_PARTS = ("partition_by", "order", "spec")
TRIMS = {"BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}
EXTRACTED = ("year", "quarter", "month", "week", "day", "day_of_week", "day_of_year", "hour", "minute", "second",
             "day_of_month", "dow", "doy", "year_of_week", "yow", "timezone_hour", "timezone_minute")  # fmt: skip


def call(own: Expressions, node: exp.Expr, scope: Scope) -> Term:
    inner, filtered, over, nulls = _unwrap(node)
    name, nodes = _arguments(inner)
    found = FUNCTIONS.get(name)
    if found is None:
        raise RefusedError(f"Function '{name}'", ADVICE, inner)
    tail = _filter(own, filtered, scope) + _over(own, over, scope)
    if (found.sort in ("scalar", "grouping") and tail) or (
        found.sort == "window" and (over is None or filtered is not None)
    ):
        raise QueryError("FUNCTION_NOT_WINDOW" if tail else "MISSING_OVER", f"{name} in this place", inner)
    nodes, distinct, order = _modifiers(own, nodes, scope)
    if (distinct or order) and found.sort != "aggregate":
        raise RefusedError(f"DISTINCT or ORDER BY in {name}", node=inner)
    if order and name not in ORDERED:
        raise RefusedError(f"ORDER BY in {name}", node=inner)
    if name == "count" and nodes and isinstance(nodes[0], exp.Star):
        nodes = []
    if name == "normalize" and len(nodes) > 1 and isinstance(nodes[1], exp.Column):
        nodes[1] = exp.Literal.string(nodes[1].name.upper())
    if name in lambdas.TAKERS:
        return lambdas.call(own, name, inner, nodes, scope)
    if any(isinstance(each, exp.Lambda) for each in nodes):
        raise RefusedError(f"A lambda in {name}", node=inner)
    terms = [own.term(each, scope) for each in nodes]
    if distinct:
        for term in terms:
            distinguishable(term.type, inner)
    return found.build(Call(name, inner, terms, nodes, tail, distinct, order, nulls))


def _unwrap(node: exp.Expr) -> tuple[exp.Expr, exp.Expr | None, exp.Window | None, str]:
    over = node if isinstance(node, exp.Window) else None
    inner = node.this if over else node
    filtered = inner if isinstance(inner, exp.Filter) else None
    if filtered is not None:
        inner = filtered.this
    nulls = ""
    if isinstance(inner, exp.IgnoreNulls | exp.RespectNulls):
        nulls, inner = " IGNORE NULLS" if isinstance(inner, exp.IgnoreNulls) else "", inner.this
        if over is None or inner.name.lower() not in IGNORING:
            raise RefusedError(f"IGNORE NULLS or RESPECT NULLS in {inner.name}", node=inner)
    return inner, filtered.expression if filtered else None, over, nulls


def _arguments(node: exp.Expr) -> tuple[str, list[exp.Expr]]:
    """The name and the arguments, of the few calls with a grammar of their own too."""
    match node:
        case exp.Extract():
            unit = node.name.lower()
            if unit not in EXTRACTED:
                raise RefusedError(f"EXTRACT of {unit}", node=node)
            return unit, [node.expression]
        case exp.Trim():
            only(node, "this", "expression", "position")
            name = TRIMS[(node.args.get("position") or "BOTH").upper()]
            return name, [node.this, node.expression] if node.args.get("expression") else [node.this]
        case exp.Substring():
            only(node, "this", "start", "length")
            return "substring", [node.this, *(node.args[name] for name in ("start", "length") if node.args.get(name))]
        case exp.StrPosition():
            only(node, "this", "substr")
            return "strpos", [node.this, node.args["substr"]]
        case exp.WithinGroup():
            name, arguments = _arguments(node.this)
            return name, [*arguments[:-1], exp.Order(this=arguments[-1], expressions=node.expression.expressions)]
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
        if arguments[-1] is None:
            raise RefusedError(f"'{last.sql('trino')[:60]}' in this place", node=last)
    if arguments and isinstance(first := arguments[0], exp.Distinct):
        only(first, "expressions")
        distinct, arguments[:1] = True, first.expressions
    return arguments, distinct, order


def _over(own: Expressions, node: exp.Window | None, scope: Scope) -> str:
    if node is None:
        return ""
    only(node, "this", "alias", "partition_by", "order", "spec")
    named = _window(node, scope)
    parts = []
    if by := named.get("partition_by"):
        parts.append(f"PARTITION BY {', '.join(distinguished(own.term(each, scope), each).sql for each in by)}")
    if order := named.get("order"):
        parts.append(ordering(own, order, scope))
    if spec := named.get("spec"):
        parts.append(_frame(spec))
    return f" OVER ({' '.join(parts)})"


def _window(node: exp.Window, scope: Scope) -> dict[str, Any]:
    """What OVER says, with what the window that it names says before it."""
    own = {key: node.args[key] for key in WINDOW_PARTS if node.args.get(key)}
    if not node.args.get("alias"):
        return own
    name = str(node.args["alias"])
    base = scope.window(name.strip('"'))
    if base is None:
        raise QueryError("INVALID_WINDOW_REFERENCE", f"Cannot resolve WINDOW name {name}", node)
    only(base, "this", "alias", *WINDOW_PARTS)
    theirs = {key: base.args[key] for key in WINDOW_PARTS if base.args.get(key)}
    twice = "partition_by" in own or own.keys() & theirs.keys() or ("spec" in theirs and own)
    if base.args.get("alias") or twice:
        raise RefusedError(f"The window '{node.sql('trino')[:60]}'", "Write the window out.", node)
    return theirs | own


def ordering(own: Expressions, node: exp.Order, scope: Scope) -> str:
    terms = [(own.term(each.this, scope), each) for each in node.expressions]
    for term, each in terms:
        orderable(term.type, each)
    return f"ORDER BY {', '.join(term.sql + direction(each) for term, each in terms)}"


def orderable(type_: Type, node: exp.Expr) -> None:
    if type_.parts or type_.name == "json":
        raise RefusedError(f"ORDER BY over {type_}", "Order by what is inside.", node)


def direction(node: exp.Ordered) -> str:
    """Athena puts NULL last, whichever the direction, unless the query says otherwise."""
    only(node, "this", "desc")
    nulls = "FIRST" if node.args.get("nulls_first") else "LAST"
    return f"{' DESC' if node.args.get('desc') else ' ASC'} NULLS {nulls}"


def _frame(spec: exp.WindowSpec) -> str:
    only(spec, "kind", "start", "start_side", "end", "end_side")
    kind = spec.args["kind"].upper()
    ends = [_frame_end(spec, "start"), _frame_end(spec, "end") if spec.args.get("end") else "CURRENT ROW"]
    if kind not in ("ROWS", "RANGE", "GROUPS") or (kind == "RANGE" and any(end[0].isdigit() for end in ends)):
        raise RefusedError(f"The window frame '{spec.sql('trino')}'", node=spec)
    return f"{kind} BETWEEN {ends[0]} AND {ends[1]}"


def _frame_end(spec: exp.WindowSpec, which: str) -> str:
    value, side = spec.args[which], (spec.args.get(f"{which}_side") or "").upper()
    if isinstance(value, exp.Literal) and value.name.isdigit():
        return f"{value.name} {side}"
    if isinstance(value, str) and value.upper() in ("UNBOUNDED", "CURRENT ROW"):
        return f"{value.upper()} {side}".strip()
    raise RefusedError(f"The window frame '{spec.sql('trino')}'", node=spec)
