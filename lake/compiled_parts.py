"""Make the dataclasses of the compiled lake from plain data; an unknown field means another version of the code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

T = TypeVar("T")


class CompiledLakeError(Exception):
    """A compiled file that is missing or was made by another version of this code."""


def made(kind: type[T], data: Mapping[str, Any]) -> T:
    known = {each.name for each in fields(kind)}  # type: ignore[arg-type]  # every kind here is a dataclass
    if unknown := sorted(set(data) - known):
        raise CompiledLakeError(
            f"The field '{unknown[0]}' of a compiled {kind.__name__}: expected one of {', '.join(sorted(known))}."
            " Synthesize again, so that code and compiled lake are of one version."
        )
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
    return kind(**values)
