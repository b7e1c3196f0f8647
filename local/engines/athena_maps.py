"""Functions of maps."""

from __future__ import annotations

from local.engines.athena_arrays import PLAIN
from local.engines.athena_errors import RefusedError
from local.engines.athena_functions import ANY_ARRAY, ANY_MAP, Call, function
from local.engines.athena_quoting import identifier
from local.engines.athena_scope import Term
from local.engines.athena_types import UNKNOWN, array_of, common, map_of, row_of

# the words around a key that is there twice
TWICE = "'INVALID_FUNCTION_ARGUMENT: Duplicate keys (', ') are not allowed'"
TWICE_IN_MAP = TWICE.replace("keys", "map keys")


@function("map")
def map_(call: Call) -> Term:
    if not call.terms:
        return Term("CAST(map([], []) AS MAP(INTEGER, INTEGER))", map_of(UNKNOWN, UNKNOWN))
    call.need(ANY_ARRAY, ANY_ARRAY)
    keys, values = call.terms
    assert keys.type.element is not None
    assert values.type.element is not None
    if keys.type.element.kind not in PLAIN:
        raise RefusedError(f"A map with keys of {keys.type.element}", node=call.node)
    return Term(f"t_map({keys.sql}, {values.sql}, {TWICE_IN_MAP})", map_of(keys.type.element, values.type.element))


@function("map_keys", "map_values")
def parts(call: Call) -> Term:
    call.need(ANY_MAP)
    type_ = call.first.type.key if call.name == "map_keys" else call.first.type.value
    assert type_ is not None
    return Term(f"{call.name}({call.first.sql})", array_of(type_))


@function("map_entries")
def map_entries(call: Call) -> Term:
    call.need(ANY_MAP)
    entry = row_of(*((None, part) for part in call.first.type.parts))
    pair = "struct_pack(field0 := x.key, field1 := x.value)"
    return Term(f"list_transform(t_entries({call.first.sql}), lambda x: {pair})", array_of(entry))


@function("map_from_entries", "multimap_from_entries")
def map_from_entries(call: Call) -> Term:
    call.need(ANY_ARRAY)
    entry = call.first.type.element
    if entry is None or len(entry.fields) != 2:
        raise call.wrong()
    (key, key_type), (value, value_type) = entry.members
    if key_type.kind not in PLAIN:
        raise RefusedError(f"A map with keys of {key_type}", node=call.node)
    entries = f"t_whole_entries({call.first.sql})"
    keys, values = (f"list_transform({entries}, lambda x: x.{identifier(name)})" for name in (key, value))
    if call.name == "map_from_entries":
        return Term(f"t_map({keys}, {values}, {TWICE})", map_of(key_type, value_type))
    pairs = f"list_transform({entries}, lambda x: struct_pack(k := x.{identifier(key)}, v := x.{identifier(value)}))"
    return Term(f"t_multimap({pairs})", map_of(key_type, array_of(value_type)))


@function("map_concat")
def map_concat(call: Call) -> Term:
    if len(call.terms) < 2:
        raise call.wrong()
    call.need(*(ANY_MAP for _ in call.terms))
    if len({term.type.duckdb for term in call.terms}) > 1:
        raise RefusedError("map_concat of maps of several types", "Cast them to one.", call.node)
    shared = call.first.type
    for term in call.terms[1:]:
        shared = common(shared, term.type) or shared
    missing = " OR ".join(f"{term.sql} IS NULL" for term in call.terms)
    return Term(
        f"CASE WHEN {missing} THEN NULL ELSE map_concat({', '.join(term.sql for term in call.terms)}) END", shared
    )
