"""The clinics' load: immunization events as their systems send them, with faults in exactly known numbers.

The same numbers and seed give the same events: `Load(10_000, ending=now)`. `records()` yields them in the order of
sending; `expected()` says what silver must hold in the end, `malformed_records()` what must be dead letters, and why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import orjson

from local.clinic.events import Event, Numbers, Population, document
from local.clinic.faults import KINDS, Kind

SEED = 20_260_101
REQUEST_EVENTS = 500  # the most that one request may hold


@dataclass(frozen=True)
class Shares:
    """Of all records: how many are of which kind. What is left is the first event of an id, on time and right."""

    duplicates: float = 0.01
    corrections: float = 0.01
    late: float = 0.01
    malformed: float = 0.005


@dataclass(frozen=True)
class Record:
    """One event as it is sent: Kinesis' data and partition key; `rule` is what a malformed one breaks."""

    key: str
    data: bytes
    kind: Kind | None = None


class Load:
    """`count` records whose events happened in the `span` before `ending`, but for those that are late."""

    def __init__(
        self,
        count: int,
        *,
        ending: datetime,
        span: timedelta = timedelta(minutes=5),
        shares: Shares = Shares(),
        kinds: Sequence[Kind] = KINDS,
        seed: int = SEED,
    ) -> None:
        random = np.random.default_rng(seed)
        self.count, self.kinds = count, kinds
        self.duplicates, self.corrections = round(count * shares.duplicates), round(count * shares.corrections)
        self.late, self.malformed = round(count * shares.late), round(count * shares.malformed)
        self.ids = count - self.duplicates - self.corrections - self.malformed
        late = random.choice(self.ids, self.late, replace=False)
        self._people = Population(random, self.ids + self.malformed, ending=ending, span=span, late=late)
        self._corrected = random.choice(self.ids, self.corrections, replace=False)
        self._repeated = random.integers(0, self.ids + self.corrections, self.duplicates)
        self._order = _order(random, self.ids, count)

    def records(self) -> Iterator[Record]:
        """Every record, in the order of sending: a correction or a copy may come before what it follows."""
        for number in self._order.tolist():
            yield self.record(number)

    def batches(self, size: int = REQUEST_EVENTS) -> Iterator[list[Record]]:
        batch: list[Record] = []
        for record in self.records():
            batch.append(record)
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch

    def record(self, number: int) -> Record:
        """Events come first, then corrections, copies and malformed ones."""
        valid = self.ids + self.corrections
        if number < valid:
            event = self._event(number)
            return Record(event.event_id, orjson.dumps(document(event)))
        if number < valid + self.duplicates:
            return self.record(int(self._repeated[number - valid]))
        place = number - valid - self.duplicates
        kind = self.kinds[place % len(self.kinds)]
        event = self._people.event(self.ids + place)
        return Record(event.event_id, kind.spoil(document(event)), kind)

    def expected(self) -> Iterator[Event]:
        """The latest event of each id, which silver holds."""
        corrected = {int(each): number for number, each in enumerate(self._corrected, self.ids)}
        for number in range(self.ids):
            yield self._event(corrected.get(number, number))

    def malformed_records(self) -> Iterator[tuple[Record, Kind]]:
        """Those that become a dead letter, each of an id that no other record has."""
        for number in range(self.count - self.malformed, self.count):
            record = self.record(number)
            assert record.kind is not None  # they are the last by number
            yield record, record.kind

    def _event(self, number: int) -> Event:
        if number < self.ids:
            return self._people.event(number)
        return self._people.corrected(int(self._corrected[number - self.ids]))


def _order(random: np.random.Generator, ids: int, count: int) -> Numbers:
    """First events in the order of their times, everything else anywhere among them."""
    order = random.permutation(count)
    order[order < ids] = np.arange(ids)
    return order
