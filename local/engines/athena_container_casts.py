"""Casts of arrays, maps and rows, part by part, and casts from and to json."""

from __future__ import annotations

from local.engines.athena_casts import CASTS, cast
from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_quoting import identifier, text
from local.engines.athena_types import Type


def container(sql: str, source: Type, target: Type, safe: bool) -> str:
    """An array, a map or a row, part by part."""
    if len(source.parts) != len(target.parts):
        raise QueryError("TYPE_MISMATCH", f"Cannot cast {source} to {target}")
    if safe:
        raise RefusedError(f"TRY_CAST from {source} to {target}")
    if source.duckdb == target.duckdb and all(map(_same, source.parts, target.parts)):
        return sql
    each = f"e{depth(source)}"
    if source.element is not None and target.element is not None:
        return f"list_transform({sql}, lambda {each}: {_part(each, source.element, target.element)})"
    if source.key is not None:
        return _map(sql, source, target)
    parts = (
        f"{identifier(name)} := {_part(f'struct_extract({sql}, {text(old)})', was, will)}"
        for (old, was), (name, will) in zip(source.members, target.members, strict=True)
    )
    return f"CASE WHEN {sql} IS NULL THEN NULL ELSE struct_pack({', '.join(parts)}) END"


def _map(sql: str, source: Type, target: Type) -> str:
    each = f"e{depth(source)}"
    (key, value), (new_key, new_value) = source.parts, target.parts
    made = f"struct_pack(k := {_part(f'{each}.key', key, new_key)}, v := {_part(f'{each}.value', value, new_value)})"
    entries = f"list_transform(map_entries({sql}), lambda {each}: {made})"
    return f"CASE WHEN {sql} IS NULL THEN NULL ELSE map_from_entries({entries}) END"


def depth(type_: Type) -> int:
    return 1 + max((depth(part) for part in type_.parts), default=0)


def _same(source: Type, target: Type) -> bool:
    return source == target or (source.kind == target.kind == "varchar" and target.precision is None)


def _part(sql: str, source: Type, target: Type) -> str:
    return sql if _same(source, target) else cast(sql, source, target)


def text_to_json(sql: str, source: Type, target: Type, safe: bool) -> str:
    return f"CAST(to_json({sql}) AS VARCHAR)"


def plain_to_json(sql: str, source: Type, target: Type, safe: bool) -> str:
    return f"CAST({sql} AS VARCHAR)"


def container_to_json(sql: str, source: Type, target: Type, safe: bool) -> str:
    """Arrays, and maps in the order of their keys; a row is an array or an object, by the version of Trino."""
    each = f"e{depth(source)}"
    if source.element is not None:
        items = f"list_transform({sql}, lambda {each}: {_json(each, source.element, target)})"
        return f"'[' || array_to_string({items}, ',') || ']'"
    if source.key is not None and source.value is not None:
        if source.key.kind != "varchar":
            raise RefusedError(f"CAST from {source} to json", "Use a map with keys of type varchar.")
        pair = f"to_json({each}.key) || ':' || {_json(f'{each}.value', source.value, target)}"
        ordered = f"list_sort(map_entries({sql}))"
        return f"'{{' || array_to_string(list_transform({ordered}, lambda {each}: {pair}), ',') || '}}'"
    raise RefusedError(f"CAST from {source} to json")


def _json(sql: str, source: Type, target: Type) -> str:
    return "'null'" if source.name == "unknown" else f"coalesce({cast(sql, source, target)}, 'null')"


def from_json(sql: str, source: Type, target: Type, safe: bool) -> str:
    if safe or (target.precision is not None and target.name == "varchar"):
        raise RefusedError(f"{'TRY_CAST' if safe else 'CAST'} from json to {target}")
    return f"CAST(t_from_json({sql}, '{target.name}') AS {target.duckdb})"


def json_to_container(sql: str, source: Type, target: Type, safe: bool) -> str:
    """Each element, value or field out of the document, cast on its own."""
    if safe:
        raise RefusedError(f"TRY_CAST from {source} to {target}")
    each = f"e{depth(target)}"
    if target.element is not None:
        return f"list_transform(t_json_items({sql}), lambda {each}: {_part(each, source, target.element)})"
    if target.key is not None and target.value is not None:
        if target.key != Type("varchar"):
            raise RefusedError(f"CAST from json to {target}", "Use a map with keys of type varchar.")
        entry = f"struct_pack(k := {each}.k, v := {_part(f'{each}.v', source, target.value)})"
        pairs = f"t_json_pairs({sql})"
        made = f"map_from_entries(list_transform({pairs}, lambda {each}: {entry}))"
        return f"CASE WHEN {pairs} IS NULL THEN NULL ELSE {made} END"
    if not all(name for name, _ in target.fields):
        raise RefusedError(f"CAST from json to {target}", "Give the fields names.")
    fields = (f"{identifier(name)} := {_part(f't_json_member({sql}, {text(name)})', source, type_)}"
              for name, type_ in target.members)  # fmt: skip
    return f"CASE WHEN {sql} IS NULL OR {sql} = 'null' THEN NULL ELSE struct_pack({', '.join(fields)}) END"


CASTS.update(
    {
        ("array", "array"): container,
        ("map", "map"): container,
        ("row", "row"): container,
        ("varchar", "json"): text_to_json,
        ("integer", "json"): plain_to_json,
        ("boolean", "json"): plain_to_json,
        ("array", "json"): container_to_json,
        ("map", "json"): container_to_json,
        ("json", "array"): json_to_container,
        ("json", "map"): json_to_container,
        ("json", "row"): json_to_container,
        ("json", "varchar"): from_json,
        ("json", "integer"): from_json,
        ("json", "double"): from_json,
        ("json", "boolean"): from_json,
    }
)
