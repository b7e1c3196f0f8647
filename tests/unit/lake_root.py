"""Small lakes of the test's own: contracts, models and pipelines written into a folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import contracts

USERS = "contracts/saas/users.odcs.yaml"
SALES = "contracts/ecommerce/sales.odcs.yaml"
BY_CATEGORY = "contracts/gold/sales_by_category.odcs.yaml"


def shipped(folder: Path) -> Path:
    """A copy of the shipped lake, to be changed at will."""
    for part in ("contracts", "models", "pipelines"):
        for path in (contracts.ROOT / part).rglob("*"):
            if path.suffix in (".yaml", ".sql"):
                target = folder / path.relative_to(contracts.ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
    return folder


def change(root: Path, file: str, old: str, new: str) -> int:
    """Puts new for the first old in a file; returns the line on which old began."""
    path = root / file
    text = path.read_text()
    before, found, after = text.partition(old)
    assert found, f"{file} does not hold {old!r}"
    path.write_text(before + new + after)
    return before.count("\n") + 1
