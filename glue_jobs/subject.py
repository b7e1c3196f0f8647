"""One subject who is to be forgotten: which tables hold their rows, and each of these without them, under its lease."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from glue_jobs import erasure, iceberg, suppression
from glue_jobs.bronze_erasure import Bronze, Loads
from glue_jobs.failures import DatasetError
from glue_jobs.stream_erasure import Events
from glue_jobs.upkeep import MAINTENANCE
from glue_jobs.work import Job, Task
from lake.ledger import Lease, Outcome
from lake.parts import Dataset
from lake.subjects import Mark, digest, holders, made_from, marks


@dataclass
class Erasure:
    """Who is to be forgotten, as the request says that the state machine's input does not hold."""

    job: Job
    subject: str = field(repr=False)
    root: str
    dry_run: bool

    @cached_property
    def digest(self) -> str:
        return digest(suppression.secret(self.job), self.root, self.subject)

    @cached_property
    def holders(self) -> dict[str, tuple[str, ...]]:
        return holders(self.job.lake, self.root)

    @cached_property
    def made(self) -> list[str]:
        """The tables made of those that were ever published."""
        return [each for each in self._made if each in self._published]

    @cached_property
    def refused(self) -> list[str]:
        """The others: nobody makes them anew, and what a gate refused may lie in their branches."""
        known = (self.job.lake.dataset(each) for each in self._made if each not in self._published)
        return [each.id for each in known if self.job.spark.catalog.tableExists(self.job.lake.table(each))]

    @cached_property
    def _made(self) -> list[str]:
        return made_from(self.job.lake, self.holders)

    @cached_property
    def _published(self) -> Collection[str]:
        return self.job.ledger.heads(self._made)

    def first(self, task: Task) -> Outcome:
        """What is done before anything is made anew."""
        return self.rows(task) if task.dataset.id in self.holders else self.remains(task)

    def rows(self, task: Task) -> Outcome:
        """The subject's rows out of bronze, silver and what lies beside it."""
        job, dataset, by = self.job, task.dataset, self.marks(task.dataset)
        with task.lease() as lease:
            require_settled(task)
            lines = [self.bronze(dataset, dry_run=self.dry_run)]
            for table in tables(task):
                lease.check()
                found = {"rows": erasure.count(job, dataset, table, by)}
                if not self.dry_run:
                    erasure.delete(job, dataset, table, by)
                    found |= erasure.scrub(job.spark, table, summary(task, table))
                lines.append(done(table.partition(".")[2], found, {"rows": erasure.nameless(job, dataset, table, by)}))
            if not self.dry_run:
                follow(task, lease)
        return task.succeeded(tables=tuple(lines))

    def remains(self, task: Task) -> Outcome:
        """What a table made anew still holds of before; it was built without the subject's rows."""
        with task.lease() as lease:
            require_settled(task)
            found = erasure.scrub(task.job.spark, task.table, summary(task, task.table))
            follow(task, lease)
        return task.succeeded(tables=(done(task.table.partition(".")[2], found),))

    def late(self, name: str) -> dict[str, Any]:
        """What a run that was under way has brought to bronze since, and a stream."""
        task = Task(self.job, "forget", self.job.lake.dataset(name))
        with task.lease():
            return self.bronze(task.dataset, dry_run=False)

    def bronze(self, dataset: Dataset, *, dry_run: bool) -> dict[str, Any]:
        kind: type[Bronze] = Events if dataset.is_stream else Loads
        store = kind(self.job, dataset, self.marks(dataset), self.subject, dry_run)
        return done(f"bronze.{dataset.table}", store.erase(), store.nameless)

    def marks(self, dataset: Dataset) -> tuple[Mark, ...]:
        """The columns that carry the id, by all names that the source gave them since it was first loaded."""
        return marks(dataset, self.holders[dataset.id], self.job.ledger.names(dataset.id))


def done(table: str, counts: Mapping[str, int], nameless: Mapping[str, int] | None = None) -> dict[str, Any]:
    """An erasure's line in the outcome of a dataset; what is nameless stays, since nobody can tell whose it is."""
    left = {name: count for name, count in (nameless or {}).items() if count}
    return {"table": table, "before": {}, "after": left, "done": dict(counts)}


def tables(task: Task) -> list[str]:
    job, dataset = task.job, task.dataset
    every = (task.table, job.lake.quarantine(dataset), job.lake.deleted(dataset))
    return [each for each in every if job.spark.catalog.tableExists(each)]


def summary(task: Task, table: str) -> dict[str, str]:
    """What main says of its rows, so that the ledger can be repaired from what takes its place."""
    spark = task.job.spark
    main = iceberg.head(spark, table)
    if main is None:
        return {}
    every: list[dict[str, str]] = []
    each = iceberg.load(spark, table).currentSnapshot()
    while each is not None:  # a DELETE says nothing of itself
        every.append({str(name): str(value) for name, value in dict(each.summary()).items() if "headwater." in name})
        parent = each.parentId()
        each = None if every[-1] or parent is None else iceberg.load(spark, table).snapshot(parent)
    return {**every[-1], MAINTENANCE: task.run, iceberg.CONTENT: str(iceberg.content(spark, table, main))}


def follow(task: Task, lease: Lease) -> None:
    """The ledger's head at main, which is all that is left."""
    head = task.job.ledger.head(task.dataset.id)
    main = None if head is None else iceberg.head(task.job.spark, task.table)  # what was never loaded has no table
    if head is not None and main is not None and main != head.snapshot:
        lease.check()
        task.job.ledger.move_head(task.dataset.id, main, lease.fence)


def require_settled(task: Task) -> None:
    """Raises where a publication of the table is unfinished, which would need a snapshot that goes away here."""
    for each in task.job.ledger.intents():
        if any(move["dataset"] == task.dataset.id for move in each.moves):
            raise DatasetError(
                f"The publication of {task.dataset.id} by {each.run} is unfinished.",
                "Redrive that run, or start its pipeline again; then redrive this execution.",
            )
