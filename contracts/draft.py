"""A first contract for a table that a crawler found: what is known of it, with guesses that a person reviews."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from contracts.sensitivity import classification

TYPES = {
    "tinyint": "int",
    "smallint": "int",
    "int": "int",
    "bigint": "bigint",
    "float": "double",
    "double": "double",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
    "string": "string",
}
GUESSED_DECIMAL = "decimal(38,18)"  # what a crawler writes where the source says no precision
CURSOR = re.compile(
    r"((last_?)?(updated?|modified|changed?|modification|last_change)(_?(at|on|ts|time|timestamp|date))?)"
)
YAML_WORDS = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
REVIEW = "  # review"


@dataclass(frozen=True)
class FoundColumn:
    """A column as it was found: `type` as the catalog has it; what is None or 0 nobody could tell."""

    name: str
    type: str
    nullable: bool | None = None
    key: int = 0
    values: tuple[str | None, ...] = ()


def draft(source: str, name: str, table: str, columns: Sequence[FoundColumn]) -> str:
    """The text of contract SOURCE.NAME for the source's table, which loads as it is; guesses are marked `# review`."""
    names = _lake_names([column.name for column in columns])
    keyed = [each.name for each in sorted(columns, key=lambda each: each.key) if each.key]
    guessed = not keyed
    keyed = keyed or [_likely_key(name, columns).name]
    lines = _head(source, name, table, _cursor(columns, names))
    for column, lake in zip(columns, names, strict=True):
        lines += column_lines(table, column, lake, keyed, guessed=guessed)
    lines += ["    quality:", "      - { name: some_rows, metric: rowCount, mustBeGreaterThan: 0 }"]
    return "\n".join(lines) + "\n"


def column_lines(
    table: str, column: FoundColumn, lake: str, keyed: Sequence[str] = (), *, guessed: bool = False
) -> list[str]:
    """The lines of one column, `lake` being its name in the lake."""
    known = lake_type(column.type)
    unsure = REVIEW if known is None or column.type == GUESSED_DECIMAL else ""
    is_key = column.name in keyed
    lines = [
        f"      - id: {_word(lake)}",
        f"        name: {_word(lake)}",
        f'        physicalType: "{known or "string"}"{unsure}',
        f"        classification: {classification(column.name, column.values)}{REVIEW}",
    ]
    if is_key or column.nullable is False:
        lines.append(f"        required: true{REVIEW if guessed and is_key else ''}")
    if is_key:
        lines.append(f"        primaryKey: true{REVIEW if guessed else ''}")
        lines.append(f"        primaryKeyPosition: {keyed.index(column.name) + 1}")
    return [
        *lines,
        f"        transformSourceObjects: [{_quoted(f'{table}.{_identifier(column.name)}')}]",
        f"        description: {_quoted(f'The column {column.name} of table {table}, {column.type}.')}{REVIEW}",
    ]


def lake_type(found: str) -> str | None:
    """The lake's type for one of the catalog's; None where it has none and text has to do."""
    plain = re.sub(r"\(.*\)", "", found.lower())
    if plain == "decimal":
        precision, scale = (*(int(number) for number in re.findall(r"\d+", found)), 0)[:2]
        return f"decimal({precision},{scale})"
    return "string" if plain in ("char", "varchar") else TYPES.get(plain)


def lake_name(name: str, taken: Sequence[str]) -> str:
    """A name of the lake: snake_case, a letter first, and none that is taken."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    plain = re.sub(r"[^a-z0-9_]+", "_", words).strip("_")
    base = (plain if plain[:1].isalpha() else f"column_{plain}").rstrip("_")[:55]
    numbers = (f"{base}_{number}" for number in range(2, len(taken) + 3))
    return base if base not in taken else next(each for each in numbers if each not in taken)


def _head(source: str, name: str, table: str, cursor: str | None) -> list[str]:
    return [
        "apiVersion: v3.1.0",
        "kind: DataContract",
        f"id: urn:headwater:{source}:{name}",
        f"name: {name.replace('_', ' ').capitalize()}{REVIEW}",
        "version: 1.0.0",
        "status: draft",
        "description:",
        f"  purpose: {_quoted(f'One row for each row of table {table} in {source}.')}{REVIEW}",
        f"team: {{ name: unknown }}{REVIEW}",
        f"slaProperties:{REVIEW}",
        "  - { property: freshness, value: 26, unit: h }",
        "  - { property: retention, value: 5, unit: y }",
        "customProperties:",
        *_loading(cursor),
        "schema:",
        f"  - name: {name}",
        "    physicalType: table",
        "    properties:",
    ]


def _loading(cursor: str | None) -> list[str]:
    """An increment where a column seems to say when a row changed; rows that go away are then found by their keys."""
    if cursor is None:
        return [f"  - {{ property: loadMode, value: full }}{REVIEW}"]
    said = {"loadMode": "incremental", "cursor": cursor, "lookback": "1 d", "deletes": "compare_keys"}
    return [f"  - {{ property: {name}, value: {value} }}{REVIEW}" for name, value in said.items()]


def _cursor(columns: Sequence[FoundColumn], names: Sequence[str]) -> str | None:
    """A time that is always there and is named for a row's last change."""
    fitting = (
        lake
        for column, lake in zip(columns, names, strict=True)
        if column.type == "timestamp" and column.nullable is False and CURSOR.fullmatch(lake)
    )
    return next(fitting, None)


def _likely_key(name: str, columns: Sequence[FoundColumn]) -> FoundColumn:
    """The column that is named for a key, else the first."""
    singular = name.rstrip("s")
    likely = {"id", f"{singular}_id", f"{singular}id", f"{name}_id", f"{name}id", f"id_{singular}"}
    return next((each for each in columns if each.name.lower() in likely), columns[0])


def _lake_names(names: Sequence[str]) -> list[str]:
    made: list[str] = []
    for name in names:
        made.append(lake_name(name, made))
    return made


def _word(name: str) -> str:
    return f'"{name}"' if name in YAML_WORDS else name


def _identifier(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"' if "." in name or '"' in name else name


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
