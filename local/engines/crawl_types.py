"""Types as Glue's catalog writes them, from Arrow's and JDBC's, and one schema out of many files' schemas."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

PLAIN = {
    pa.int8(): "tinyint",
    pa.int16(): "smallint",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.uint8(): "smallint",
    pa.uint16(): "int",
    pa.uint32(): "bigint",
    pa.uint64(): "decimal(20,0)",
    pa.float16(): "float",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.date32(): "date",
    pa.date64(): "date",
}
AVRO = {
    "boolean": pa.bool_(),
    "int": pa.int32(),
    "long": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "bytes": pa.binary(),
    "fixed": pa.binary(),
    "null": pa.null(),
}
AVRO_LOGICAL = {
    "date": pa.date32(),
    "timestamp-millis": pa.timestamp("ms"),
    "timestamp-micros": pa.timestamp("us"),
    "local-timestamp-millis": pa.timestamp("ms"),
    "local-timestamp-micros": pa.timestamp("us"),
}
JDBC = {
    "BIT": "boolean",
    "BOOLEAN": "boolean",
    "TINYINT": "tinyint",
    "SMALLINT": "smallint",
    "INTEGER": "int",
    "BIGINT": "bigint",
    "REAL": "float",
    "FLOAT": "double",
    "DOUBLE": "double",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_WITH_TIMEZONE": "timestamp",
    "BINARY": "binary",
    "VARBINARY": "binary",
    "LONGVARBINARY": "binary",
    "BLOB": "binary",
    "ARRAY": "array<string>",
}
LARGEST_DECIMAL, UNBOUNDED_DECIMAL = 38, "decimal(38,18)"


def hive(type_: pa.DataType) -> str:
    """An Arrow type as the catalog writes it."""
    if type_ in PLAIN:
        return PLAIN[type_]
    if pa.types.is_timestamp(type_):
        return "timestamp"
    if pa.types.is_decimal(type_):
        return f"decimal({type_.precision},{type_.scale})"
    if pa.types.is_binary(type_) or pa.types.is_large_binary(type_) or pa.types.is_fixed_size_binary(type_):
        return "binary"
    if pa.types.is_struct(type_):
        return f"struct<{','.join(f'{field.name.lower()}:{hive(field.type)}' for field in type_)}>"
    if pa.types.is_map(type_):
        return f"map<{hive(type_.key_type)},{hive(type_.item_type)}>"
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        return f"array<{hive(type_.value_type)}>"
    return "string"


def arrow_of_avro(schema: Any, known: dict[str, Any]) -> pa.DataType:
    """An Avro type; `known` collects named types, which a schema may name again."""
    if isinstance(schema, list):
        kinds = [each for each in schema if each != "null"]
        return arrow_of_avro(kinds[0], known) if len(kinds) == 1 else pa.string()
    if isinstance(schema, str):
        return arrow_of_avro(known[schema], known) if schema in known else AVRO.get(schema, pa.string())
    kind = schema["type"]
    if "name" in schema:
        known[schema["name"]] = schema
    if schema.get("logicalType") in AVRO_LOGICAL:
        return AVRO_LOGICAL[schema["logicalType"]]
    if schema.get("logicalType") == "decimal":
        return pa.decimal128(schema["precision"], schema.get("scale", 0))
    if kind in ("record", "error"):
        return pa.struct([(field["name"], arrow_of_avro(field["type"], known)) for field in schema["fields"]])
    if kind == "array":
        return pa.list_(arrow_of_avro(schema["items"], known))
    if kind == "map":
        return pa.map_(pa.string(), arrow_of_avro(schema["values"], known))
    return arrow_of_avro(kind, known)


def hive_of_jdbc(kind: str, native: str, precision: int, scale: int) -> str:
    """A column's type from JDBC: `kind` is the name in java.sql.Types, `native` the database's own."""
    if kind in ("NUMERIC", "DECIMAL"):
        if precision > LARGEST_DECIMAL or precision <= 0 or not 0 <= scale <= precision:
            return UNBOUNDED_DECIMAL
        return f"decimal({precision},{scale})"
    if kind == "BIT" and precision > 1 and "bool" not in native.lower():
        return "binary"  # a field of several bits
    return JDBC.get(kind, "string")


def merged(schemas: Sequence[pa.Schema]) -> pa.Schema:
    """Every column of every file once, in a type that holds them all: text where nothing else does."""
    kinds: dict[str, list[pa.DataType]] = {}
    for schema in schemas:
        for field in schema:
            kinds.setdefault(field.name.lower(), []).append(field.type)
    return pa.schema([(name, _common(types)) for name, types in kinds.items()])


def _common(types: Sequence[pa.DataType]) -> pa.DataType:
    parts = [pa.schema([("it", each)]) for each in types]
    try:
        return pa.unify_schemas(parts, promote_options="permissive").field("it").type
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return pa.string()


def catalog_name(*parts: str) -> str:
    """A table's name: lower case, with _ for what a name cannot hold."""
    return re.sub(r"[^a-z0-9_]", "_", "_".join(parts).lower())
