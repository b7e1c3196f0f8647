"""Literals, intervals and the names of types, as a query writes them."""

from __future__ import annotations

import re
from datetime import date, datetime

from sqlglot import exp

from local.engines.athena_errors import QueryError, RefusedError, only
from local.engines.athena_scope import Term
from local.engines.athena_types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    MICROS,
    MILLIS,
    TIMESTAMPTZ,
    VARCHAR,
    Type,
    decimal,
)

TYPES = {
    "BOOLEAN": BOOLEAN, "TINYINT": Type("tinyint"), "SMALLINT": Type("smallint"), "INT": INTEGER, "BIGINT": BIGINT,
    "DOUBLE": DOUBLE, "FLOAT": Type("real"), "DATE": DATE,
}  # fmt: skip
INTERVALS = {"SECOND": "day to second", "MINUTE": "day to second", "HOUR": "day to second", "DAY": "day to second",
             "MONTH": "year to month", "YEAR": "year to month"}  # fmt: skip
TIMESTAMP_TEXT = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d(\.\d{1,6})?)?)?")
LARGEST_INTEGER, LARGEST_BIGINT = 2**31 - 1, 2**63 - 1


def type_of(node: exp.DataType) -> Type:
    name = node.this.name
    numbers = [int(part.name) for part in node.expressions if isinstance(part, exp.DataTypeParam)]
    if name in TYPES and not numbers:
        return TYPES[name]
    if name == "DECIMAL":
        precision, scale = (*numbers, 0)[:2] if numbers else (38, 0)
        return decimal(precision, scale)
    if name == "VARCHAR":
        return Type("varchar", numbers[0]) if numbers else VARCHAR
    if name in ("TIMESTAMP", "TIMESTAMPTZ"):
        digits = numbers[0] if numbers else MILLIS
        if digits in (0, MILLIS, MICROS):
            return Type("timestamp" if name == "TIMESTAMP" else TIMESTAMPTZ.name, digits)
    raise RefusedError(f"The type {node.sql('trino').lower()}", node=node.parent)


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
        if target.name == "date" and re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return Term(f"DATE '{date.fromisoformat(text)}'", target)
        if target.name.startswith("timestamp") and TIMESTAMP_TEXT.fullmatch(bare := text.removesuffix(" UTC")):
            if target.name != "timestamp" and bare == text:
                raise RefusedError(f"A time zone other than UTC in '{text}'", node=node)
            return Term(f"{target.duckdb} '{datetime.fromisoformat(bare)}'", target)
    except ValueError as error:
        raise QueryError("INVALID_LITERAL", f"'{text}' is not a valid {target} literal", node) from error
    raise RefusedError(f"The literal {target} '{text}'", "Write it as yyyy-mm-dd hh:mm:ss.fff.", node)


def interval(node: exp.Interval) -> Term:
    only(node, "this", "unit")
    unit, count = node.args["unit"].name.upper(), node.this
    if unit not in INTERVALS or not isinstance(count, exp.Literal) or not re.fullmatch(r"-?\d+", count.name):
        raise RefusedError(f"The interval '{node.sql('trino')}'", node=node)
    return Term(f"INTERVAL '{count.name}' {unit}", Type(f"interval {INTERVALS[unit]}"))
