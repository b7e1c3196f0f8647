"""Lambda functions in a test: new clients, and a small compiled lake in place of the packed one."""

from __future__ import annotations

from types import ModuleType

import pytest

from lake.model import Lake
from tests.unit.compiled_lake import LAKE


def bare(handler: ModuleType, monkeypatch: pytest.MonkeyPatch, lake: Lake = LAKE) -> None:
    """The handler as in a new container, with this lake."""
    handler.client.cache_clear()
    monkeypatch.setattr(handler, "load", lambda: lake)
