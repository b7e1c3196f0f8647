"""Data contracts: what each dataset promises, said once; tables, casts, checks and grants follow from it."""

from __future__ import annotations

from pathlib import Path

from config.positions import Problem, suggestion
from contracts.contract import SUFFIX, ContractError
from contracts.shelf import Shelf
from lake.model import Dataset

__all__ = ["ROOT", "ContractError", "ids", "load", "load_all"]

ROOT = Path(__file__).parents[1]


def ids(root: Path = ROOT) -> list[str]:
    """The id of every dataset that has a contract: root/contracts/SOURCE/NAME.odcs.yaml."""
    files = (root / "contracts").glob(f"*/*{SUFFIX}")
    return sorted(f"{path.parent.name}.{path.name.removesuffix(SUFFIX)}" for path in files)


def load(dataset: str, root: Path = ROOT) -> Dataset:
    """One dataset, checked against those that it names."""
    known = ids(root)
    if dataset not in known:
        file = f"contracts/{dataset.replace('.', '/')}{SUFFIX}"
        expected = "expected a dataset SOURCE.NAME that has a contract"
        remedy = f"{suggestion(dataset, known)} Correct it, or add its contract."
        raise ContractError([Problem(file, 1, "", dataset, expected, remedy)])
    return Shelf(root, known).datasets([dataset])[dataset]


def load_all(root: Path = ROOT) -> dict[str, Dataset]:
    """Every dataset by id; raises ContractError with all that is wrong in any of their files."""
    known = ids(root)
    return Shelf(root, known).datasets(known)
