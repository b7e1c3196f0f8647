"""What a shard holds and lets in: records under numbers like those of AWS, and so many writes a second."""

from __future__ import annotations

import threading
from base64 import b64decode
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

RECORDS_A_SECOND = 1000
BYTES_A_SECOND = 1 << 20
EDITION = 2  # the first and the last hexadecimal digit of a sequence number
LISTENERS: list[threading.Event] = []  # set after records were put


@dataclass(slots=True)
class Record:
    """One record; `data` stays base64, as callers send it and functions get it."""

    partition_key: str
    data: str
    sequence_number: int
    explicit_hash_key: str
    created_at: float
    size: int

    @property
    def created_at_datetime(self) -> datetime:
        return datetime.fromtimestamp(self.created_at, UTC)

    def to_json(self) -> dict[str, Any]:
        return {
            "Data": b64decode(self.data),
            "PartitionKey": self.partition_key,
            "SequenceNumber": str(self.sequence_number),
            "ApproximateArrivalTimestamp": self.created_at_datetime,
        }


class Allowance:
    """A provisioned shard's throughput: what was not used for a second is not saved."""

    def __init__(self) -> None:
        self._records, self._bytes, self._at = float(RECORDS_A_SECOND), float(BYTES_A_SECOND), 0.0

    def takes(self, size: int, now: float) -> bool:
        passed, self._at = max(0.0, now - self._at), now
        self._records = min(RECORDS_A_SECOND, self._records + passed * RECORDS_A_SECOND)
        self._bytes = min(BYTES_A_SECOND, self._bytes + passed * BYTES_A_SECOND)
        if self._records < 1 or self._bytes < size:
            return False
        self._records -= 1
        self._bytes -= size
        return True


class Journal:
    """A shard's records in order: the list that moto's dictionary of them lacks, so that reading on is quick."""

    def __init__(self, shard: int) -> None:
        self.allowance = Allowance()
        self.records: list[Record] = []
        self._shard = shard
        self._count = 0

    def number(self, created: float, now: float) -> int:
        """Long, rising in a shard, and never that of another shard or of a stream made at another second."""
        self._count += 1
        digits = EDITION << 36 | int(created)
        digits = digits << 76 | self._count
        digits = digits << 36 | int(now)
        return (digits << 32 | self._shard) << 4 | EDITION

    def add(self, record: Record) -> None:
        self.records.append(record)

    def after(self, sequence_number: int, limit: int | None = None) -> list[Record]:
        """The records that came later than the one of this number."""
        first = bisect_right(self.records, sequence_number, key=lambda record: record.sequence_number)
        return self.records[first : None if limit is None else first + limit]

    def forget(self, before: float) -> list[Record]:
        """Drop the records that arrived earlier; those that were dropped."""
        count = bisect_right(self.records, before, key=lambda record: record.created_at)
        gone = self.records[:count]
        del self.records[:count]
        return gone
