"""The private names of moto that we patch: each is set through `patch`, so that one test can hold them to moto."""

from __future__ import annotations

import importlib
from typing import Any

SEAMS: set[str] = set()  # "moto.module:Class.attribute", filled as the services are installed


def seam(name: str) -> tuple[Any, str]:
    """The owner and the attribute that `moto.module:Class.attribute` names; an error when moto has no such name."""
    module, _, path = name.partition(":")
    *owners, attribute = path.split(".")
    owner: Any = importlib.import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    if not hasattr(owner, attribute):
        raise AttributeError(f"The seam '{name}': moto has no such name. Mend the service that patches it.")
    return owner, attribute


def patch(name: str, replacement: Any) -> Any:
    """Put the replacement where the name says, and answer what was there."""
    owner, attribute = seam(name)
    SEAMS.add(name)
    original = getattr(owner, attribute)
    setattr(owner, attribute, replacement)
    return original


def add(name: str, addition: Any) -> None:
    """Put a new name beside moto's; an error when moto has it by now, since ours would hide it."""
    module, _, path = name.partition(":")
    *owners, attribute = path.split(".")
    owner: Any = importlib.import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    if hasattr(owner, attribute):
        raise AttributeError(f"The addition '{name}': moto has it by now. Remove ours.")
    setattr(owner, attribute, addition)
