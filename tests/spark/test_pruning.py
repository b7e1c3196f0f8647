"""An increment reads and rewrites the files that its rows can lie in, however many there are besides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from glue_jobs import pruning
from glue_jobs.changes import STATUS, UPDATED, Known, classify
from glue_jobs.counts import count_once, metrics
from glue_jobs.publish import _merge
from lake.model import Dataset
from tests.spark.shop import as_dataset

DAYS, ROWS = 6, 300
TABLE = "lake.pruning.orders"
ORDERS = as_dataset("orders", partition_by=("days(changed_at)",), references=(), gates=(), rules=())


@pytest.fixture(scope="module")
def history(spark: SparkSession) -> DataFrame:
    """A file for each day, of orders with ever higher numbers."""
    spark.sql("CREATE NAMESPACE lake.pruning")
    columns = "order_id bigint, customer_id bigint, amount decimal(8,2), changed_at timestamp, _version timestamp"
    spark.sql(
        f"CREATE TABLE {TABLE} ({columns}, _hash string, _run string) USING iceberg PARTITIONED BY (days(changed_at))"
        " TBLPROPERTIES ('format-version' = '2', 'write.merge.mode' = 'merge-on-read')"
    )
    for day in range(DAYS):
        rows = made(spark, range(day * ROWS, (day + 1) * ROWS), day).drop("_rules", "_lane")
        rows.selectExpr("*", "'r1' AS _run").coalesce(1).writeTo(TABLE).append()
    return spark.table(TABLE)


def made(spark: SparkSession, ids: Any, day: int, content: str = "a") -> DataFrame:
    at = f"timestamp '2026-01-01 12:00:00' + interval {day} days"
    return spark.createDataFrame([(each,) for each in ids], "order_id bigint").selectExpr(
        "order_id", "1L AS customer_id", "CAST(1 AS decimal(8,2)) AS amount", f"{at} AS changed_at",
        f"{at} AS _version", f"'{content}' AS _hash", "array() AS _rules", "0L AS _lane",
    )  # fmt: skip


def scanned(rows: DataFrame) -> int:
    """How many data files a query opens, as its own scan says."""
    rows.collect()
    plans, files = [rows._jdf.queryExecution().executedPlan()], 0
    while plans:
        each = plans.pop()
        name = each.nodeName()
        if name.startswith("BatchScan"):
            files += each.metrics().get("resultDataFiles").get().value()
        inner = each.executedPlan() if name == "AdaptiveSparkPlan" else each.plan() if "QueryStage" in name else None
        children = each.children()
        plans += [inner] if inner is not None else [children.apply(number) for number in range(children.size())]
    return files


def near(history: DataFrame, rows: DataFrame, count: int) -> DataFrame:
    return history.where(pruning.near(rows.select("order_id"), ORDERS.key, count)).select("order_id", "_hash")


def test_only_files_whose_keys_the_load_may_hold_are_read(spark: SparkSession, history: DataFrame) -> None:
    assert scanned(history.select("order_id")) == DAYS
    few = made(spark, [5, DAYS * ROWS - 1, DAYS * ROWS + 1], DAYS)
    assert scanned(near(history, few, 3)) == 2
    many = made(spark, range((DAYS - 1) * ROWS + 10, DAYS * ROWS + 290), DAYS)
    assert scanned(near(history, many, 580)) == 1
    assert scanned(near(history, few.limit(0), 0)) == 0


def test_a_row_that_changes_its_partition_is_found_where_it_was(spark: SparkSession, history: DataFrame) -> None:
    moved = (2 * ROWS + 7, 2 * ROWS + 8)
    rows = made(spark, moved, DAYS + 30, "b")
    judged = classify(rows, near(history, rows, 2).join(history, ["order_id", "_hash"]), ORDERS.key, known())
    kept, counted = count_once(judged, judged[STATUS] == UPDATED, [*metrics(), *pruning.metrics(ORDERS)])
    kept.selectExpr("*", "'r2' AS _run").createOrReplaceTempView("moved")
    merge = _merge(TABLE, "moved", ORDERS.key, pruning.condition(ORDERS, counted))
    plan = spark.sql(f"EXPLAIN FORMATTED {merge}").collect()[0][0]
    spark.sql(merge)
    kept.unpersist()
    there = spark.table(TABLE).where(f"order_id IN {moved}").select("_hash", "_run", "changed_at").distinct().collect()
    assert [(row["_hash"], row["_run"]) for row in there] == [("b", "r2")]
    assert spark.table(TABLE).count() == DAYS * ROWS
    third_day = 1767441600000000  # 2026-01-03 12:00 UTC
    assert f"changed_at >= {third_day}, changed_at <= {third_day}" in plan
    assert f"order_id >= {moved[0]}, order_id <= {moved[1]}" in plan


def known() -> Known:
    return Known(was=pruning.was(ORDERS))


def test_a_row_that_lay_in_no_partition_is_looked_for_there() -> None:
    bounds = {"low:order_id": "1", "high:order_id": "2", "none:changed_at": 1}
    assert "(t.`changed_at` IS NULL)" in pruning.condition(ORDERS, bounds)
    assert pruning.condition(as_key("string"), {"low:order_id": "a'b", "high:order_id": "b\\"}) == (
        "(t.`order_id` BETWEEN CAST('a\\'b' AS string) AND CAST('b\\\\' AS string))"
    )


def as_key(kind: str) -> Dataset:
    columns = tuple(replace(each, type=kind) if each.name == "order_id" else each for each in ORDERS.columns)
    return replace(ORDERS, columns=columns)
