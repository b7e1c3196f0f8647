# ruff: noqa: E501  (a row reads best in one line)
"""The SQL in contracts and models, as Spark reads it: conditions are true or false, models give their contract's types."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession, functions as F

import contracts
from lake.arrivals import ARRIVED_AT
from lake.model import Dataset

WHEN = datetime(2025, 3, 1, 12, tzinfo=UTC)
ROWS: dict[str, list[dict[str, Any]]] = {
    "saas.users": [
        {"user_id": 1, "username": "AAAAAAA1", "first_name": "Ada", "last_name": "Bell"},
        {"user_id": 2, "username": "AAAAAAA2", "first_name": "Cy", "last_name": "Dow"},
    ],
    "saas.event": [{"event_id": 7, "venue_id": 1, "category_id": 1, "date_id": 1, "event_name": "Hamlet", "starts_at": WHEN}],
    "saas.category": [{"category_id": 1, "category_group": "Shows", "category_name": "Plays"}],
    "ecommerce.date": [{"date_id": 1, "calendar_date": date(2025, 3, 1), "month": 3, "year": 2025}],
    "ecommerce.listing": [
        {"listing_id": 1, "seller_id": 1, "event_id": 7, "num_tickets": 4},
        {"listing_id": 2, "seller_id": 1, "event_id": 7, "num_tickets": 6},
    ],
    "ecommerce.sales": [
        {"sale_id": 1, "listing_id": 1, "seller_id": 1, "buyer_id": 2, "event_id": 7, "date_id": 1, "quantity_sold": 4, "price_paid": Decimal("728.00"), "commission": Decimal("109.20"), "sold_at": WHEN},
        {"sale_id": 2, "listing_id": 2, "seller_id": 1, "buyer_id": 99, "event_id": 98, "date_id": 97, "quantity_sold": 1, "price_paid": Decimal("33.33"), "commission": Decimal("5.00"), "sold_at": WHEN},
        {"sale_id": 3, "listing_id": 2, "seller_id": 1, "buyer_id": 2, "event_id": 7, "date_id": 1, "quantity_sold": 2, "price_paid": Decimal("66.67"), "commission": Decimal("10.00"), "sold_at": WHEN},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def datasets() -> dict[str, Dataset]:
    return contracts.load_all()


@pytest.fixture(scope="module")
def views(spark: SparkSession, datasets: dict[str, Dataset]) -> Iterator[SparkSession]:
    silver = [each for each in datasets.values() if each.sql is None]
    for each in silver:
        schema = ", ".join(f"`{column.name}` {column.type}" for column in each.columns)
        rows = [tuple(row.get(column.name) for column in each.columns) for row in ROWS.get(each.id, [])]
        spark.createDataFrame(rows, schema).createOrReplaceTempView(each.table)
    yield spark
    for each in silver:
        spark.catalog.dropTempView(each.table)


def built(views: SparkSession, datasets: dict[str, Dataset], name: str) -> list[dict[str, Any]]:
    dataset = datasets[f"gold.{name}"]
    assert dataset.sql is not None
    return [row.asDict() for row in views.sql(dataset.sql).orderBy(dataset.key[0]).collect()]


def test_every_row_rule_is_true_or_false_of_its_dataset(views: SparkSession, datasets: dict[str, Dataset]) -> None:
    for each in datasets.values():
        for rule in each.rules if each.sql is None else ():
            arrived = F.lit(WHEN).alias(ARRIVED_AT)  # which refine knows of an event
            rows = views.table(each.table).select("*", *([arrived] if each.is_stream else []))
            found = rows.select(F.expr(rule.expression).alias("holds"))
            assert found.dtypes == [("holds", "boolean")], f"{each.id}: {rule.name}"


def test_every_sql_gate_is_one_number(views: SparkSession, datasets: dict[str, Dataset]) -> None:
    for each in datasets.values():
        for gate in each.gates:
            if gate.metric == "sql":
                table = each.table if each.sql is None else f"({each.sql})"
                assert len(views.sql(gate.expression.format(table=table)).columns) == 1


def test_a_model_gives_the_columns_and_types_of_its_contract(views: SparkSession, datasets: dict[str, Dataset]) -> None:
    for each in datasets.values():
        if each.sql is not None:
            assert dict(views.sql(each.sql).dtypes) == {column.name: column.type for column in each.columns}, each.id


def test_sales_are_what_the_tickit_demo_makes_of_them(views: SparkSession, datasets: dict[str, Dataset]) -> None:
    first, lost, third = built(views, datasets, "sales_by_date")
    assert (first["sale_amount"], first["commission_percent"]) == (Decimal("2912.00"), Decimal("3.75"))
    assert (first["seller"], first["buyer"], first["category_name"]) == ("Ada Bell", "Cy Dow", "Plays")
    assert (first["year"], first["month"], first["calendar_date"]) == (2025, 3, date(2025, 3, 1))
    assert third["commission_percent"] == Decimal("7.50")
    assert lost["commission_percent"] == Decimal("15.00")


def test_a_sale_whose_parents_are_in_quarantine_stays(views: SparkSession, datasets: dict[str, Dataset]) -> None:
    lost = built(views, datasets, "sales_by_category")[1]
    assert [lost[name] for name in ("buyer", "event_name", "category_group", "calendar_date")] == [None] * 4


def test_listings_and_sales_do_not_multiply_each_other(views: SparkSession, datasets: dict[str, Dataset]) -> None:
    (seller,) = built(views, datasets, "dim_seller")
    counts = [seller[name] for name in ("listings", "tickets_listed", "sales", "tickets_sold")]
    assert counts == [2, 10, 3, 7]
    assert (seller["revenue"], seller["commission"]) == (Decimal("828.00"), Decimal("124.20"))
    (event,) = built(views, datasets, "dim_event")
    assert [event[name] for name in ("listings", "sales", "revenue", "venue_name")] == [2, 2, Decimal("794.67"), None]
