"""What the refinement of a dataset starts from: its load, the table as it is, and what was published before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import DataFrame, functions as F

from glue_jobs import events, iceberg, pruning, tombstones
from glue_jobs.bronze import read
from glue_jobs.changes import Known
from glue_jobs.conform import quoted
from glue_jobs.failures import LoadMissingError
from glue_jobs.watermarks import late
from glue_jobs.windows import instant
from glue_jobs.work import Job, Task
from lake.items import utc_now
from lake.model import Dataset
from lake.records import Head, Load

OURS = "headwater."  # what a snapshot's summary says of its run begins so
EARLIEST = instant("1970-01-01")


@dataclass(frozen=True)
class Basis:
    """A committed load and the table's state under the lease; the same two always give the same result."""

    task: Task
    load: Load
    base: int | None
    head: Head | None

    @property
    def late(self) -> bool:
        return late(self.load, self.head)

    @property
    def began(self) -> datetime:
        return instant(self.load.began) if self.load.began else EARLIEST

    @property
    def deletes(self) -> bool:
        """Whether the load shows which rows the source no longer has; one that is late shows what it had before."""
        return self.task.dataset.deletes and not self.late and (self.load.complete or bool(self.load.keys))

    @property
    def facts(self) -> dict[str, str]:
        """What the ledger's head and the snapshot say of the loads that the table is made of."""
        held, dataset = self.head, self.task.dataset
        began = held.began if held and self.late else self.load.began
        keyed = self.task.run if self.deletes else (held.keyed if held else "")
        return {"began": began, "keyed": keyed, "cursor": dataset.cursor or ""}

    def watermark(self, advanced: str, moves: bool) -> str:
        """The head's, which moves only with the table, unless its cursor is another or all was read again.

        A stream's moves with every reading of it: else a quiet one would be read from further and further back.
        """
        head = self.head
        if self.task.dataset.is_stream:
            return advanced
        anew = head is None or head.cursor != (self.task.dataset.cursor or "") or self.task.job.mode == "replay"
        return advanced if head is None or moves or anew else head.watermark

    def bronze(self) -> DataFrame:
        return bronze(self.task.job, self.task.dataset, self.load)

    def held(self) -> DataFrame | None:
        """The table's rows that the load can touch: all of them only where rows may go away."""
        if self.base is None:
            return None
        rows = iceberg.read(self.task.job.spark, self.task.table, self.base)
        if self.load.complete or self.deletes:
            return rows
        dataset = self.task.dataset
        return rows.where(pruning.near(keys(self.bronze(), dataset), dataset.key, self.load.rows))

    def known(self) -> Known:
        dataset = self.task.dataset
        return Known(
            deletes=F.lit(True) if self.deletes else None,
            present=self._present(),
            gone=tombstones.since(self.task, self.began) if self.late and dataset.deletes else None,
            late=self.late,
            append_only=dataset.load_mode == "append",
            first=dataset.is_stream,
            was=pruning.was(dataset),
        )

    def _present(self) -> DataFrame | None:
        """The keys that the source has, as far as the rows do not show it; those that a later load found, if any."""
        job, dataset = self.task.job, self.task.dataset
        if not self.late:
            return self.source_keys(self.load) if self.deletes and not self.load.complete else None
        later = job.ledger.load(dataset.id, self.head.keyed) if self.head and self.head.keyed else None
        if not dataset.deletes or later is None or instant(later.began) <= self.began:
            return None
        return self.source_keys(later)

    def source_keys(self, load: Load) -> DataFrame:
        files = load.files if load.complete else load.keys
        return keys(read(self.task.job.spark, files), self.task.dataset)


def basis(task: Task) -> Basis:
    job, dataset = task.job, task.dataset
    load = job.ledger.load(dataset.id, task.run)
    if load is None:
        raise LoadMissingError(
            f"There is no load of {dataset.id} by {task.run}.", "Redrive the execution from its ingest."
        )
    base = iceberg.head(job.spark, task.table)
    return Basis(task, load, base, published(task, base, job.ledger.head(dataset.id)))


def published(task: Task, base: int | None, head: Head | None) -> Head | None:
    """The ledger's head; where a run ended between publishing and saying so, what its snapshot says of itself."""
    spark, table, known = task.job.spark, task.table, head.snapshot if head else None
    if base == known or iceberg.content(spark, table, base) == iceberg.content(spark, table, known):
        return head
    if base is None or iceberg.order(spark, table, base) < iceberg.order(spark, table, known):
        return head  # main was put back by hand: `ledger repair` is to say what holds
    said = {name.removeprefix(OURS): told for name, told in iceberg.summary(spark, table, base).items()}
    if "began" not in said:
        return head
    read = {name: said[name] for name in ("began", "keyed", "cursor")}
    return Head(base, said["run"], said["watermark"], utc_now(), **read)


def bronze(job: Job, dataset: Dataset, load: Load) -> DataFrame:
    """The rows of a load as they came, by their source's names."""
    return events.read(job, dataset, load) if dataset.is_stream else read(job.spark, load.files)


def keys(rows: DataFrame, dataset: Dataset) -> DataFrame:
    """The key of each row as it came, in the lake's names and types."""
    columns = {each.name: each for each in dataset.columns}
    wanted = [columns[name] for name in dataset.key]
    return rows.select(*(F.expr(f"try_cast({quoted(each.source)} AS {each.type})").alias(each.name) for each in wanted))
