"""The apply job: tables as contracts say, changed only in ways that hurt no reader."""

from __future__ import annotations

import pytest

from glue_jobs import ingest
from glue_jobs.failures import ContractBreaksTableError
from glue_jobs.major import refuse
from lake.evolution import Layout, compare, statements
from lake.model import Column, Dataset
from lake.tables import Field, Table
from tests.spark.shop import CUSTOMERS, TOTALS, Shop, as_dataset

ORDERS = [("1", "1", "1.00", "2026-01-01 00:00:00")]


def plan(shop: Shop, fields: list[Field], columns: list[Column]) -> list[str]:
    """What is done to a table of these fields for a contract of these columns, unless it is refused."""
    dataset: Dataset = as_dataset("customers", columns=tuple(columns))
    table = Table(tuple(fields), {})
    changes = compare(table.layout(dataset), Layout.of(dataset))
    refuse(shop.lake, dataset, table, changes)
    return statements("t", changes)


def test_tables_carry_their_contracts_columns_comments_and_partitions(new_shop: Shop) -> None:
    assert {each.status for each in new_shop.apply()} == {"succeeded"}
    told = {
        row["col_name"]: row
        for row in new_shop.spark.sql(f"DESCRIBE TABLE EXTENDED {new_shop.table('gold.totals')}").collect()
    }
    assert told["total"]["data_type"] == "decimal(18,2)"
    assert told["_run"]["comment"] == "The run that last changed the row."
    assert told["Part 0"]["data_type"] == "bucket(2, customer_id)"
    assert told["Comment"]["data_type"] == "The shop's totals"
    assert "format-version=2" in told["Table Properties"]["data_type"]
    assert new_shop.spark.catalog.tableExists(new_shop.lake.quarantine(new_shop.lake.dataset("shop.orders")))


def test_what_is_applied_is_not_applied_again(new_shop: Shop) -> None:
    assert len(new_shop.apply()) == 4
    assert new_shop.apply() == []


def test_a_table_that_was_dropped_is_made_again(shop: Shop) -> None:
    shop.spark.sql(f"DROP TABLE {shop.table('gold.totals')}")
    shop.spark.sql(f"DROP TABLE {shop.lake.quarantine(shop.lake.dataset('shop.orders'))}")
    assert sorted(each.dataset for each in shop.apply()) == ["gold.totals", "shop.orders"]
    assert shop.apply() == []


def test_nothing_is_loaded_into_a_table_behind_its_contract_until_that_is_taken_back(shop: Shop) -> None:
    shop.lake = shop.with_contracts(customers={"columns": CUSTOMERS["columns"][:1]})
    job = shop.job()
    assert [each.status for each in shop.apply(job)] == ["failed"]
    assert ingest.pending(job) == ["shop.orders"]
    shop.lake = shop.with_contracts()
    assert ingest.pending(shop.job(str(job.run), attempt=1)) == ["shop.customers", "shop.orders"]


def test_no_gold_is_built_beside_a_model_whose_table_could_not_be_applied(stocked: Shop) -> None:
    stocked.build(stocked.run(ORDERS))
    narrower = [TOTALS["columns"][0], {**TOTALS["columns"][1], "type": "decimal(16,2)"}]
    stocked.lake = stocked.with_contracts(totals={"columns": narrower})
    job = stocked.run(ORDERS)
    assert [(each.dataset, each.cause) for each in stocked.build(job)] == [
        ("gold.best", "not built: gold.totals failed")
    ]
    assert "gold.totals" in stocked.ledger.remaining(str(job.run)).models


def test_columns_are_added_and_widened_and_old_rows_stay(stocked: Shop) -> None:
    stocked.run(ORDERS)
    wider = [{**each, "type": "decimal(12,2)"} if each["name"] == "total" else each for each in TOTALS["columns"]]
    more = [*CUSTOMERS["columns"], {"name": "nick", "type": "string", "source": "name", "description": "It's new"}]
    stocked.lake = stocked.with_contracts(
        totals={"columns": [*TOTALS["columns"][:1], *wider[1:]]}, customers={"columns": more}
    )
    outcomes = {each.dataset: each for each in stocked.apply()}
    assert outcomes["shop.customers"].status == "succeeded"
    assert "'total' of gold.totals: the table has decimal(18,2)" in outcomes["gold.totals"].cause
    assert stocked.rows("shop.customers", "customer_id", "nick") == [(1, None), (2, None)]
    field = stocked.spark.table(stocked.table("shop.customers")).schema["nick"]
    assert field.metadata["comment"] == "It's new"


@pytest.mark.parametrize(("old", "new"), [("int", "bigint"), ("float", "double"), ("decimal(8,2)", "decimal(10,2)")])
def test_a_type_may_only_widen(shop: Shop, old: str, new: str) -> None:
    assert plan(shop, [Field(1, "a", old)], [Column("a", new)]) == [f"ALTER TABLE t ALTER COLUMN `a` TYPE {new}"]
    with pytest.raises(
        ContractBreaksTableError, match=r"'a' of shop.customers: the table has .*, the contract asks for"
    ):
        plan(shop, [Field(1, "a", new)], [Column("a", old)])


@pytest.mark.parametrize(
    ("fields", "columns", "said"),
    [
        (
            [Field(1, "a", "int"), Field(2, "b", "int")],
            [Column("a", "int")],
            "'b' .* has int, the contract asks for no column",
        ),
        (
            [Field(1, "a", "int")],
            [Column("a", "int"), Column("b", "int", required=True)],
            "'b' .* asks for int, a required one",
        ),
        ([Field(1, "a", "int", required=True)], [Column("a", "int")], "'a' .* asks for an optional one"),
        ([Field(1, "a", "decimal(8,2)")], [Column("a", "decimal(9,3)")], r"asks for decimal\(9,3\)"),
    ],
)
def test_what_could_hurt_a_reader_is_refused(shop: Shop, fields: list[Field], columns: list[Column], said: str) -> None:
    with pytest.raises(ContractBreaksTableError, match=said):
        plan(shop, fields, columns)
