"""A reader that polls silver and gold all through whatever happens, and remembers everything it ever saw."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pyiceberg.exceptions import NoSuchTableError

from tests.local.small_lake import GOLD, SILVER, SmallLake

Rows = frozenset[tuple[Any, ...]]


@dataclass
class Reader:
    """`seen` holds the distinct contents of each table, in order.

    `mixed` counts the polls in which gold tables were of different runs, `unexplained` those of them that fell into no
    publication.
    """

    lake: SmallLake
    seen: dict[str, list[Rows]] = field(default_factory=dict)
    polls: int = 0
    mixed: int = 0
    unexplained: list[str] = field(default_factory=list)

    def tables(self) -> dict[str, Any]:
        """Each table as it is at this moment; None where it is not there yet."""
        catalog, environment = self.lake.catalog(), self.lake.environment
        places = {SILVER: environment.database("silver"), **dict.fromkeys(GOLD, environment.database("gold"))}
        found: dict[str, Any] = {}
        for table, database in places.items():
            try:
                found[table] = catalog.load_table((database, table))
            except NoSuchTableError:
                found[table] = None
        return found

    def poll(self) -> None:
        ledger = self.lake.target.ledger()
        begun = ledger.intents()
        tables = self.tables()
        publishing = begun + ledger.intents()
        runs = {_run(tables[each]) for each in GOLD}
        self.mixed += len(runs) > 1
        if len(runs) > 1 and not publishing:
            self.unexplained.append(str(runs))
        for table, found in tables.items():
            rows = contents(found)
            known = self.seen.setdefault(table, [])
            if not known or known[-1] != rows:
                known.append(rows)
        self.polls += 1

    def watch(self, done: threading.Event) -> None:
        while not done.is_set():
            self.poll()
            time.sleep(0.05)


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
