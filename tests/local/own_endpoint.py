"""An endpoint of a test's own, whose clock the test may move on."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.local.conftest import start_endpoint


class OwnEndpoint:
    """The shared endpoint's face, and `advance(minutes=5)`."""

    def __init__(self, running: Any) -> None:
        self._running = running

    def __getattr__(self, name: str) -> Any:
        return getattr(self._running, name)

    def advance(self, **by: float) -> datetime:
        seconds = timedelta(**by).total_seconds()
        with urllib.request.urlopen(f"{self._running.url}/_headwater/clock?advance={seconds}") as answer:
            return datetime.fromisoformat(json.load(answer)["now"])

    def now(self) -> datetime:
        return self.advance(seconds=0)


def started(tmp_path_factory: pytest.TempPathFactory, *options: str) -> Iterator[OwnEndpoint]:
    """For a fixture: `yield from started(tmp_path_factory)`."""
    running = start_endpoint(tmp_path_factory.mktemp("own"), "--lazy", *options)
    yield OwnEndpoint(running)
    running.process.terminate()
    running.process.wait(30)
