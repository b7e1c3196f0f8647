"""TRY: NULL for what fails, in expressions of which every part is NULL when one of its own parts is."""

from __future__ import annotations

import re

from sqlglot import exp

from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_functions import Call, function
from local.engines.athena_scope import Term

STRICT = (
    exp.Literal, exp.Null, exp.Boolean, exp.Column, exp.Identifier, exp.Paren, exp.Cast, exp.DataType,
    exp.DataTypeParam, exp.Neg, exp.Not, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.DPipe, exp.EQ, exp.NEQ,
    exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Interval, exp.Var, exp.Bracket, exp.Anonymous, exp.Extract, exp.ColumnDef,
)  # fmt: skip
STRICT_CALLS = {
    "abs", "ceil", "ceiling", "floor", "round", "mod", "sqrt", "length", "lower", "upper", "trim", "ltrim", "rtrim",
    "substr", "concat", "strpos", "split", "split_part", "date", "date_parse", "date_trunc", "date_add", "date_diff",
    "from_iso8601_date", "from_iso8601_timestamp", "json_parse", "json_extract", "json_extract_scalar", "cardinality",
    "element_at", "try", "from_base", "year", "month", "day", "regexp_extract", "chr", "codepoint", "power", "pow",
    "parse_datetime", "replace",
}  # fmt: skip
TOKEN = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|(?<!\w)(?:t_\w+|CAST)(?=\()")


@function("try")
def attempt(call: Call) -> Term:
    node, nodes, terms = call.node, call.nodes, call.terms
    if len(terms) != 1:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "The 'try' function must have exactly one argument", node)
    for each in nodes[0].walk():
        if not isinstance(each, STRICT) or (isinstance(each, exp.Anonymous) and each.name.lower() not in STRICT_CALLS):
            advice = (
                "the laptop tries operators, casts and plain functions. Choose with CASE or coalesce outside of TRY."
            )
            raise RefusedError(f"TRY around '{each.sql('trino')[:60]}'", advice, node)
    return Term(TOKEN.sub(_caught, terms[0].sql), terms[0].type)


def _caught(found: re.Match[str]) -> str:
    """The macro beside this one that answers NULL."""
    word = found[0]
    if word[0] in "'\"":
        return word
    return "TRY_CAST" if word == "CAST" else f"y_{word[2:]}"
