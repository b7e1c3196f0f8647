"""Rows and their fields, arrays, subscripts, parameters of lambdas, bytes, and times in another zone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlglot import exp

from local.engines import athena_zones
from local.engines.athena_casts import coerce
from local.engines.athena_errors import QueryError, RefusedError, only
from local.engines.athena_quoting import identifier, text
from local.engines.athena_scope import Scope, Term
from local.engines.athena_types import TIMESTAMPTZ, UNKNOWN, VARBINARY, array_of, common, row_of

if TYPE_CHECKING:
    from local.engines.athena_expressions import Expressions


def column(own: Expressions, node: exp.Column, scope: Scope) -> Term:
    """A column; or, if no relation has the name before the point, a field of a column of that name."""
    parts = node.parts
    found = scope.find(node)
    for count in range(len(parts) - 1, 0, -1):
        if found is not None:
            break
        names = [part.copy() for part in parts[:count]]
        keys = ("this", "table", "db", "catalog")
        bare = exp.Column(**dict(zip(keys, reversed(names), strict=False)))
        base = scope.find(bare)
        if base is not None and base.type.fields:
            found = base
            for part in parts[count:]:
                found = member(found, part.name, node)
    return found if found is not None else scope.resolve(node)


def parameter(own: Expressions, node: exp.Identifier, scope: Scope) -> Term:
    return scope.resolve(exp.Column(this=node.copy()))


def field(own: Expressions, node: exp.Dot, scope: Scope) -> Term:
    only(node, "this", "expression")
    if not isinstance(node.expression, exp.Identifier):
        raise RefusedError(f"'{node.sql('trino')[:60]}'", node=node)
    if isinstance(node.this, exp.Identifier):  # what the parser makes of x.a in a lambda
        return member(parameter(own, node.this, scope), node.expression.name, node)
    return member(own.term(node.this, scope), node.expression.name, node)


def member(row: Term, name: str, node: exp.Expr) -> Term:
    if not row.type.fields:
        raise QueryError("TYPE_MISMATCH", f"Expression {node.sql('trino')} is not of type ROW", node)
    found = [type_ for own_name, type_ in row.type.fields if own_name and own_name.lower() == name.lower()]
    if len(found) != 1:
        problem = "Ambiguous row field reference" if found else "Invalid row field reference"
        raise QueryError("COLUMN_NOT_FOUND" if not found else "AMBIGUOUS_NAME", f"{problem}: {name}", node)
    return Term(f"struct_extract({row.sql}, {text(name.lower())})", found[0])


def row(own: Expressions, node: exp.Expr, scope: Scope) -> Term:
    only(node, "expressions", "this")
    return row_term([own.term(each, scope) for each in node.expressions])


def row_term(terms: list[Term]) -> Term:
    type_ = row_of(*((None, term.type) for term in terms))
    parts = (f"{identifier(name)} := CAST({term.sql} AS {part.duckdb})"
             for term, (name, part) in zip(terms, type_.members, strict=True))  # fmt: skip
    return Term(f"struct_pack({', '.join(parts)})", type_)


def subscript(own: Expressions, node: exp.Bracket, scope: Scope) -> Term:
    only(node, "this", "expressions")
    if len(node.expressions) != 1:
        raise RefusedError(f"'{node.sql('trino')[:60]}'", node=node)
    base, index = own.term(node.this, scope), own.term(node.expressions[0], scope)
    if base.type.element is not None and index.type.kind == "integer":
        return Term(f"t_subscript({base.sql}, {index.sql})", base.type.element)
    if base.type.key is not None and base.type.value is not None:
        return Term(f"t_value_of({base.sql}, {key_of(base, index, node)})", base.type.value)
    if base.type.fields and isinstance(node.expressions[0], exp.Literal) and index.type.kind == "integer":
        number = int(node.expressions[0].name)
        if not 1 <= number <= len(base.type.fields):
            text_ = f"ROW index out of bounds: {number} > {len(base.type.fields)}"
            raise QueryError("INVALID_FUNCTION_ARGUMENT", text_, node)
        name, type_ = base.type.members[number - 1]
        return Term(f"struct_extract({base.sql}, {text(name)})", type_)
    text_ = f"Cannot use {index.type} for subscript of {base.type}"
    raise QueryError("TYPE_MISMATCH", text_, node)


def key_of(base: Term, index: Term, node: exp.Expr) -> str:
    """A key in the type that the map's keys have."""
    key = base.type.key
    assert key is not None
    if key.kind not in ("integer", "varchar", "boolean", "date", "decimal"):
        raise RefusedError(f"A search in {base.type}", "Use keys of type varchar, date or a whole number.", node)
    shared = common(key, index.type)
    if shared is None:
        raise QueryError("TYPE_MISMATCH", f"Cannot use {index.type} for subscript of {base.type}", node)
    if shared.duckdb != key.duckdb:
        raise RefusedError(f"A search in {base.type} for {index.type}", f"Cast to {key}.", node)
    return coerce(index.sql, index.type, key) if index.type != key else index.sql


def octets(own: Expressions, node: exp.HexString, scope: Scope) -> Term:
    digits = str(node.this).replace(" ", "")
    try:
        bytes.fromhex(digits)
    except ValueError as error:
        raise QueryError(
            "INVALID_LITERAL", f"Binary literal can only contain hexadecimal digits: {digits}", node
        ) from error
    return Term(f"unhex('{digits}')", VARBINARY)


def at_time_zone(own: Expressions, node: exp.AtTimeZone, scope: Scope) -> Term:
    only(node, "this", "zone")
    zone = node.args["zone"]
    if not isinstance(zone, exp.Literal) or not zone.is_string:
        raise RefusedError(f"AT TIME ZONE {zone.sql('trino')[:40]}", "Write the zone's name in single quotes.", node)
    return shown_in(own.term(node.this, scope), zone.name, node)


def shown_in(term: Term, zone: str, node: exp.Expr) -> Term:
    """The same moment in another zone; a timestamp without a zone is one of the session, which is in UTC."""
    if term.type.name not in ("timestamp", TIMESTAMPTZ.name):
        raise QueryError("TYPE_MISMATCH", f"Type of value must be a time or timestamp: {term.type}", node)
    target = replace(TIMESTAMPTZ, precision=term.type.precision, zone=athena_zones.named(zone, node))
    return Term(term.sql if term.type.name == target.name else coerce(term.sql, term.type, target), target)


def array(own: Expressions, node: exp.Expr, scope: Scope) -> Term:
    only(node, "expressions")
    if not node.expressions:
        return Term("CAST([] AS INTEGER[])", array_of(UNKNOWN))
    terms, shared = own.alike(node.expressions, scope, "All ARRAY elements")
    return Term(f"CAST([{', '.join(terms)}] AS {shared.duckdb}[])", array_of(shared))
