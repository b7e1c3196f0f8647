"""Classify rows against each other and against the table: which change it, which do not, which cannot be told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame, Window, WindowSpec, functions as F

from glue_jobs.conform import LANE, RULES

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
    every = rows.withColumn("_held", F.lit(False))
    if held is not None:
        known = held.select(*key, "_version", "_hash")
        known = known.withColumn(LANE, F.lit(0).cast("bigint")).withColumn("_held", F.lit(True))
        every = every.unionByName(known, allowMissingColumns=True)
    judged = _compared(every, [LANE, *key]).withColumn(STATUS, _status(complete_at))
    conflict = F.col(STATUS).eqNullSafe(QUARANTINED) & (F.col(LANE) == 0)
    rules = F.when(conflict, F.array(F.lit(KEY_CONFLICT))).otherwise(F.col(RULES))
    wanted = [name for name in rows.columns if name != RULES]
    return judged.where(F.col(STATUS).isNotNull()).select(*wanted, rules.alias(RULES), STATUS)


def _compared(rows: DataFrame, group: list[str]) -> DataFrame:
    """Beside each row: is it a copy of the next, does its version contradict itself, what does its key's group hold."""
    order = ["_version", "_held", "_hash"]
    # sorted once for both windows, which would each ask for a sort of their own
    ready = rows.repartition(*group).sortWithinPartitions(*group, *order)
    key = Window.partitionBy(*group).orderBy(*order)
    whole = key.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    came, version = ~F.col("_held"), F.col("_version")
    beside = ready.select("*", *_neighbour("before", F.lag, order, key), *_neighbour("after", F.lead, order, key))
    alone = F.col("_before_hash").isNull() & F.col("_after_hash").isNull()
    # in one version, a row that differs from the row before shows that the version has two contents
    second = _same("before", "_version", "_held") & ~_same("before", "_hash") & came
    return beside.select(
        *ready.columns,
        (_same("after", "_version", "_held", "_hash")).alias("_copy"),
        F.collect_set(F.when(second, version)).over(whole).alias("_conflicts"),
        F.collect_set(F.when(came & ~alone, version)).over(whole).alias("_versions"),
        F.max(came).over(whole).alias("_came"),
        F.max(F.when(F.col("_held"), version)).over(whole).alias("_held_version"),
        F.max(F.when(F.col("_held"), F.col("_hash"))).over(whole).alias("_held_hash"),
    )


def _neighbour(name: str, take: Callable[[str], Column], order: list[str], window: WindowSpec) -> Iterator[Column]:
    for column in order:
        yield take(column).over(window).alias(f"_{name}{column}")


def _same(name: str, *columns: str) -> Column:
    pairs = [F.coalesce(F.col(each) == F.col(f"_{name}{each}"), F.lit(False)) for each in columns]
    return reduce(and_, pairs)


def _status(complete_at: datetime | None) -> Column:
    gone = F.lit(None).cast("string")
    if complete_at is not None:  # what a later run has written is not theirs to delete
        at = F.lit(int(complete_at.timestamp())).cast("timestamp")
        gone = F.when(~F.col("_came") & (F.col("_version") <= at), F.lit(DELETED))
    return (
        F.when(F.col("_held"), gone)
        .when(F.col("_copy"), SUPERSEDED)
        .when((F.col(LANE) != 0) | F.array_contains("_conflicts", F.col("_version")), QUARANTINED)
        .when(F.col("_version") < F.array_max(F.array_except("_versions", "_conflicts")), SUPERSEDED)
        .when(F.col("_held_hash").isNull(), INSERTED)
        .when(F.col("_hash") == F.col("_held_hash"), UNCHANGED)
        .when(F.col("_version") < F.col("_held_version"), SUPERSEDED)
        .otherwise(UPDATED)
    )
