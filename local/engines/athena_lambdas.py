"""Functions that take a lambda: transform, filter, reduce and their like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from local.engines.athena_arrays import PLAIN, plain_sort
from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_functions import FUNCTIONS, Call, Function
from local.engines.athena_maps import TWICE
from local.engines.athena_scope import Column, Relation, Scope, Term
from local.engines.athena_types import BOOLEAN, Type, array_of, common, map_of

if TYPE_CHECKING:
    from local.engines.athena_expressions import Expressions


@dataclass(frozen=True)
class Taker:
    """A call whose last arguments are lambdas."""

    own: Expressions
    name: str
    node: exp.Expr
    nodes: Sequence[exp.Expr]
    scope: Scope

    def wrong(self) -> QueryError:
        if any(isinstance(each, exp.Null) for each in self.nodes):
            return RefusedError(f"{self.name} of NULL", node=self.node)
        return QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters for function {self.name}", self.node)

    def value(self, index: int) -> Term:
        if index >= len(self.nodes) or isinstance(self.nodes[index], exp.Lambda):
            raise self.wrong()
        return self.own.term(self.nodes[index], self.scope)

    def array(self, index: int = 0) -> tuple[str, Type]:
        found = self.value(index)
        if found.type.element is None:
            raise self.wrong()
        return found.sql, found.type.element

    def map(self, index: int = 0) -> tuple[str, Type, Type]:
        found = self.value(index)
        if found.type.key is None or found.type.value is None:
            raise self.wrong()
        return found.sql, found.type.key, found.type.value

    def body(self, index: int, *parameters: Term) -> Term:
        """What the lambda says of these terms."""
        node = self.nodes[index] if index < len(self.nodes) else None
        if not isinstance(node, exp.Lambda) or len(node.expressions) != len(parameters):
            raise self.wrong()
        if node.find(exp.Query):
            raise RefusedError("A query in a lambda", node=node)
        names = (part.name.lower() for part in node.expressions)
        columns = tuple(Column(name, term) for name, term in zip(names, parameters, strict=True))
        return self.own.term(node.this, Scope([Relation((), columns)], self.scope))

    def variable(self, letter: str) -> str:
        """A name that no lambda around this one has."""
        depth, scope = 0, self.scope.parent
        while scope is not None:
            depth, scope = depth + 1, scope.parent
        return f"{letter}_{depth}"

    def count(self, number: int) -> None:
        if len(self.nodes) != number:
            raise self.wrong()


TAKERS: dict[str, Callable[[Taker], Term]] = {}


def taker(name: str) -> Callable[[Callable[[Taker], Term]], Callable[[Taker], Term]]:
    def register(build: Callable[[Taker], Term]) -> Callable[[Taker], Term]:
        TAKERS[name] = build
        FUNCTIONS[name] = Function("scalar", _unreached)
        return build

    return register


def _unreached(call: Call) -> Term:
    raise call.wrong()


def call(own: Expressions, name: str, node: exp.Expr, nodes: Sequence[exp.Expr], scope: Scope) -> Term:
    return TAKERS[name](Taker(own, name, node, nodes, scope))


@taker("transform")
def transform(take: Taker) -> Term:
    take.count(2)
    array, element = take.array()
    x = take.variable("x")
    body = take.body(1, Term(x, element))
    return Term(f"list_transform({array}, lambda {x}: {body.sql})", array_of(body.type))


@taker("filter")
def filter_(take: Taker) -> Term:
    take.count(2)
    array, element = take.array()
    x = take.variable("x")
    return Term(f"list_filter({array}, lambda {x}: {_test(take, 1, Term(x, element))})", array_of(element))


@taker("any_match")
def any_match(take: Taker) -> Term:
    return Term(f"t_any({_tests(take)})", BOOLEAN)


@taker("all_match")
def all_match(take: Taker) -> Term:
    return Term(f"t_all({_tests(take)})", BOOLEAN)


@taker("none_match")
def none_match(take: Taker) -> Term:
    return Term(f"(NOT t_any({_tests(take)}))", BOOLEAN)


def _tests(take: Taker) -> str:
    take.count(2)
    array, element = take.array()
    x = take.variable("x")
    return f"list_transform({array}, lambda {x}: {_test(take, 1, Term(x, element))})"


def _test(take: Taker, index: int, *parameters: Term) -> str:
    body = take.body(index, *parameters)
    if body.type.name not in ("boolean", "unknown"):
        raise take.wrong()
    return f"CAST({body.sql} AS BOOLEAN)"


@taker("reduce")
def reduce_(take: Taker) -> Term:
    """The state keeps the type that it begins with, so what a step makes of it must fit that."""
    take.count(4)
    (array, element), start = take.array(), take.value(1)
    s, x = take.variable("s"), take.variable("x")
    step = take.body(2, Term(f"{s}.s", start.type), Term(f"{x}.e", element))
    if common(start.type, step.type) != start.type:
        raise RefusedError(f"reduce from {start.type} to {step.type}", "Cast what it begins with.", take.node)
    if start.type.duckdb != step.type.duckdb:
        raise RefusedError(f"reduce from {start.type} to {step.type}", "Cast the step's result.", take.node)
    state = f"struct_pack(s := {start.sql}, e := CAST(NULL AS {element.duckdb}))"
    wrapped = f"list_transform({array}, lambda {x}: struct_pack(s := CAST(NULL AS {start.type.duckdb}), e := {x}))"
    folded = f"list_reduce({wrapped}, lambda {s}, {x}: struct_pack(s := {step.sql}, e := {x}.e), {state}).s"
    last = take.body(3, Term(folded, start.type))
    return Term(f"CASE WHEN {array} IS NULL THEN NULL ELSE {last.sql} END", last.type)


@taker("zip_with")
def zip_with(take: Taker) -> Term:
    take.count(3)
    (left, one), (right, two) = take.array(0), take.array(1)
    if "unknown" in (one.name, two.name):
        raise RefusedError("zip_with of an array of nothing but NULL", "Cast it.", take.node)
    x = take.variable("x")
    body = take.body(2, Term(f"{x}[1]", one), Term(f"{x}[2]", two))
    pairs = f"CASE WHEN {left} IS NULL OR {right} IS NULL THEN NULL ELSE list_zip({left}, {right}) END"
    return Term(f"list_transform({pairs}, lambda {x}: {body.sql})", array_of(body.type))


@taker("transform_values")
def transform_values(take: Taker) -> Term:
    take.count(2)
    entries, key, value = take.map()
    x = take.variable("x")
    body = take.body(1, Term(f"{x}.key", key), Term(f"{x}.value", value))
    return Term(_entries(entries, x, f"{x}.key", body.sql), map_of(key, body.type))


@taker("transform_keys")
def transform_keys(take: Taker) -> Term:
    take.count(2)
    entries, key, value = take.map()
    x = take.variable("x")
    body = take.body(1, Term(f"{x}.key", key), Term(f"{x}.value", value))
    if body.type.kind not in (*PLAIN, "unknown"):
        raise RefusedError(f"transform_keys to keys of {body.type}", node=take.node)
    lists = (f"list_transform(t_entries({entries}), lambda {x}: {part})" for part in (body.sql, f"{x}.value"))
    return Term(f"t_map({', '.join(lists)}, {TWICE})", map_of(body.type, value))


@taker("map_zip_with")
def map_zip_with(take: Taker) -> Term:
    """All keys of both maps, with NULL for the value of the one that has it not."""
    take.count(3)
    (left, key, one), (right, other, two) = take.map(0), take.map(1)
    if key.duckdb != other.duckdb or key.kind not in PLAIN:
        raise RefusedError(f"map_zip_with of maps with keys of {key} and {other}", "Cast them to one.", take.node)
    x = take.variable("x")
    body = take.body(2, Term(f"{x}.k", key), Term(f"{x}.l", one), Term(f"{x}.r", two))
    ours = (
        f"list_transform(map_entries({left}), lambda e: struct_pack(k := e.key, l := e.value, r := ({right})[e.key]))"
    )
    rest = f"list_filter(map_entries({right}), lambda e: NOT map_contains({left}, e.key))"
    theirs = f"list_transform({rest}, lambda e: struct_pack(k := e.key, l := CAST(NULL AS {one.duckdb}), r := e.value))"
    made = f"list_transform({ours} || {theirs}, lambda {x}: struct_pack(k := {x}.k, v := {body.sql}))"
    missing = f"{left} IS NULL OR {right} IS NULL"
    return Term(f"CASE WHEN {missing} THEN NULL ELSE map_from_entries({made}) END", map_of(key, body.type))


@taker("array_sort")
def array_sort(take: Taker) -> Term:
    """By insertion, each element after those that are not greater: stable, as Java's sort is."""
    if len(take.nodes) == 1:
        return plain_sort(Call("array_sort", take.node, [take.value(0)]))
    take.count(2)
    array, element = take.array()
    s, x, y = (take.variable(letter) for letter in "sxy")
    order = take.body(1, Term(y, element), Term(f"{x}.e", element))
    if order.type.kind != "integer":
        raise take.wrong()
    start = f"struct_pack(s := CAST([] AS {element.duckdb}[]), e := CAST(NULL AS {element.duckdb}))"
    wrapped = f"list_transform({array}, lambda {x}: struct_pack(s := CAST([] AS {element.duckdb}[]), e := {x}))"
    parts = (f"list_filter({s}.s, lambda {y}: t_compared({order.sql}) {sign} 0)" for sign in ("<=", ">"))
    step = f"struct_pack(s := list_concat({next(parts)}, [{x}.e], {next(parts)}), e := {x}.e)"
    folded = f"list_reduce({wrapped}, lambda {s}, {x}: {step}, {start}).s"
    return Term(f"CASE WHEN {array} IS NULL THEN NULL ELSE {folded} END", array_of(element))


@taker("map_filter")
def map_filter(take: Taker) -> Term:
    take.count(2)
    entries, key, value = take.map()
    x = take.variable("x")
    test = _test(take, 1, Term(f"{x}.key", key), Term(f"{x}.value", value))
    kept = f"map_from_entries(list_filter(map_entries({entries}), lambda {x}: {test}))"
    return Term(f"CASE WHEN {entries} IS NULL THEN NULL ELSE {kept} END", map_of(key, value))


def _entries(entries: str, x: str, key: str, value: str) -> str:
    made = f"list_transform(map_entries({entries}), lambda {x}: struct_pack(k := {key}, v := {value}))"
    return f"CASE WHEN {entries} IS NULL THEN NULL ELSE map_from_entries({made}) END"
