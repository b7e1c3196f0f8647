"""Columns of JSON lines: a document's members as the catalog's types; what the SerDe may read otherwise fails."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from local.engines.athena_casts import DATE_TEXT, cast
from local.engines.athena_container_casts import depth
from local.engines.athena_errors import RefusedError
from local.engines.athena_json import COLUMN, any_case
from local.engines.athena_quoting import identifier, text
from local.engines.athena_scope import TableColumn
from local.engines.athena_types import INTEGERS, MICROS, Type

READ = ("varchar", "boolean", "double", "real", "date", "timestamp", "decimal", *INTEGERS)
KEYS = ("varchar", *INTEGERS)
LARGEST_PRECISION = 15  # a longer number would go through a double
FORMS = {
    "date": DATE_TEXT,
    "timestamp": rf"{DATE_TEXT} [0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}([.][0-9]{{1,9}})?",
}


def value(glue: Mapping[str, Any], column: TableColumn) -> str:
    """A column's value in a line: a string as it is, of anything else that a string column meets its JSON."""
    if not reads(column.type):
        told = ", ".join(READ)
        advice = f"the laptop reads {told} and arrays, maps and structs of them from JSON, decimals up to"
        advice += f" {LARGEST_PRECISION} digits. Make it a string and cast it in the query."
        raise RefusedError(f"The type {column.type} of column '{column.name}' in a table of JSON", advice)
    return Reader(column, any_case(glue)).typed(member(COLUMN, column.name, any_case(glue)), column.type)


def reads(type_: Type) -> bool:
    """Whether JSON is read and written as the type."""
    if type_.parts:
        return all(map(reads, type_.parts)) and (type_.key is None or type_.key.name in KEYS)
    if type_.name == "decimal":
        return (type_.precision or 0) <= LARGEST_PRECISION
    return type_.name in READ


def member(document: str, name: str, folded: bool) -> str:
    """A member of an object as JSON; by its very name, else, folded, by one that differs in case alone."""
    path = text(f"$.{json.dumps(name, ensure_ascii=False)}")
    found = f"json_extract({document}, {path})"
    if not folded:
        return found
    other = f"list_filter(json_keys({document}), lambda k: lower(k) = {text(name)})[1]"
    spelt = f"json_extract({document}, '$.\"' || {other} || '\"')"
    return f"CASE WHEN json_exists({document}, {path}) THEN {found} ELSE {spelt} END"


class Reader:
    """Reads one column: `typed(json, type)`."""

    def __init__(self, column: TableColumn, folded: bool) -> None:
        self.column, self.folded = column, folded

    def typed(self, found: str, type_: Type) -> str:
        if not type_.parts:
            return self.plain(f"json_extract_string({found}, '$')", type_)
        each, kind = f"d{depth(type_)}", "ARRAY" if type_.element is not None else "OBJECT"
        other = self.failed("NOT_SUPPORTED", f"another form than {kind.lower()}", type_)
        made = (
            f"CASE WHEN {each} IS NULL OR json_type({each}) = 'NULL' THEN NULL"
            f" WHEN json_type({each}) = '{kind}' THEN {self.parts(each, type_)} ELSE {other} END"
        )
        return f"list_transform([{found}], lambda {each}: {made})[1]"

    def parts(self, found: str, type_: Type) -> str:
        each = f"e{depth(type_)}"
        if type_.element is not None:
            return f"list_transform(CAST({found} AS JSON[]), lambda {each}: {self.typed(each, type_.element)})"
        if type_.key is not None and type_.value is not None:
            key, held = self.plain(f"{each}.key", type_.key), self.typed(f"{each}.value", type_.value)
            entries = f"map_entries(CAST({found} AS MAP(VARCHAR, JSON)))"
            pairs = f"list_transform({entries}, lambda {each}: struct_pack(k := {key}, v := {held}))"
            return f"map_from_entries({pairs})"
        fields = (
            f"{identifier(name)} := {self.typed(member(found, name, self.folded), part)}"
            for name, part in type_.members
        )
        return f"struct_pack({', '.join(fields)})"

    def plain(self, found: str, type_: Type) -> str:
        """A value out of its text."""
        if type_.name == "varchar":
            return found if type_.precision is None else f"left({found}, {type_.precision})"
        if form := FORMS.get(type_.name):
            read = f"TRY_CAST({found} AS {type_.duckdb})"
            if type_.name == "timestamp":
                read = cast(read, Type("timestamp", MICROS), type_)
            told = self.failed("NOT_SUPPORTED", "a text of another form", type_)
            fits = f"regexp_full_match({found}, '{form}') AND {read} IS NOT NULL"
            return f"CASE WHEN {found} IS NULL THEN NULL WHEN {fits} THEN {read} ELSE {told} END"
        read = f"TRY_CAST({found} AS {type_.duckdb})"
        told = f"'HIVE_BAD_DATA: Error parsing field value for field {self.column.name} as {type_}'"
        return f"CASE WHEN {found} IS NOT NULL AND {read} IS NULL THEN error({told}) ELSE {read} END"

    def failed(self, kind: str, held: str, type_: Type) -> str:
        told = f"{kind}: Column {self.column.name}: {type_} is not read from {held} on the laptop"
        return f"CAST(error({text(told)}) AS {type_.duckdb})"
