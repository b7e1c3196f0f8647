"""The file that says which endpoint serves a folder; an endpoint whose file is gone or another's ends itself."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

STATE_FILE = "endpoint.json"


class StateFile:
    """One endpoint's file in its state folder, written whole or not at all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, facts: dict[str, Any]) -> None:
        temporary = self.folder / f".{STATE_FILE}.{os.getpid()}"
        temporary.write_text(json.dumps(facts, indent=1))
        temporary.replace(self.folder / STATE_FILE)

    def is_ours(self) -> bool:
        return read_state(self.folder).get("pid") == os.getpid()

    def remove(self) -> None:
        if self.is_ours():
            (self.folder / STATE_FILE).unlink(missing_ok=True)


def read_state(folder: Path) -> dict[str, Any]:
    """What the state file of a folder says of its endpoint; empty when there is none."""
    try:
        facts: dict[str, Any] = json.loads((folder / STATE_FILE).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return facts


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
