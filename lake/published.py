"""What each dataset has: committed bronze loads, the published snapshot, the contract applied, gold on its way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from lake.items import Item, Items, make, packed_texts, texts
from lake.leases import LeaseLostError
from lake.records import Head, Intent, Load
from lake.runs import RunId


class LoadConflictError(Exception):
    """A second load of the same attempt with other files."""


class IntentConflictError(Exception):
    """A run that would publish while an earlier publication of it is unfinished."""


class PublishedState(Items):
    """Datasets and publications: `DATASET#id / LT#…|LOAD|HEAD|APPLIED`, `INTENTS / RUN#run`."""

    def commit_load(self, dataset: str, load: Load) -> Load:
        """From here on the load exists; committing it again is a no-op that also repairs a half-done commit."""
        item = {**asdict(load), "files": packed_texts(load.files), "keys": packed_texts(load.keys), "at": self._now()}
        key = f"{_load_prefix(load.run)}{load.attempt:03}"
        if not self._put_new(f"DATASET#{dataset}", key, item) and self._load(dataset, key) != load:
            raise LoadConflictError(
                f"The load of {dataset} by {load.run}, attempt {load.attempt}: other files are committed already."
                " Two jobs worked on it; redrive the run, which loads under a new attempt."
            )
        self._set(f"DATASET#{dataset}", "LOAD", {"load": key}, "attribute_not_exists(pk) OR #load < :load", load=key)
        return load

    def latest_load(self, dataset: str) -> Load | None:
        """The load of the latest logical time; one of an earlier time, by a backfill, does not take its place."""
        pointer = self._get(f"DATASET#{dataset}", "LOAD")
        return self._load(dataset, pointer["load"]) if pointer else None

    def load(self, dataset: str, run: str) -> Load | None:
        """The load of a run, by its latest attempt."""
        found = list(self._query(f"DATASET#{dataset}", _load_prefix(run)))
        return _load(found[-1]) if found else None

    def loads(self, dataset: str, limit: int = 20, logical: str = "") -> list[Load]:
        """The latest loads, newest logical time first; `logical` (as a run id writes it) asks for those of one."""
        return [_load(item) for item in self._last(f"DATASET#{dataset}", f"LT#{logical}", limit)]

    def publish_head(
        self,
        dataset: str,
        snapshot: int | None,
        run: str,
        watermark: str,
        fence: int,
        read: Mapping[str, str] | None = None,
    ) -> Head:
        """Records what readers now see; `fence` is that of the lease it was published under.

        `read` is the head's `began`, `keyed` and `cursor`.
        """
        head: Item = {"snapshot": snapshot, "run": run, "watermark": watermark, "fence": fence, "at": self._now()}
        head |= read or {}
        when = "attribute_not_exists(pk) OR fence <= :fence"
        if not self._put(f"DATASET#{dataset}", "HEAD", head, when, fence=fence):
            raise LeaseLostError(
                f"The head of {dataset}: expected no fence above {fence}, yet a later holder of the lease"
                " has published. This run came too late; redrive it."
            )
        return _head(head)

    def move_head(self, dataset: str, snapshot: int, fence: int) -> None:
        """The same rows in another snapshot, as maintenance leaves them: the run, the watermark and the time stay."""
        moved = {"snapshot": snapshot, "fence": fence}
        if self._set(f"DATASET#{dataset}", "HEAD", moved, "attribute_exists(pk) AND fence <= :fence", fence=fence):
            return
        raise LeaseLostError(
            f"The head of {dataset}: expected one, with no fence above {fence}, yet a later holder of the lease has"
            " published. Nothing is lost; redrive the maintenance."
        )

    def set_maintained(self, dataset: str) -> None:
        """The dataset's tables are as maintenance wants them; those whose turn was longest ago come first."""
        at = self._now()
        self._put(f"DATASET#{dataset}", "MAINTAINED", {"at": at}, "attribute_not_exists(pk) OR #at < :at", at=at)

    def all_maintained(self, datasets: Iterable[str]) -> dict[str, str]:
        return {dataset: item["at"] for dataset, item in self._of_each(datasets, "MAINTAINED").items()}

    def head(self, dataset: str) -> Head | None:
        return self.heads([dataset]).get(dataset)

    def heads(self, datasets: Iterable[str]) -> dict[str, Head]:
        """The heads of those datasets that have been published."""
        return {dataset: _head(item) for dataset, item in self._of_each(datasets, "HEAD").items()}

    def applied(self, dataset: str) -> str | None:
        """The hash of the contract that the dataset's tables were last made to follow."""
        return self.all_applied([dataset]).get(dataset)

    def all_applied(self, datasets: Iterable[str]) -> dict[str, str]:
        return {dataset: item["hash"] for dataset, item in self._of_each(datasets, "APPLIED").items()}

    def set_applied(self, dataset: str, hash: str, fence: int) -> None:
        """Records that the dataset's tables follow this contract; `fence` is that of the lease they changed under."""
        applied = {"hash": hash, "fence": fence, "at": self._now()}
        when = "attribute_not_exists(pk) OR fence <= :fence"
        if not self._put(f"DATASET#{dataset}", "APPLIED", applied, when, fence=fence):
            raise LeaseLostError(
                f"The tables of {dataset}: expected no fence above {fence}, yet a later holder of the lease has changed"
                " them. Another apply went ahead; redrive the run."
            )

    def set_version(self, dataset: str, version: str, run: str, statements: Sequence[str]) -> None:
        """Before a table goes to a major version: by which run, and how; the first record stays."""
        made = {"version": version, "run": run, "statements": list(statements), "at": self._now()}
        self._put_new(f"DATASET#{dataset}", f"VERSION#{int(version.partition('.')[0]):04}", made)

    def intend(self, run: str, moves: Sequence[Mapping[str, Any]]) -> Intent:
        """Before the first table of a publication moves: whoever finds this later can finish it."""
        intent = Intent(run, tuple(moves))
        if not self._put_new("INTENTS", f"RUN#{run}", {"run": run, "moves": intent.moves, "at": self._now()}):
            stored = self._get("INTENTS", f"RUN#{run}")
            if stored is None or _intent(stored) != intent:
                raise IntentConflictError(
                    f"The publication of {run}: an earlier one is unfinished. Roll it forward and settle it first."
                )
        return intent

    def intents(self) -> list[Intent]:
        """Every publication that was begun and not settled."""
        return [_intent(item) for item in self._query("INTENTS", "RUN#")]

    def settle(self, run: str) -> None:
        """After the last table has moved; settling twice is a no-op."""
        self._delete("INTENTS", f"RUN#{run}", "attribute_exists(pk)")

    def _load(self, dataset: str, key: str) -> Load | None:
        found = self._get(f"DATASET#{dataset}", key)
        return _load(found) if found else None

    def _of_each(self, datasets: Iterable[str], sk: str) -> dict[str, Item]:
        keys = [(f"DATASET#{dataset}", sk) for dataset in dict.fromkeys(datasets)]
        return {item["pk"].removeprefix("DATASET#"): item for item in self._get_many(keys)}


def _load_prefix(run: str) -> str:
    # Sorted by logical time, then by try of it, then by attempt: what comes last is the latest.
    named = RunId.parse(run)
    return f"LT#{named.logical_text}#{named.number:02}#{run}-"


def _load(item: Item) -> Load:
    return make(Load, {**item, "files": texts(item["files"]), "keys": texts(item["keys"])})


def _head(item: Item) -> Head:
    return make(Head, {"snapshot": None, **item, "at": datetime.fromisoformat(item["at"])})


def _intent(item: Item) -> Intent:
    return make(Intent, item)
