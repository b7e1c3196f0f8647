"""Literals, intervals and the names of types, as a query writes them."""

from __future__ import annotations

import re
from datetime import date, datetime

from sqlglot import exp

from local.engines import athena_zones
from local.engines.athena_errors import QueryError, RefusedError, only
from local.engines.athena_scope import Term
from local.engines.athena_types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DAY_SECOND,
    DOUBLE,
    INTEGER,
    JSON,
    LARGEST_PRECISION,
    MICROS,
    MILLIS,
    REAL,
    TIMESTAMPTZ,
    VARBINARY,
    VARCHAR,
    YEAR_MONTH,
    Type,
    array_of,
    decimal,
    map_of,
    row_of,
)

TYPES = {
    "BOOLEAN": BOOLEAN, "TINYINT": Type("tinyint"), "SMALLINT": Type("smallint"), "INT": INTEGER, "BIGINT": BIGINT,
    "DOUBLE": DOUBLE, "FLOAT": REAL, "DATE": DATE, "JSON": JSON, "VARBINARY": VARBINARY,
}  # fmt: skip
MILLISECONDS = {"SECOND": 1000, "MINUTE": 60_000, "HOUR": 3_600_000, "DAY": 86_400_000}
MONTHS = {"MONTH": 1, "YEAR": 12}
TIMESTAMP_TEXT = re.compile(r"(\d{4}-\d\d-\d\d(?: \d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?)(?: ?(\S+))?")
LARGEST_INTEGER, LARGEST_BIGINT = 2**31 - 1, 2**63 - 1


def sized(precision: int, scale: int) -> Type:
    if not 1 <= precision <= LARGEST_PRECISION:
        words = f"DECIMAL precision must be in range [1, {LARGEST_PRECISION}]: {precision}"
        raise QueryError("INVALID_FUNCTION_ARGUMENT", words)
    if scale > precision:
        words = f"DECIMAL scale must be in range [0, precision ({precision})]: {scale}"
        raise QueryError("INVALID_FUNCTION_ARGUMENT", words)
    return decimal(precision, scale)


def type_of(node: exp.DataType) -> Type:
    if node.this in (exp.DType.ARRAY, exp.DType.MAP, exp.DType.STRUCT):
        return container_of(node)
    name = node.this.name if isinstance(node.this, exp.DType) else ""
    numbers = [int(part.name) for part in node.expressions if isinstance(part, exp.DataTypeParam)]
    if name in TYPES and not numbers:
        return TYPES[name]
    if name == "DECIMAL":
        return sized(*(*numbers, 0)[:2]) if numbers else decimal(LARGEST_PRECISION, 0)
    if name == "VARCHAR":
        return Type("varchar", numbers[0]) if numbers else VARCHAR
    if name in ("TIMESTAMP", "TIMESTAMPTZ"):
        digits = numbers[0] if numbers else MILLIS
        if digits in (0, MILLIS, MICROS):
            return Type("timestamp" if name == "TIMESTAMP" else TIMESTAMPTZ.name, digits)
    raise RefusedError(f"The type {node.sql('trino').lower()}", node=node.parent)


def container_of(node: exp.DataType) -> Type:
    if node.this == exp.DType.STRUCT:
        return row_of(*map(field_of, node.expressions))
    parts = [type_of(part) for part in node.expressions]
    if len(parts) != (1 if node.this == exp.DType.ARRAY else 2):
        raise RefusedError(f"The type {node.sql('trino').lower()}", node=node.parent)
    return array_of(parts[0]) if node.this == exp.DType.ARRAY else map_of(*parts)


def field_of(node: exp.DataType | exp.ColumnDef) -> tuple[str | None, Type]:
    if not isinstance(node, exp.ColumnDef):
        return None, type_of(node)
    if not re.fullmatch(r"\w[\w $-]*", node.name):
        raise RefusedError(f"A row's field named '{node.name}'", "Use letters, digits and underscores.", node)
    return node.name.lower(), type_of(node.args["kind"])


def literal(node: exp.Literal) -> Term:
    text = str(node.this)
    if node.is_string:
        if "\0" in text:
            raise RefusedError("A text with the character U+0000", node=node)
        quoted = text.replace("'", "''")
        return Term(f"'{quoted}'::VARCHAR", Type("varchar", len(text)))
    return number(text, node)


def number(text: str, node: exp.Expr) -> Term:
    if "e" in text.lower():
        return Term(f"{text}::DOUBLE", DOUBLE)
    whole, point, fraction = text.partition(".")
    whole = whole.lstrip("0")
    if point:
        type_ = decimal(max(1, len(whole) + len(fraction)), len(fraction))
        if len(whole) + len(fraction) > 38:
            raise QueryError("NUMERIC_VALUE_OUT_OF_RANGE", f"Value too large for decimal: {text}", node)
        return Term(f"CAST('{text}' AS {type_.duckdb})", type_)
    if not text.isdigit() or int(text) > LARGEST_BIGINT:
        raise QueryError("INVALID_LITERAL", f"Invalid numeric literal: {text}", node)
    type_ = INTEGER if int(text) <= LARGEST_INTEGER else BIGINT
    return Term(f"{int(text)}::{type_.duckdb}", type_)


def typed_literal(node: exp.Expr, target: Type) -> Term:
    """`DATE '2024-01-01'` and its like: read here, so that a wrong one has its place in the error."""
    text = str(node.this.this)
    try:
        if target.name == "decimal" and re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", text):
            return Term(f"CAST('{text}' AS {target.duckdb})", target)
        if target.name == "json":
            quoted = text.replace("'", "''")
            return Term(f"t_json_parse('{quoted}')", target)
        if target.name == "date" and re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return Term(f"DATE '{date.fromisoformat(text)}'", target)
        if target.name.startswith("timestamp") and (parts := TIMESTAMP_TEXT.fullmatch(text)):
            return moment_literal(datetime.fromisoformat(parts[1]), parts[2], target, node)
    except ValueError as error:
        if text.startswith("0000"):
            raise RefusedError(f"The year 0 of '{text}'", "Write a later year.", node) from error
        raise QueryError("INVALID_LITERAL", f"'{text}' is not a valid {target} literal", node) from error
    raise RefusedError(f"The literal {target} '{text}'", "Write it as yyyy-mm-dd hh:mm:ss.fff.", node)


def moment_literal(naive: datetime, zone: str | None, target: Type, node: exp.Expr) -> Term:
    if zone is None:
        return Term(f"{target.duckdb} '{naive}'", target)
    type_ = Type(TIMESTAMPTZ.name, target.precision, zone=athena_zones.named(zone, node))
    return Term(f"{type_.duckdb} '{athena_zones.read(naive, type_.zone, node)}'", type_)


def interval(node: exp.Interval) -> Term:
    """Milliseconds, or months: what Trino's intervals are made of."""
    only(node, "this", "unit")
    count, sign = node.this, 1
    if isinstance(count, exp.Neg):
        count, sign = count.this, -1
    unit, text = node.args["unit"].sql().upper(), count.name if isinstance(count, exp.Literal) else ""
    if unit == "YEAR TO MONTH" and (parts := re.fullmatch(r"(-?)(\d+)-(\d+)", text)):
        months = (int(parts[2]) * 12 + int(parts[3])) * (-sign if parts[1] else sign)
        return Term(f"{months}::INTEGER", YEAR_MONTH)
    if not re.fullmatch(r"-?\d+", text) or unit not in MILLISECONDS | MONTHS:
        raise RefusedError(f"The interval '{node.sql('trino')}'", "Write a whole number of one unit.", node)
    if unit in MONTHS:
        return Term(f"{sign * int(text) * MONTHS[unit]}::INTEGER", YEAR_MONTH)
    return Term(f"{sign * int(text) * MILLISECONDS[unit]}::BIGINT", DAY_SECOND)
