"""Tables of text lines, as Hive's LazySimpleSerDe (no quotes) and OpenCSVSerde (quotes) read them; where a value could
mean something else on Athena the query fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.engines.athena_errors import RefusedError
from local.engines.athena_quoting import text
from local.engines.athena_scope import TableColumn

LAZY = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
OPEN = "org.apache.hadoop.hive.serde2.OpenCSVSerde"
KNOWN = {
    LAZY: ("serialization.format", "field.delim", "line.delim", "serialization.null.format", "escape.delim",
           "collection.delim", "mapkey.delim"),
    OPEN: ("serialization.format", "separatorChar", "quoteChar", "escapeChar"),
}  # fmt: skip
NULL = "\\N"
PARTS_NOTHING = "\x1f\x1c"  # what stands in no file
ODD_ESCAPES = "NOT_SUPPORTED: An escape in a line of text is not read on the laptop"
ODD_QUOTES = "NOT_SUPPORTED: A line break or a lone quote in a field is not read from CSV on the laptop"
LARGEST_LINE = 16 * 2**20
WHOLE = ("tinyint", "smallint", "integer", "bigint")
SIMPLE = {
    **dict.fromkeys(WHOLE, r"[+-]?[0-9]+"),
    "double": r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?",
    "real": r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?",
    "boolean": r"(?i)true|false",
    "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "timestamp": r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,3})?",
}
QUOTED = (*WHOLE, "double", "boolean")  # what OpenCSVSerde reads of a text beside texts


def check(glue: Mapping[str, Any]) -> None:
    """Refuse what a SerDe may be told and the laptop does not do."""
    library, told = serde(glue)
    unknown = sorted(name for name in told if name not in KNOWN[library])
    if unknown:
        raise RefusedError(f"The SerDe property '{unknown[0]}' of table '{glue['Name']}'",
                           f"the laptop knows {', '.join(KNOWN[library])}.")  # fmt: skip
    if told.get("line.delim", "\n") != "\n":
        raise RefusedError(f"line.delim of table '{glue['Name']}'", "Part lines by \\n.")


def source(glue: Mapping[str, Any], files: Sequence[str]) -> tuple[str, Callable[[TableColumn], str]]:
    """What DuckDB reads, and how a column is read of it."""
    library, told = serde(glue)
    names = [each["Name"].lower() for each in glue["StorageDescriptor"]["Columns"]]
    common = (
        f"[{', '.join(map(text, files))}], header=false, skip={headers(glue)}, auto_detect=false, "
        f"hive_partitioning=false, maximum_line_size={LARGEST_LINE}"
    )
    rows = f"read_csv({common}, delim={text(PARTS_NOTHING)}, quote='', escape='', columns={{'line': 'VARCHAR'}})"
    parts = lazy_parts(told) if library == LAZY else opened_parts(told)
    null, escape = told.get("serialization.null.format", NULL), told.get("escapeChar", "\\")

    def read(column: TableColumn) -> str:
        field = f"parts[{names.index(column.name) + 1}]"
        return lazy(column, field, null) if library == LAZY else opened(column, field, escape)

    return f"(SELECT {parts} AS parts FROM (SELECT coalesce(line, '') AS line FROM {rows}))", read


def lazy_parts(told: Mapping[str, str]) -> str:
    """A line as a list of its fields; a blank line is one with a blank field."""
    delimiter = told.get("field.delim", told.get("serialization.format", "1"))
    parts = f"string_split(line, {text({'1': chr(1)}.get(delimiter, delimiter))})"
    if not (escape := told.get("escape.delim")):
        return parts
    null = told.get("serialization.null.format", NULL)
    odd = f"list_filter({parts}, lambda p: contains(p, {text(escape)}) AND p <> {text(null)})"
    return f"CASE WHEN len({odd}) = 0 THEN {parts} ELSE CAST(error({text(ODD_ESCAPES)}) AS VARCHAR[]) END"


def opened_parts(told: Mapping[str, str]) -> str:
    """The same with fields in quotes, in which a quote stands twice; any other use of quotes fails."""
    separator, quote = told.get("separatorChar", ","), told.get("quoteChar", '"')
    plain, quoted = (re.escape(each) for each in (separator, quote))
    pattern = f"{plain}({quoted}([^{quoted}]|{quoted}{quoted})*{quoted}|[^{plain}{quoted}]*)"
    fields = f"regexp_extract_all({text(separator)} || line, {text(pattern)})"
    bare = f"replace(f[3:-2], {text(quote * 2)}, {text(quote)})"
    parts = f"list_transform({fields}, lambda f: CASE WHEN f[2:2] = {text(quote)} THEN {bare} ELSE f[2:] END)"
    whole = f"array_to_string({fields}, '') = {text(separator)} || line"
    return f"CASE WHEN {whole} THEN {parts} ELSE CAST(error({text(ODD_QUOTES)}) AS VARCHAR[]) END"


def lazy(column: TableColumn, field: str, null: str) -> str:
    """A field of a line; a blank one is NULL for all but texts."""
    if column.type.name == "varchar":
        return f"nullif({cut(field, column)}, {text(null)})"
    return converted(column, f"nullif(nullif({field}, {text(null)}), '')", SIMPLE)


def opened(column: TableColumn, field: str, escape: str) -> str:
    told = f"NOT_SUPPORTED: An escape in field {column.name} is not read from CSV on the laptop"
    checked = f"CASE WHEN contains({field}, {text(escape)}) THEN error({text(told)}) ELSE {field} END"
    if column.type.name == "varchar":
        return cut(checked, column)
    return converted(column, checked, {name: SIMPLE[name] for name in QUOTED})


def cut(sql: str, column: TableColumn) -> str:
    return sql if column.type.precision is None else f"left({sql}, {column.type.precision})"


def converted(column: TableColumn, sql: str, patterns: Mapping[str, str]) -> str:
    """A value that fits its type's pattern; any other fails, since Athena may read it, make it NULL, or fail."""
    wanted = column.type.duckdb
    pattern = patterns.get(column.type.name)
    if column.type.name == "decimal" and patterns is SIMPLE:
        pattern = rf"[+-]?[0-9]+([.][0-9]{{1,{max(1, column.type.scale or 0)}}})?"
    if pattern is None:
        told = f"NOT_SUPPORTED: Column {column.name} of type {column.type} is not read from text on the laptop"
        return f"CAST(error({text(told)}) AS {wanted})"
    cast = f"CASE WHEN regexp_full_match({sql}, {text(pattern)}) THEN TRY_CAST({sql} AS {wanted}) END"
    told = f"HIVE_BAD_DATA: Error parsing field value for field {column.name} as {column.type}"
    return f"CASE WHEN {sql} IS NOT NULL AND {cast} IS NULL THEN CAST(error({text(told)}) AS {wanted}) ELSE {cast} END"


def headers(glue: Mapping[str, Any]) -> int:
    return int((glue.get("Parameters") or {}).get("skip.header.line.count") or 0)


def serde(glue: Mapping[str, Any]) -> tuple[str, Mapping[str, str]]:
    found = (glue.get("StorageDescriptor") or {}).get("SerdeInfo") or {}
    return str(found.get("SerializationLibrary", "")), found.get("Parameters") or {}
