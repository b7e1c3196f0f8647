"""Functions of dates and timestamps."""

from __future__ import annotations

import re

from local.engines.athena_casts import cast, coerce
from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_functions import TEXT, TIMES, WHOLE, Call, Plain, function
from local.engines.athena_operators import comparable
from local.engines.athena_scope import Term
from local.engines.athena_types import BIGINT, DATE, MILLIS, TIMESTAMPTZ, VARCHAR, Type
from local.engines.athena_zones import local, moment

UNITS = ("millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year")
DATE_UNITS = UNITS[4:]
CLOCK_UNITS = UNITS[:4]
# MySQL's letters, as date_format has them, and what strftime calls them
FORMAT_LETTERS = {
    "Y": "%Y", "y": "%y", "m": "%m", "c": "%-m", "d": "%d", "e": "%-d", "H": "%H", "k": "%-H", "h": "%I", "I": "%I",
    "l": "%-I", "i": "%M", "s": "%S", "S": "%S", "f": "%f", "p": "%p", "a": "%a", "W": "%A", "b": "%b", "M": "%B",
    "j": "%j", "T": "%H:%M:%S", "%": "%%",
}  # fmt: skip

for _name, _plain in {
    "year": Plain((TIMES,), BIGINT, "year"),
    "quarter": Plain((TIMES,), BIGINT, "quarter"),
    "month": Plain((TIMES,), BIGINT, "month"),
    "week": Plain((TIMES,), BIGINT, "week"),
    "day": Plain((TIMES,), BIGINT, "day"),
    "day_of_week": Plain((TIMES,), BIGINT, "isodow"),
    "day_of_year": Plain((TIMES,), BIGINT, "dayofyear"),
    "hour": Plain((TIMES[1:],), BIGINT, "hour"),
    "minute": Plain((TIMES[1:],), BIGINT, "minute"),
    "second": Plain((TIMES[1:],), BIGINT, "second"),
}.items():
    function(_name)(_plain)


@function("now")
def now(call: Call) -> Term:
    call.need()
    return Term("date_trunc('milliseconds', now())", TIMESTAMPTZ)


@function("date")
def date(call: Call) -> Term:
    call.need(("varchar", *TIMES))
    return Term(cast(call.first.sql, call.first.type, DATE, node=call.node), DATE)


def unit_of(call: Call, type_: Type) -> str:
    unit = call.literal(0).lower()
    if unit not in UNITS:
        raise RefusedError(f"The unit '{unit}' of {call.name}", f"Use one of {', '.join(UNITS)}.", call.node)
    if type_ == DATE and unit not in DATE_UNITS:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{unit}' is not a valid DATE field", call.node)
    return unit


@function("date_trunc")
def date_trunc(call: Call) -> Term:
    call.need(TEXT, TIMES)
    time, unit = call.terms[1], unit_of(call, call.terms[1].type)
    if time.type.zone is None:
        return Term(f"CAST(date_trunc('{unit}', {time.sql}) AS {time.type.duckdb})", time.type)
    shown = local(time.sql, time.type)
    if unit in CLOCK_UNITS:  # what the clock shows, with the offset that it has at this moment
        return Term(f"({time.sql} - ({shown} - date_trunc('{unit}', {shown})))", time.type)
    return Term(moment(f"date_trunc('{unit}', {shown})", time.type.zone), time.type)


@function("date_add")
def date_add(call: Call) -> Term:
    call.need(TEXT, WHOLE, TIMES)
    time = call.terms[2]
    unit, count = unit_of(call, time.type), call.terms[1].sql
    if time.type.zone is not None and unit not in CLOCK_UNITS:
        raise RefusedError(f"date_add of a {unit} in the zone {time.type.zone}", "Use UTC or hours.", call.node)
    if unit == "quarter":
        unit, count = "month", f"({count} * 3)"
    sql = f"{time.sql} + to_{unit}s(CAST({count} AS {'BIGINT' if unit in CLOCK_UNITS else 'INTEGER'}))"
    return Term(f"CAST({sql} AS {time.type.duckdb})", time.type)


@function("date_diff")
def date_diff(call: Call) -> Term:
    call.need(TEXT, TIMES, TIMES)
    shared = comparable(call.terms[1].type, call.terms[2].type, "date_diff", call.node)
    unit = unit_of(call, shared)
    if shared.zone is not None and unit not in CLOCK_UNITS:
        raise RefusedError(f"date_diff in {unit}s in the zone {shared.zone}", "Use UTC or hours.", call.node)
    ends = [coerce(term.sql, term.type, shared) for term in call.terms[1:]]
    if (shared.precision or 0) > 3:  # Trino counts whole milliseconds
        ends = [f"date_trunc('milliseconds', {end})" for end in ends]
    return Term(f"date_sub('{unit}', {', '.join(ends)})", BIGINT)


@function("date_format")
def date_format(call: Call) -> Term:
    call.need(TIMES, TEXT)
    letters = re.findall(r"%(.)|([^%]+)|(%)$", call.literal(1), re.S)
    unknown = [letter or end for letter, _, end in letters if (letter and letter not in FORMAT_LETTERS) or end]
    if unknown:
        raise RefusedError(f"%{unknown[0]} in the format of date_format", node=call.node)
    form = "".join(FORMAT_LETTERS[letter] if letter else text for letter, text, _ in letters).replace("'", "''")
    return Term(f"strftime({to_the_millisecond(call.first)}, '{form}')", VARCHAR)


def to_the_millisecond(time: Term) -> str:
    """What the clock of a time's zone shows, rounded to three digits of a second as both formats do."""
    shown = local(time.sql, time.type)
    return f"t_millis({shown})" if (time.type.precision or 0) > MILLIS else shown
