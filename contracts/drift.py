"""Drift: where a source's table, as a crawler last found it, is no longer what its contract says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from contracts.columns import MAX_PRECISION
from contracts.draft import lake_type
from lake.evolution import widens
from lake.model import Dataset

Kind = Literal["new column", "missing column", "type changed", "table gone"]
Grade = Literal["additive", "breaking"]
WHOLE = {"int": 10, "bigint": 19}  # digits


@dataclass(frozen=True)
class Drift:
    """One difference: `found` is the catalog's type and `said` the contract's, empty where one of them has none."""

    dataset: str
    kind: Kind
    grade: Grade
    column: str = ""
    said: str = ""
    found: str = ""

    def __str__(self) -> str:
        match self.kind:
            case "new column":
                return f"{self.column} is new, {self.found}"
            case "missing column":
                return f"{self.column} is not there any more"
            case "type changed":
                return f"{self.column} was {self.said}, and is {self.found}"
            case _:
                return "the table is not there any more"


def compare(dataset: Dataset, found: Mapping[str, str] | None, cast: frozenset[str] = frozenset()) -> list[Drift]:
    """What differs; `found` are the table's columns and types, None where the table is gone.

    Columns in `cast` are text in the source on purpose: their contract says in transformDescription how it is read.
    """
    if found is None:
        return [Drift(dataset.id, "table gone", "breaking")]
    types = {name.lower(): type_ for name, type_ in found.items()}
    said = {column.source.lower(): column for column in dataset.columns}
    drifts = []
    for name, column in said.items():
        if name not in types:
            drifts.append(Drift(dataset.id, "missing column", "breaking", column.name, column.type))
        elif (grade := _grade(column.type, types[name])) and column.name not in cast:
            drifts.append(Drift(dataset.id, "type changed", grade, column.name, column.type, types[name]))
    new = [name for name in found if name.lower() not in said]
    return [*drifts, *(Drift(dataset.id, "new column", "additive", name, "", found[name]) for name in new)]


def widened(said: str, found: str) -> str | None:
    """The contract's type made wide enough for the source's; None where only a new major version can."""
    live = lake_type(found)
    if live is None:
        return None
    ours, theirs = _digits(said), _digits(live)
    if said.startswith("decimal") and ours and theirs and ours[1] >= theirs[1]:
        live = f"decimal({max(ours[0], theirs[0]) + ours[1]},{ours[1]})"
    return live if live != said and widens(said, live) and _possible(live) else None


def _grade(said: str, found: str) -> Grade | None:
    """None where the contract's type holds whatever the source now has."""
    if _holds(said, lake_type(found) or "string"):
        return None
    return "additive" if widened(said, found) else "breaking"


def _holds(said: str, live: str) -> bool:
    if said == "string" or widens(live, said) or (said == "timestamp" and live == "date"):
        return True
    ours, theirs = _digits(said), _digits(live)
    return bool(theirs and (said == "double" or (ours and ours[0] >= theirs[0] and ours[1] >= theirs[1])))


def _digits(type_: str) -> tuple[int, int] | None:
    """Digits before and after the point."""
    if type_ in WHOLE:
        return WHOLE[type_], 0
    numbers = [int(each) for each in re.findall(r"\d+", type_)] if type_.startswith("decimal") else []
    return (numbers[0] - numbers[1], numbers[1]) if numbers else None


def _possible(type_: str) -> bool:
    digits = _digits(type_)
    return digits is None or sum(digits) <= MAX_PRECISION
