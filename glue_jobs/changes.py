"""Classify rows against each other and against the table: which change it, which do not, which cannot be told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame, Window, WindowSpec, functions as F

from glue_jobs.conform import ARRIVAL, LANE, RULES

STATUS = "_status"
INSERTED, UPDATED, UNCHANGED = "inserted", "updated", "unchanged"
SUPERSEDED, QUARANTINED, DELETED = "superseded", "quarantined", "deleted"
KEY_CONFLICT, APPEND_ONLY = "key_conflict", "append_only"
WAS = "_was_"  # before the name of a column whose value in the table is kept beside the row's own
CAME, HELD, PRESENT, GONE = range(4)  # what a row in the sort is: beside those that came, what is known of their keys


@dataclass(frozen=True)
class Known:
    """What rows are judged against, besides the table.

    Rows of the table that meet `deletes` go away if their key neither came nor is `present`. Where a later load is
    published already (`late`), no row comes whose key is `gone` or, `present` being known, not among those.
    Of two contents of a version neither is right, unless their arrival says which came `first`, which then stays.
    """

    deletes: Column | None = None
    present: DataFrame | None = None  # keys that the source has
    gone: DataFrame | None = None  # keys that it had no longer when this load was read, or later
    late: bool = False
    append_only: bool = False
    first: bool = False
    was: Sequence[str] = field(default=())  # columns of the table whose value is kept beside each row


def classify(rows: DataFrame, held: DataFrame | None, key: tuple[str, ...], known: Known | None = None) -> DataFrame:
    """Each row with its status, and each row of the table that goes away.

    `held` is the table's key, `_version` and `_hash`: it goes through the same sort as the rows, so that finding
    copies, conflicts, older versions and changes takes one shuffle.
    """
    known = known or Known()
    every = _with_keys(rows) if known.deletes is not None else rows.withColumn("_kind", F.lit(CAME))
    if held is not None:
        every = _beside(every, held.select(*dict.fromkeys((*key, *known.was, "_version", "_hash"))), HELD)
    for frame, kind in ((known.present, PRESENT), (known.gone, GONE)):
        if frame is not None:
            every = _beside(every, frame.select(*key), kind)
    judged = _compared(every, [LANE, *key], known).withColumn(STATUS, _status(known))
    append_only = F.lit(known.append_only) & ~_conflict(known)
    unclear = F.when(append_only, F.lit(APPEND_ONLY)).otherwise(F.lit(KEY_CONFLICT))
    clean = F.col(STATUS).eqNullSafe(QUARANTINED) & (F.col(LANE) == 0)
    rules = F.when(clean, F.array(unclear)).otherwise(F.col(RULES))
    wanted = [name for name in rows.columns if name not in (RULES, ARRIVAL)] + [f"{WAS}{name}" for name in known.was]
    return judged.where(F.col(STATUS).isNotNull()).select(*wanted, rules.alias(RULES), STATUS)


def _beside(every: DataFrame, more: DataFrame, kind: int) -> DataFrame:
    more = more.withColumn(LANE, F.lit(0).cast("bigint")).withColumn("_kind", F.lit(kind))
    return every.unionByName(more, allowMissingColumns=True)


def _with_keys(rows: DataFrame) -> DataFrame:
    """A broken row shows all the same that the source has its key: it says so in the lane of the clean ones."""
    clean = F.col(LANE) == 0
    both = rows.withColumn("_kind", F.explode(F.when(clean, F.array(F.lit(CAME))).otherwise(_kinds(CAME, PRESENT))))
    return both.withColumn(LANE, F.when(F.col("_kind") == PRESENT, F.lit(0).cast("bigint")).otherwise(F.col(LANE)))


def _kinds(*kinds: int) -> Column:
    return F.array(*(F.lit(each) for each in kinds))


def _compared(rows: DataFrame, group: list[str], known: Known) -> DataFrame:
    """Beside each row: is it a copy of the next, does its version contradict itself, what does its key's group hold."""
    order = ["_version", "_kind", "_hash"]
    ready = rows.repartition(*group)
    key = Window.partitionBy(*group).orderBy(*order)
    whole = key.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    came, held, version = F.col("_kind") == CAME, F.col("_kind") == HELD, F.col("_version")
    beside = ready.select("*", *_neighbour("before", F.lag, order, key), *_neighbour("after", F.lead, order, key))
    alone = F.col("_before_hash").isNull() & F.col("_after_hash").isNull()
    # in one version, a row that differs from the row before shows that the version has two contents
    second = _same("before", "_version", "_kind") & ~_same("before", "_hash") & came
    kinds = {PRESENT: known.deletes is not None or known.present is not None, GONE: known.gone is not None}
    return beside.select(
        *ready.columns,
        (_same("after", "_version", "_kind", "_hash")).alias("_copy"),
        F.collect_set(F.when(second, version)).over(whole).alias("_conflicts"),
        F.collect_set(F.when(came & ~alone, version)).over(whole).alias("_versions"),
        F.max(came).over(whole).alias("_came"),
        F.max(F.when(held, version)).over(whole).alias("_held_version"),
        F.max(F.when(held, F.col("_hash"))).over(whole).alias("_held_hash"),
        *(
            (F.max(F.col("_kind") == kind).over(whole) if asked else F.lit(False)).alias(f"_any_{kind}")
            for kind, asked in kinds.items()
        ),
        *(F.max(F.when(held, F.col(name))).over(whole).alias(f"{WAS}{name}") for name in known.was),
        *(_of_version(came, group) if known.first else ()),
    )


def _of_version(came: Column, group: list[str]) -> Iterator[Column]:
    """Which content of a version arrived first, and all that did; in the order in which the rows are sorted already."""
    ends = (Window.unboundedPreceding, Window.unboundedFollowing)
    version = Window.partitionBy(*group, "_version").orderBy("_kind", "_hash").rowsBetween(*ends)
    yield F.min(F.when(came, F.struct(ARRIVAL, "_hash"))).over(version).getField("_hash").alias("_first_hash")
    yield F.collect_set(F.when(came, F.col("_hash"))).over(version).alias("_hashes")


def _neighbour(name: str, take: Callable[[str], Column], order: list[str], window: WindowSpec) -> Iterator[Column]:
    for column in order:
        yield take(column).over(window).alias(f"_{name}{column}")


def _same(name: str, *columns: str) -> Column:
    pairs = [F.coalesce(F.col(each) == F.col(f"_{name}{each}"), F.lit(False)) for each in columns]
    return reduce(and_, pairs)


def _conflict(known: Known) -> Column:
    """Whether the row is a content of its version that cannot be taken."""
    if known.first:
        return F.col("_hash") != F.col("_first_hash")
    return F.array_contains("_conflicts", F.col("_version"))


def _status(known: Known) -> Column:
    changed = _of_appended() if known.append_only else _of_arrived() if known.first else _of_changed(known)
    return (
        F.when(F.col("_kind") == HELD, _of_held(known))
        .when(F.col("_kind") != CAME, F.lit(None).cast("string"))
        .when(F.col("_copy"), SUPERSEDED)
        .when((F.col(LANE) != 0) | _conflict(known), QUARANTINED)
        .otherwise(changed)
    )


def _of_held(known: Known) -> Column:
    nothing = F.lit(None).cast("string")
    if known.deletes is None:
        return nothing
    return F.when(~F.col("_came") & ~F.col(f"_any_{PRESENT}") & known.deletes, F.lit(DELETED)).otherwise(nothing)


def _of_appended() -> Column:
    """The first row of a key stays as it was written."""
    first = F.array_min(F.array_except("_versions", "_conflicts"))
    return (
        F.when(F.col("_held_hash").isNotNull() & (F.col("_hash") == F.col("_held_hash")), UNCHANGED)
        .when(F.col("_held_hash").isNotNull() | (F.col("_version") > first), QUARANTINED)
        .otherwise(INSERTED)
    )


def _of_changed(known: Known) -> Column:
    """The last version of a key wins, whatever the order in which they come."""
    gone, older = F.lit(False), F.col("_version") < F.col("_held_version")
    if known.late:
        gone = F.col(f"_any_{GONE}") | (~F.col(f"_any_{PRESENT}") if known.present is not None else F.lit(False))
        older = F.col("_version") <= F.col("_held_version")  # of two readings of a version, the later one is right
    return (
        F.when(F.col("_version") < F.array_max(F.array_except("_versions", "_conflicts")), SUPERSEDED)
        .when(F.col("_held_hash").isNull() & gone, SUPERSEDED)
        .when(F.col("_held_hash").isNull(), INSERTED)
        .when(F.col("_hash") == F.col("_held_hash"), UNCHANGED)
        .when(older, SUPERSEDED)
        .otherwise(UPDATED)
    )


def _of_arrived() -> Column:
    """The last version of a key wins; of two contents of it the one that arrived first, whichever run met it."""
    known = F.array_contains("_hashes", F.col("_held_hash"))  # what is in the table came after this row
    return (
        F.when(F.col("_version") < F.array_max("_versions"), SUPERSEDED)
        .when(F.col("_held_hash").isNull(), INSERTED)
        .when(F.col("_hash") == F.col("_held_hash"), UNCHANGED)
        .when(F.col("_version") < F.col("_held_version"), SUPERSEDED)
        .when((F.col("_version") == F.col("_held_version")) & ~known, QUARANTINED)
        .otherwise(UPDATED)
    )
