"""Publication: once, only forward, only what was checked, only by the holder of the lease."""

from __future__ import annotations

import pytest

from glue_jobs import iceberg
from glue_jobs.failures import MainMovedError
from glue_jobs.publish import Candidate, publish
from lake.ledger import LeaseLostError
from tests.spark.shop import Shop

ROWS = "(1, 'a', timestamp'2026-01-01', 'h', 'r')"


def candidate(shop: Shop, name: str) -> Candidate:
    """A row on a branch of its own from main."""
    table = shop.table("shop.customers")
    base = iceberg.head(shop.spark, table)
    branch = iceberg.new_branch(shop.spark, table, name)
    shop.spark.sql(f"INSERT INTO {table}.branch_{branch} VALUES {ROWS}")
    return Candidate(table, base, iceberg.head(shop.spark, table, branch))


def test_publishing_twice_is_publishing_once(shop: Shop) -> None:
    made, task = candidate(shop, "one"), shop.task(shop.job(), "shop.customers")
    for _ in range(2):  # the second is a job that crashed before it said that it had published
        with task.lease() as lease:
            publish(task, lease, made, "w")
    assert iceberg.head(shop.spark, made.table) == made.snapshot
    assert shop.spark.table(made.table).count() == 1


def test_what_was_built_on_an_older_main_is_refused(shop: Shop) -> None:
    first, second = candidate(shop, "one"), candidate(shop, "two")
    task = shop.task(shop.job(), "shop.customers")
    with task.lease() as lease:
        publish(task, lease, first, "w")
        with pytest.raises(MainMovedError, match="another run has published"):
            publish(task, lease, second, "w")
    assert iceberg.head(shop.spark, first.table) == first.snapshot


def test_a_snapshot_that_was_not_checked_is_not_published(shop: Shop) -> None:
    made, task = candidate(shop, "one"), shop.task(shop.job(), "shop.customers")
    shop.spark.sql(f"INSERT INTO {made.table}.branch_one VALUES {ROWS}")  # a late commit
    with task.lease() as lease, pytest.raises(MainMovedError):
        publish(task, lease, made, "w")
    assert iceberg.head(shop.spark, made.table) is None


def test_a_job_that_lost_its_lease_publishes_nothing(shop: Shop) -> None:
    made, task = candidate(shop, "one"), shop.task(shop.job(), "shop.customers")
    with (
        shop.ledger.lease(made.table, task.run, attempt=0) as late,
        shop.ledger.lease(made.table, task.run, attempt=1),
        pytest.raises(LeaseLostError),
    ):
        publish(task, late, made, "w")
    assert iceberg.head(shop.spark, made.table) is None


def test_a_published_run_leaves_no_branch_of_any_of_its_attempts(shop: Shop) -> None:
    job = shop.job("shop-20260101T2300-01", attempt=0)
    task = shop.task(job, "shop.customers")
    left, other = candidate(shop, job.run.branch(0)), candidate(shop, "another_run")
    again = candidate(shop, job.run.branch(1))
    with task.lease() as lease:
        publish(task, lease, again, "w")
    branches = {str(name) for name in dict(iceberg.load(shop.spark, left.table).refs())}
    assert branches == {"main", "another_run"}
    assert other.snapshot != iceberg.head(shop.spark, left.table) == again.snapshot
