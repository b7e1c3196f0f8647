"""The keys that a reference may point to: those of its parent as ingested, quarantined rows among them."""

from __future__ import annotations

from collections.abc import Iterator

from pyspark.sql import DataFrame, functions as F

from glue_jobs import iceberg, quarantine
from glue_jobs.basis import bronze
from glue_jobs.conform import parent_keys, quoted
from glue_jobs.failures import LoadMissingError
from glue_jobs.inputs import as_made
from glue_jobs.work import Job, Task
from lake.model import Dataset, Reference
from lake.records import Load

SMALL_PARENT = 1_000_000  # rows whose keys are sent to every task rather than sorted


def parents(task: Task) -> dict[str, DataFrame]:
    """For each reference, the distinct keys of its parent."""
    return {each.name: _keys(task, each) for each in task.dataset.references}


def _keys(task: Task, reference: Reference) -> DataFrame:
    job, parent = task.job, task.job.lake.dataset(reference.dataset)
    latest = job.ledger.latest_load(parent.id)
    if latest is None:
        raise LoadMissingError(
            f"{task.dataset.id} refers to {parent.id}, of which nothing was ever loaded.",
            f"See why {parent.id} was not ingested, then redrive the execution.",
        )
    mine = job.ledger.load(parent.id, task.run)
    loads = [latest] if mine is None or mine.files == latest.files else [latest, mine]
    rows = sum(each.rows for each in loads)
    found = [parent_keys(bronze(job, parent, each), parent, reference, small=False) for each in loads]
    if not latest.complete:
        held = list(_before(job, parent, latest, reference))
        found += [frame for frame, _ in held]
        rows += sum(count for _, count in held)
    every = found[0]
    for each in found[1:]:
        every = every.unionByName(each)
    every = every.distinct() if len(found) > 1 else every
    return F.broadcast(every) if rows <= SMALL_PARENT else every


def _before(job: Job, parent: Dataset, latest: Load, reference: Reference) -> Iterator[tuple[DataFrame, int]]:
    """What earlier loads brought: an increment alone is not the parent."""
    table, refused = job.lake.table(parent), job.lake.quarantine(parent)
    base = iceberg.head(job.spark, table)
    if base is not None:
        rows = int(iceberg.summary(job.spark, table, base).get("total-records", 0))
        yield parent_keys(iceberg.read(job.spark, table, base), as_made(parent), reference, small=False), rows
    if iceberg.head(job.spark, refused) is not None:
        columns = {each.name: each.source for each in parent.columns}
        wanted = ", ".join(f"{quoted(columns[name])} STRING" for name in reference.parent_columns)
        open_rows = job.spark.table(refused).where(F.col("_state") == quarantine.OPEN)
        came = open_rows.select(F.from_json("_raw", wanted).alias("came")).select("came.*")
        yield parent_keys(came, parent, reference, small=False), 0
