"""Numbers that leave their type, as Trino's operators and casts tell of them."""

from __future__ import annotations

import re

from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_results import java_double

NAMES = {"INT8": "tinyint", "INT16": "smallint", "INT32": "integer", "INT64": "bigint"}
OPERATION = re.compile(r"Overflow in (addition|subtraction|multiplication|negation) of (INT\d+) \((.*)\)!")
CAST = re.compile(r"Type (\w+) with value (\S+) can't be cast because the value is out of range for .* type (INT\d+)")

NARROWED = (
    re.compile(r'Casting value "(\S+)" to type (DECIMAL\(\d+,\d+\)) failed'),
    re.compile(r'(?:Could not convert string "|Could not cast value )([^\s"]+)"? to (DECIMAL\(\d+,\d+\))'),
    re.compile(r"Failed to cast decimal value (\S+) to type (INT\d+)"),
)


def overflow(text: str) -> QueryError | None:
    """The error behind DuckDB's text, or none."""
    if (found := OPERATION.search(text)) and found[2] in NAMES:
        return _out_of_range(f"{NAMES[found[2]]} {found[1]} overflow: {found[3]}")
    if "Overflow in multiplication of INT128" in text or "Overflow in HUGEINT addition" in text:
        advice = "Cast to fewer digits, or run this query on AWS."
        return RefusedError("A decimal of more digits on its way to the result than DuckDB holds", advice)
    if "Overflow" in text and "DECIMAL" in text:
        return _out_of_range("Decimal overflow")
    if narrowed := next((found for pattern in NARROWED if (found := pattern.search(text))), None):
        name = NAMES.get(narrowed[2], "").upper() or narrowed[2].replace(",", ", ")
        return QueryError("INVALID_CAST_ARGUMENT", f"Cannot cast '{narrowed[1]}' to {name}")
    found = CAST.search(text)
    if found is None or found[3] not in NAMES:
        return None
    source, value, name = found[1], found[2], NAMES[found[3]]
    if source == "INT128":  # only a sum comes from there
        return _out_of_range(f"{name} addition overflow: {value}")
    if source in ("DOUBLE", "FLOAT"):
        value = java_double(float(value))
        if source == "FLOAT" or name == "bigint" or value in ("NaN", "Infinity", "-Infinity"):
            return QueryError("INVALID_CAST_ARGUMENT", f"Unable to cast {value} to {name}")
    return _out_of_range(f"Out of range for {name}: {value}")


def _out_of_range(text: str) -> QueryError:
    return QueryError("NUMERIC_VALUE_OUT_OF_RANGE", text)
