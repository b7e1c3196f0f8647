"""Files of a table after 30 daily loads, with maintenance after each day and without, and what reading it takes.

A day brings a hundred new sales and changes ten older ones, by the jobs' own code: ingest from PostgreSQL, refine,
maintain. Planning is Iceberg's (which files a query has to open); reading is a sum over all rows. Ratios are those of
the table without maintenance to the one with it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from benchmarks import sales
from benchmarks.folder_lake import Measured, dataset_of, measured_lake
from glue_jobs import iceberg, maintain
from glue_jobs.work import Job
from lake.runs import MAINTENANCE, RunId

DAYS, NEW, CHANGED, BEFORE = 30, 100, 10, 9000
TRIES = 5


def measure() -> dict[str, float]:
    maintained, bare = _month(maintaining=True), _month(maintaining=False)
    found: dict[str, float] = {"with_maintenance": maintained["files"], "without": bare["files"]}
    found |= {f"{name}_with": value for name, value in maintained.items() if name != "files"}
    found |= {f"{name}_without": value for name, value in bare.items() if name != "files"}
    found["planning_ratio"] = bare["planning_seconds"] / maintained["planning_seconds"]
    found["reading_ratio"] = bare["reading_seconds"] / maintained["reading_seconds"]
    return found


def _month(*, maintaining: bool) -> dict[str, float]:
    """Thirty days of loads, and the table that they leave."""
    contract = dataset_of(sales.DATASET, load_mode="incremental", cursor="sold_at", lookback_hours=24.0)
    contract |= {"partition_by": ["months(sold_at)"], "hash": f"{contract['hash']} in months"}
    with measured_lake(contract) as measured:
        measured.execute(sales.create(BEFORE, a_day=NEW))
        spent = 0.0
        for day in range(DAYS):
            if day:
                measured.execute(_day(BEFORE + (day - 1) * NEW))
            job = measured.job(24 * day)
            measured.apply(job)
            measured.ingest(job)
            measured.refine(job)
            if maintaining:
                spent += _seconds(lambda: _maintain(measured, day))  # noqa: B023, called at once
        return {**_weighed(measured), "maintenance_seconds": spent / DAYS}


def _day(last: int) -> str:
    """New sales, and late changes of older ones, which the look-back finds by their new time."""
    return f"""
        INSERT INTO sales SELECT {sales.columns(a_day=NEW)} FROM generate_series({last + 1}, {last + NEW}) n;
        UPDATE sales SET qtysold = qtysold % 8 + 1, saletime = (SELECT max(saletime) FROM sales)
        WHERE salesid % {last // CHANGED} = 7"""


def _maintain(measured: Measured, day: int) -> None:
    run = RunId(MAINTENANCE, datetime(2026, 1, 1, 5, tzinfo=UTC) + timedelta(days=day))
    job = Job(measured.spark, measured.lake, measured.ledger, run, 0)
    asked = maintain.read({"datasets": [measured.dataset]}, measured.lake)
    for outcome in maintain.maintain_all(job, asked):
        if outcome.status != "succeeded" or outcome.note:
            raise RuntimeError(f"{outcome.cause} {outcome.note}")


def _weighed(measured: Measured) -> dict[str, float]:
    spark, table = measured.spark, measured.lake.table(measured.lake.dataset(measured.dataset))
    weights, jvm = iceberg.weigh(spark, table), cast(Any, spark._jvm)

    def plan() -> None:
        tasks = iceberg.load(spark, table).newScan().planFiles()
        counted = jvm.org.apache.iceberg.relocated.com.google.common.collect.Iterables.size(tasks)
        tasks.close()
        assert counted == weights["files"]

    def read() -> None:
        spark.sql(f"SELECT sum(price_paid), count(DISTINCT seller_id) FROM {table}").collect()

    return {
        "files": weights["files"] + weights["deletes"],
        "delete_files": weights["deletes"],
        "kilobytes": weights["bytes"] / 1024,
        "planning_seconds": _median(plan),
        "reading_seconds": _median(read),
    }


def _median(act: Callable[[], None]) -> float:
    act()  # warm
    return statistics.median(_seconds(act) for _ in range(TRIES))


def _seconds(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
