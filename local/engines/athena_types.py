"""The types of Athena's SQL: their names, what two of them have in common, and the DuckDB type that holds each."""

from __future__ import annotations

import re
from dataclasses import dataclass

from local.engines.athena_quoting import identifier

INTEGERS = ("tinyint", "smallint", "integer", "bigint")
DIGITS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
LARGEST_PRECISION = 38
MILLIS, MICROS = 3, 6
HIVE_NAMES = {"string": "varchar", "int": "integer", "float": "real", "long": "bigint"}
DUCKDB_NAMES = {
    "boolean": "BOOLEAN", "tinyint": "TINYINT", "smallint": "SMALLINT", "integer": "INTEGER", "bigint": "BIGINT",
    "real": "FLOAT", "double": "DOUBLE", "varchar": "VARCHAR", "date": "DATE", "timestamp": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMPTZ", "unknown": "INTEGER", "json": "VARCHAR", "varbinary": "BLOB",
    "interval day to second": "BIGINT", "interval year to month": "INTEGER",
}  # fmt: skip
VARIOUS = "various"  # the zone of values that need not have the same one


@dataclass(frozen=True)
class Type:
    """A type as Athena has it; `precision` is also a varchar's length and a timestamp's digits of a second.

    A map has key and value, a row fields, and a timestamp with time zone the zone of its values, None for UTC."""

    name: str
    precision: int | None = None
    scale: int | None = None
    element: Type | None = None
    key: Type | None = None
    value: Type | None = None
    fields: tuple[tuple[str | None, Type], ...] = ()
    zone: str | None = None

    def __str__(self) -> str:
        if self.name == "array":
            return f"array({self.element})"
        if self.key is not None:
            return f"map({self.key}, {self.value})"
        if self.fields:
            return f"row({', '.join(f'{name} {type_}' if name else str(type_) for name, type_ in self.fields)})"
        if self.name == "decimal":
            return f"decimal({self.precision},{self.scale})"
        if self.name.startswith("timestamp") and self.precision is not None:
            return self.name.replace("timestamp", f"timestamp({self.precision})")
        return self.name if self.precision is None else f"{self.name}({self.precision})"

    @property
    def kind(self) -> str:
        """The name that operators and casts go by: all whole numbers are `integer`."""
        return "integer" if self.name in INTEGERS else self.name

    @property
    def runs(self) -> bool:
        """Whether the laptop computes with values of this type."""
        if self.parts:
            return all(part.runs for part in self.parts)
        return self.name in DUCKDB_NAMES or self.name == "decimal"

    @property
    def printable(self) -> bool:
        """Whether it is known how Athena writes a value of this type."""
        if self.parts:
            return (self.key is None or not self.key.parts) and all(part.printable for part in self.parts)
        if self.zone == VARIOUS:
            return False
        return self.runs and not (self.name.startswith("timestamp") and self.precision == 0)

    @property
    def parts(self) -> tuple[Type, ...]:
        """The types inside this one."""
        return tuple(
            part for part in (self.element, self.key, self.value, *(type_ for _, type_ in self.fields)) if part
        )

    @property
    def members(self) -> tuple[tuple[str, Type], ...]:
        """A row's fields with the names that the engine and a printed row have for them."""
        return tuple((name or f"field{i}", type_) for i, (name, type_) in enumerate(self.fields))

    @property
    def duckdb(self) -> str:
        if self.element is not None:
            return f"{self.element.duckdb}[]"
        if self.key is not None and self.value is not None:
            return f"MAP({self.key.duckdb}, {self.value.duckdb})"
        if self.fields:
            return f"STRUCT({', '.join(f'{identifier(name)} {type_.duckdb}' for name, type_ in self.members)})"
        if self.name == "decimal":
            return f"DECIMAL({self.precision},{self.scale})"
        return DUCKDB_NAMES[self.name]

    @property
    def integral(self) -> int:
        """How many digits a decimal has before its point."""
        return (self.precision or 0) - (self.scale or 0)


BOOLEAN, INTEGER, BIGINT, REAL, DOUBLE = (Type(name) for name in ("boolean", "integer", "bigint", "real", "double"))
VARCHAR, DATE, UNKNOWN = Type("varchar"), Type("date"), Type("unknown")
TIMESTAMP, TIMESTAMPTZ = Type("timestamp", MILLIS), Type("timestamp with time zone", MILLIS)
JSON, VARBINARY = Type("json"), Type("varbinary")
DAY_SECOND, YEAR_MONTH = Type("interval day to second"), Type("interval year to month")


def array_of(element: Type) -> Type:
    return Type("array", element=element)


def map_of(key: Type, value: Type) -> Type:
    return Type("map", key=key, value=value)


def row_of(*fields: tuple[str | None, Type]) -> Type:
    return Type("row", fields=fields)


def decimal(precision: int, scale: int) -> Type:
    return Type("decimal", min(LARGEST_PRECISION, precision), scale)


def as_decimal(type_: Type) -> Type:
    return type_ if type_.name == "decimal" else decimal(DIGITS[type_.name], 0)


def common(left: Type, right: Type) -> Type | None:
    """The type that Athena takes both to without a cast, or none."""
    if left == right or right.name == "unknown":
        return left
    if left.name == "unknown":
        return right
    kinds = {left.kind, right.kind}
    if left.name == right.name and left.parts and right.parts:
        return _common_container(left, right)
    if kinds == {"integer"}:
        return max(left, right, key=lambda type_: INTEGERS.index(type_.name))
    if kinds <= {"integer", "decimal"}:
        ours, theirs = as_decimal(left), as_decimal(right)
        scale = max(ours.scale or 0, theirs.scale or 0)
        return decimal(max(ours.integral, theirs.integral) + scale, scale)
    if kinds <= {"integer", "decimal", "real", "double"}:
        return DOUBLE if "double" in kinds else REAL
    if kinds == {"varchar"}:
        return Type("varchar", _longer(left.precision, right.precision))
    return _common_time(left, right, kinds)


def _common_container(left: Type, right: Type) -> Type | None:
    if len(left.parts) != len(right.parts):
        return None
    parts = [common(ours, theirs) for ours, theirs in zip(left.parts, right.parts, strict=True)]
    found = [part for part in parts if part is not None]
    if len(found) < len(parts):
        return None
    if left.name == "row":
        names = [ours if ours == theirs else None for (ours, _), (theirs, _) in zip(left.fields, right.fields)]  # noqa: B905
        return row_of(*zip(names, found, strict=True))
    return array_of(found[0]) if left.name == "array" else map_of(*found)


def _common_time(left: Type, right: Type, kinds: set[str]) -> Type | None:
    if not kinds <= {"date", "timestamp", "timestamp with time zone"}:
        return None
    name = max(kinds, key=len)
    zones = {type_.zone if type_.name == name else None for type_ in (left, right)}
    precision = max(type_.precision or 0 for type_ in (left, right))
    return Type(name, precision, zone=zones.pop() if len(zones) == 1 else VARIOUS)


def nameless(type_: Type) -> Type:
    """The type without the names of rows' fields, in whatever depth."""
    if type_.name == "array" and type_.element is not None:
        return array_of(nameless(type_.element))
    if type_.key is not None and type_.value is not None:
        return map_of(nameless(type_.key), nameless(type_.value))
    return row_of(*((None, nameless(each)) for _, each in type_.fields)) if type_.fields else type_


def _longer(left: int | None, right: int | None) -> int | None:
    return None if left is None or right is None else max(left, right)


def from_hive(text: str) -> Type:
    """A type as the Glue catalog names it; one that the laptop does not compute with keeps its name."""
    text = text.strip().lower()
    name, _, inner = text.partition("<") if "<" in text else text.partition("(")
    inner = inner[:-1]
    if name == "array":
        return array_of(from_hive(inner))
    if name == "map":
        return map_of(*(from_hive(part) for part in listed(inner)))
    if name == "struct":
        pairs = (part.partition(":") for part in listed(inner))
        return row_of(*((field.strip(), from_hive(type_)) for field, _, type_ in pairs))
    if name == "decimal":
        precision, scale = (int(part) for part in (f"{inner},0" if inner else "10,0").split(",")[:2])
        return Type("decimal", precision, scale)
    if name == "timestamp":
        return TIMESTAMP
    if name == "varchar" and inner:
        return Type("varchar", int(inner))
    return Type({"binary": "varbinary"}.get(text, HIVE_NAMES.get(text, text)))


def listed(text: str) -> list[str]:
    """The parts between commas that stand in no bracket."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "<(") - (letter in ">)")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def from_iceberg(found: object) -> Type:
    """A type as an Iceberg schema names it: its timestamps have microseconds."""
    if isinstance(found, dict):
        match found.get("type"):
            case "list":
                return array_of(from_iceberg(found["element"]))
            case "map":
                return map_of(from_iceberg(found["key"]), from_iceberg(found["value"]))
            case "struct":
                return row_of(*((field["name"].lower(), from_iceberg(field["type"])) for field in found["fields"]))
        return Type(str(found.get("type")))
    text = str(found)
    if numbers := re.fullmatch(r"decimal\((\d+), *(\d+)\)", text):
        return Type("decimal", int(numbers[1]), int(numbers[2]))
    if text == "timestamptz":
        return Type("timestamp with time zone", MICROS)
    if text == "binary":
        return VARBINARY
    return Type("timestamp", MICROS) if text == "timestamp" else Type(HIVE_NAMES.get(text, text))
