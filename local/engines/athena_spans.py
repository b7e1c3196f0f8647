"""Operators of times and intervals."""

from __future__ import annotations

from local.engines.athena_casts import coerce
from local.engines.athena_errors import RefusedError
from local.engines.athena_scope import Term
from local.engines.athena_types import DATE, DAY_SECOND, DOUBLE, MILLIS, common

TIMES = ("date", "timestamp", "timestamp with time zone")
SPANS = ("interval day to second", "interval year to month")


def shift_time(symbol: str, left: Term, right: Term) -> Term:
    if left.type.name.startswith("interval"):
        left, right = right, left
    type_ = left.type
    if right.type == DAY_SECOND:
        macro = "t_shift_date" if type_ == DATE else "t_shift"
        return Term(f"CAST({macro}({left.sql}, {symbol}({right.sql})) AS {type_.duckdb})", type_)
    if type_.zone is not None:
        raise RefusedError(f"Months added to a time of the zone {type_.zone}", "Bring it AT TIME ZONE 'UTC' first.")
    return Term(f"CAST({left.sql} {symbol} to_months({right.sql}) AS {type_.duckdb})", type_)


def span_of(symbol: str, left: Term, right: Term) -> Term:
    """The time between two moments."""
    shared = common(left.type, right.type)
    assert shared is not None  # only two of a kind come here
    if (shared.precision or 0) > MILLIS:
        raise RefusedError(
            f"A difference between times of type {shared}", "Cast to three digits of a second, or use date_diff."
        )
    ends = [coerce(term.sql, term.type, shared) for term in (left, right)]
    return Term(f"t_between({ends[1]}, {ends[0]})", DAY_SECOND)


def spans(symbol: str, left: Term, right: Term) -> Term:
    return Term(f"({left.sql} {symbol} {right.sql})", left.type)


def times_span(symbol: str, left: Term, right: Term) -> Term:
    if right.type.name.startswith("interval"):
        left, right = right, left
    return Term(f"CAST({left.sql} * {right.sql} AS {left.type.duckdb})", left.type)


def scaled_span(symbol: str, left: Term, right: Term) -> Term:
    """A span times or by a double: what is left of a unit is cut off."""
    if right.type.name.startswith("interval"):
        left, right = right, left
    factor = coerce(right.sql, right.type, DOUBLE)
    made = f"trunc(CAST({left.sql} AS DOUBLE) {symbol} {factor})"
    return Term(f"CAST(t_finite({made}) AS {left.type.duckdb})", left.type)
