"""Reading a mapping's stream: by shard, in lanes by partition key, in batches that are full or waited long enough."""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from moto.kinesis.models import kinesis_backends

from local.services.event_source import EventSource
from local.services.event_source_batch import Batch
from local.services.event_source_settings import Settings
from local.services.kinesis_shards import LISTENERS, Record

LOG = logging.getLogger(__name__)
PATIENCE = 0.2  # so that windows end on time though nothing arrives
FAULT_WAIT = 5.0
LARGEST_EVENT = 6 << 20
AROUND_A_RECORD = 640  # bytes of JSON that an event has beside a record's key and data


@dataclass
class Lane:
    """Records whose order is kept: one batch of them is at work at a time."""

    waiting: deque[Record] = field(default_factory=deque)
    size: int = 0
    since: float = 0.0
    busy: int = 0

    def add(self, record: Record, now: float) -> None:
        if not self.waiting:
            self.since = now
        self.waiting.append(record)
        self.size += size_in_event(record)

    def due(self, settings: Settings, now: float) -> bool:
        if self.busy or not self.waiting:
            return False
        full = len(self.waiting) >= settings.batch_size or self.size >= LARGEST_EVENT
        return full or now >= self.since + settings.window

    def take(self, settings: Settings, now: float) -> list[Record]:
        """The next batch: so many records, and no more than an event may hold."""
        taken: list[Record] = []
        size = 0
        while self.waiting and len(taken) < settings.batch_size:
            size += size_in_event(self.waiting[0])
            if taken and size > LARGEST_EVENT:
                break
            taken.append(self.waiting.popleft())
        self.size -= sum(size_in_event(record) for record in taken)
        self.since, self.busy = now, len(taken)
        return taken

    def give_back(self, left: list[Record]) -> None:
        self.waiting.extendleft(reversed(left))
        self.size += sum(size_in_event(record) for record in left)
        self.busy = 0


def size_in_event(record: Record) -> int:
    return len(record.data) + len(record.partition_key) + AROUND_A_RECORD


class ShardReader:
    """How far a shard was read, and what of it is not done yet."""

    def __init__(self, after: int) -> None:
        self.after = after
        self.lanes: list[Lane] = []

    @property
    def waiting(self) -> int:
        return sum(len(lane.waiting) for lane in self.lanes)

    @property
    def busy(self) -> int:
        return sum(lane.busy for lane in self.lanes)

    def read(self, shard: Any, lanes: int, now: float) -> bool:
        """Share what is new among the lanes; False while batches of another number of lanes are at work."""
        if len(self.lanes) != lanes and not self._share_anew(lanes, now):
            return False
        records = shard.journal.after(self.after)
        for record in records:
            self._lane(record).add(record, now)
        if records:
            self.after = records[-1].sequence_number
        return True

    def _share_anew(self, lanes: int, now: float) -> bool:
        if self.busy:
            return False
        left = sorted((record for lane in self.lanes for record in lane.waiting), key=lambda each: each.sequence_number)
        self.lanes = [Lane() for _ in range(lanes)]
        for record in left:
            self._lane(record).add(record, now)
        return True

    def _lane(self, record: Record) -> Lane:
        return self.lanes[crc32(record.partition_key.encode()) % len(self.lanes)]


class Poller:
    """One mapping's reading, in a thread of its own until the mapping is deleted; each batch has one too."""

    def __init__(self, source: EventSource) -> None:
        self.source = source
        self._arrived = threading.Event()
        self._readers: dict[str, ShardReader] = {}
        self._begin = self._first_positions()

    def start(self) -> None:
        LISTENERS.append(self._arrived)
        self.source.endpoint.background(self._run, f"mapping {self.source.mapping.uuid}")

    def stop(self) -> None:
        self.source.deleted = True
        self._arrived.set()

    def look(self) -> None:
        self._arrived.set()

    def state(self) -> dict[str, Any]:
        """How much is not done yet."""
        stream, readers = self._stream(), self._readers
        shards = dict(stream.shards) if stream else {}
        unread = sum(len(shard.journal.after(self._position(name))) for name, shard in shards.items())
        waiting = unread + sum(reader.waiting for reader in list(readers.values()))
        in_flight = sum(reader.busy for reader in list(readers.values()))
        mapping = self.source.mapping
        return {"stream": mapping.event_source_arn, "function": mapping.function_arn, "waiting": waiting,
                "in_flight": in_flight, "last_result": getattr(mapping, "last_result", "")}  # fmt: skip

    def _run(self) -> None:
        while not self.source.deleted and not self.source.endpoint.stopping.is_set():
            self._arrived.wait(PATIENCE)
            self._arrived.clear()
            try:
                self._look()
            except Exception:  # one bad look must not end the mapping
                LOG.exception("Mapping %s could not look at its stream", self.source.mapping.uuid)
        LISTENERS.remove(self._arrived)

    def _look(self) -> None:
        stream = self._stream()
        if stream is None:
            self._readers.clear()  # deleted, and its records with it
            return
        if not self.source.open:
            return
        settings, now = self.source.settings, self.source.endpoint.clock.now().timestamp()
        for name, shard in list(stream.shards.items()):
            if not all(self._finished(stream.shards.get(parent)) for parent in (shard.parent, shard.adjacent_parent)):
                continue  # a parent's records come first
            reader = self._readers.setdefault(name, ShardReader(self._begin.get(name, 0)))
            if not reader.read(shard, settings.lanes, now):
                continue
            for lane in reader.lanes:
                if lane.due(settings, now):
                    self._start(name, lane, lane.take(settings, now))

    def _start(self, shard: str, lane: Lane, records: list[Record]) -> None:
        self.source.count(PolledEventCount=len(records))
        batch = Batch(self.source, shard, records)

        def work() -> None:
            left = records
            try:
                left = batch.work()
            except Exception:  # a fault of ours: the batch comes again, as after any failure
                LOG.exception("Mapping %s could not work a batch of %s", self.source.mapping.uuid, shard)
                self.source.endpoint.clock.sleep(FAULT_WAIT)
            lane.give_back(left)
            self._arrived.set()

        self.source.endpoint.background(work, f"batch of {shard}")

    def _finished(self, parent: Any) -> bool:
        if parent is None:
            return True
        reader = self._readers.get(parent.shard_id)
        return reader is not None and not (reader.waiting or reader.busy or parent.journal.after(reader.after))

    def _stream(self) -> Any:
        mapping = self.source.mapping
        streams = kinesis_backends[mapping.account_id][mapping.region].streams
        return next((each for each in list(streams.values()) if each.arn == mapping.event_source_arn), None)

    def _position(self, shard: str) -> int:
        return self._readers[shard].after if shard in self._readers else self._begin.get(shard, 0)

    def _first_positions(self) -> dict[str, int]:
        """By shard, after which record to begin; from the first where nothing is said."""
        mapping, shards = self.source.mapping, self._stream().shards
        match mapping.starting_position:
            case "LATEST":
                before = float("inf")
            case "AT_TIMESTAMP":
                before = float(mapping.starting_position_timestamp)
            case _:
                return {}
        earlier = {
            name: [each.sequence_number for each in shard.journal.records if each.created_at < before]
            for name, shard in shards.items()
        }
        return {name: numbers[-1] for name, numbers in earlier.items() if numbers}
