"""Values and names as DuckDB's SQL has them."""

from __future__ import annotations

import json
from typing import Any


def identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def literal(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, dict):
        return f"MAP([{', '.join(map(literal, value))}], [{', '.join(map(literal, value.values()))}])"
    return str(value) if isinstance(value, int) else text(value if isinstance(value, str) else json.dumps(value))
