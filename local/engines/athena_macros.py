"""What DuckDB computes otherwise than Athena, as macros that compute it as Athena does."""

from __future__ import annotations

import re
from typing import Any

from local.engines import athena_natives
from local.engines.athena_collection_macros import COLLECTIONS
from local.engines.athena_more_macros import MORE

# What Trino's trim() takes for white space: Java's Character.isWhitespace
WHITESPACE = "".join(
    chr(code)
    for code in (
        *range(0x09, 0x0E), *range(0x1C, 0x21), 0x1680, *range(0x2000, 0x2007), 0x2008, 0x2009, 0x200A,
        0x2028, 0x2029, 0x205F, 0x3000,
    )
)  # fmt: skip
BY_ZERO = "t_fail('DIVISION_BY_ZERO: Division by zero')"

MACROS = (
    # what TRY turns into NULL; see `twin`
    "t_fail(message) AS error(message)",
    "t_plus(a, b) AS a + b",
    "t_minus(a, b) AS a - b",
    "t_times(a, b) AS a * b",
    "t_negative(a) AS -a",
    """t_within(x, largest) AS CASE WHEN x > largest OR x < -largest
        THEN t_fail('NUMERIC_VALUE_OUT_OF_RANGE: Decimal overflow') ELSE x END""",
    # as Java does; DuckDB fails
    """t_real(x) AS CASE WHEN x IS NOT NULL AND TRY_CAST(x AS FLOAT) IS NULL
        THEN CAST(sign(x) * 'inf'::DOUBLE AS FLOAT) ELSE TRY_CAST(x AS FLOAT) END""",
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
        ELSE t_fail('INVALID_CAST_ARGUMENT: Cannot cast ''' || x || ''' to ' || type) END""",
    """t_try_parse(x, parsed, odd) AS CASE WHEN x IS NULL OR parsed IS NOT NULL THEN parsed
        WHEN regexp_matches(x, odd) THEN error('NOT_SUPPORTED: a cast of ''' || x || ''' is not run on the laptop')
        ELSE NULL END""",
    "t_millis(x) AS date_trunc('milliseconds', x + INTERVAL 500 MICROSECONDS)",
    "t_seconds(x) AS date_trunc('second', x + INTERVAL 500 MILLISECONDS)",
)


LARGER = {
    "t_plus": "y_plus(a, b) AS a::HUGEINT + b::HUGEINT",
    "t_minus": "y_minus(a, b) AS a::HUGEINT - b::HUGEINT",
    "t_times": "y_times(a, b) AS a::HUGEINT * b::HUGEINT",
    "t_negative": "y_negative(a) AS -(a::HUGEINT)",
    "t_fail": "y_fail(message) AS NULL",
}


def twin(macro: str) -> str:
    """The macro as TRY has it: what fails with an error that Athena's TRY catches is NULL; a refusal still fails."""
    found = LARGER.get(macro.partition("(")[0])
    return found or re.sub(r"(?<!\w)CAST\(", "TRY_CAST(", re.sub(r"(?<!\w)t_(?=\w+\()", "y_", macro))


def prepare(connection: Any) -> None:
    """Give a DuckDB connection Athena's session settings and our macros."""
    for setting in ("TimeZone = 'UTC'", "default_null_order = 'nulls_last'", "ieee_floating_point_ops = true"):
        connection.execute(f"SET {setting}")
    athena_natives.prepare(connection)
    for macro in (*MACROS, *MORE, *COLLECTIONS):
        connection.execute(f"CREATE OR REPLACE MACRO {macro}")
        connection.execute(f"CREATE OR REPLACE MACRO {twin(macro)}")
