"""A reader that polls silver and gold all through whatever happens, and remembers everything it ever saw."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.local.small_lake import GOLD, SILVER, SmallLake

Rows = frozenset[tuple[Any, ...]]


class Reader:
    """`seen` holds the distinct contents of each table, in order.

    `mixed` counts the polls in which gold tables were of different runs, `unexplained` those of them that fell into no
    publication.
    """

    def __init__(self, lake: SmallLake) -> None:
        environment = lake.environment
        silver, gold = environment.database("silver"), environment.database("gold")
        self.seen: dict[str, list[Rows]] = {}
        self.polls, self.mixed, self.unexplained = 0, 0, list[str]()
        self._glue, self._catalog, self._ledger = lake.client("glue"), lake.catalog(), lake.target.ledger()
        self._places = {SILVER: silver, **dict.fromkeys(GOLD, gold)}
        self._held: dict[str, Any] = {}

    def look(self, table: str) -> bool:
        """Holds the table as it is at this moment, None where it is not there yet; whether it was another before.

        What a metadata file says never changes, so a table is read again where the catalog names another one.
        """
        database, held = self._places[table], self._held.get(table)
        try:
            shown = self._glue.get_table(DatabaseName=database, Name=table)["Table"]
        except self._glue.exceptions.EntityNotFoundException:
            self._held[table] = None
            return table not in self.seen
        if held is not None and held.metadata_location == shown["Parameters"]["metadata_location"]:
            return False
        self._held[table] = self._catalog.load_table((database, table))
        return True

    def poll(self) -> None:
        begun = self._ledger.intents()
        others = [table for table in self._places if self.look(table)]
        runs = {_run(self._held[each]) for each in GOLD}
        self.mixed += len(runs) > 1
        if len(runs) > 1 and not begun and not self._ledger.intents():
            self.unexplained.append(str(runs))
        for table in others:
            rows = contents(self._held[table])
            known = self.seen.setdefault(table, [])
            if not known or known[-1] != rows:
                known.append(rows)
        self.polls += 1

    def watch(self, done: threading.Event) -> None:
        while not done.is_set():
            self.poll()
            time.sleep(0.1)


def contents(table: Any) -> Rows:
    """The table's rows in the contract's columns."""
    rows = table.scan().to_arrow().to_pylist() if table and table.current_snapshot() else []
    return frozenset(tuple(value for name, value in row.items() if not name.startswith("_")) for row in rows)


def _run(table: Any) -> str:
    snapshot = table.current_snapshot() if table else None
    return str(snapshot.summary["headwater.run"]) if snapshot else ""


@contextmanager
def reading(lake: SmallLake) -> Iterator[Reader]:
    """A reader at work for as long as the body lasts."""
    reader, done = Reader(lake), threading.Event()
    thread = threading.Thread(target=reader.watch, args=(done,))
    thread.start()
    try:
        yield reader
    finally:
        done.set()
        thread.join()
