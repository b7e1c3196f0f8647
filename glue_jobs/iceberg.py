"""What Spark SQL does not tell about an Iceberg table without starting a job: its snapshots and branches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame, SparkSession

MAIN = "main"
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


def content(spark: SparkSession, table: str, snapshot: int | None) -> int | None:
    """The snapshot that last changed rows: compaction makes others, which hold the same."""
    found = None if snapshot is None else load(spark, table).snapshot(snapshot)
    said = {} if found is None else dict(found.summary())
    return int(said[CONTENT]) if CONTENT in said else snapshot


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
    spark.sql(f"ALTER TABLE {table} CREATE BRANCH `{free}` RETAIN 7 DAYS")
    return free


def read(spark: SparkSession, table: str, snapshot: int | None) -> DataFrame:
    """The table as of a snapshot; no rows where there is none yet."""
    if snapshot is None:
        return spark.createDataFrame([], spark.table(table).schema)
    return spark.read.option("snapshot-id", str(snapshot)).table(table)


def append(rows: DataFrame, table: str, summary: Mapping[str, str]) -> None:
    """Adds the rows in one commit whose snapshot summary says whose it is; no rows still make a snapshot."""
    writer = rows.writeTo(table)
    for name, value in summary.items():
        writer = writer.option(f"snapshot-property.{name}", value)
    writer.append()


def fast_forward(spark: SparkSession, table: str, branch: str) -> int:
    """Main to where the branch ends; Iceberg refuses it once main has gone elsewhere. Gives main's new snapshot."""
    catalog, name = table.split(".", 1)
    moved = spark.sql(f"CALL {catalog}.system.fast_forward('{name}', '{MAIN}', '{branch}')").collect()
    return int(moved[0]["updated_ref"])
