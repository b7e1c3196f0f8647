"""CAST, TRY_CAST and the conversions that Athena makes by itself, pair by pair of types: the list is closed."""

from __future__ import annotations

from collections.abc import Callable

from local.engines.athena_errors import RefusedError
from local.engines.athena_types import LARGEST_PRECISION, MICROS, MILLIS, Type
from local.engines.athena_zones import local

Cast = Callable[[str, Type, Type, bool], str]
NEVER = "[^\\s\\S]"
# what Java reads as a double, and a plain number is not
ODD_DOUBLE = r"(?i)^[\x{0}-\x{20}]|[\x{0}-\x{20}]$|nan|inf|0x|[df]$"
NUMBER = r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)"
DATE_TEXT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
TIME_FORMATS = {0: "%Y-%m-%d %H:%M:%S", MILLIS: "%Y-%m-%d %H:%M:%S.%g", MICROS: "%Y-%m-%d %H:%M:%S.%f"}


def cast(sql: str, source: Type, target: Type, *, safe: bool = False, node: object = None) -> str:
    """DuckDB's SQL for Athena's CAST, or TRY_CAST when safe."""
    if source == target:
        return sql
    if source.name == "unknown":
        return f"CAST({sql} AS {target.duckdb})"
    convert = CASTS.get((source.kind, target.kind))
    if convert is None:
        raise RefusedError(f"CAST from {source} to {target}", node=node)
    return convert(sql, source, target, safe)


def coerce(sql: str, source: Type, target: Type) -> str:
    """The value as the wider type that `common` found."""
    if source.kind == target.kind == "varchar":
        return sql
    if source.name == target.name == ZONED and source.precision == target.precision:
        return sql  # the same moment, whatever its zone
    return cast(sql, source, target)


def plain(sql: str, source: Type, target: Type, safe: bool) -> str:
    return f"{'TRY_CAST' if safe else 'CAST'}({sql} AS {target.duckdb})"


def double_to_whole(sql: str, source: Type, target: Type, safe: bool) -> str:
    return plain(f"round({sql})", source, target, safe)  # DuckDB rounds a half to the even number


def double_to_decimal(sql: str, source: Type, target: Type, safe: bool) -> str:
    if safe:
        raise RefusedError(f"TRY_CAST from {source} to {target}")
    return plain(f"t_round_double({sql}, {target.scale})", source, target, safe)


def shorten(sql: str, source: Type, target: Type, safe: bool) -> str:
    return sql if target.precision is None else f"left({sql}, {target.precision})"


def double_to_text(sql: str, source: Type, target: Type, safe: bool) -> str:
    return _fitting(f"t_{source.name}_text({sql})", source, target)


def to_real(sql: str, source: Type, target: Type, safe: bool) -> str:
    return f"t_real({sql})" if source.name == "double" else plain(sql, source, target, safe)


def span_to_text(sql: str, source: Type, target: Type, safe: bool) -> str:
    return _fitting(f"t_interval_text({sql})", source, target)


def text_to_bytes(sql: str, source: Type, target: Type, safe: bool) -> str:
    return f"encode({sql})"


def to_text(sql: str, source: Type, target: Type, safe: bool) -> str:
    if source.name == "decimal" and not source.integral:  # DuckDB would leave out the zero before the point
        if source.precision == LARGEST_PRECISION:
            raise RefusedError(f"CAST from {source} to {target}")
        sql = f"CAST({sql} AS DECIMAL({(source.precision or 0) + 1},{source.scale}))"
    return _fitting(f"CAST({sql} AS VARCHAR)", source, target)


def time_to_text(sql: str, source: Type, target: Type, safe: bool) -> str:
    zone = f" {source.zone or 'UTC'}" if source.name.endswith("zone") else ""
    return _fitting(f"strftime({local(sql, source)}, '{TIME_FORMATS[digits(source)]}{zone}')", source, target)


def _fitting(sql: str, source: Type, target: Type) -> str:
    if target.precision is not None:
        raise RefusedError(f"CAST from {source} to {target}", "Cast to varchar without a length.")
    return sql


def time_to_time(sql: str, source: Type, target: Type, safe: bool) -> str:
    """Between dates and timestamps: fewer digits are rounded, as Trino does."""
    if target.name != ZONED:
        sql = local(sql, source)
    if target.name.startswith("timestamp") and source.name != "date" and digits(target) < digits(source):
        sql = f"{'t_seconds' if digits(target) == 0 else 't_millis'}({sql})"
    return f"CAST({sql} AS {target.duckdb})"


def digits(type_: Type) -> int:
    """The digits of a second that a timestamp has."""
    if type_.precision not in TIME_FORMATS:
        raise RefusedError(f"The type {type_}", "Use timestamp(3) or timestamp(6).")
    return type_.precision


def parse(pattern: str, odd: str) -> Cast:
    """A text that fits the pattern is read; one that fits `odd` may be right in Java, and is refused."""

    def convert(sql: str, source: Type, target: Type, safe: bool) -> str:
        read = f"TRY_CAST({sql} AS {target.duckdb})"
        if target.name == "timestamp":
            read = time_to_time(read, Type("timestamp", MICROS), target, safe)
        return _parsed(sql, f"CASE WHEN regexp_full_match({sql}, '{pattern}') THEN {read} END", odd, target, safe)

    return convert


def text_to_boolean(sql: str, source: Type, target: Type, safe: bool) -> str:
    words = {"true": "'t', 'true', '1'", "false": "'f', 'false', '0'"}
    reads = " ".join(f"WHEN lower({sql}) IN ({found}) THEN {value}" for value, found in words.items())
    return _parsed(sql, f"CASE {reads} END", NEVER, target, safe)


def _parsed(sql: str, read: str, odd: str, target: Type, safe: bool) -> str:
    name = "INT" if target.name == "integer" else str(target).upper()
    return f"t_try_parse({sql}, {read}, '{odd}')" if safe else f"t_parse({sql}, {read}, '{odd}', '{name}')"


ZONED = "timestamp with time zone"
CASTS: dict[tuple[str, str], Cast] = {
    ("integer", "integer"): plain,
    ("integer", "decimal"): plain,
    ("integer", "double"): plain,
    ("integer", "boolean"): plain,
    ("integer", "varchar"): to_text,
    ("decimal", "integer"): plain,
    ("decimal", "decimal"): plain,
    ("decimal", "double"): plain,
    ("decimal", "varchar"): to_text,
    ("real", "double"): plain,
    ("integer", "real"): to_real,
    ("decimal", "real"): to_real,
    ("double", "real"): to_real,
    ("real", "integer"): double_to_whole,
    ("real", "varchar"): double_to_text,
    ("double", "varchar"): double_to_text,
    ("boolean", "double"): plain,
    ("double", "boolean"): plain,
    ("double", "integer"): double_to_whole,
    ("double", "decimal"): double_to_decimal,
    ("boolean", "integer"): plain,
    ("boolean", "varchar"): to_text,
    ("varchar", "varchar"): shorten,
    ("varchar", "integer"): parse("[+-]?[0-9]+", r"^\s|\s$|[^\x{0}-\x{7f}]"),
    ("varchar", "decimal"): parse(NUMBER, r"^\s|\s$|[eE]|[^\x{0}-\x{7f}]"),
    ("varchar", "double"): parse(f"{NUMBER}([eE][+-]?[0-9]+)?", ODD_DOUBLE),
    ("varchar", "boolean"): text_to_boolean,
    ("varchar", "date"): parse(DATE_TEXT, r"^\s*[+-]?[0-9]+-[0-9]+-[0-9]+\s*$"),
    ("varchar", "timestamp"): parse(
        rf"{DATE_TEXT}( [0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}([.][0-9]{{1,6}})?)?)?", r"^\s*[+-]?[0-9]+-[0-9]+-[0-9]+"
    ),
    ("date", "varchar"): to_text,
    ("date", "timestamp"): time_to_time,
    ("date", ZONED): time_to_time,
    ("timestamp", "date"): time_to_time,
    ("timestamp", "timestamp"): time_to_time,
    ("timestamp", ZONED): time_to_time,
    ("timestamp", "varchar"): time_to_text,
    (ZONED, "date"): time_to_time,
    (ZONED, "timestamp"): time_to_time,
    (ZONED, ZONED): time_to_time,
    (ZONED, "varchar"): time_to_text,
    ("varchar", "varbinary"): text_to_bytes,
    ("interval day to second", "varchar"): lambda sql, source, target, safe: _fitting(
        f"t_interval_text({sql})", source, target
    ),
}
