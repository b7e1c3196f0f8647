"""Queries inside an expression, and IN: over a query's rows or over a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlglot import exp

from local.engines import athena_operators as operators
from local.engines.athena_casts import coerce
from local.engines.athena_errors import QueryError, RefusedError, only
from local.engines.athena_scope import Scope, Term
from local.engines.athena_types import BOOLEAN

if TYPE_CHECKING:
    from local.engines.athena_expressions import Expressions

PLAIN = (exp.Literal, exp.Null, exp.Boolean, exp.Column)  # what cannot fail


def quantified(own: Expressions, node: exp.Expr, scope: Scope) -> Term:
    """A value beside ANY, SOME or ALL of a query's."""
    symbol, quantifier = operators.SYMBOLS[type(node)], node.expression
    if symbol not in operators.COMPARISONS:
        raise RefusedError(f"'{node.sql('trino')[:60]}'", node=node)
    value = own.term(node.this, scope)
    sql, types = own.queries.subquery(quantifier.this, scope)
    if len(types) != 1:
        raise QueryError("TYPE_MISMATCH", "Multiple columns returned by subquery are not yet supported", node)
    shared = operators.comparable(value.type, types[0], symbol, node)
    if shared.kind in ("double", "real"):  # because of NaN
        raise RefusedError(f"{quantifier.key.upper()} over {shared}", "Cast to decimal, or use EXISTS.", node)
    inner = f"SELECT {coerce('c1', types[0], shared)} FROM ({sql})"
    compared = f"{coerce(value.sql, value.type, shared)} {symbol} {quantifier.key.upper()} ({inner})"
    return Term(f"({compared})", BOOLEAN)


def within(own: Expressions, node: exp.Expr, scope: Scope) -> Term:
    only(node, "this", "expressions", "query")
    value = own.term(node.this, scope)
    if query := node.args.get("query"):
        sql, types = own.queries.subquery(query, scope)
        shared = operators.comparable(value.type, types[0], "IN", node) if len(types) == 1 else None
        if shared is None:
            raise QueryError("TYPE_MISMATCH", "Multiple columns returned by subquery are not yet supported", node)
        inner = f"SELECT {coerce('c1', types[0], shared)} FROM ({sql})"
        return Term(f"({coerce(value.sql, value.type, shared)} IN ({inner}))", BOOLEAN)
    found = [value, *(own.term(each, scope) for each in node.expressions)]
    for other in found[1:]:
        operators.comparable(value.type, other.type, "IN", node)
    (subject, *items), _ = operators.unify(found, "IN value and list items", node)
    return Term(listed(subject, items, [isinstance(each, PLAIN) for each in node.expressions]), BOOLEAN)


def listed(subject: str, items: Sequence[str], plain: Sequence[bool]) -> str:
    """Trino looks at the literals first, then at one item after the other up to the first that is equal: an error in a
    later one is not met.
    """
    whole = f"({subject} IN ({', '.join(items)}))"
    if all(plain):
        return whole
    literals = [item for item, known in zip(items, plain, strict=True) if known]
    tests = [f"{subject} IN ({', '.join(literals)})"] if literals else []
    tests += [f"{subject} = {item}" for item, known in zip(items, plain, strict=True) if not known]
    whens = " ".join(f"WHEN coalesce({test}, false) THEN true" for test in tests)
    return f"(CASE WHEN {subject} IS NULL THEN NULL {whens} ELSE {whole} END)"


def exists(own: Expressions, node: exp.Expr, scope: Scope) -> Term:
    only(node, "this")
    return Term(f"EXISTS ({own.queries.subquery(node.this, scope)[0]})", BOOLEAN)


def scalar(own: Expressions, node: exp.Expr, scope: Scope) -> Term:
    only(node, "this")
    sql, types = own.queries.subquery(node, scope)
    if len(types) != 1:
        raise QueryError("TYPE_MISMATCH", "Multiple columns returned by subquery are not yet supported", node)
    return Term(f"({sql})", types[0])
