"""A major version of a contract: the table by its new names, the old ones in a view, no row lost or changed."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from pyspark.sql import SparkSession

from glue_jobs import apply, iceberg
from glue_jobs.apply import unapplied
from glue_jobs.evolution import existing
from glue_jobs.work import work
from lake.ledger import Ledger, Outcome
from lake.tables import stamp
from tests.spark.conftest import mocked_ledger
from tests.spark.kept import Kept
from tests.spark.shop import ORDERS, Shop

ORDER_ID, CUSTOMER, AMOUNT, CHANGED_AT = ORDERS["columns"]
OPTIONAL = {**AMOUNT, "required": False}
RENAMED = [
    {**ORDER_ID, "type": "bigint"},
    {**CUSTOMER, "name": "buyer_id", "id": "customer_id"},
    {**OPTIONAL, "name": "price", "type": "decimal(10,2)", "id": "amount"},
]
NEW: dict[str, Any] = {
    "version": "2.0.0",
    "columns": RENAMED,
    "cursor": None,
    "rules": [],
    "references": [],
    "gates": [],
}


@pytest.fixture(scope="module")
def first_sold(spark: SparkSession, warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    with mocked_ledger() as ledger:
        made = Shop(spark, ledger, warehouse, name="sold")
        sell(made)
        return Kept(made, tmp_path_factory.mktemp("sold"))


@pytest.fixture
def sold(first_sold: Kept, ledger: Ledger) -> Shop:
    """The shop's orders, two of them, the second without an amount, as a run would have written them."""
    boto3.client("glue").create_database(DatabaseInput={"Name": "sold_silver"})
    return first_sold.again(ledger)


def sell(shop: Shop) -> None:
    shop.lake = shop.with_contracts(orders=OLD)
    assert apply_orders(shop).status == "succeeded"
    first = "1, 1, 10.00, timestamp '2026-01-01', timestamp '2026-01-01', 'h1', 'r'"
    second = "2, 2, null, null, timestamp '2026-01-01', 'h2', 'r'"
    shop.spark.sql(f"INSERT INTO {shop.table('shop.orders')} VALUES ({first}), ({second})")


def apply_orders(shop: Shop) -> Outcome:
    [outcome] = work(shop.job(), "apply", ["shop.orders"], apply.apply)
    return outcome


OLD: dict[str, Any] = {"columns": [ORDER_ID, CUSTOMER, OPTIONAL, CHANGED_AT], "rules": []}


def major(shop: Shop, dataset: str = "shop.orders", contract: str = "", attempt: int = 0) -> Outcome:
    job = shop.job(f"contract-20260101T{shop.number:02}00-01", attempt)
    return apply.major(job, dataset, contract or stamp(shop.lake.dataset(dataset)))


def view(shop: Shop, name: str) -> dict[str, Any] | None:
    glue = boto3.client("glue")
    try:
        found = glue.get_table(DatabaseName=shop.lake.environment.databases["silver"], Name=name)["Table"]
    except glue.exceptions.EntityNotFoundException:
        return None
    text = found["ViewOriginalText"].removeprefix("/* Presto View: ").removesuffix(" */")
    told: dict[str, Any] = json.loads(base64.b64decode(text))
    return told


def test_renamed_and_dropped_columns_keep_their_rows_and_an_old_name_reads_through_the_view(sold: Shop) -> None:
    before = sold.rows("shop.orders", "order_id", "customer_id", "amount", "_hash")
    sold.lake = sold.with_contracts(orders=NEW)
    ahead = apply_orders(sold)
    assert "a major version ahead of its table, which follows 1.0.0" in ahead.cause
    assert "`headwater contract apply shop.orders --env test`" in ahead.remedy

    done = major(sold)
    assert (done.status, done.cause) == ("succeeded", "")
    assert sold.rows("shop.orders", "order_id", "buyer_id", "price", "_hash") == before
    assert "changed_at" not in sold.spark.table(sold.table("shop.orders")).columns
    told = view(sold, "shop_orders__v1")
    assert told is not None
    assert told["originalSql"].startswith(
        'SELECT "order_id" AS "order_id", "buyer_id" AS "customer_id", "price" AS "amount",'
        ' CAST(NULL AS timestamp(6) with time zone) AS "changed_at", "_version" AS "_version"'
    )
    assert {"name": "amount", "type": "decimal(10,2)"} in told["columns"]
    assert apply_orders(sold).status == "succeeded"


def test_a_snapshot_of_before_reads_by_the_names_of_now(sold: Shop) -> None:
    table = sold.table("shop.orders")
    before = iceberg.head(sold.spark, table)
    sold.lake = sold.with_contracts(orders={**NEW, "columns": [*RENAMED, {"name": "note", "type": "string"}]})
    assert major(sold).status == "succeeded"
    assert iceberg.head(sold.spark, table) == before
    rows = iceberg.read(sold.spark, table, before)
    assert dict(rows.dtypes)["price"] == "decimal(10,2)"
    assert sorted(tuple(row) for row in rows.select("order_id", "buyer_id", "note").collect()) == [
        (1, 1, None), (2, 2, None)]  # fmt: skip


def test_a_crash_between_table_and_view_is_finished_by_applying_again(
    sold: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any) -> None:
        raise SystemExit

    sold.lake = sold.with_contracts(orders=NEW)
    with monkeypatch.context() as patched:
        patched.setattr("glue_jobs.views.keep", crash)
        with pytest.raises(SystemExit):
            major(sold)
    assert view(sold, "shop_orders__v1") is None
    assert major(sold, attempt=1).status == "succeeded"
    assert view(sold, "shop_orders__v1") is not None
    assert not unapplied(sold.job(), ["shop.orders"])


def test_a_column_is_required_only_where_every_row_has_it_and_optional_at_will(sold: Shop) -> None:
    required = {"version": "2.0.0", "columns": [{**CUSTOMER, "required": True}, OLD["columns"][0], AMOUNT, CHANGED_AT]}
    sold.lake = sold.with_contracts(orders={**required, "rules": []})
    refused = major(sold)
    assert refused.cause.endswith("amount of shop.orders: expected a value in every row, and 1 rows have none.")
    assert view(sold, "shop_orders__v1") is None
    columns = [ORDER_ID, {**CUSTOMER, "required": True}, OPTIONAL, CHANGED_AT]
    sold.lake = sold.with_contracts(orders={**required, "rules": [], "columns": columns})
    assert major(sold).status == "succeeded"
    assert not sold.spark.table(sold.table("shop.orders")).schema["customer_id"].nullable
    sold.lake = sold.with_contracts(orders={**OLD, "version": "3.0.0"})
    assert major(sold).status == "succeeded"
    assert sold.spark.table(sold.table("shop.orders")).schema["customer_id"].nullable


def test_old_names_stay_for_one_major_version(sold: Shop) -> None:
    sold.lake = sold.with_contracts(orders=NEW)
    assert major(sold).status == "succeeded"
    again = [RENAMED[0], {**RENAMED[1], "name": "client_id"}, RENAMED[2]]
    sold.lake = sold.with_contracts(orders={**NEW, "version": "3.0.0", "columns": again})
    assert major(sold).status == "succeeded"
    assert view(sold, "shop_orders__v1") is None
    told = view(sold, "shop_orders__v2")
    assert told is not None
    assert '"client_id" AS "buyer_id"' in told["originalSql"]


def test_a_wider_type_reaches_the_view_of_old_names_at_the_head_of_a_run(sold: Shop) -> None:
    sold.lake = sold.with_contracts(orders=NEW)
    assert major(sold).status == "succeeded"
    wider = [*RENAMED[:2], {**RENAMED[2], "type": "decimal(12,2)"}]
    sold.lake = sold.with_contracts(orders={**NEW, "version": "2.1.0", "columns": wider})
    assert apply_orders(sold).status == "succeeded"
    told = view(sold, "shop_orders__v1")
    assert told is not None
    assert {"name": "amount", "type": "decimal(12,2)"} in told["columns"]


def test_partitions_and_order_change_for_what_is_written_from_then_on(sold: Shop) -> None:
    laid_out = {**OLD, "version": "2.0.0", "partition_by": ["bucket(2, order_id)", "months(changed_at)"],
                "sort_by": ["customer_id desc"]}  # fmt: skip
    sold.lake = sold.with_contracts(orders=laid_out)
    assert major(sold).status == "succeeded"
    told = sold.spark.sql(f"DESCRIBE TABLE EXTENDED {sold.table('shop.orders')}").collect()
    parts = {row["col_name"]: row["data_type"] for row in told}
    assert (parts["Part 0"], parts["Part 1"]) == ("bucket(2, order_id)", "months(changed_at)")
    assert "customer_id DESC" in parts["Table Properties"]
    assert len(sold.rows("shop.orders", "order_id")) == 2


def test_what_was_looked_at_must_be_what_is_deployed_and_a_new_major_version(sold: Shop) -> None:
    assert "is another" in major(sold, contract="2.0.0-other").cause
    sold.lake = sold.with_contracts(orders={**NEW, "version": "1.1.0"})
    assert major(sold).remedy == "Make it version 2.0.0 of the contract, and deploy."
    refused = apply_orders(sold)
    assert "the table has the name 'customer_id', the contract asks for the name 'buyer_id'" in refused.cause
    assert refused.cause.endswith("It would break gold.totals.")
    assert "make it version 2.0.0 of the contract, deploy, and run `headwater contract apply" in refused.remedy


def test_a_changed_key_is_a_dataset_of_a_new_name(sold: Shop) -> None:
    sold.lake = sold.with_contracts(orders={**OLD, "version": "2.0.0", "key": ["order_id", "customer_id"]})
    refused = major(sold)
    assert "its key from 'order_id' to 'order_id, customer_id'" in refused.cause
    assert refused.remedy.endswith("Begin a dataset of a new name, and retire this one.")


def test_the_table_knows_its_columns_by_the_contracts_ids(sold: Shop) -> None:
    found = existing(sold.spark, sold.table("shop.orders"))
    assert found is not None
    held = {each.number: each.name for each in found.fields}
    assert {id_: held[number] for id_, number in found.numbers().items()} == {
        each: each for each in ("order_id", "customer_id", "amount", "changed_at")
    }
