"""Functions of JSON."""

from __future__ import annotations

from local.engines.athena_casts import coerce
from local.engines.athena_functions import NUMBERS, TEXT, Call, Plain, function
from local.engines.athena_scope import Term
from local.engines.athena_types import BIGINT, BOOLEAN, DOUBLE, JSON, VARCHAR

DOCUMENT = ("json", "varchar")
FOUND = {"varchar": ("text", VARCHAR), "boolean": ("boolean", BOOLEAN), "integer": ("whole", BIGINT)}

for _name, _plain in {
    "json_parse": Plain((TEXT,), JSON, "t_json_parse"),
    "json_format": Plain((("json",),), VARCHAR, ""),
    "json_extract": Plain((DOCUMENT, TEXT), JSON, "t_json_extract"),
    "json_extract_scalar": Plain((DOCUMENT, TEXT), VARCHAR, "t_json_scalar"),
    "json_array_length": Plain((DOCUMENT,), BIGINT, "t_json_length"),
    "json_size": Plain((DOCUMENT, TEXT), BIGINT, "t_json_size"),
    "is_json_scalar": Plain((DOCUMENT,), BOOLEAN, "t_json_is_scalar"),
}.items():
    function(_name)(_plain)


@function("json_array_contains")
def json_array_contains(call: Call) -> Term:
    call.need(DOCUMENT, (*TEXT, *NUMBERS, "boolean"))
    value = call.terms[1]
    kind, type_ = FOUND.get(value.type.kind, ("double", DOUBLE))
    sql = coerce(value.sql, value.type, type_)
    return Term(f"t_json_has_{kind}({call.first.sql}, {sql})", BOOLEAN)
