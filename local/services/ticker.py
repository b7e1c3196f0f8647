"""One thread that fires whatever has a schedule, by the endpoint's clock."""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from local.services.schedule_expressions import Schedule

if TYPE_CHECKING:
    from local.endpoint import Endpoint

LOG = logging.getLogger(__name__)
TICK_SECONDS = 0.5
MOST_AT_ONCE = 1000  # firings of one schedule in one tick, for a clock that was moved far


@dataclass(frozen=True)
class Entry:
    """Something with a schedule; a changed one has another key. It begins at `begins`, else when it is first seen."""

    key: Hashable
    schedule: Schedule
    fire: Callable[[datetime], None]
    begins: datetime | None = None
    ends: datetime | None = None
    at_once: bool = False  # a rate fires when it begins, not one interval later


class Ticker:
    """`watch` adds a source of entries, which is asked at every tick, so that changes count at once."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._sources: list[Callable[[], list[Entry]]] = []
        self._began: dict[Hashable, datetime] = {}
        self._next: dict[Hashable, datetime | None] = {}
        self._lock = threading.Lock()
        endpoint.background(self._run, "ticker")

    def watch(self, source: Callable[[], list[Entry]]) -> None:
        self._sources.append(source)

    def _run(self) -> None:
        clock = self._endpoint.clock
        while not self._endpoint.stopping.is_set():
            clock.wait_until(clock.now() + timedelta(seconds=TICK_SECONDS), longest=TICK_SECONDS)
            try:
                self.look()
            except Exception:  # one bad schedule must not end all others
                LOG.exception("A tick of the schedules failed")

    def look(self) -> None:
        """Fire what is due, and see what is new."""
        with self._lock:
            now = self._endpoint.clock.now()
            entries = [entry for source in self._sources for entry in source()]
            for entry in entries:
                self._fire(entry, now)
            for gone in self._next.keys() - {entry.key for entry in entries}:
                del self._next[gone], self._began[gone]

    def _fire(self, entry: Entry, now: datetime) -> None:
        if entry.key not in self._next:
            began = self._began[entry.key] = entry.begins or now
            this_moment_counts = timedelta(microseconds=1 if entry.at_once or entry.begins else 0)
            self._next[entry.key] = entry.schedule.after(max(began, now) - this_moment_counts, began)
        for _ in range(MOST_AT_ONCE):
            due = self._next[entry.key]
            if due is None or due > now or (entry.ends and due > entry.ends):
                return
            self._next[entry.key] = entry.schedule.after(due, self._began[entry.key])
            entry.fire(due)


_TICKERS: weakref.WeakKeyDictionary[Endpoint, Ticker] = weakref.WeakKeyDictionary()


def of(endpoint: Endpoint) -> Ticker:
    """The one ticker of an endpoint."""
    if endpoint not in _TICKERS:
        _TICKERS[endpoint] = Ticker(endpoint)
    return _TICKERS[endpoint]
