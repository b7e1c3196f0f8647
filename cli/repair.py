"""The ledger compared with the tables: heads and watermarks from snapshot summaries, unfinished publications."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cli.catalog import open_catalog
from cli.errors import CommandError
from cli.target import Target
from lake.catalog import CATALOG
from lake.ledger import Head, Intent, LeaseHeldError

OWNER = "headwater ledger repair"
WAIT_SECONDS = 5.0
OURS = "headwater."
READ = ("began", "keyed", "cursor")  # of the loads that a table is made of: a head says them, and so does a snapshot


@dataclass(frozen=True)
class Difference:
    """Where the ledger and the tables said different things, and what became of it."""

    what: str
    ledger: str
    tables: str
    done: str
    settled: bool = True


@dataclass(frozen=True)
class Said:
    """What a table's main says: its snapshot, and of the last one of ours in its history the summary."""

    snapshot: int
    summary: Mapping[str, str]

    def differs(self, head: Head | None) -> bool:
        """A head may say a later run and watermark than its snapshot does: of a run that found nothing to change."""
        if head is None or head.snapshot != self.snapshot:
            return True
        run, watermark = self.summary.get("run", head.run), self.summary.get("watermark", head.watermark)
        return head.watermark < watermark or (head.run == run and head.watermark != watermark)

    def __str__(self) -> str:
        run, watermark = self.summary.get("run", "no run of ours"), self.summary.get("watermark", "none")
        return f"snapshot {self.snapshot} by {run}, watermark {watermark}"


class Repair:
    """One lake's repair: `head(dataset)` and `intents()` give differences, mended unless it is a dry run."""

    def __init__(self, target: Target, dry_run: bool) -> None:
        self.lake = target.lake()
        self._ledger = target.ledger()
        self._catalog = open_catalog(target)
        self._dry_run = dry_run

    def head(self, dataset: str) -> Iterator[Difference]:
        """The dataset's head as its table's main has it."""
        name, held = self._table(dataset), self._ledger.head(dataset)
        said = self._said(name)
        if said is None:
            if held is not None and held.snapshot is not None:
                told = "expected the table that the ledger knows: restore it, or apply contracts by a run"
                yield Difference(dataset, _told(held), "no table, or no snapshot in it", told, settled=False)
            return
        if not said.differs(held):
            return
        if self._dry_run:
            yield Difference(dataset, _told(held), str(said), "nothing: a dry run")
            return
        try:
            with self._ledger.lease(name, OWNER, wait=WAIT_SECONDS) as lease:
                said = self._said(name) or said  # a run may have published while the lease was waited for
                held = self._ledger.head(dataset)
                if not said.differs(held):
                    return
                self._publish(dataset, said, held, lease.fence)
                yield Difference(dataset, _told(held), str(said), "the ledger says so too")
        except LeaseHeldError as error:
            yield Difference(dataset, _told(held), str(said), str(error), settled=False)

    def intents(self) -> Iterator[Difference]:
        """Every publication that was begun and not ended."""
        for intent in self._ledger.intents():
            states = {each["table"]: self._state(each) for each in intent.moves}
            told = ", ".join(f"{table.rpartition('.')[2]} {state}" for table, state in states.items())
            holders = self._ledger.holders(states)
            yield self._settle(intent, set(states.values()), told, {each.owner for each in holders.values()})

    def _settle(self, intent: Intent, states: set[str], told: str, writers: set[str]) -> Difference:
        what, begun = f"publication of {intent.run}", f"begun, {len(intent.moves)} tables to move"
        if intent.run in writers:
            return Difference(what, begun, told, "nothing: that run is at it")
        if states <= {"moved", "to move"} and "to move" in states:
            done = "nothing: the next run of its pipeline, or its redrive, moves the rest"
            return Difference(what, begun, told, done)
        if not self._dry_run:
            self._ledger.settle(intent.run)
        done = "nothing: a dry run" if self._dry_run else "settled; the next run of its pipeline builds gold anew"
        return Difference(what, begun, told, done)

    def _state(self, move: Mapping[str, Any]) -> str:
        """moved, to move, or gone elsewhere."""
        table = self._load(move["table"])
        if table is None:
            return "gone"
        main = table.current_snapshot()
        each = main
        while each is not None:
            if each.snapshot_id == move["to"]:
                return "moved"
            each = table.snapshot_by_id(each.parent_snapshot_id) if each.parent_snapshot_id else None
        ends = {ref.snapshot_id for name, ref in table.metadata.refs.items() if name != "main"}
        at = main.snapshot_id if main else None
        return "to move" if at == move["from"] and move["to"] in ends else "gone elsewhere"

    def _said(self, name: str) -> Said | None:
        table = self._load(name)
        snapshot = table.current_snapshot() if table else None
        if snapshot is None:
            return None
        main = snapshot.snapshot_id
        while snapshot is not None and f"{OURS}run" not in _summary(snapshot):
            parent = snapshot.parent_snapshot_id
            snapshot = table.snapshot_by_id(parent) if parent else None
        said = _summary(snapshot) if snapshot else {}
        ours = {key.removeprefix(OURS): value for key, value in said.items() if key.startswith(OURS)}
        return Said(main, ours)

    def _publish(self, dataset: str, said: Said, held: Head | None, fence: int) -> None:
        """What a snapshot does not say, the old head may."""
        summary = said.summary
        run = summary.get("run") or (held.run if held else OWNER)
        watermark = summary.get("watermark") or (held.watermark if held else "")
        read = {name: summary.get(name) or (getattr(held, name) if held else "") for name in READ}
        self._ledger.publish_head(dataset, said.snapshot, run, watermark, fence, read)

    def _load(self, name: str) -> Any:
        """None where there is no such table."""
        from pyiceberg.exceptions import NoSuchTableError

        try:
            return self._catalog.load_table(name.removeprefix(f"{CATALOG}."))
        except NoSuchTableError:
            return None
        except OSError as error:  # PyIceberg's own way to S3
            told = str(error).splitlines()[0]
            raise CommandError(
                f"The table '{name}': its metadata cannot be read: {told}. Look whether you may read its bucket."
            ) from error

    def _table(self, dataset: str) -> str:
        return self.lake.table(self.lake.dataset(dataset))


def _summary(snapshot: Any) -> Mapping[str, str]:
    return snapshot.summary.additional_properties if snapshot.summary else {}


def _told(head: Head | None) -> str:
    return f"snapshot {head.snapshot} by {head.run}, watermark {head.watermark or 'none'}" if head else "nothing"
