"""Where a stream's events lie in bronze, and what its consumer counts: one wording for who writes and who reads."""

from __future__ import annotations

from datetime import datetime

from lake.parts import Dataset

# What the consumer adds to each event; an event may have no fields of these names.
ARRIVED_AT, SHARD, SEQUENCE = OWN_FIELDS = ("_arrived_at", "_shard", "_sequence")

# The consumer's metrics, each with the dimension Dataset.
NAMESPACE = "Headwater/Streams"
RECORDS, DEAD_LETTERS, EVENT_TO_BRONZE, FAILED_BATCHES = (
    "Records",
    "DeadLetters",
    "EventToBronzeSeconds",
    "FailedBatches",
)


def batch_key(dataset: Dataset, arrived: datetime, shard: str, first: str, last: str) -> str:
    """The object of a batch, by its first record's arrival and its first and last record's place in their shard."""
    time = f"{arrived:%H%M%S}{arrived.microsecond // 1000:03d}"
    return f"{dataset.folder}{arrived:%Y/%m/%d}/{time}-{shard}-{first}-{last}.json.gz"


def dead_letter_folder(dataset: Dataset) -> str:
    return f"{dataset.folder.rstrip('/')}__dead_letters/"


def dead_letter_key(dataset: Dataset, arrived: datetime, shard: str, sequence: str) -> str:
    return f"{dead_letter_folder(dataset)}{arrived:%Y/%m/%d}/{shard}-{sequence}.json"


def undelivered_folder(dataset: Dataset) -> str:
    """Where batches lie that the event source mapping gave up on."""
    return f"{dataset.folder.rstrip('/')}__undelivered/"
