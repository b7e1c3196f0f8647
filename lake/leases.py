"""Leases: one writer at a time for a table, and a number that tells a late one that it is no longer the writer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from lake.items import Item, Items

# Renewed every third of it, so that it outlasts a job that is busy; and what another run waits after a crash.
LEASE_SECONDS = 120.0
WAIT_SECONDS = 60.0
_POLL_SECONDS = 1.0


class LeaseHeldError(Exception):
    """A table that another holder is writing."""


class LeaseLostError(Exception):
    """A lease that ran out and went to another holder: nothing more may be written under it."""


@dataclass(frozen=True)
class Lease:
    """The right to write a table; `fence` is higher than that of every earlier holder."""

    table: str
    owner: str
    fence: int
    _leases: Leases = field(repr=False, compare=False)
    _seconds: float = field(repr=False, compare=False)

    def check(self) -> None:
        """Call before each write that others see: raises where another holds the table, else renews the lease."""
        if not self._leases._renew(self, self._seconds):
            holder = self._leases._holder(self.table)
            raise LeaseLostError(
                f"The lease of {self.table} by {self.owner}: it ran out and went to {holder}."
                " Nothing more was written; redrive the run."
            )


@dataclass(frozen=True)
class Held:
    """Who holds a lease, and until when if it is not renewed; `attempt` is None for who is no run."""

    owner: str
    attempt: int | None
    fence: int
    until: datetime


class Leases(Items):
    """`LEASE#table / LEASE`: owner, fence, when it runs out."""

    @contextmanager
    def lease(
        self,
        table: str,
        owner: str,
        seconds: float = LEASE_SECONDS,
        wait: float = WAIT_SECONDS,
        attempt: int | None = None,
        waiting: Callable[[str], None] = lambda holder: None,
    ) -> Iterator[Lease]:
        """Holds the lease of a table, renewing it while the body runs; `waiting` is told of each holder in the way.

        A lease that ran out is taken over. So, at once, is one of an earlier `attempt` of the same owner: a run's
        attempts follow each other, so what an earlier one still holds it left behind when it was killed.
        """
        lease = self._acquire(table, owner, seconds, wait, attempt, waiting)
        stop = Event()
        beat = Thread(target=self._keep, args=(lease, seconds, stop), name=f"lease {table}", daemon=True)
        beat.start()
        try:
            yield lease
        finally:
            stop.set()
            beat.join()
            with suppress(BotoCoreError, ClientError):  # the work is done, and the lease runs out by itself
                self._set(f"LEASE#{table}", "LEASE", {"expires": 0}, _OURS, owner=owner, fence=lease.fence)

    def holders(self, tables: Iterable[str]) -> dict[str, Held]:
        """Who holds the leases of these tables; those that nobody holds are left out."""
        now = self._clock().timestamp() * 1000
        found = self._get_many([(f"LEASE#{table}", "LEASE") for table in dict.fromkeys(tables)])
        return {item["pk"].removeprefix("LEASE#"): _held(item) for item in found if item["expires"] > now}

    def _acquire(
        self,
        table: str,
        owner: str,
        seconds: float,
        wait: float,
        attempt: int | None,
        waiting: Callable[[str], None],
    ) -> Lease:
        # The token makes the call safe to repeat: boto3 may send it again after it got through.
        taken: Item = {"owner": owner, "token": uuid4().hex, "attempt": -1 if attempt is None else attempt}
        give_up, told = self._clock() + timedelta(seconds=wait), ""
        while True:
            now = self._clock().timestamp()
            held = {**taken, "expires": int((now + seconds) * 1000)}
            item = self._set(f"LEASE#{table}", "LEASE", held, _FREE, count="fence", now=int(now * 1000), **taken)
            if item:
                return Lease(table, owner, item["fence"], self, seconds)
            holder = self._holder(table)
            if self._clock() >= give_up:
                raise LeaseHeldError(
                    f"The table {table}: expected its lease within {wait:g} s, yet {holder} holds it."
                    " Wait until that one ends, or stop it, then redrive."
                )
            if holder != told:
                waiting(holder)
                told = holder
            self._sleep(min(_POLL_SECONDS, max(wait, 0.01)))

    def _renew(self, lease: Lease, seconds: float) -> bool:
        expires = int((self._clock().timestamp() + seconds) * 1000)
        held = self._set(
            f"LEASE#{lease.table}", "LEASE", {"expires": expires}, _OURS, owner=lease.owner, fence=lease.fence
        )
        return held is not None

    def _keep(self, lease: Lease, seconds: float, stop: Event) -> None:
        while not stop.wait(seconds / 3):
            try:
                if not self._renew(lease, seconds):
                    return  # lost: the holder learns it from check()
            except (BotoCoreError, ClientError):
                continue  # the next beat tries again, and check() decides

    def _holder(self, table: str) -> str:
        found = self._get(f"LEASE#{table}", "LEASE")
        if not found:
            return "nobody"
        return f"{found['owner']}, attempt {found['attempt']}" if found["attempt"] >= 0 else str(found["owner"])


def _held(item: Item) -> Held:
    attempt = item["attempt"] if item["attempt"] >= 0 else None
    return Held(item["owner"], attempt, item["fence"], datetime.fromtimestamp(item["expires"] / 1000, UTC))


_FREE = "attribute_not_exists(pk) OR #expires <= :now OR #token = :token OR (#owner = :owner AND #attempt < :attempt)"
_OURS = "#owner = :owner AND #fence = :fence"
