"""The upkeep of one dataset's tables: under their lease, a commit at a time, with the ledger's head behind each."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from glue_jobs import compaction, expiry, iceberg
from glue_jobs.work import Task
from lake.ledger import Lease, LeaseHeldError

MAINTENANCE = "headwater.maintenance"  # in a summary: the run that rewrote files, beside what it says of their rows
WAIT_SECONDS = 2.0  # a table that a load is writing gets its turn next time
LONG_SECONDS, YIELD_SECONDS = 5.0, 1.5  # after a long bite, a moment in which a load that waits takes the lease

Act = Callable[[], int]


class NotNowError(Exception):
    """A reason to leave a dataset's tables, or the rest of them, to the next run."""


@dataclass
class Upkeep:
    """What is done to a dataset's tables until `deadline`, a moment of time.monotonic(); `done` counts it by table."""

    task: Task
    deadline: float
    dry_run: bool = False
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    done: dict[str, Counter[str]] = field(default_factory=dict)

    def tables(self) -> list[str]:
        """The dataset's own table first; of those beside it, the ones that are there."""
        job, dataset = self.task.job, self.task.dataset
        beside = [] if dataset.is_made else [job.lake.quarantine(dataset), job.lake.deleted(dataset)]
        return [each for each in (self.task.table, *beside) if job.spark.catalog.tableExists(each)]

    def weights(self) -> dict[str, dict[str, int]]:
        return {table: iceberg.weigh(self.task.job.spark, table) for table in self.tables()}

    def run(self) -> None:
        """All that there is to do; NotNowError says what of it was left, and why."""
        for table in self.tables():
            self.done.setdefault(table, Counter())
            self._forget(table)
            late = self._compact(table)
            self._manifests(table)
            self._expire(table)
            self._orphans(table)
            if late:
                raise NotNowError(f"out of time: {late} bites of {table} are left to the next run")

    def _forget(self, table: str) -> None:
        """Tombstones that no load can meet any more: its look-back has passed, and the time to redrive it too."""
        job, dataset = self.task.job, self.task.dataset
        if table != job.lake.deleted(dataset) or iceberg.head(job.spark, table) is None:
            return
        redrive = timedelta(days=job.lake.environment.maintenance.snapshot_days)
        before = self.now - max(redrive, timedelta(hours=dataset.lookback_hours))
        old = expiry.tombstones(job.spark, table, before)
        if old:
            self._do(table, "forgotten", lambda: old, lambda: expiry.forget(job.spark, table, before))

    def _compact(self, table: str) -> int:
        """How many bites the time did not suffice for."""
        spark, care = self.task.job.spark, self.task.job.lake.environment.maintenance
        if iceberg.head(spark, table) is None:
            return 0
        bites = compaction.bites(spark, table, self.now - timedelta(days=care.open_days))
        for number, bite in enumerate(bites):
            if time.monotonic() > self.deadline:
                return len(bites) - number
            began = time.monotonic()
            worth = sum(each.files for each in bite.partitions)
            self._do(table, "rewritten", lambda: worth,  # noqa: B023, it is called at once
                     lambda: compaction.compact(spark, table, bite, self._summary(table)))  # noqa: B023  # fmt: skip
            if time.monotonic() - began > LONG_SECONDS and number + 1 < len(bites):
                time.sleep(YIELD_SECONDS)
        return 0

    def _manifests(self, table: str) -> None:
        spark = self.task.job.spark
        if compaction.manifests_in_the_way(spark, table):
            self._do(table, "manifests", lambda: 1,
                     lambda: compaction.rewrite_manifests(spark, table, self._summary(table)))  # fmt: skip

    def _expire(self, table: str) -> None:
        spark = self.task.job.spark
        snapshots, branches = self._past(table)
        if snapshots or branches:
            self._do(table, "expired", lambda: len(snapshots), lambda: self._expire_now(spark, table))

    def _expire_now(self, spark: Any, table: str) -> int:
        snapshots, branches = self._past(table)  # again, now that nobody else writes
        expiry.expire(spark, table, snapshots, branches)
        return len(snapshots)

    def _past(self, table: str) -> tuple[list[int], list[str]]:
        job = self.task.job
        found, head = iceberg.load(job.spark, table), job.ledger.head(self.task.dataset.id)
        needed = {head.snapshot} if head and head.snapshot else set()
        days = job.lake.environment.maintenance.snapshot_days
        return expiry.expirable(found, needed, self.now, days), expiry.overdue_branches(found, self.now)

    def _orphans(self, table: str) -> None:
        spark, days = self.task.job.spark, self.task.job.lake.environment.maintenance.orphan_days
        before = self.now - timedelta(days=days)
        if time.monotonic() < self.deadline:
            self._do(table, "orphans", lambda: expiry.orphans(spark, table, before, delete=False),
                     lambda: expiry.orphans(spark, table, before, delete=True))  # fmt: skip

    def _do(self, table: str, what: str, would: Act, act: Act) -> None:
        """One change under the lease; in a dry run only how much it would be."""
        if self.dry_run:
            self.done[table][what] += would()
            return
        with self._lease() as lease:
            self.done[table][what] += act()
            self._follow(lease)

    @contextmanager
    def _lease(self) -> Iterator[Lease]:
        task, job = self.task, self.task.job
        try:
            with job.ledger.lease(task.table, task.run, wait=WAIT_SECONDS, attempt=job.attempt) as lease:
                if any(move["dataset"] == task.dataset.id for each in job.ledger.intents() for move in each.moves):
                    raise NotNowError("a publication of it is unfinished; the next run of its pipeline finishes it")
                self._follow(lease)  # a maintenance that was killed may have left the head behind
                lease.check()
                yield lease
        except LeaseHeldError as error:
            raise NotNowError(f"another holds it: {error}") from error

    def _follow(self, lease: Lease) -> None:
        """The ledger's head at main, where main holds the very rows that were published."""
        task, spark, ledger = self.task, self.task.job.spark, self.task.job.ledger
        head, main = ledger.head(task.dataset.id), iceberg.head(spark, task.table)
        if head is None or main is None or main == head.snapshot:
            return
        if iceberg.content(spark, task.table, main) == iceberg.content(spark, task.table, head.snapshot):
            lease.check()
            ledger.move_head(task.dataset.id, main, lease.fence)

    def _summary(self, table: str) -> dict[str, str]:
        """All that main says of its rows, so that the ledger can be repaired from this snapshot as from that one."""
        spark = self.task.job.spark
        main = iceberg.head(spark, table)
        assert main is not None  # tables without a snapshot are not compacted
        said = {name: value for name, value in iceberg.summary(spark, table, main).items() if "headwater." in name}
        return {**said, MAINTENANCE: self.task.run, iceberg.CONTENT: str(iceberg.content(spark, table, main))}
