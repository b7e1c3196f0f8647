"""What the laptop's lake leaves on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local import laptop, prerequisites, synthesis


class NotStartedError(Exception):
    """Here the test ends."""


def test_the_state_folder_is_its_owners_only_whoever_makes_it_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def synth(folder: Path, **_: Any) -> None:
        folder.mkdir(parents=True)

    def start(*_: Any) -> None:
        raise NotStartedError

    monkeypatch.setattr(prerequisites, "fetch", lambda: None)
    monkeypatch.setattr(synthesis, "synth", synth)
    monkeypatch.setattr(laptop, "_start", start)
    (tmp_path / "earlier").mkdir()
    for state in (tmp_path / "new", tmp_path / "earlier"):
        with pytest.raises(NotStartedError):
            laptop.up(state)
        assert state.stat().st_mode & 0o777 == 0o700
