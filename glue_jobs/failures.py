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


class CursorTypeError(DatasetError):
    """The source's cursor column holds no times."""


class CursorBackwardsError(DatasetError):
    """The source ends before the place where the next increment would begin."""


class SourceRefusedError(DatasetError):
    """The source does not let the job in."""


class SourceUnreachableError(TransientError):
    """The source does not answer."""


class LoadMissingError(DatasetError):
    """There is no committed load to work from."""


class RowsMissingError(TransientError):
    """Other rows were read of a load than it was committed with."""


class BronzeMissingError(DatasetError):
    """A date is to be loaded again that was never loaded, of a source that shows only what it holds now."""


class ContractBreaksTableError(DatasetError):
    """A contract asks for a change of an existing table that could hurt its readers."""


class ContractAheadError(DatasetError):
    """A contract is a major version ahead of its table, which is applied by itself and not by a run."""


class GateFailedError(DatasetError):
    """A rule over the whole dataset does not hold, so nothing is published."""


class NotBuiltError(DatasetError):
    """A gold table is not built or published, because something else failed."""


class PublicationCutOffError(DatasetError):
    """A publication of gold stopped half-way, and a table that it had yet to move was moved elsewhere."""


class MainMovedError(TransientError):
    """Another run published meanwhile; what was built here does not follow from it."""
