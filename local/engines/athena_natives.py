"""What Python computes for DuckDB: JSON, doubles as texts, and the rounding that DuckDB does otherwise."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from local.engines import (
    athena_format_values,
    athena_json_values as documents,
    athena_octet_values,
    athena_text_values,
    athena_url_values,
)
from local.engines.athena_results import java_double, java_float

ENOUGH_DIGITS = Context(prec=400)


def round_double(value: float, scale: int) -> str:
    """A double as a decimal of this scale: from its exact value, half up, where DuckDB multiplies first."""
    exact = Decimal(value)
    if not exact.is_finite():
        raise ValueError(f"INVALID_CAST_ARGUMENT: Cannot cast DOUBLE '{value}' to DECIMAL")
    return f"{exact.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, ENOUGH_DIGITS):f}"


def scientific(digits: str) -> str:
    """Trino's text of a double: one digit, a point, the others, and the exponent."""
    sign, figures, exponent = Decimal(digits).normalize().as_tuple()
    text = "".join(map(str, figures))
    return f"{'-' if sign else ''}{text[0]}.{text[1:] or '0'}E{len(text) - 1 + int(exponent)}"


def double_text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return scientific(repr(value)) if value else f"{'-' if math.copysign(1, value) < 0 else ''}0.0E0"


def real_text(value: float) -> str:
    import numpy

    return double_text(value) if not math.isfinite(value) or not value else scientific(str(numpy.float32(value)))


def from_base(text: str, radix: int) -> int:
    wrong = f"INVALID_FUNCTION_ARGUMENT: Not a valid base-{radix} number: {text}"
    if not 2 <= radix <= 36:
        raise ValueError("INVALID_FUNCTION_ARGUMENT: Radix must be between 2 and 36")
    if not re.fullmatch(r"[+-]?[0-9A-Za-z]+", text):
        raise ValueError(wrong)
    try:
        number = int(text, radix)
    except ValueError as error:
        raise ValueError(wrong) from error
    if not -(2**63) <= number < 2**63:
        raise ValueError(wrong)
    return number


def from_utf8(octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError as error:
        raise ValueError("NOT_SUPPORTED: from_utf8 of what is not UTF-8 is not run on the laptop") from error


NATIVES: dict[str, tuple[Callable[..., Any], list[str], str]] = {
    "round_double": (round_double, ["DOUBLE", "INTEGER"], "VARCHAR"),
    "double_text": (double_text, ["DOUBLE"], "VARCHAR"),
    "plain_double": (java_double, ["DOUBLE"], "VARCHAR"),
    "plain_real": (java_float, ["FLOAT"], "VARCHAR"),
    "real_text": (real_text, ["FLOAT"], "VARCHAR"),
    "from_base": (from_base, ["VARCHAR", "BIGINT"], "BIGINT"),
    "reverse": (lambda text: text[::-1], ["VARCHAR"], "VARCHAR"),
    "from_utf8": (from_utf8, ["BLOB"], "VARCHAR"),
    "ascii_only": (lambda text: text.isascii(), ["VARCHAR"], "BOOLEAN"),
    "json_parse": (documents.parse, ["VARCHAR"], "VARCHAR"),
    "json_extract": (documents.extract, ["VARCHAR", "VARCHAR"], "VARCHAR"),
    "json_scalar": (documents.scalar, ["VARCHAR", "VARCHAR"], "VARCHAR"),
    "json_length": (documents.length, ["VARCHAR"], "BIGINT"),
    "json_size": (documents.size, ["VARCHAR", "VARCHAR"], "BIGINT"),
    "json_is_scalar": (documents.is_scalar, ["VARCHAR"], "BOOLEAN"),
    "json_has_text": (documents.has_text, ["VARCHAR", "VARCHAR"], "BOOLEAN"),
    "json_has_whole": (documents.has_whole, ["VARCHAR", "BIGINT"], "BOOLEAN"),
    "json_has_double": (documents.has_double, ["VARCHAR", "DOUBLE"], "BOOLEAN"),
    "json_has_boolean": (documents.has_boolean, ["VARCHAR", "BOOLEAN"], "BOOLEAN"),
    "from_json": (documents.cast, ["VARCHAR", "VARCHAR"], "VARCHAR"),
    "json_items": (documents.items, ["VARCHAR"], "VARCHAR[]"),
    "json_pairs": (documents.pairs, ["VARCHAR"], "STRUCT(k VARCHAR, v VARCHAR)[]"),
    "json_member": (documents.member, ["VARCHAR", "VARCHAR"], "VARCHAR"),
    **athena_format_values.NATIVES,
    **athena_octet_values.NATIVES,
    **athena_text_values.NATIVES,
    **athena_url_values.NATIVES,
}


def prepare(connection: Any) -> None:
    for name, (function, arguments, result) in NATIVES.items():
        for prefix, made in (("t_", strict(function)), ("y_", strict(caught(function)))):
            connection.create_function(f"{prefix}{name}", made, arguments, result, null_handling="special")
    connection.execute("CREATE OR REPLACE MACRO ascii_only(x) AS t_ascii_only(x)")


def strict(function: Callable[..., Any]) -> Callable[..., Any]:
    """NULL for an argument that is NULL; NULL may be an answer too."""

    @functools.wraps(function)  # DuckDB counts its parameters
    def call(*arguments: Any) -> Any:
        return None if None in arguments else function(*arguments)

    return call


def caught(function: Callable[..., Any]) -> Callable[..., Any]:
    """As TRY has it."""

    @functools.wraps(function)
    def call(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except ValueError as error:
            if str(error).startswith("NOT_SUPPORTED"):
                raise
            return None

    return call
