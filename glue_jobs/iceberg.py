"""What Spark SQL does not tell about an Iceberg table without starting a job: its snapshots and branches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pyspark.sql import DataFrame, SparkSession

MAIN = "main"
BRANCH_DAYS = 7  # that the branch of an attempt is kept which published nothing
RECENT = 100  # snapshots among which a run that is tried again looks for its own
CONTENT = "headwater.content"  # in the summary of a commit that only rewrote files: the snapshot whose rows these are
WEIGHTS = {"files": "total-data-files", "deletes": "total-delete-files", "bytes": "total-files-size"}


def load(spark: SparkSession, table: str) -> Any:
    """The table as Iceberg's own Java object, fresh from the catalog."""
    jvm: Any = spark._jvm
    # a thread of ours has no active session in the JVM, and without one Spark does not know the catalog
    jvm.org.apache.spark.sql.SparkSession.setActiveSession(spark._jsparkSession)
    return jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(spark._jsparkSession, table)


def head(spark: SparkSession, table: str, branch: str = MAIN) -> int | None:
    """The snapshot that a branch ends in; None before the first one."""
    ref = load(spark, table).refs().get(branch)
    return None if ref is None else int(ref.snapshotId())


def summary(spark: SparkSession, table: str, snapshot: int) -> dict[str, str]:
    """What a snapshot says of itself."""
    return {str(name): str(value) for name, value in dict(load(spark, table).snapshot(snapshot).summary()).items()}


def snapshot_of(spark: SparkSession, table: str, run: str, since: datetime) -> int | None:
    """The snapshot of main that this run published, if it is there: among those made since, the newest first."""
    found, snapshots = load(spark, table), 0
    each = found.currentSnapshot()
    while each is not None and snapshots < RECENT and int(each.timestampMillis()) >= since.timestamp() * 1000:
        said = dict(each.summary())
        # a compaction says again what the snapshot says whose rows it rewrote
        if said.get("headwater.run") == run and "headwater.counts" in said and CONTENT not in said:
            return int(each.snapshotId())
        each, snapshots = None if each.parentId() is None else found.snapshot(each.parentId()), snapshots + 1
    return None


def content(spark: SparkSession, table: str, snapshot: int | None) -> int | None:
    """The snapshot that last changed rows: compaction makes others, which hold the same."""
    found = None if snapshot is None else load(spark, table).snapshot(snapshot)
    said = {} if found is None else dict(found.summary())
    return int(said[CONTENT]) if CONTENT in said else snapshot


def order(spark: SparkSession, table: str, snapshot: int | None) -> int:
    """A number that is higher for every later snapshot of the table; 0 where it has none, or no longer."""
    found = None if snapshot is None else load(spark, table).snapshot(snapshot)
    return 0 if found is None else int(found.sequenceNumber())


def weigh(spark: SparkSession, table: str) -> dict[str, int]:
    """How many data files, delete files, bytes and snapshots the table has."""
    found = load(spark, table)
    current = found.currentSnapshot()
    said = {} if current is None else dict(current.summary())
    weights = {name: int(str(said.get(total, 0))) for name, total in WEIGHTS.items()}
    return {**weights, "snapshots": len(list(found.snapshots()))}


def published(spark: SparkSession, table: str, snapshot: int) -> bool:
    """Whether main is at this snapshot or past it."""
    jvm: Any = spark._jvm
    found = load(spark, table)
    if found.currentSnapshot() is None:
        return False
    return bool(jvm.org.apache.iceberg.util.SnapshotUtil.isAncestorOf(found, snapshot))


def branch_at(spark: SparkSession, table: str, snapshot: int) -> str | None:
    """A branch, other than main, that ends in this snapshot."""
    refs = dict(load(spark, table).refs())
    ends = (str(name) for name, ref in refs.items() if ref.isBranch() and int(ref.snapshotId()) == snapshot)
    return next((name for name in ends if name != MAIN), None)


def new_branch(spark: SparkSession, table: str, name: str) -> str:
    """A branch from main that nothing has ever written to: `name`, or the first of `name_2`, … that is free."""
    taken = set(dict(load(spark, table).refs()))
    numbers = (f"{name}_{number}" for number in range(2, len(taken) + 3))
    free = name if name not in taken else next(each for each in numbers if each not in taken)
    spark.sql(f"ALTER TABLE {table} CREATE BRANCH `{free}` RETAIN {BRANCH_DAYS} DAYS")
    return free


def open_branches(spark: SparkSession, table: str) -> list[str]:
    """Main, and every branch whose end main does not hold."""
    refs = {str(name): int(ref.snapshotId()) for name, ref in dict(load(spark, table).refs()).items() if ref.isBranch()}
    return [name for name, end in refs.items() if name == MAIN or not published(spark, table, end)]


def read(spark: SparkSession, table: str, snapshot: int | None) -> DataFrame:
    """The rows as of a snapshot, in the columns that the table has now; no rows where there is none yet."""
    if snapshot is None:
        return spark.createDataFrame([], spark.table(table).schema)
    return spark.read.option("snapshot-id", str(snapshot)).table(table)


def append(rows: DataFrame, table: str, summary: Mapping[str, str]) -> None:
    """Adds the rows in one commit whose snapshot summary says whose it is; no rows still make a snapshot."""
    writer = rows.writeTo(table)
    for name, value in summary.items():
        writer = writer.option(f"snapshot-property.{name}", value)
    writer.append()


def fast_forward(spark: SparkSession, table: str, branch: str) -> None:
    """Main to where the branch ends, and the branch away, in one commit; refused once main has gone elsewhere."""
    load(spark, table).manageSnapshots().fastForwardBranch(MAIN, branch).removeBranch(branch).commit()


def drop_branches(spark: SparkSession, table: str, prefix: str) -> None:
    """Every branch of that prefix away, in one commit, if there are any."""
    found = load(spark, table)
    names = [str(name) for name, ref in dict(found.refs()).items() if ref.isBranch() and str(name).startswith(prefix)]
    if not names:
        return
    change = found.manageSnapshots()
    for name in names:
        change = change.removeBranch(name)
    change.commit()
