"""Who is forgotten, as the ledger keeps it: digests under a secret key, never ids."""

from __future__ import annotations

import hashlib
import json

from lake.evolution import identity
from lake.items import Items
from lake.parts import Dataset
from lake.records import Load

SUBJECT, NAMES = "SUBJECT#", "NAMES#"


class Forgotten(Items):
    """`FORGOTTEN#dataset / SUBJECT#digest`; how many rows loads hold since, and by which names to search them."""

    def forget(self, root: str, digest: str, run: str) -> None:
        """From here on no row of this subject comes in; the first run that said so stays written."""
        self._put_new(f"FORGOTTEN#{root}", f"{SUBJECT}{digest}", {"run": run, "at": self._now()})

    def forgotten(self, root: str) -> frozenset[str]:
        return frozenset(item["sk"].removeprefix(SUBJECT) for item in self._query(f"FORGOTTEN#{root}", SUBJECT))

    def recount(self, dataset: str, load: Load, rows: int) -> None:
        """A load's files hold this many rows now, of whichever run it counts as."""
        for item in list(self._query(f"DATASET#{dataset}", "LT#")):
            if (item["run"], int(item["attempt"])) == (load.run, load.attempt):
                self._set(f"DATASET#{dataset}", item["sk"], {"rows": rows}, "attribute_exists(pk)")

    def note_names(self, dataset: Dataset) -> None:
        """What the source calls each column from now on; a load is searched by it when the contract says otherwise."""
        names = {identity(each): each.source for each in dataset.columns}
        mark = hashlib.sha256(json.dumps(names, sort_keys=True).encode()).hexdigest()[:16]
        self._put_new(f"DATASET#{dataset.id}", f"{NAMES}{mark}", {"names": names, "at": self._now()})

    def names(self, dataset: str) -> list[dict[str, str]]:
        """By the columns' ids, the latest first."""
        found = sorted(self._query(f"DATASET#{dataset}", NAMES), key=lambda item: str(item["at"]), reverse=True)
        return [dict(item["names"]) for item in found]
