"""Arithmetic of decimals, with the precision, the scale and the rounding that Trino gives the result."""

from __future__ import annotations

from local.engines.athena_casts import coerce
from local.engines.athena_errors import RefusedError
from local.engines.athena_scope import Term
from local.engines.athena_types import LARGEST_PRECISION, Type, as_decimal, decimal


def exact(symbol: str, left: Term, right: Term) -> Term:
    """Decimals, with the precision and scale that Trino gives the result."""
    ours, theirs = as_decimal(left.type), as_decimal(right.type)
    a, b = coerce(left.sql, left.type, ours), coerce(right.sql, right.type, theirs)
    scale = max(ours.scale or 0, theirs.scale or 0)
    if symbol == "/":
        gap = max(0, (theirs.scale or 0) - (ours.scale or 0))
        result = decimal((ours.precision or 0) + (theirs.scale or 0) + gap, scale)
        return Term(quotient(a, ours, b, theirs, result), result)
    if symbol == "%":
        result = decimal(min(ours.integral, theirs.integral) + scale, scale)
        return Term(f"CAST(t_modulo({a}, {b}) AS {result.duckdb})", result)
    if symbol == "*":
        scale = (ours.scale or 0) + (theirs.scale or 0)
        result = decimal((ours.precision or 0) + (theirs.precision or 0), scale)
        if scale > 38:
            raise RefusedError(f"A product of {ours} and {theirs}", "Cast to fewer digits.")
        return Term(f"CAST({a} * {b} AS {result.duckdb})", result)
    result = decimal(max(ours.integral, theirs.integral) + scale + 1, scale)
    a, b = coerce(a, ours, result), coerce(b, theirs, result)
    return Term(f"CAST({a} {symbol} {b} AS {result.duckdb})", result)


def quotient(a: str, ours: Type, b: str, theirs: Type, result: Type) -> str:
    """a / b rounded half up, by way of whole numbers: DuckDB would go by way of doubles."""
    shift = (result.scale or 0) + (theirs.scale or 0) - (ours.scale or 0)
    if shift > LARGEST_PRECISION:
        raise RefusedError(f"A quotient of {ours} and {theirs}", "Cast to fewer digits.")
    top = f"{unscaled(a, ours)} * {10**shift}::HUGEINT"
    return scaled(f"t_quotient({top}, {unscaled(b, theirs)})", result)


def unscaled(sql: str, type_: Type) -> str:
    return f"CAST(CAST({sql} AS DECIMAL(38,{type_.scale})) * {10 ** (type_.scale or 0)}::DECIMAL(38,0) AS HUGEINT)"


def scaled(sql: str, type_: Type) -> str:
    whole_part = f"CAST({sql} AS DECIMAL(38,0))"
    if not type_.scale:
        return f"CAST({whole_part} AS {type_.duckdb})"
    unit = f"CAST('0.{'1'.zfill(type_.scale)}' AS DECIMAL({type_.scale},{type_.scale}))"
    return f"CAST({whole_part} * {unit} AS {type_.duckdb})"
