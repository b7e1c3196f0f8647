"""The aggregate and window functions that run on the laptop."""

from __future__ import annotations

from local.engines.athena_arrays import PLAIN
from local.engines.athena_casts import coerce
from local.engines.athena_decimals import quotient
from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_functions import NUMBERS, TIMES, Call, function
from local.engines.athena_scope import Term
from local.engines.athena_types import (
    BIGINT,
    BOOLEAN,
    DAY_SECOND,
    DOUBLE,
    LARGEST_PRECISION,
    REAL,
    YEAR_MONTH,
    Type,
    array_of,
    decimal,
)

SPANS = {type_.name: type_ for type_ in (DAY_SECOND, YEAR_MONTH)}
ORDERED = ("boolean", "integer", "decimal", "real", "double", "varchar", *TIMES, *SPANS)


@function("count", sort="aggregate")
def count(call: Call) -> Term:
    if len(call.terms) > 1:
        raise call.wrong()
    argument = call.first.sql if call.terms else "*"
    return Term(f"count({call.inside}{argument}){call.tail}", BIGINT)


@function("count_if", sort="aggregate")
def count_if(call: Call) -> Term:
    call.need(("boolean",))
    return Term(f"count(CASE WHEN {call.first.sql} THEN 1 END){call.tail}", BIGINT)


@function("approx_distinct", sort="aggregate")
def approx_distinct(call: Call) -> Term:
    call.need(ORDERED)
    return Term(f"count(DISTINCT {call.first.sql}){call.tail}", BIGINT)  # exact, which is near enough


@function("sum", sort="aggregate")
def sum_(call: Call) -> Term:
    call.need((*NUMBERS, *SPANS))
    type_ = {"integer": BIGINT, "double": DOUBLE, "real": REAL, **SPANS}.get(call.first.type.kind) or decimal(
        38, call.first.type.scale or 0
    )
    found = total(call)
    if type_.name == "decimal":  # DuckDB lets a sum have a digit more
        largest = f"{10**LARGEST_PRECISION - 1:0{(type_.scale or 0) + 1}d}"
        point = len(largest) - (type_.scale or 0)
        found = f"t_within({found}, CAST('{largest[:point]}.{largest[point:]}' AS {type_.duckdb}))"
    return Term(f"CAST({found} AS {type_.duckdb})", type_)


def total(call: Call) -> str:
    return f"sum({call.inside}{call.first.sql}){call.tail}"


@function("avg", sort="aggregate")
def avg(call: Call) -> Term:
    call.need(NUMBERS)
    type_ = call.first.type
    if type_.name == "real":
        return Term(f"CAST(avg({call.inside}{call.first.sql}){call.tail} AS FLOAT)", REAL)
    if type_.name != "decimal":
        return Term(f"avg({call.inside}{coerce(call.first.sql, type_, DOUBLE)}){call.tail}", DOUBLE)
    of = f"count({call.inside}{call.first.sql}){call.tail}"
    return Term(quotient(total(call), decimal(38, type_.scale or 0), of, decimal(19, 0), type_), type_)


@function("min", "max", sort="aggregate")
def extreme(call: Call) -> Term:
    if len(call.terms) == 2:
        return several(call)
    call.need(ORDERED)
    sql = f"{call.name}({call.first.sql}){call.tail}"
    if call.first.type.name in ("double", "real"):  # the two engines put NaN in other places
        strange = f"bool_or(isnan({call.first.sql})){call.tail}"
        refusal = f"error('NOT_SUPPORTED: {call.name} over NaN is not run on the laptop')"
        sql = f"(CASE WHEN {strange} THEN {refusal} ELSE {sql} END)"
    return Term(sql, call.first.type)


def several(call: Call) -> Term:
    """The n largest, the largest first, or the n smallest."""
    call.need(PLAIN, ("integer",))
    if int(call.literal(1)) < 1:
        words = "third argument of max_n/min_n must be a positive integer"
        raise QueryError("INVALID_FUNCTION_ARGUMENT", words, call.node)
    if call.distinct or call.tail:
        raise RefusedError(f"{call.name} of several with DISTINCT, FILTER or OVER", node=call.node)
    return Term(f"{call.name}({call.first.sql}, {call.terms[1].sql})", array_of(call.first.type))


@function("bool_and", "bool_or", "every", sort="aggregate")
def boolean(call: Call) -> Term:
    call.need(("boolean",))
    name = "bool_and" if call.name == "every" else call.name
    return Term(f"{name}({call.first.sql}){call.tail}", BOOLEAN)


@function("array_agg", sort="aggregate")
def array_agg(call: Call) -> Term:
    call.need(())
    if call.distinct and not call.order:
        raise RefusedError("array_agg(DISTINCT …) without ORDER BY", "Say in which order.", call.node)
    return Term(f"list({call.inside}{call.first.sql}{call.order}){call.tail}", Type("array", element=call.first.type))


@function("row_number", "rank", "dense_rank", sort="window")
def place_in_order(call: Call) -> Term:
    call.need()
    return Term(f"{call.name}(){call.tail}", BIGINT)


@function("percent_rank", "cume_dist", sort="window")
def share(call: Call) -> Term:
    call.need()
    return Term(f"{call.name}(){call.tail}", DOUBLE)


@function("ntile", sort="window")
def ntile(call: Call) -> Term:
    call.need(("integer",))
    return Term(f"ntile({call.first.sql}){call.tail}", BIGINT)


@function("lag", "lead", sort="window")
def neighbour(call: Call) -> Term:
    if not 1 <= len(call.terms) <= 3:
        raise call.wrong()
    value, *rest = call.terms
    arguments = [value.sql]
    if rest:
        call.literal(1)
        arguments.append(rest[0].sql)
    if len(rest) == 2:
        if rest[1].type.kind not in (value.type.kind, "unknown"):
            raise call.wrong()
        arguments.append(coerce(rest[1].sql, rest[1].type, value.type))
    return Term(f"{call.name}({', '.join(arguments)}{call.nulls}){call.tail}", value.type)


@function("first_value", "last_value", sort="window")
def edge(call: Call) -> Term:
    call.need(())
    return Term(f"{call.name}({call.first.sql}{call.nulls}){call.tail}", call.first.type)
