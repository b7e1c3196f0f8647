"""Where a stream's events lie in bronze: objects named by when their first record arrived, and what lies beside them.

Names are `YYYY/MM/DD/HHMMSSmmm-SHARD-FIRSTSEQ-LASTSEQ.json.gz`, in UTC, so that a time's objects are found by listing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from lake.model import Dataset

DAY = timedelta(days=1)
SUFFIX = ".json.gz"
ARRIVED_AT, SHARD, SEQUENCE = "_arrived_at", "_shard", "_sequence"  # what a line has beside its event's own fields
NAME = re.compile(r"(\d{4}/\d\d/\d\d/\d{9})-(.+)-([^-]+)-([^-]+)\.json\.gz")
FORMAT = "%Y/%m/%d/%H%M%S"


def dead_letters(dataset: Dataset) -> str:
    """The prefix of the records that broke the contract: one object for each."""
    return f"{dataset.folder.rstrip('/')}__dead_letters/"


def undelivered(dataset: Dataset) -> str:
    """The prefix of the batches that the event source mapping gave up on."""
    return f"{dataset.folder.rstrip('/')}__undelivered/"


def object_key(dataset: Dataset, arrived: datetime, shard: str, first: str, last: str) -> str:
    """The object of a batch by its first record's arrival: no other batch has it, and a retry of this one has."""
    at = arrived.astimezone(UTC)
    return f"{dataset.folder}{at:{FORMAT}}{at.microsecond // 1000:03}-{shard}-{first}-{last}{SUFFIX}"


def arrived(key: str, dataset: Dataset) -> datetime | None:
    """When the first record of an object arrived; None where the key is not of a batch of this dataset."""
    found = NAME.fullmatch(key.removeprefix(dataset.folder))
    try:
        return datetime.strptime(f"{found[1]}000", f"{FORMAT}%f").replace(tzinfo=UTC) if found else None
    except ValueError:
        return None


def days(since: datetime, until: datetime) -> Iterator[str]:
    """`YYYY/MM/DD/` of each day from one time to the other, both included."""
    day = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    while day <= until:
        yield f"{day:%Y/%m/%d/}"
        day += DAY
