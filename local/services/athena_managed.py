"""Managed query results: a workgroup may let Athena keep the results, in a place that no answer names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

FIDELITY = (
    ("Athena", "managed query results: read by GetQueryResults, kept as long as the laptop's state", "ours", "real"),
)
SCHEME = "file://"
BOTH = "ManagedQueryResultsConfiguration and ResultConfiguration cannot be set together."


def wanted(workgroup: Any) -> bool:
    setting = (workgroup.configuration or {}).get("ManagedQueryResultsConfiguration") or {}
    return bool(setting.get("Enabled"))


def holds(location: str) -> bool:
    """Whether a result at this place is a managed one."""
    return location.startswith(SCHEME)


def location(folder: Path) -> str:
    """Where such results are kept: beside the state of everything else, and not in the account's S3."""
    place = folder / "athena-results"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return f"{SCHEME}{place}"


def read(location: str) -> str:
    return Path(location.removeprefix(SCHEME)).read_text(encoding="utf-8")
