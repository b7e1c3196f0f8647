"""How commands print: tables and progress for people on a terminal, JSON for scripts."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPED_WIDTH = 160  # a file or another program has no width of its own, and wrapped tables cannot be read there

console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
progress = Console(stderr=True, highlight=False)  # never mixed into output that a script reads


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    shown = Table(
        title=title or None, title_justify="left", title_style="bold", header_style="bold", box=None, pad_edge=False
    )
    values = [list(row) for row in rows]
    for index, column in enumerate(columns):
        number = bool(values) and all(isinstance(row[index], int | float) for row in values)
        shown.add_column(column, justify="right" if number else "left", overflow="fold")
    for row in values:
        shown.add_row(*(Text(_text(value)) for value in row))  # not markup: a value may be in square brackets
    console.print(shown)


def print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, default=str))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.1f}"
    return str(value)
