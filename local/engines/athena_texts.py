"""Functions of texts and of arrays."""

from __future__ import annotations

from functools import reduce

from local.engines.athena_arrays import with_value
from local.engines.athena_functions import TEXT, WHOLE, Call, Plain, function
from local.engines.athena_operators import lists
from local.engines.athena_scope import Term
from local.engines.athena_types import BIGINT, BOOLEAN, VARCHAR

for _name, _plain in {
    "length": Plain((TEXT,), BIGINT, "length"),
    "lower": Plain((TEXT,), VARCHAR, "lower"),
    "upper": Plain((TEXT,), VARCHAR, "t_upper"),
    "strpos": Plain((TEXT, TEXT), BIGINT, "strpos"),
    "starts_with": Plain((TEXT, TEXT), BOOLEAN, "starts_with"),
}.items():
    function(_name)(_plain)


@function("trim", "ltrim", "rtrim")
def trim(call: Call) -> Term:
    """White space, or the letters that a second argument holds."""
    call.need(TEXT, *(TEXT for _ in call.terms[1:2]))
    terms = ", ".join(term.sql for term in call.terms)
    return Term(f"{'t_' if len(call.terms) == 1 else ''}{call.name}({terms})", VARCHAR)


@function("concat")
def concat(call: Call) -> Term:
    if len(call.terms) < 2:
        raise call.wrong()
    if all(term.type.element is not None for term in call.terms):
        return reduce(lists, call.terms)
    call.need(*(TEXT for _ in call.terms))
    return Term(f"CAST({' || '.join(term.sql for term in call.terms)} AS VARCHAR)", VARCHAR)


@function("substr", "substring")
def substr(call: Call) -> Term:
    call.need(TEXT, *(WHOLE for _ in call.terms[1:3]))
    if len(call.terms) < 2:
        raise call.wrong()
    text, *numbers = (term.sql for term in call.terms)
    return Term(f"{'t_substr' if len(numbers) == 1 else 't_substr_of'}({', '.join((text, *numbers))})", VARCHAR)


@function("replace")
def replace(call: Call) -> Term:
    terms = [*(term.sql for term in call.terms), "''"][:3]
    call.need(*(TEXT for _ in call.terms[:3]))
    if len(call.terms) < 2:
        raise call.wrong()
    return Term(f"t_replace({', '.join(terms)})", VARCHAR)


@function("contains")
def contains(call: Call) -> Term:
    array, value, element = with_value(call)
    found, missing = f"list_contains({array}, {value})", f"len({array}) <> list_count({array})"
    if element.kind in ("double", "real"):
        found = f"({found} AND NOT isnan({value}))"  # of which DuckDB takes two as equal
    return Term(
        f"(CASE WHEN {array} IS NULL OR {value} IS NULL THEN NULL WHEN {found} THEN true "
        f"WHEN {missing} THEN NULL ELSE false END)",
        BOOLEAN,
    )
