"""Who is forgotten, as the ledger keeps it: digests under a secret key, never ids."""

from __future__ import annotations

from lake.items import Items
from lake.records import Load

SUBJECT = "SUBJECT#"


class Forgotten(Items):
    """`FORGOTTEN#dataset / SUBJECT#digest`, and the loads that hold fewer rows since."""

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
