"""A view of the lake as it is deployed: its query in Athena's SQL, and the columns that it promises."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

HASH = "headwater.hash"  # the parameter of a view in the catalog that says what it was made from


@dataclass(frozen=True)
class ViewColumn:
    """A column of a view, in a type of the lake."""

    name: str
    type: str
    description: str = ""


@dataclass(frozen=True)
class View:
    """A view of gold; `inputs` are the datasets whose tables it reads."""

    name: str
    description: str
    sql: str
    columns: tuple[ViewColumn, ...]
    inputs: tuple[str, ...]

    @property
    def hash(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def view_from_dict(data: Mapping[str, Any]) -> View:
    columns = tuple(ViewColumn(**each) for each in data["columns"])
    return View(data["name"], data["description"], data["sql"], columns, tuple(data["inputs"]))
