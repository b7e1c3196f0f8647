"""Functions of doubles, and of numbers in another notation."""

from __future__ import annotations

from local.engines.athena_casts import coerce
from local.engines.athena_errors import RefusedError
from local.engines.athena_functions import DOUBLES, NUMBERS, TEXT, WHOLE, Call, Plain, alike, function
from local.engines.athena_quoting import text
from local.engines.athena_scope import Term
from local.engines.athena_types import BIGINT, BOOLEAN, DOUBLE, VARCHAR, decimal

for _name, _plain in {
    "sqrt": Plain((DOUBLES,), DOUBLE, "t_sqrt"),
    "cbrt": Plain((DOUBLES,), DOUBLE, "cbrt"),
    "exp": Plain((DOUBLES,), DOUBLE, "exp"),
    "ln": Plain((DOUBLES,), DOUBLE, "t_ln"),
    "log2": Plain((DOUBLES,), DOUBLE, "t_log2"),
    "log10": Plain((DOUBLES,), DOUBLE, "t_log10"),
    "pow": Plain((DOUBLES, DOUBLES), DOUBLE, "t_power"),
    "power": Plain((DOUBLES, DOUBLES), DOUBLE, "t_power"),
    "radians": Plain((DOUBLES,), DOUBLE, "radians"),
    "degrees": Plain((DOUBLES,), DOUBLE, "degrees"),
    "sin": Plain((DOUBLES,), DOUBLE, "sin"),
    "cos": Plain((DOUBLES,), DOUBLE, "cos"),
    "tan": Plain((DOUBLES,), DOUBLE, "tan"),
    "asin": Plain((DOUBLES,), DOUBLE, "t_asin"),
    "acos": Plain((DOUBLES,), DOUBLE, "t_acos"),
    "sinh": Plain((DOUBLES,), DOUBLE, "sinh"),
    "cosh": Plain((DOUBLES,), DOUBLE, "cosh"),
    "tanh": Plain((DOUBLES,), DOUBLE, "tanh"),
    "log": Plain((DOUBLES, DOUBLES), DOUBLE, "t_log"),
    "atan": Plain((DOUBLES,), DOUBLE, "atan"),
    "atan2": Plain((DOUBLES, DOUBLES), DOUBLE, "atan2"),
    "pi": Plain((), DOUBLE, "pi"),
    "e": Plain((), DOUBLE, "t_e"),
    "nan": Plain((), DOUBLE, "t_nan"),
    "infinity": Plain((), DOUBLE, "t_infinity"),
    "is_nan": Plain((DOUBLES,), BOOLEAN, "isnan"),
    "is_infinite": Plain((DOUBLES,), BOOLEAN, "isinf"),
    "is_finite": Plain((DOUBLES,), BOOLEAN, "isfinite"),
    "from_base": Plain((TEXT, WHOLE), BIGINT, "t_from_base"),
    "to_base": Plain((WHOLE, WHOLE), VARCHAR, "t_to_base"),
}.items():
    function(_name)(_plain)


@function("typeof")
def typeof(call: Call) -> Term:
    call.need(())
    return Term(f"{text(str(call.first.type))}::VARCHAR", VARCHAR)


@function("rand", "random")
def random_(call: Call) -> Term:
    """A double from 0 to 1, or a whole number below a bound, from a start on."""
    if not call.terms:
        return Term("random()", DOUBLE)
    call.need(WHOLE, *(WHOLE for _ in call.terms[1:2]))
    (*start, stop), type_ = alike(call)
    if start:
        return Term(
            f"CAST(t_random({start[0]}, {stop}, 'start value must be less than stop value') AS {type_.duckdb})", type_
        )
    return Term(f"CAST(t_random(0, {stop}, 'bound must be positive') AS {type_.duckdb})", type_)


@function("width_bucket")
def width_bucket(call: Call) -> Term:
    if len(call.terms) == 2 and call.terms[1].type.element == DOUBLE:
        return Term(
            f"CAST(t_bin({coerce(call.first.sql, call.first.type, DOUBLE)}, {call.terms[1].sql}) AS BIGINT)", BIGINT
        )
    call.need(NUMBERS, NUMBERS, NUMBERS, WHOLE)
    *bounds, count = call.terms
    sqls = (coerce(term.sql, term.type, DOUBLE) for term in bounds)
    return Term(f"CAST(t_width({', '.join(sqls)}, CAST({count.sql} AS BIGINT)) AS BIGINT)", BIGINT)


@function("truncate")
def truncate(call: Call) -> Term:
    call.need(NUMBERS, *(WHOLE for _ in call.terms[1:2]))
    type_ = call.first.type
    if type_.name == "decimal":
        scale = type_.scale or 0
        kept = call.literal(1) if len(call.terms) > 1 else "0"
        if int(kept) > scale:
            kept = str(scale)
        unit = f"CAST(trunc(CAST({call.first.sql} AS DECIMAL(38,{scale})) * {10 ** int(kept)}) AS DECIMAL(38,0))"
        result = type_ if len(call.terms) > 1 else decimal(max(1, type_.integral), 0)
        part = f"CAST('0.{'1'.zfill(int(kept))}' AS DECIMAL({kept},{kept}))" if int(kept) else "1"
        if (type_.precision or 0) + int(kept) > 38:
            raise RefusedError(f"truncate of {type_}", node=call.node)
        return Term(f"CAST({unit} * {part} AS {result.duckdb})", result)
    if len(call.terms) > 1 or type_.name != "double":
        raise RefusedError(f"truncate of {type_}{' to digits' if len(call.terms) > 1 else ''}", node=call.node)
    return Term(f"trunc({call.first.sql})", DOUBLE)
