"""Values of Avro and Parquet files as the catalog's types: a file must hold the same, or something narrower."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

from local.engines.athena_casts import cast
from local.engines.athena_container_casts import depth
from local.engines.athena_errors import QueryError
from local.engines.athena_quoting import identifier, text
from local.engines.athena_scope import TableColumn
from local.engines.athena_types import MICROS, Type

NARROWER = {
    "SMALLINT": ("TINYINT",),
    "INTEGER": ("TINYINT", "SMALLINT"),
    "BIGINT": ("TINYINT", "SMALLINT", "INTEGER"),
    "DOUBLE": ("FLOAT",),
}
MOMENTS = ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
NANOS = "TIMESTAMP_NS"
Held = tuple[str, str]  # a column of a file: its name and DuckDB's type


def from_file(column: TableColumn, held: Mapping[str, Held], file: str) -> str:
    """A column of a file as the catalog's type; what the file does not have is NULL."""
    if not column.type.runs:
        return "NULL"
    if column.name not in held:
        return f"CAST(NULL AS {column.type.duckdb})"
    name, found = held[column.name]
    made = value(identifier(name), duckdb.sqltype(found), column.type) if known(found) else None
    if made is not None:
        return f"CAST({made} AS {column.type.duckdb})"
    if column.type.parts:
        return unread(column, f"{found} in file {file}")
    told = f"Field {column.name}'s type {found} in file {file} is incompatible with type {column.type}"
    raise QueryError("HIVE_BAD_DATA", f"{told} defined in table schema")


def known(held: str) -> bool:
    """Whether DuckDB can name the type again that it has described: an enumeration's values may hold anything."""
    return not held.startswith("ENUM")


def unread(column: TableColumn, held: str) -> str:
    """A column that fails the query which reads it, and no other."""
    told = f"NOT_SUPPORTED: Column {column.name} of type {column.type} is not read from {held} on the laptop"
    return f"CAST(error({text(told)}) AS {column.type.duckdb})"


def value(sql: str, held: Any, type_: Type) -> str | None:
    """A value that a file holds as a type of DuckDB's; None if the laptop does not read the one as the other."""
    if type_.parts:
        return container(sql, held, type_)
    if type_.name == "timestamp" and str(held) == NANOS:  # down to microseconds, whatever the sign
        sql, held = f"make_timestamp((epoch_ns({sql}) - (epoch_ns({sql}) % 1000 + 1000) % 1000) // 1000)", MOMENTS[0]
    if type_.name == "timestamp" and str(held) in MOMENTS:
        return cast(f"CAST({sql} AS TIMESTAMP)", Type("timestamp", MICROS), type_)
    if str(held) == type_.duckdb:
        return sql
    return f"CAST({sql} AS {type_.duckdb})" if str(held) in NARROWER.get(type_.duckdb, ()) else None


def container(sql: str, held: Any, type_: Type) -> str | None:
    """Part by part: fields by their names, whose case does not count; one that the file lacks is NULL."""
    each = f"e{depth(type_)}"
    if held.id == "list" and type_.element is not None:
        element = value(each, dict(held.children)["child"], type_.element)
        return sql if element == each else element and f"list_transform({sql}, lambda {each}: {element})"
    if held.id == "map" and type_.key is not None and type_.value is not None:
        parts = dict(held.children)
        key, found = (
            value(f"{each}.{name}", parts[name], part) for name, part in (("key", type_.key), ("value", type_.value))
        )
        if key is None or found is None:
            return None
        if (key, found) == (f"{each}.key", f"{each}.value"):
            return sql
        entries = f"list_transform(map_entries({sql}), lambda {each}: struct_pack(k := {key}, v := {found}))"
        return f"CASE WHEN {sql} IS NULL THEN NULL ELSE map_from_entries({entries}) END"
    return row(sql, held, type_) if held.id == "struct" and type_.fields else None


def row(sql: str, held: Any, type_: Type) -> str | None:
    there = {name.lower(): (name, part) for name, part in held.children}
    made = []
    for name, part in type_.members:
        if name not in there:
            found: str | None = f"CAST(NULL AS {part.duckdb})"
        else:
            found = value(f"struct_extract({sql}, {text(there[name][0])})", there[name][1], part)
        if found is None:
            return None
        made.append(f"{identifier(name)} := {found}")
    return f"CASE WHEN {sql} IS NULL THEN NULL ELSE struct_pack({', '.join(made)}) END"
