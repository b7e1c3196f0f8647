"""Functions that make a text of many values, or many values of a text: format, split_to_map and their like."""

from __future__ import annotations

from local.engines.athena_casts import cast
from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_functions import TEXT, Call, Plain, function
from local.engines.athena_scope import Term
from local.engines.athena_text_values import FORMS
from local.engines.athena_types import BOOLEAN, VARCHAR, array_of, map_of

FORMATTED = ("boolean", "integer", "decimal", "double", "real", "varchar", "date", "timestamp", "json", "unknown")

for _name, _plain in {
    "soundex": Plain((TEXT,), VARCHAR, "t_soundex"),
    "luhn_check": Plain((TEXT,), BOOLEAN, "t_luhn"),
    "split_to_map": Plain((TEXT, TEXT, TEXT), map_of(VARCHAR, VARCHAR), "t_split_to_map"),
    "split_to_multimap": Plain((TEXT, TEXT, TEXT), map_of(VARCHAR, array_of(VARCHAR)), "t_split_to_multimap"),
}.items():
    function(_name)(_plain)


@function("format")
def format_(call: Call) -> Term:
    """The values as texts; a double's as Java prints it."""
    if len(call.terms) < 2:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "format must have at least two arguments", call.node)
    form, *values = call.terms
    if form.type.name not in ("varchar", "unknown"):
        text = f"Type of first argument to format() must be VARCHAR (actual: {form.type})"
        raise QueryError("TYPE_MISMATCH", text, call.node)
    for value in values:
        if value.type.parts:
            raise QueryError("NOT_SUPPORTED", f"Type not supported for formatting: {value.type}", call.node)
        if value.type.kind not in FORMATTED:
            raise RefusedError(f"format of {value.type}", "Cast it to varchar.", call.node)
    kinds = ",".join("varchar" if value.type.name == "json" else value.type.name for value in values)
    texts = ", ".join(_text(value) for value in values)
    return Term(f"t_format({form.sql}, '{kinds}', [{texts}])", VARCHAR)


def _text(value: Term) -> str:
    if value.type.name in ("json", "varchar", "unknown"):
        return f"CAST({value.sql} AS VARCHAR)"
    if value.type.name in ("double", "real"):
        return f"t_plain_{value.type.name}({value.sql})"
    return cast(value.sql, value.type, VARCHAR)


@function("normalize")
def normalize(call: Call) -> Term:
    call.need(TEXT, *(TEXT for _ in call.terms[1:2]))
    form = call.literal(1) if len(call.terms) > 1 else "NFC"
    if form not in FORMS:
        raise QueryError("SYNTAX", f"mismatched input '{form}'. Expecting: {', '.join(FORMS)}", call.node)
    return Term(f"t_normalize({call.first.sql}, '{form}')", VARCHAR)
