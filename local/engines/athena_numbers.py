"""Functions of numbers, and those that choose between their arguments."""

from __future__ import annotations

from local.engines.athena_casts import cast
from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_functions import NUMBERS, TIMES, WHOLE, Call, Plain, alike, function
from local.engines.athena_operators import apply
from local.engines.athena_scope import Term
from local.engines.athena_types import DOUBLE, decimal

for _name, _plain in {
    "abs": Plain((NUMBERS,), None, "abs", cast=True),
}.items():
    function(_name)(_plain)


@function("coalesce")
def coalesce(call: Call) -> Term:
    if len(call.terms) < 2:
        text = "The 'coalesce' function must have at least two arguments"
        raise QueryError("INVALID_FUNCTION_ARGUMENT", text, call.node)
    terms, shared = alike(call)
    return Term(f"coalesce({', '.join(terms)})", shared)


@function("greatest", "least")
def extreme(call: Call) -> Term:
    terms, shared = alike(call)
    if shared.kind not in ("integer", "decimal", "varchar", *TIMES):
        raise RefusedError(f"{call.name} of {shared}", node=call.node)
    missing = " OR ".join(f"{term} IS NULL" for term in terms)
    return Term(f"(CASE WHEN {missing} THEN NULL ELSE {call.name}({', '.join(terms)}) END)", shared)


@function("nullif")
def nullif(call: Call) -> Term:
    call.need((), ())
    same = apply("=", call.first, call.terms[1], call.node)
    return Term(f"(CASE WHEN {same.sql} THEN NULL ELSE {call.first.sql} END)", call.first.type)


@function("mod")
def mod(call: Call) -> Term:
    call.need(NUMBERS, NUMBERS)
    return apply("%", call.first, call.terms[1], call.node)


@function("ceil", "ceiling", "floor")
def to_whole(call: Call) -> Term:
    call.need(NUMBERS)
    type_ = call.first.type
    if type_.name == "decimal":
        type_ = decimal(type_.integral + min(type_.scale or 0, 1), 0)
    name = "floor" if call.name == "floor" else "ceil"
    return Term(f"CAST({name}({call.first.sql}) AS {type_.duckdb})", type_)


@function("sign")
def sign(call: Call) -> Term:
    call.need(NUMBERS)
    type_ = decimal(1, 0) if call.first.type.name == "decimal" else call.first.type
    if type_.name in ("double", "real"):
        return Term(f"CAST(t_sign({call.first.sql}) AS {type_.duckdb})", type_)
    return Term(f"CAST(sign({call.first.sql}) AS {type_.duckdb})", type_)


@function("round")
def round_(call: Call) -> Term:
    call.need(NUMBERS, *(WHOLE for _ in call.terms[1:2]))
    digits = call.literal(1) if len(call.terms) > 1 else "0"
    if int(digits) > 15:
        raise RefusedError(f"round to {digits} digits", node=call.node)
    type_ = call.first.type
    if type_.kind == "integer":
        return call.first
    if type_.name == "double":
        return Term(f"t_round({call.first.sql}, {digits})", DOUBLE)
    scale, precision = type_.scale or 0, type_.precision or 0
    result = decimal(precision + 1, scale) if len(call.terms) > 1 else decimal(type_.integral + min(1, scale), 0)
    rounded = cast(call.first.sql, type_, decimal(precision + 1, min(int(digits), scale)))
    return Term(cast(rounded, decimal(precision + 1, min(int(digits), scale)), result), result)
