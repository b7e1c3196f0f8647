"""The types of Athena's SQL: their names, what two of them have in common, and the DuckDB type that holds each."""

from __future__ import annotations

import re
from dataclasses import dataclass

INTEGERS = ("tinyint", "smallint", "integer", "bigint")
DIGITS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
LARGEST_PRECISION = 38
MILLIS, MICROS = 3, 6
HIVE_NAMES = {"string": "varchar", "int": "integer", "float": "real", "long": "bigint"}
DUCKDB_NAMES = {
    "boolean": "BOOLEAN", "tinyint": "TINYINT", "smallint": "SMALLINT", "integer": "INTEGER", "bigint": "BIGINT",
    "real": "FLOAT", "double": "DOUBLE", "varchar": "VARCHAR", "date": "DATE", "timestamp": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMPTZ", "unknown": "INTEGER",
}  # fmt: skip


@dataclass(frozen=True)
class Type:
    """A type as Athena has it; `precision` is also a varchar's length and a timestamp's digits of a second."""

    name: str
    precision: int | None = None
    scale: int | None = None
    element: Type | None = None

    def __str__(self) -> str:
        if self.name == "array":
            return f"array({self.element})"
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
        return self.element.runs if self.element else self.name in DUCKDB_NAMES or self.name == "decimal"

    @property
    def duckdb(self) -> str:
        if self.name == "array":
            assert self.element is not None
            return f"{self.element.duckdb}[]"
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
    if left.name == right.name == "array":
        return _common_array(left, right)
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


def _common_array(left: Type, right: Type) -> Type | None:
    element = common(left.element or UNKNOWN, right.element or UNKNOWN)
    return Type("array", element=element) if element else None


def _common_time(left: Type, right: Type, kinds: set[str]) -> Type | None:
    if not kinds <= {"date", "timestamp", "timestamp with time zone"}:
        return None
    name = max(kinds, key=len)
    return Type(name, max(type_.precision or 0 for type_ in (left, right)))


def _longer(left: int | None, right: int | None) -> int | None:
    return None if left is None or right is None else max(left, right)


def from_hive(text: str) -> Type:
    """A type as the Glue catalog names it; one that the laptop does not compute with keeps its name."""
    text = text.strip().lower()
    name, _, inner = text.partition("<") if "<" in text else text.partition("(")
    inner = inner[:-1]
    if name == "array":
        return Type("array", element=from_hive(inner))
    if name == "decimal":
        precision, scale = (int(part) for part in (f"{inner},0" if inner else "10,0").split(",")[:2])
        return Type("decimal", precision, scale)
    if name == "timestamp":
        return TIMESTAMP
    if name == "varchar" and inner:
        return Type("varchar", int(inner))
    return Type(HIVE_NAMES.get(text, text))


def from_iceberg(found: object) -> Type:
    """A type as an Iceberg schema names it: its timestamps have microseconds."""
    if isinstance(found, dict):
        if found.get("type") == "list":
            return Type("array", element=from_iceberg(found["element"]))
        return Type(str(found.get("type")))
    text = str(found)
    if numbers := re.fullmatch(r"decimal\((\d+), *(\d+)\)", text):
        return Type("decimal", int(numbers[1]), int(numbers[2]))
    if text == "timestamptz":
        return Type("timestamp with time zone", MICROS)
    return Type("timestamp", MICROS) if text == "timestamp" else Type(HIVE_NAMES.get(text, text))
