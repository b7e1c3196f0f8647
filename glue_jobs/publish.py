"""Write on a branch, audit it, publish it: readers never see rows that were not checked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, functions as F

from glue_jobs import iceberg
from glue_jobs.changes import DELETED, INSERTED, STATUS, UPDATED
from glue_jobs.failures import MainMovedError
from glue_jobs.work import Task
from lake.ledger import Lease
from lake.records import COUNTS as COUNTED

COUNTS, WATERMARK = "headwater.counts", "headwater.watermark"  # in a snapshot's summary, as `summary` makes it


@dataclass(frozen=True)
class Candidate:
    """What would be published: the snapshot that main is at, and the one that was built upon it."""

    table: str
    base: int | None
    snapshot: int | None

    @property
    def moves(self) -> bool:
        return self.snapshot != self.base


def summary(task: Task, watermark: str, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a snapshot says of itself, so that the ledger can be repaired from the tables."""
    said = {"run": task.run, "attempt": str(task.job.attempt), "dataset": task.dataset.id, "watermark": watermark}
    said |= more or {}
    return {f"headwater.{name}": value for name, value in said.items()}


def write(
    task: Task,
    base: int | None,
    changes: DataFrame,
    counts: Mapping[str, Any],
    watermark: str,
    more: Mapping[str, str] | None = None,
    bounds: str = "",
) -> Candidate:
    """The changes on a branch of this attempt's own; where there are none, neither branch nor snapshot is made."""
    if not any(counts[each] for each in (INSERTED, UPDATED, DELETED)):
        return Candidate(task.table, base, base)
    spark, table = task.job.spark, task.table
    name = iceberg.new_branch(spark, table, task.job.run.branch(task.job.attempt))
    branch = f"{table}.branch_{name}"
    rows = changes.withColumn("_run", F.lit(task.run))
    if counts[UPDATED] or counts[DELETED]:
        rows.where(F.col(STATUS) != INSERTED).createOrReplaceTempView(f"changes_{task.dataset.table}")
        spark.sql(_merge(branch, f"changes_{task.dataset.table}", task.dataset.key, bounds))
    # Spark SQL's MERGE cannot set a snapshot summary; this append, even of no rows, ends the branch in one that has it
    columns = [each.name for each in task.dataset.columns] + ["_version", "_hash", "_run"]
    said = summary(task, watermark, {**(more or {}), "counts": told(counts)})
    iceberg.append(rows.where(F.col(STATUS) == INSERTED).select(*columns), branch, said)
    return Candidate(table, base, iceberg.head(spark, table, name))


def told(counts: Mapping[str, Any]) -> str:
    """What of an outcome a snapshot says, so that it is known even where the ledger was not told."""
    return json.dumps({name: counts[name] for name in (*COUNTED, "rules", "snapshot_from") if name in counts})


def publish(
    task: Task, lease: Lease, candidate: Candidate, watermark: str, read: Mapping[str, str] | None = None
) -> None:
    """Main at the very snapshot that was checked, the ledger at main, and no branch of this run left behind.

    Doing it again changes nothing.
    """
    move(task, lease, candidate.base, candidate.snapshot)
    record(task, lease, candidate, watermark, read)


def record(
    task: Task, lease: Lease, candidate: Candidate, watermark: str, read: Mapping[str, str] | None = None
) -> None:
    """The ledger's head where main is; `read` says of which loads the table is made."""
    lease.check()
    task.job.ledger.publish_head(task.dataset.id, candidate.snapshot, task.run, watermark, lease.fence, read)
    iceberg.drop_branches(task.job.spark, task.table, task.job.run.branches)


def move(task: Task, lease: Lease, base: int | None, snapshot: int | None) -> None:
    """Main from one snapshot to another; a no-op where main is there already or past it."""
    spark, table = task.job.spark, task.table
    if snapshot is None or snapshot == base or iceberg.published(spark, table, snapshot):
        return
    branch = iceberg.branch_at(spark, table, snapshot)
    if branch is None or iceberg.head(spark, table) != base:
        raise MainMovedError(
            f"The table {table}: expected main at {base} and a branch at {snapshot}, yet another run has published.",
            "Redrive the execution, which builds upon what is there now.",
        )
    lease.check()
    iceberg.fast_forward(spark, table, branch)


def _merge(branch: str, changes: str, key: tuple[str, ...], bounds: str) -> str:
    same = " AND ".join(f"t.`{name}` = c.`{name}`" for name in key)
    return (
        f"MERGE INTO {branch} t USING {changes} c ON {same}{f' AND {bounds}' if bounds else ''}"
        f" WHEN MATCHED AND c.{STATUS} = '{DELETED}' THEN DELETE WHEN MATCHED THEN UPDATE SET *"
    )
