"""CAST, TRY_CAST and the conversions that Athena makes by itself, pair by pair of types: the list is closed."""

from __future__ import annotations

from collections.abc import Callable

from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_quoting import identifier, text
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
    if source.name == target.name and source.parts:
        return container(sql, source, target, safe, node)
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


def container(sql: str, source: Type, target: Type, safe: bool, node: object) -> str:
    """An array, a map or a row, part by part."""
    if len(source.parts) != len(target.parts):
        raise QueryError("TYPE_MISMATCH", f"Cannot cast {source} to {target}", node)
    if safe:
        raise RefusedError(f"TRY_CAST from {source} to {target}", node=node)
    if source.duckdb == target.duckdb and all(map(_same, source.parts, target.parts)):
        return sql
    each = f"e{depth(source)}"
    if source.element is not None and target.element is not None:
        return f"list_transform({sql}, lambda {each}: {_part(each, source.element, target.element)})"
    if source.key is not None:
        keys, values = (_part(f"{each}.{part}", *pair)
                        for part, pair in zip(("key", "value"), zip(source.parts, target.parts, strict=True), strict=True))  # fmt: skip
        entry = f"struct_pack(k := {keys}, v := {values})"
        return f"CASE WHEN {sql} IS NULL THEN NULL ELSE map_from_entries(list_transform(map_entries({sql}), lambda {each}: {entry})) END"
    parts = (
        f"{identifier(name)} := {_part(f'struct_extract({sql}, {text(old)})', was, will)}"
        for (old, was), (name, will) in zip(source.members, target.members, strict=True)
    )
    return f"CASE WHEN {sql} IS NULL THEN NULL ELSE struct_pack({', '.join(parts)}) END"


def depth(type_: Type) -> int:
    return 1 + max((depth(part) for part in type_.parts), default=0)


def _same(source: Type, target: Type) -> bool:
    return source == target or (source.kind == target.kind == "varchar" and target.precision is None)


def _part(sql: str, source: Type, target: Type) -> str:
    return sql if _same(source, target) else cast(sql, source, target)


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
    return plain(sql, source, target, safe)


def text_to_bytes(sql: str, source: Type, target: Type, safe: bool) -> str:
    return f"encode({sql})"


def text_to_json(sql: str, source: Type, target: Type, safe: bool) -> str:
    return f"CAST(to_json({sql}) AS VARCHAR)"


def plain_to_json(sql: str, source: Type, target: Type, safe: bool) -> str:
    return f"CAST({sql} AS VARCHAR)"


def container_to_json(sql: str, source: Type, target: Type, safe: bool) -> str:
    """Arrays, maps in the order of their keys, rows by their fields' names."""
    each = f"e{depth(source)}"
    if source.element is not None:
        items = f"list_transform({sql}, lambda {each}: {_json(each, source.element, target)})"
        return f"'[' || array_to_string({items}, ',') || ']'"
    if source.key is not None and source.value is not None:
        if source.key.kind != "varchar":
            raise RefusedError(f"CAST from {source} to json", "Use a map with keys of type varchar.")
        pair = f"to_json({each}.key) || ':' || {_json(f'{each}.value', source.value, target)}"
        ordered = f"list_sort(map_entries({sql}))"
        return f"'{{' || array_to_string(list_transform({ordered}, lambda {each}: {pair}), ',') || '}}'"
    fields = " || ',' || ".join(
        f"""'"{name}":' || {_json(f"struct_extract({sql}, {text(name)})", type_, target)}"""
        for name, type_ in source.members
    )
    return f"CASE WHEN {sql} IS NULL THEN NULL ELSE '{{' || {fields} || '}}' END"


def _json(sql: str, source: Type, target: Type) -> str:
    return "'null'" if source.name == "unknown" else f"coalesce({cast(sql, source, target)}, 'null')"


def from_json(sql: str, source: Type, target: Type, safe: bool) -> str:
    if safe or (target.precision is not None and target.name == "varchar"):
        raise RefusedError(f"{'TRY_CAST' if safe else 'CAST'} from json to {target}")
    return f"CAST(t_from_json({sql}, '{target.name}') AS {target.duckdb})"


def json_to_container(sql: str, source: Type, target: Type, safe: bool) -> str:
    """Each element, value or field out of the document, cast on its own."""
    if safe:
        raise RefusedError(f"TRY_CAST from {source} to {target}")
    each = f"e{depth(target)}"
    if target.element is not None:
        return f"list_transform(t_json_items({sql}), lambda {each}: {_part(each, source, target.element)})"
    if target.key is not None and target.value is not None:
        if target.key != Type("varchar"):
            raise RefusedError(f"CAST from json to {target}", "Use a map with keys of type varchar.")
        entry = f"struct_pack(k := {each}.k, v := {_part(f'{each}.v', source, target.value)})"
        pairs = f"t_json_pairs({sql})"
        made = f"map_from_entries(list_transform({pairs}, lambda {each}: {entry}))"
        return f"CASE WHEN {pairs} IS NULL THEN NULL ELSE {made} END"
    if not all(name for name, _ in target.fields):
        raise RefusedError(f"CAST from json to {target}", "Give the fields names.")
    fields = (f"{identifier(name)} := {_part(f't_json_member({sql}, {text(name)})', source, type_)}"
              for name, type_ in target.members)  # fmt: skip
    return f"CASE WHEN {sql} IS NULL OR {sql} = 'null' THEN NULL ELSE struct_pack({', '.join(fields)}) END"


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
    ("varchar", "json"): text_to_json,
    ("integer", "json"): plain_to_json,
    ("boolean", "json"): plain_to_json,
    ("array", "json"): container_to_json,
    ("map", "json"): container_to_json,
    ("row", "json"): container_to_json,
    ("json", "array"): json_to_container,
    ("json", "map"): json_to_container,
    ("json", "row"): json_to_container,
    ("json", "varchar"): from_json,
    ("json", "integer"): from_json,
    ("json", "double"): from_json,
    ("json", "boolean"): from_json,
    ("interval day to second", "varchar"): lambda sql, source, target, safe: _fitting(
        f"t_interval_text({sql})", source, target
    ),
}
