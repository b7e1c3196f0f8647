"""More aggregates: statistics, percentiles, maps, and the value that goes with the largest or smallest."""

from __future__ import annotations

from local.engines.athena_casts import coerce
from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_functions import NUMBERS, TEXT, TIMES, WHOLE, Call, function
from local.engines.athena_quoting import text
from local.engines.athena_scope import Term
from local.engines.athena_types import BIGINT, DOUBLE, VARCHAR, array_of, map_of

ORDERED = ("boolean", "integer", "decimal", "varchar", *TIMES)
# DuckDB's aggregate for each, over doubles
STATISTICS = {
    "stddev": "stddev_samp", "stddev_samp": "stddev_samp", "stddev_pop": "stddev_pop",
    "variance": "var_samp", "var_samp": "var_samp", "var_pop": "var_pop",
}  # fmt: skip
PAIRED = ("corr", "covar_pop", "covar_samp", "regr_slope", "regr_intercept")


def plainly(call: Call) -> None:
    if call.distinct:
        raise RefusedError(f"{call.name}(DISTINCT …)", node=call.node)


@function(*STATISTICS, sort="aggregate")
def statistic(call: Call) -> Term:
    plainly(call)
    call.need(NUMBERS)
    return Term(f"{STATISTICS[call.name]}({coerce(call.first.sql, call.first.type, DOUBLE)}){call.tail}", DOUBLE)


@function(*PAIRED, sort="aggregate")
def paired(call: Call) -> Term:
    plainly(call)
    call.need(NUMBERS, NUMBERS)
    terms = ", ".join(coerce(term.sql, term.type, DOUBLE) for term in call.terms)
    sql = f"{call.name}({terms}){call.tail}"
    return Term(f"CASE WHEN isfinite({sql}) THEN {sql} END", DOUBLE)


@function("geometric_mean", sort="aggregate")
def geometric_mean(call: Call) -> Term:
    plainly(call)
    call.need(NUMBERS)
    return Term(f"exp(avg(t_ln({coerce(call.first.sql, call.first.type, DOUBLE)})){call.tail})", DOUBLE)


@function("max_by", "min_by", sort="aggregate")
def extreme_by(call: Call) -> Term:
    """The value may be NULL; DuckDB's plain arg_max would pass that row over."""
    plainly(call)
    call.need((), ORDERED)
    name = f"arg_{call.name[:3]}_null"
    return Term(f"{name}({call.first.sql}, {call.terms[1].sql}){call.tail}", call.first.type)


@function("arbitrary", "any_value", sort="aggregate")
def arbitrary(call: Call) -> Term:
    plainly(call)
    call.need(())
    return Term(f"any_value({call.first.sql}){call.tail}", call.first.type)


@function("map_agg", sort="aggregate")
def map_agg(call: Call) -> Term:
    """Of a key that is there twice Trino keeps one value, and which is not said: refused as the query runs."""
    plainly(call)
    call.need(("integer", "varchar", "date", "boolean"), ())
    _unwindowed(call)
    key, value = call.terms
    if call.tail:
        raise RefusedError("map_agg with FILTER or OVER", "Filter in WHERE.", call.node)
    pairs = f"list(struct_pack(k := {key.sql}, v := {value.sql})) FILTER (WHERE {key.sql} IS NOT NULL)"
    return Term(f"t_map_of({pairs})", map_of(key.type, value.type))


@function("multimap_agg", sort="aggregate")
def multimap_agg(call: Call) -> Term:
    """Each key with all of its values, in no order."""
    plainly(call)
    call.need(("integer", "varchar", "date", "boolean"), ())
    if call.tail:
        raise RefusedError("multimap_agg with FILTER or OVER", "Filter in WHERE.", call.node)
    key, value = call.terms
    pairs = f"list(struct_pack(k := {key.sql}, v := {value.sql})) FILTER (WHERE {key.sql} IS NOT NULL)"
    return Term(f"t_multimap({pairs})", map_of(key.type, array_of(value.type)))


@function("histogram", sort="aggregate")
def histogram(call: Call) -> Term:
    plainly(call)
    call.need(("integer", "varchar", "date", "boolean"))
    type_ = map_of(call.first.type, BIGINT)
    return Term(f"CAST(histogram({call.first.sql}){call.tail} AS {type_.duckdb})", type_)


def _unwindowed(call: Call) -> None:
    if "OVER" in call.tail:
        raise RefusedError(f"{call.name} with OVER", node=call.node)


@function("listagg", sort="aggregate")
def listagg(call: Call) -> Term:
    call.need(TEXT, *(TEXT for _ in call.terms[1:2]))
    if not call.order:
        raise QueryError("SYNTAX", "LISTAGG needs WITHIN GROUP (ORDER BY …)", call.node)
    _unwindowed(call)
    by = text(call.literal(1)) if len(call.terms) > 1 else "''"
    return Term(f"string_agg({call.inside}{call.first.sql}, {by}{call.order}){call.tail}", VARCHAR)


@function("approx_percentile", sort="aggregate")
def approx_percentile(call: Call) -> Term:
    """Exact, which is near enough: the smallest value that at least this part of all values does not exceed."""
    plainly(call)
    call.need(("integer", "decimal", "double"), ("decimal", "double", "array"))
    value, share = call.terms
    type_ = DOUBLE if value.type.name == "decimal" else value.type
    values = coerce(value.sql, value.type, type_)
    if share.type.element is None:
        return Term(f"quantile_disc({values}, {coerce(share.sql, share.type, DOUBLE)}){call.tail}", type_)
    if share.type.element.kind not in ("decimal", "double"):
        raise call.wrong()
    return Term(f"quantile_disc({values}, CAST({share.sql} AS DOUBLE[])){call.tail}", array_of(type_))


@function("bitwise_and_agg", "bitwise_or_agg", "bitwise_xor_agg", sort="aggregate")
def bits(call: Call) -> Term:
    plainly(call)
    call.need(WHOLE)
    name = call.name.replace("bitwise", "bit").removesuffix("_agg")
    return Term(f"{name}({coerce(call.first.sql, call.first.type, BIGINT)}){call.tail}", BIGINT)


@function("grouping", sort="grouping")
def grouping(call: Call) -> Term:
    if not call.terms:
        raise call.wrong()
    return Term(f"CAST(grouping({', '.join(term.sql for term in call.terms)}) AS {BIGINT.duckdb})", BIGINT)


@function("nth_value", sort="window")
def nth_value(call: Call) -> Term:
    call.need((), WHOLE)
    if int(call.literal(1)) < 1:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "Offset must be at least 1", call.node)
    return Term(f"nth_value({call.first.sql}, {call.terms[1].sql}{call.nulls}){call.tail}", call.first.type)
