"""One batch, worked to its end: retried, cut in two, or given up on, by the mapping's settings."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from local.services.event_source import EventSource, NotInvokedError, Outcome
from local.services.event_source_discards import EXHAUSTED, TOO_OLD
from local.services.kinesis_shards import Record

FIRST_WAIT = 0.25
LONGEST_WAIT = 60.0
THROTTLED_WAIT = 1.0


@dataclass
class Part:
    """Records that are tried together, and how often that failed since the last progress."""

    records: list[Record]
    failures: int = 0
    last: Outcome | None = None


class Batch:
    """The records of one lane of a shard: `work` answers those that are left where the mapping was closed meanwhile."""

    def __init__(self, source: EventSource, shard: str, records: list[Record]) -> None:
        self._source, self._shard = source, shard
        self._parts = deque([Part(records)])

    def work(self) -> list[Record]:
        while self._parts and self._source.open:
            part = self._parts.popleft()
            try:
                self._try(self._without_expired(part))
            except NotInvokedError as error:  # counts as no try: the records' age alone ends this
                self._source.mapping.last_result = str(error)
                self._parts.appendleft(part)
                self._source.endpoint.clock.sleep(THROTTLED_WAIT)
        return [record for part in self._parts for record in part.records]

    def _without_expired(self, part: Part) -> Part:
        age = self._source.settings.age
        if age is None:
            return part
        oldest = self._source.endpoint.clock.now().timestamp() - age
        expired = [record for record in part.records if record.created_at < oldest]
        if expired:
            self._source.discard(self._shard, expired, TOO_OLD, part.failures, part.last)
            part.records = part.records[len(expired) :]
        return part

    def _try(self, part: Part) -> None:
        if not part.records:
            return
        outcome = self._source.invoke(self._shard, part.records)
        if outcome.first_failed is None:
            return
        if not self._source.open:  # the endpoint stops, and took the function with it
            self._parts.appendleft(part)
        elif outcome.first_failed:
            # Progress: what follows it is a batch of its own, whose tries are counted anew.
            self._parts.appendleft(Part(part.records[outcome.first_failed :], last=outcome))
        else:
            self._failed(Part(part.records, part.failures + 1, outcome))

    def _failed(self, part: Part) -> None:
        settings = self._source.settings
        half = len(part.records) // 2
        reported = part.last is not None and part.last.reported  # then a batch is cut there, which it was
        if settings.bisect and half and not reported:  # which uses up no retry
            self._parts.extendleft(
                [Part(part.records[half:], last=part.last), Part(part.records[:half], last=part.last)]
            )
        elif settings.retries is not None and part.failures > settings.retries:
            self._source.discard(self._shard, part.records, EXHAUSTED, part.failures, part.last)
        else:
            self._parts.appendleft(part)
            self._source.endpoint.clock.sleep(min(FIRST_WAIT * 2 ** (part.failures - 1), LONGEST_WAIT))
