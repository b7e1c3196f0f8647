"""What an Iceberg table is made of, by the words of a statement: types, partitioning and properties."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from local.engines.athena_errors import QueryError
from local.engines.athena_storage import nested
from local.engines.athena_types import MICROS, Type, listed

if TYPE_CHECKING:
    from pyiceberg.schema import Schema
    from pyiceberg.types import IcebergType

SIMPLE = {
    "boolean": "boolean", "integer": "int", "int": "int", "bigint": "long", "real": "float", "float": "float",
    "double": "double", "varchar": "string", "string": "string", "date": "date", "timestamp": "timestamp",
    "binary": "binary", "varbinary": "binary", "timestamptz": "timestamptz",
}  # fmt: skip
TRANSFORM = re.compile(r"(\w+)\s*\(\s*(?:(\d+)\s*,\s*)?[`\"]?(\w+)[`\"]?\s*(?:,\s*(\d+)\s*)?\)")
TRANSFORMS = {"identity": False, "year": False, "month": False, "day": False, "hour": False, "bucket": True,
              "truncate": True}  # fmt: skip
# what an Athena property is called in Iceberg
PROPERTIES = {"write_compression": "write.parquet.compression-codec"}


@dataclass(frozen=True)
class Definition:
    """A table to be made: its columns with Iceberg's types as texts, and PARTITIONED BY as it is written."""

    columns: Sequence[tuple[str, str]]
    location: str
    partitioning: Sequence[str] = ()
    properties: dict[str, str] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)


def from_type(type_: Type) -> str:
    """A type of Athena's as Hive's grammar writes it for an Iceberg table."""
    if type_.parts:
        return nested(type_, from_type)
    if type_.name == "decimal":
        return f"decimal({type_.precision},{type_.scale})"
    if type_.name.startswith("timestamp"):
        if type_.precision != MICROS:
            text = f'Timestamp precision ({type_.precision}) not supported for Iceberg. Use "timestamp(6)" instead.'
            raise QueryError("NOT_SUPPORTED", text)
        return "timestamptz" if type_.name.endswith("zone") else "timestamp"
    if type_.name not in SIMPLE:
        raise QueryError("NOT_SUPPORTED", f"Type not supported for Iceberg: {type_}")
    return SIMPLE[type_.name]


def iceberg_type(text: str, numbers: Iterator[int]) -> IcebergType:
    """A type as Hive's grammar writes it; `numbers` are the fields' ids."""
    from pyiceberg import types

    text = text.strip().lower()
    name, _, inner = text.partition("<") if "<" in text else text.partition("(")
    if name == "array":
        return types.ListType(next(numbers), iceberg_type(inner[:-1], numbers), False)
    if name == "map":
        key, value = listed(inner[:-1])
        return types.MapType(
            next(numbers), iceberg_type(key, numbers), next(numbers), iceberg_type(value, numbers), False
        )
    if name == "struct":
        parts = [part.partition(":") for part in listed(inner[:-1])]
        return types.StructType(
            *[
                types.NestedField(next(numbers), each.strip(), iceberg_type(of, numbers), required=False)
                for each, _, of in parts
            ]
        )
    if name == "decimal":
        precision, scale = (int(part) for part in (inner[:-1] or "10,0").split(","))
        return types.DecimalType(precision, scale)
    plain = SIMPLE.get(text, text)
    if plain not in SIMPLE.values():
        raise QueryError("NOT_SUPPORTED", f"Type not supported for Iceberg: {text}")
    found: IcebergType = {
        "boolean": types.BooleanType(), "int": types.IntegerType(), "long": types.LongType(),
        "float": types.FloatType(), "double": types.DoubleType(), "string": types.StringType(),
        "date": types.DateType(), "timestamp": types.TimestampType(), "binary": types.BinaryType(),
        "timestamptz": types.TimestamptzType(),
    }[plain]  # fmt: skip
    return found


def column_type(text: str) -> IcebergType:
    """The type of a column that is added or changed; PyIceberg gives fields inside it their ids."""
    return iceberg_type(text, itertools.count(1))


def schema_of(definition: Definition) -> Schema:
    from pyiceberg.schema import Schema
    from pyiceberg.types import NestedField

    told, nested = definition.comments, itertools.count(len(definition.columns) + 1)
    fields = [
        NestedField(i, name, iceberg_type(text, nested), required=False, doc=told.get(name))
        for i, (name, text) in enumerate(definition.columns, 1)
    ]
    return Schema(*fields)


def spec_of(schema: Schema, parts: Sequence[str]) -> Any:
    from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC, PartitionField, PartitionSpec
    from pyiceberg.transforms import parse_transform

    fields = []
    for number, part in enumerate(parts, 1000):
        found = TRANSFORM.fullmatch(part.strip().lower())
        column = found[3] if found else part.strip().strip('`"').lower()
        if column not in schema.column_names:
            raise QueryError("COLUMN_NOT_FOUND", f"Column '{column}' of the partitioning cannot be resolved")
        transform, name, width = "identity", column, None
        if found:
            transform, name, width = found[1], f"{column}_{found[1]}", found[2] or found[4]
        if transform not in TRANSFORMS or bool(width) != TRANSFORMS[transform]:
            raise QueryError("INVALID_TABLE_PROPERTY", f"Invalid partitioning transform: {part}")
        built = parse_transform(f"{transform}[{width}]" if width else transform)
        fields.append(PartitionField(schema.find_field(column).field_id, number, built, name))
    return PartitionSpec(*fields) if fields else UNPARTITIONED_PARTITION_SPEC


def properties(told: dict[str, str]) -> dict[str, str]:
    return {"format-version": "2", "write.parquet.compression-codec": "zstd", **renamed(told)}


def renamed(told: dict[str, str]) -> dict[str, str]:
    """Athena's properties as Iceberg calls them."""
    return {PROPERTIES.get(key, key): value for key, value in told.items()}
