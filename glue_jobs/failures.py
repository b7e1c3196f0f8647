"""What can go wrong with a dataset: each failure says its cause and what to do, and whether trying again may help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class DatasetError(Exception):
    """A dataset cannot go on; `facts` are the outcome's fields that are known all the same."""

    transient = False

    def __init__(self, cause: str, remedy: str, facts: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{cause} {remedy}")
        self.cause = cause
        self.remedy = remedy
        self.facts = dict(facts or {})


class TransientError(DatasetError):
    """A failure that trying again may cure."""

    transient = True


class SourceTableMissingError(DatasetError):
    """The source has no such table."""


class SourceColumnMissingError(DatasetError):
    """The source's table lacks a column that the contract names."""


class SourceRefusedError(DatasetError):
    """The source does not let the job in."""


class SourceUnreachableError(TransientError):
    """The source does not answer."""


class LoadMissingError(DatasetError):
    """There is no committed load to work from."""


class ContractBreaksTableError(DatasetError):
    """A contract asks for a change of an existing table that could hurt its readers."""


class GateFailedError(DatasetError):
    """A rule over the whole dataset does not hold, so nothing is published."""


class NotBuiltError(DatasetError):
    """A gold table is not built or published, because something else failed."""


class MainMovedError(TransientError):
    """Another run published meanwhile; what was built here does not follow from it."""
