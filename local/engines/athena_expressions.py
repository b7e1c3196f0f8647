"""Expressions: each kind of node that runs on the laptop, with Athena's types and rules; any other is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from sqlglot import exp

from local.engines import athena_operators as operators, athena_rows as rows, athena_subqueries as subqueries
from local.engines.athena_casts import cast
from local.engines.athena_errors import QueryError, RefusedError, only
from local.engines.athena_literals import interval, literal, type_of, typed_literal
from local.engines.athena_scope import Scope, Term
from local.engines.athena_types import (
    BOOLEAN,
    DATE,
    DAY_SECOND,
    TIMESTAMP,
    TIMESTAMPTZ,
    UNKNOWN,
    YEAR_MONTH,
    Type,
)


class Queries(Protocol):
    """The side that translates whole queries; an expression may hold some."""

    def subquery(self, node: exp.Expr, scope: Scope) -> tuple[str, Sequence[Type]]: ...

    def call(self, node: exp.Expr, scope: Scope) -> Term: ...


@dataclass(frozen=True)
class Expressions:
    """Translates expressions: `term(node, scope)`."""

    queries: Queries

    def term(self, node: exp.Expr, scope: Scope) -> Term:
        translate = NODES.get(type(node))
        if translate is None:
            raise RefusedError(f"The expression '{node.sql('trino')[:60]}' ({node.key})", node=node)
        return translate(self, node, scope)

    def condition(self, node: exp.Expr, scope: Scope, clause: str) -> str:
        found = self.term(node, scope)
        if found.type.name not in ("boolean", "unknown"):
            text = f"{clause} must evaluate to a boolean: actual type {found.type}"
            raise QueryError("TYPE_MISMATCH", text, node)
        return found.sql

    def alike(self, nodes: Sequence[exp.Expr], scope: Scope, what: str) -> tuple[list[str], Type]:
        """Terms taken to the one type that they have in common."""
        found = [self.term(node, scope) for node in nodes]
        return operators.unify(found, what, nodes[0])


def cast_node(own: Expressions, node: exp.Expr, scope: Scope) -> Term:
    only(node, "this", "to")
    target = type_of(node.args["to"])
    if node.meta.get("typed_literal"):
        return typed_literal(node, target)
    found = own.term(node.this, scope)
    if found.type.zone is not None and target.name == found.type.name:
        target = replace(target, zone=found.type.zone)
    safe = isinstance(node, exp.TryCast)
    return Term(cast(found.sql, found.type, target, safe=safe, node=node), target)


def binary(own: Expressions, node: exp.Expr, scope: Scope) -> Term:
    only(node, "this", "expression")
    if isinstance(node.expression, exp.Any | exp.All):
        return subqueries.quantified(own, node, scope)
    left, right = own.term(node.this, scope), own.term(node.expression, scope)
    return operators.apply(operators.SYMBOLS[type(node)], left, right, node)


def logical(own: Expressions, node: exp.Expr, scope: Scope) -> Term:
    only(node, "this", "expression")
    word = "AND" if isinstance(node, exp.And) else "OR"
    sides = [own.condition(side, scope, f"Logical expression term {word}") for side in node.flatten()]
    return Term(f"({f' {word} '.join(sides)})", BOOLEAN)


def negation(own: Expressions, node: exp.Expr, scope: Scope) -> Term:
    return Term(f"(NOT {own.condition(node.this, scope, 'Value of logical NOT expression')})", BOOLEAN)


def minus(own: Expressions, node: exp.Expr, scope: Scope) -> Term:
    found = own.term(node.this, scope)
    if found.type.kind not in ("integer", "decimal", "real", "double", "unknown") and found.type not in SPANS:
        raise QueryError("TYPE_MISMATCH", f"Cannot negate {found.type}", node)
    if found.type.kind == "integer":
        return Term(f"CAST(t_negative({found.sql}) AS {found.type.duckdb})", found.type)
    return Term(f"(-{found.sql})", found.type)


def null_test(own: Expressions, node: exp.Expr, scope: Scope) -> Term:
    only(node, "this", "expression")
    if not isinstance(node.expression, exp.Null):
        raise RefusedError(f"'{node.sql('trino')[:60]}'", node=node)
    return Term(f"({own.term(node.this, scope).sql} IS NULL)", BOOLEAN)


def between(own: Expressions, node: exp.Expr, scope: Scope) -> Term:
    only(node, "this", "low", "high")
    value, low, high = (own.term(node.args[name], scope) for name in ("this", "low", "high"))
    above, below = operators.apply(">=", value, low, node), operators.apply("<=", value, high, node)
    return Term(f"({above.sql} AND {below.sql})", BOOLEAN)


def like(own: Expressions, node: exp.Expr, scope: Scope) -> Term:
    escape = ""
    if isinstance(node, exp.Escape):
        only(node, "this", "expression")
        if not isinstance(node.this, exp.Like) or len(node.expression.name) != 1:
            raise RefusedError(f"'{node.sql('trino')[:60]}'", node=node)
        escape, node = f" ESCAPE {literal(node.expression).sql}", node.this
    only(node, "this", "expression", "negate")
    sides = [own.term(node.this, scope), own.term(node.expression, scope)]
    for side in sides:
        if side.type.name not in ("varchar", "unknown"):
            text = f"Left side of LIKE expression must evaluate to a varchar (actual: {side.type})"
            raise QueryError("TYPE_MISMATCH", text, node)
    word = "NOT LIKE" if node.args.get("negate") else "LIKE"
    return Term(f"({sides[0].sql} {word} {sides[1].sql}{escape})", BOOLEAN)


def case(own: Expressions, node: exp.Expr, scope: Scope) -> Term:
    only(node, "this", "ifs", "default")
    subject, branches = node.this, node.args["ifs"]
    tests = []
    for branch in branches:
        if subject is None:
            tests.append(own.condition(branch.this, scope, "CASE WHEN clause"))
        else:
            sides = own.term(subject, scope), own.term(branch.this, scope)
            tests.append(operators.apply("=", *sides, branch).sql)
    results = [branch.args["true"] for branch in branches]
    terms, shared = own.alike([*results, node.args.get("default") or exp.Null()], scope, "All CASE results")
    body = " ".join(f"WHEN {test} THEN {term}" for test, term in zip(tests, terms, strict=False))
    return Term(f"(CASE {body} ELSE {terms[-1]} END)", shared)


def if_node(own: Expressions, node: exp.Expr, scope: Scope) -> Term:
    only(node, "this", "true", "false")
    test = own.condition(node.this, scope, "IF condition")
    terms, shared = own.alike([node.args["true"], node.args.get("false") or exp.Null()], scope, "Result types for IF")
    return Term(f"(CASE WHEN {test} THEN {terms[0]} ELSE {terms[1]} END)", shared)


def fixed(sql: str, type_: Type) -> Translate:
    def term(own: Expressions, node: exp.Expr, scope: Scope) -> Term:
        only(node)
        return Term(sql, type_)

    return term


def call(own: Expressions, node: exp.Expr, scope: Scope) -> Term:
    return own.queries.call(node, scope)


SPANS = (DAY_SECOND, YEAR_MONTH)
CALLS = (exp.WithinGroup, exp.Anonymous, exp.Window, exp.Filter, exp.Extract, exp.Trim, exp.Substring, exp.StrPosition)
Translate = Callable[[Expressions, Any, Scope], Term]
NODES: dict[type[exp.Expr], Translate] = {
    exp.Literal: lambda own, node, scope: literal(node),
    exp.Null: fixed("NULL", UNKNOWN),
    exp.Boolean: lambda own, node, scope: Term("true" if node.this else "false", BOOLEAN),
    exp.Column: rows.column,
    exp.Identifier: rows.parameter,
    exp.Dot: rows.field,
    exp.Bracket: rows.subscript,
    exp.HexString: rows.octets,
    exp.AtTimeZone: rows.at_time_zone,
    exp.Tuple: rows.row,
    exp.Paren: lambda own, node, scope: own.term(node.this, scope),
    exp.Cast: cast_node,
    exp.TryCast: cast_node,
    exp.Interval: lambda own, node, scope: interval(node),
    **dict.fromkeys(operators.SYMBOLS, binary),
    exp.And: logical,
    exp.Or: logical,
    exp.Not: negation,
    exp.Neg: minus,
    exp.Is: null_test,
    exp.Between: between,
    exp.Like: like,
    exp.Escape: like,
    exp.In: subqueries.within,
    exp.Exists: subqueries.exists,
    exp.Subquery: subqueries.scalar,
    exp.Case: case,
    exp.If: if_node,
    exp.Array: rows.array,
    exp.CurrentDate: fixed("current_date", DATE),
    exp.Localtimestamp: fixed("CAST(date_trunc('milliseconds', now()) AS TIMESTAMP)", TIMESTAMP),
    exp.CurrentTimestamp: fixed("date_trunc('milliseconds', now())", TIMESTAMPTZ),
    **dict.fromkeys(CALLS, call),
}
