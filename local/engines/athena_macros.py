"""What DuckDB computes otherwise than Athena, as macros that compute it as Athena does."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

# What Trino's trim() takes for white space: Java's Character.isWhitespace
WHITESPACE = "".join(
    chr(code)
    for code in (
        *range(0x09, 0x0E), *range(0x1C, 0x21), 0x1680, *range(0x2000, 0x2007), 0x2008, 0x2009, 0x200A,
        0x2028, 0x2029, 0x205F, 0x3000,
    )
)  # fmt: skip
ENOUGH_DIGITS = Context(prec=400)
BY_ZERO = "error('DIVISION_BY_ZERO: Division by zero')"

MACROS = (
    # DuckDB answers NULL for a division by zero
    f"t_whole_divide(a, b) AS CASE WHEN b = 0 THEN {BY_ZERO} ELSE a // b END",
    f"t_modulo(a, b) AS CASE WHEN b = 0 THEN {BY_ZERO} ELSE a % b END",
    # the quotient of two whole numbers, rounded half up as Trino's decimals are
    f"""t_quotient(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN b = 0 THEN {BY_ZERO}
        ELSE (a // b) + CASE WHEN 2::HUGEINT * abs(a % b) >= abs(b) THEN sign(a)::HUGEINT * sign(b)::HUGEINT
        ELSE 0::HUGEINT END END""",
    # DuckDB holds NaN for equal to itself and larger than all
    *(
        f"""t_{name}(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN isnan(a) OR isnan(b) THEN {nan}
        ELSE a {sign} b END"""
        for name, sign, nan in (
            ("eq", "=", "false"),
            ("neq", "<>", "true"),
            ("gt", ">", "false"),
            ("gte", ">=", "false"),
            ("lt", "<", "false"),
            ("lte", "<=", "false"),
        )
    ),
    """t_round(x, n) AS CASE WHEN abs(x) * power(10, n) >= 9.2e18
        THEN error('NOT_SUPPORTED: round of a number this large is not run on the laptop') ELSE round(x, n) END""",
    # DuckDB counts from 0 as from 1, and cuts what lies before the first character
    """t_substr(x, s) AS CASE WHEN x IS NULL OR s IS NULL THEN NULL WHEN s = 0 OR s < -length(x) THEN ''
        ELSE substr(x, s) END""",
    """t_substr_of(x, s, n) AS CASE WHEN x IS NULL OR s IS NULL OR n IS NULL THEN NULL
        WHEN s = 0 OR s < -length(x) OR n <= 0 THEN '' ELSE substr(x, s, n) END""",
    # DuckDB has a capital for the German sharp s, Java has none
    "t_upper(x) AS replace(upper(replace(x, 'ß', chr(57344))), chr(57344), 'ß')",
    f"t_trim(x) AS trim(x, '{WHITESPACE}')",
    f"t_ltrim(x) AS ltrim(x, '{WHITESPACE}')",
    f"t_rtrim(x) AS rtrim(x, '{WHITESPACE}')",
    """t_replace(x, a, b) AS CASE WHEN a = '' AND x IS NOT NULL AND b IS NOT NULL
        THEN error('NOT_SUPPORTED: replace of an empty text is not run on the laptop') ELSE replace(x, a, b) END""",
    """t_regexp(x, p, odd) AS CASE WHEN regexp_matches(x, odd)
        THEN error('NOT_SUPPORTED: regexp_like with this pattern is not run on the laptop for the text: ' || x)
        ELSE regexp_matches(x, p) END""",
    # a text that is cast: `plain` is sure to be right, `odd` may be right in Java and is refused
    """t_parse(x, parsed, odd, type) AS CASE WHEN x IS NULL OR parsed IS NOT NULL THEN parsed
        WHEN regexp_matches(x, odd) THEN error('NOT_SUPPORTED: a cast of ''' || x || ''' is not run on the laptop')
        ELSE error('INVALID_CAST_ARGUMENT: Cannot cast ''' || x || ''' to ' || type) END""",
    """t_try_parse(x, parsed, odd) AS CASE WHEN x IS NULL OR parsed IS NOT NULL THEN parsed
        WHEN regexp_matches(x, odd) THEN error('NOT_SUPPORTED: a cast of ''' || x || ''' is not run on the laptop')
        ELSE NULL END""",
    "t_millis(x) AS date_trunc('milliseconds', x + INTERVAL 500 MICROSECONDS)",
    "t_seconds(x) AS date_trunc('second', x + INTERVAL 500 MILLISECONDS)",
)


def round_double(value: float, scale: int) -> str:
    """A double as a decimal of this scale: from its exact value, half up, where DuckDB multiplies first."""
    exact = Decimal(value)
    if not exact.is_finite():
        raise ValueError(f"INVALID_CAST_ARGUMENT: Cannot cast DOUBLE '{value}' to DECIMAL")
    return f"{exact.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, ENOUGH_DIGITS):f}"


def prepare(connection: Any) -> None:
    """Give a DuckDB connection Athena's session settings and our macros."""
    for setting in ("TimeZone = 'UTC'", "default_null_order = 'nulls_last'", "ieee_floating_point_ops = true"):
        connection.execute(f"SET {setting}")
    for macro in MACROS:
        connection.execute(f"CREATE OR REPLACE MACRO {macro}")
    connection.create_function("t_round_double", round_double, ["DOUBLE", "INTEGER"], "VARCHAR")
