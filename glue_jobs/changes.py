"""Classify rows against each other and against the table: which change it, which do not, which cannot be told."""

from __future__ import annotations

from datetime import datetime

from pyspark.sql import Column, DataFrame, Window, functions as F

from glue_jobs.conform import RULES, SOURCE

STATUS = "_status"
INSERTED, UPDATED, UNCHANGED = "inserted", "updated", "unchanged"
SUPERSEDED, QUARANTINED, DELETED = "superseded", "quarantined", "deleted"
KEY_CONFLICT = "key_conflict"


def classify(
    rows: DataFrame, held: DataFrame | None, key: tuple[str, ...], *, complete_at: datetime | None = None
) -> DataFrame:
    """Each row with its status. Rows that are all there were at `complete_at` delete what the table holds beside them.

    `held` is the table's key, `_version` and `_hash`: it goes through the same sort as the rows, so that finding
    copies, conflicts, older versions and changes takes one shuffle.
    """
    # a row that broke a rule meets only its exact copies: lane 0 is for clean rows
    lane = F.when(F.size(RULES) == 0, F.lit(0)).otherwise(F.xxhash64(SOURCE).bitwiseOR(F.lit(1)))
    every = rows.withColumn("_lane", lane.cast("bigint")).withColumn("_held", F.lit(False))
    if held is not None:
        known = held.select(*key, "_version", "_hash")
        known = known.withColumn("_lane", F.lit(0).cast("bigint")).withColumn("_held", F.lit(True))
        every = every.unionByName(known, allowMissingColumns=True)
    judged = _compared(every, ["_lane", *key]).withColumn(STATUS, _status(complete_at))
    conflict = F.col(STATUS).eqNullSafe(QUARANTINED) & (F.col("_lane") == 0)
    rules = F.when(conflict, F.array(F.lit(KEY_CONFLICT))).otherwise(F.col(RULES))
    wanted = [name for name in rows.columns if name != RULES]
    return judged.where(F.col(STATUS).isNotNull()).select(*wanted, rules.alias(RULES), STATUS)


def _compared(rows: DataFrame, group: list[str]) -> DataFrame:
    """Beside each row: is it a copy of the next, does its version contradict itself, what does its key's group hold."""
    order = ["_version", "_held", "_hash"]
    # sorted once for the three windows, which would each ask for a sort or a shuffle of their own
    ready = rows.repartition(*group).sortWithinPartitions(*group, *order)
    key = Window.partitionBy(*group)
    version = key.orderBy("_version", "_held").rangeBetween(Window.currentRow, Window.currentRow)
    whole = key.orderBy(*order).rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    this, following = F.struct(*order), F.lead(F.struct(*order)).over(key.orderBy(*order))
    came = ~F.col("_held")
    return (
        ready.withColumn("_conflict", came & (F.min("_hash").over(version) != F.max("_hash").over(version)))
        .withColumn("_copy", F.coalesce(this == following, F.lit(False)))
        .withColumn("_best", F.max(F.when(came & ~F.col("_conflict"), F.col("_version"))).over(whole))
        .withColumn("_came", F.max(came).over(whole))
        .withColumn("_held_version", F.max(F.when(F.col("_held"), F.col("_version"))).over(whole))
        .withColumn("_held_hash", F.max(F.when(F.col("_held"), F.col("_hash"))).over(whole))
    )


def _status(complete_at: datetime | None) -> Column:
    gone = F.lit(None).cast("string")
    if complete_at is not None:  # what a later run has written is not theirs to delete
        at = F.lit(int(complete_at.timestamp())).cast("timestamp")
        gone = F.when(~F.col("_came") & (F.col("_version") <= at), F.lit(DELETED))
    return (
        F.when(F.col("_held"), gone)
        .when(F.col("_copy"), SUPERSEDED)
        .when((F.col("_lane") != 0) | F.col("_conflict"), QUARANTINED)
        .when(F.col("_version") < F.col("_best"), SUPERSEDED)
        .when(F.col("_held_hash").isNull(), INSERTED)
        .when(F.col("_hash") == F.col("_held_hash"), UNCHANGED)
        .when(F.col("_version") < F.col("_held_version"), SUPERSEDED)
        .otherwise(UPDATED)
    )
