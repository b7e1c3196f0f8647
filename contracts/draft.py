"""A first contract for a live table: what the database knows, with guesses that a person reviews."""

from __future__ import annotations

import re
from collections.abc import Sequence

TYPES = {
    "smallint": "int",
    "integer": "int",
    "bigint": "bigint",
    "real": "double",
    "double precision": "double",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}
TEXT = ("char", "text", "uuid", "citext", "name", "inet", "enum")
UNBOUNDED_DECIMAL = "decimal(38,18)"
MAX_PRECISION = 38
PII = re.compile(
    r"name$|mail|phone|mobile|fax|street|address|zip|postal|birth|dob|ssn|passport|tax|iban|card|token|password"
)
PHI = re.compile(r"diagnos|patient|medic|allerg|blood|prescri|insur|symptom|disease")
YAML_WORDS = ("null", "true", "false", "yes", "no", "on", "off", "y", "n")
REVIEW = "  # review"

LiveColumn = tuple[str, str, bool, bool]
"""Name, PostgreSQL type, whether it may be null, whether it is in the primary key."""


def draft(source: str, name: str, columns: Sequence[LiveColumn]) -> str:
    """A contract's text, which loads as it is; what was guessed is marked `# review`."""
    names = _lake_names([column[0] for column in columns])
    keyed = [column[0] for column in columns if column[3]] or [columns[0][0]]
    guessed = not any(column[3] for column in columns)
    head = [
        "apiVersion: v3.1.0",
        "kind: DataContract",
        f"id: urn:headwater:{source}:{name}",
        f"name: {name.replace('_', ' ').capitalize()}{REVIEW}",
        "version: 1.0.0",
        "status: draft",
        "description:",
        f"  purpose: One row for each row of table {name} in {source}.{REVIEW}",
        f"team: {{ name: unknown }}{REVIEW}",
        f"slaProperties:{REVIEW}",
        "  - { property: freshness, value: 26, unit: h }",
        "  - { property: retention, value: 5, unit: y }",
        "customProperties:",
        "  - { property: loadMode, value: full }",
        "schema:",
        f"  - name: {name}",
        "    physicalType: table",
        "    properties:",
    ]
    body = [
        line
        for column, lake in zip(columns, names, strict=True)
        for line in _column(name, column, lake, keyed, guessed)
    ]
    tail = ["    quality:", "      - { name: some_rows, metric: rowCount, mustBeGreaterThan: 0 }"]
    return "\n".join([*head, *body, *tail]) + "\n"


def lake_type(type_: str) -> str | None:
    """The lake's type for one of PostgreSQL's; None where it has none and text has to do."""
    plain = re.sub(r"\(.*?\)| with(out)? time zone", "", type_.lower()).strip()
    if plain in TYPES:
        return TYPES[plain]
    if plain in ("numeric", "decimal"):
        limits = [int(number) for number in re.findall(r"\d+", type_)]
        precision, scale = (*limits, 0)[:2] if limits else (MAX_PRECISION, MAX_PRECISION // 2)
        fits = 0 < precision <= MAX_PRECISION and scale <= precision
        return f"decimal({precision},{scale})" if limits and fits else None if limits else UNBOUNDED_DECIMAL
    return "string" if any(word in plain for word in TEXT) and "[]" not in plain else None


def _column(table: str, column: LiveColumn, lake: str, keyed: list[str], guessed: bool) -> list[str]:
    name, type_, nullable, _ = column
    known = lake_type(type_)
    unsure = REVIEW if known is None or (known == UNBOUNDED_DECIMAL and "(" not in type_) else ""
    is_key = name in keyed
    lines = [
        f"      - id: {_word(lake)}",
        f"        name: {_word(lake)}",
        f'        physicalType: "{known or "string"}"{unsure}',
        f"        classification: {_classification(name)}{REVIEW}",
    ]
    if is_key or not nullable:
        lines.append("        required: true")
    if is_key:
        lines.append(f"        primaryKey: true{REVIEW if guessed else ''}")
        lines.append(f"        primaryKeyPosition: {keyed.index(name) + 1}")
    return [
        *lines,
        f"        transformSourceObjects: [{_quoted(f'{table}.{_identifier(name)}')}]",
        f"        description: {_quoted(f'The column {name} of table {table}, {type_} in the source.')}{REVIEW}",
    ]


def _lake_names(names: Sequence[str]) -> list[str]:
    """Names of the lake: snake_case, a letter first, and each once."""
    made: list[str] = []
    for name in names:
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
        plain = re.sub(r"[^a-z0-9_]+", "_", words).strip("_")
        base = (plain if plain[:1].isalpha() else f"column_{plain}").rstrip("_")[:55]
        number = next(number for number in range(1, len(names) + 2) if _numbered(base, number) not in made)
        made.append(_numbered(base, number))
    return made


def _numbered(base: str, number: int) -> str:
    return base if number == 1 else f"{base}_{number}"


def _classification(name: str) -> str:
    plain = name.lower()
    return "phi" if PHI.search(plain) else "pii" if PII.search(plain) else "internal"


def _word(name: str) -> str:
    return f'"{name}"' if name in YAML_WORDS else name


def _identifier(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"' if "." in name or '"' in name else name


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
