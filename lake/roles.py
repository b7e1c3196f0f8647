"""Who reads the lake, and by which column's values some of them see fewer rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CLASSES = ("public", "internal", "pii", "phi")  # of columns
SENSITIVE = ("pii", "phi")
UNCLASSED = "unclassed"  # what no contract has classed: raw rows, a column on its way
ALL = "all"

Value = str | int


@dataclass(frozen=True)
class RowFilter:
    """Rows of a dataset are seen by the values of `column` that a role lists; `columns`: only these are hidden so."""

    name: str
    column: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Role:
    """A role of people or of a tool: the layers and classes that it reads, its values of filters, none for all."""

    name: str
    team: str
    reads: tuple[str, ...]
    classes: tuple[str, ...]
    rows: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)  # by the name of a filter
    audit: bool = False  # sees which tables there are, who may read them and who has, without their rows

    @property
    def sees(self) -> tuple[str, ...]:
        """Its classes; who may see every one may see what has none."""
        return (*self.classes, *((UNCLASSED,) if set(CLASSES) <= set(self.classes) else ()))

    @property
    def limits(self) -> frozenset[str]:
        """The row filters of which it lists values: it sees no table without them, where nothing would limit it."""
        return frozenset(name for name, values in self.rows.items() if values != (ALL,))

    def unlimited(self, filter: str) -> bool:
        return self.rows.get(filter) == (ALL,)


def role_from_dict(data: Mapping[str, Any]) -> Role:
    """A role as compiled, or as an environment's file says it."""
    rows = {name: (values,) if values == ALL else tuple(values) for name, values in data.get("rows", {}).items()}
    listed = {each: tuple(data[each]) for each in ("reads", "classes")}
    return Role(data["name"], data["team"], **listed, rows=rows, audit=data.get("audit", False))
