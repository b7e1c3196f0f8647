"""Where a stream's events lie in bronze: objects named by when their first record arrived, and what lies beside them.

Names are `YYYY/MM/DD/HHMMSSmmm-SHARD-FIRSTSEQ-LASTSEQ.json.gz`, in UTC, so that a time's objects are found by listing.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

from lake.model import Dataset

SUFFIX = ".json.gz"
ARRIVED_AT, SHARD, SEQUENCE = "_arrived_at", "_shard", "_sequence"
OWN_FIELDS = (ARRIVED_AT, SHARD, SEQUENCE)  # what a line has beside its event's own fields
NAME = re.compile(r"(\d{4}/\d\d/\d\d/\d{9})-(.+)-([^-]+)-([^-]+)\.json\.gz")
FORMAT = "%Y/%m/%d/%H%M%S"
GIVEN_UP = "aws/lambda/"  # where Lambda puts what a mapping gave up on: MAPPING/SHARD/YYYY/MM/DD/TIME-ID


class DeadLetter(NamedTuple):
    """A record that broke the contract, as its object says it; `data` is the record itself, in base64."""

    dataset: str
    rules: list[str]
    reason: str
    shard: str
    sequence: str
    partition_key: str
    arrived_at: str
    data: str


def fields(dataset: Dataset) -> list[str]:
    """What of a line the lake reads, by the source's names."""
    return [*(column.source for column in dataset.columns), *OWN_FIELDS]


def dead_letters(dataset: Dataset) -> str:
    """The prefix of the records that broke the contract: one object for each."""
    return f"{dataset.folder.rstrip('/')}__dead_letters/"


def dead_letter_key(dataset: Dataset, arrived: datetime, shard: str, sequence: str) -> str:
    """The object of one such record, whichever batch it is in: a retried or bisected one writes the same again."""
    return f"{dead_letters(dataset)}{arrived.astimezone(UTC):%Y/%m/%d}/{shard}-{sequence}.json"


def object_key(dataset: Dataset, arrived: datetime, shard: str, first: str, last: str) -> str:
    """The object of a batch by its first record's arrival: no other batch has it, and a retry of this one has."""
    return f"{from_key(dataset, arrived)}-{shard}-{first}-{last}{SUFFIX}"


def arrived(key: str, dataset: Dataset) -> datetime | None:
    """When the first record of an object arrived; None where the key is not of a batch of this dataset."""
    found = NAME.fullmatch(key.removeprefix(dataset.folder))
    try:
        return datetime.strptime(f"{found[1]}000", f"{FORMAT}%f").replace(tzinfo=UTC) if found else None
    except ValueError:
        return None


def from_key(dataset: Dataset, at: datetime) -> str:
    """What the keys of the objects from this time on come after, in the order of a listing."""
    moment = at.astimezone(UTC)
    return f"{dataset.folder}{moment:{FORMAT}}{moment.microsecond // 1000:03}"


def manifest_key(dataset: Dataset, run: str, attempt: int) -> str:
    """Where one attempt of a run writes down which objects it takes: more than an item of the ledger holds."""
    return f"{dataset.folder.rstrip('/')}__loads/{run}-{attempt}.json"
