"""What of a table's past may go: snapshots that nobody can need, branches past their time, files that nothing names."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from pyspark.sql import SparkSession

from glue_jobs import iceberg
from lake.runs import BRANCHES


def expirable(table: Any, needed: Collection[int], now: datetime, days: int) -> list[int]:
    """Snapshots made, and gone from main, longer ago than these days; none that a branch or the ledger names.

    By when a snapshot ceased to be main, not by when it was made: what a run of these days has read or published
    stays readable, for its redrive too, however old it is.
    """
    horizon, end = _millis(now - timedelta(days=days)), _millis(now)
    log = [(int(each.timestampMillis()), int(each.snapshotId())) for each in table.history()]
    until = [*(at for at, _ in log[1:]), end]
    recent = {snapshot for (_, snapshot), gone in zip(log, until, strict=False) if gone >= horizon}
    overdue = set(overdue_branches(table, now))
    named = {int(ref.snapshotId()) for name, ref in dict(table.refs()).items() if str(name) not in overdue}
    kept = recent | named | set(needed)
    return [
        int(each.snapshotId())
        for each in table.snapshots()
        if int(each.timestampMillis()) < horizon and int(each.snapshotId()) not in kept
    ]


def overdue_branches(table: Any, now: datetime) -> list[str]:
    """Branches of runs whose last commit lies further back than they are to be kept."""
    found = []
    for name, ref in dict(table.refs()).items():
        age = ref.maxRefAgeMs()
        snapshot = table.snapshot(ref.snapshotId())
        if age is None and str(name).startswith(BRANCHES):
            # a dead attempt wrote late to its branch, which was gone: Iceberg made another, to be kept for ever
            age = timedelta(days=iceberg.BRANCH_DAYS).total_seconds() * 1000
        if str(name) == iceberg.MAIN or age is None or snapshot is None:
            continue
        if int(snapshot.timestampMillis()) + int(age) < _millis(now):
            found.append(str(name))
    return found


def expire(spark: SparkSession, table: str, snapshots: Collection[int], branches: Collection[str]) -> None:
    """One commit without these, then the files that only they named."""
    found = iceberg.load(spark, table)
    if branches:
        change = found.manageSnapshots()
        for name in branches:
            change = change.removeBranch(name)
        change.commit()
    if snapshots:
        # no age: it would go by when a snapshot was made
        change = found.expireSnapshots().expireOlderThan(0)
        for each in snapshots:
            change = change.expireSnapshotId(each)
        change.commit()


def orphans(spark: SparkSession, table: str, before: datetime, *, delete: bool) -> int:
    """Files below the table that none of its metadata names, left by writers that were killed."""
    catalog, name = table.split(".", 1)
    location = str(iceberg.load(spark, table).location()).rstrip("/")
    found = spark.sql(
        f"CALL {catalog}.system.remove_orphan_files(table => '{name}', location => '{location}/',"
        f" older_than => TIMESTAMP '{before:%Y-%m-%d %H:%M:%S}', dry_run => {str(not delete).lower()},"
        # by the table's own reader of its store; the slash keeps out neighbours whose names begin alike
        " prefix_listing => true)"
    )
    return len(found.collect())


def tombstones(spark: SparkSession, table: str, before: datetime) -> int:
    """How many rows that the source no longer has were missed before this time."""
    return spark.table(table).where(_missed(before)).count()


def forget(spark: SparkSession, table: str, before: datetime) -> int:
    """Those tombstones away: no load that was read before then is to come any more."""
    count = tombstones(spark, table, before)
    spark.sql(f"DELETE FROM {table} WHERE {_missed(before)}")
    return count


def _missed(before: datetime) -> str:
    return f"_deleted_at < timestamp'{before.isoformat()}'"


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)
