"""Rulesets for Glue Data Quality, read by the parser that AWS publishes and their SQL by Spark, which runs it there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from pyspark.sql import SparkSession

from glue_jobs.dqdl import ruleset
from lake.arrivals import ARRIVED_AT
from lake.model import Gate, Lake, RowRule
from tests.spark.dqdl_parser import rules
from tests.spark.shop import Shop, as_dataset
from tests.spark.tickit import compiled

LAKE: dict[str, Any] = {
    "environment": {"name": "test", "account": "1", "region": "x", "buckets": {}, "ledger": "", "topic_arn": "",
                    "databases": {"silver": "shop_silver"}},
    "datasets": [{"id": "shop.customers", "source": "shop", "name": "customers", "layer": "silver", "version": "1",
                  "hash": "", "columns": [], "key": []}],
}  # fmt: skip


def said(spark: SparkSession, **contract: Any) -> list[tuple[str, dict[str, str], str]]:
    """What Glue reads of orders with this contract, beyond its key and required columns."""
    bare = {"rules": (), "references": (), "gates": ()}
    text = ruleset(as_dataset("orders", **{**bare, **contract}), Lake.from_dict(LAKE))
    return [each for each in rules(spark, text) if each[0] not in ("IsPrimaryKey", "IsComplete")]


def test_every_shipped_contract_is_dqdl_with_all_of_its_rules(spark: SparkSession, tmp_path: Path) -> None:
    lake = compiled(tmp_path, tmp_path)
    for name in lake.dataset_ids():
        dataset = lake.dataset(name)
        optional = [each for each in dataset.columns if each.required and each.name not in dataset.key]
        of_arrival = [each.name for each in dataset.rules if ARRIVED_AT in each.expression]
        rows = len(dataset.rules) - len(of_arrival)
        wanted = 1 + len(optional) + rows + len(dataset.references) + len(dataset.gates)
        text = ruleset(dataset, lake)
        assert all(f"# Not said: {each}, which compares a row with when it arrived.\n" in text for each in of_arrival)
        assert text.count("\n    # ") == wanted, name
        assert len(rules(spark, text)) >= wanted  # a range is two


def test_the_sql_of_every_shipped_ruleset_is_sql_of_the_datasets_table(spark: SparkSession, tmp_path: Path) -> None:
    lake = compiled(tmp_path, tmp_path)
    for name in lake.dataset_ids():
        dataset = lake.dataset(name)
        columns = ", ".join(f"`{each.name}` {each.type}" for each in dataset.columns)
        spark.createDataFrame([], columns).createOrReplaceTempView("primary")
        for kind, parameters, _ in rules(spark, ruleset(dataset, lake)):
            query = parameters.get("CustomSqlStatement", "")
            if kind == "CustomSql" and "anti join" not in query:
                assert len(spark.sql(query).columns) == 1, query
    spark.catalog.dropTempView("primary")


def test_keys_and_required_columns_are_said(spark: SparkSession) -> None:
    found = rules(spark, ruleset(as_dataset("orders", references=()), Lake.from_dict(LAKE)))
    assert found[:2] == [
        ("IsPrimaryKey", {"TargetColumn1": "order_id"}, ""),
        ("IsComplete", {"TargetColumn": "amount"}, ""),
    ]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (RowRule("r", "x", column="name", values=('a "b"', "c\\d")), r'in["a \"b\"","c\\d"]'),
        (RowRule("r", "x", column="amount", values=(1, 2.5)), "in[1,2.5]"),
        (RowRule("r", "x", column="name", pattern=r'^\d+ "x" \\$'), r'matches"^\d+ \"x\" \\$"'),
        (RowRule("r", "amount >= -1.5"), ">=-1.5"),
    ],
)
def test_rules_about_a_columns_values_keep_every_character(spark: SparkSession, rule: RowRule, expected: str) -> None:
    [(kind, _, condition)] = said(spark, rules=(rule,))
    assert (kind, condition) == ("ColumnValues", expected)


def test_a_range_has_both_of_its_ends(spark: SparkSession) -> None:
    rule, gate = RowRule("r", "amount BETWEEN 0 AND 10"), Gate("g", "row_count", operator="between", threshold=(1, 5))
    assert [(kind, condition) for kind, _, condition in said(spark, rules=(rule,), gates=(gate,))] == [
        ("ColumnValues", ">=0"), ("ColumnValues", "<=10"), ("RowCount", ">=1"), ("RowCount", "<=5"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "rule",
    [
        RowRule("dates, which DQDL compares as such", "name IN ('2026-01-01')", column="name", values=("2026-01-01",)),
        RowRule("text in double quotes", """name <> "it's" """),
        RowRule("a double quote in text", """name <> 'say "x"' AND name RLIKE '\\\\d"' """),
        RowRule("a pattern without ends", "name RLIKE 'a|b'", column="name", pattern="a|b"),
    ],
    ids=lambda rule: rule.name,
)  # fmt: skip
def test_what_dqdl_cannot_say_of_a_column_is_sql_that_means_the_same(spark: SparkSession, rule: RowRule) -> None:
    [(kind, parameters, condition)] = said(spark, rules=(rule,))
    assert (kind, condition) == ("CustomSql", "=0")
    rows = [("it's",), ("2026-01-01",), ('say "x"',), ('1"',), ("b",), (None,)]
    spark.createDataFrame(rows, "name string").createOrReplaceTempView("primary")
    broken = spark.table("primary").where(f"not ({rule.expression})").count()
    assert spark.sql(parameters["CustomSqlStatement"]).collect()[0][0] == broken > 0


def test_foreign_keys_are_said_by_integrity_or_by_a_query_that_gives_the_same(spark: SparkSession) -> None:
    columns = [replace(each, required=True) for each in as_dataset("orders").columns]
    assert said(spark, columns=tuple(columns), references=as_dataset("orders").references)[0] == (
        "ReferentialIntegrity",
        {"PrimaryDatasetColumns": "customer_id", "ReferenceDatasetColumns": "shop_customers.customer_id"},
        "=1.0",
    )
    [(kind, parameters, condition)] = said(spark, references=as_dataset("orders").references)  # may be null
    assert (kind, condition) == ("CustomSql", "=0")
    spark.createDataFrame([(1,), (None,), (9,)], "customer_id bigint").createOrReplaceTempView("primary")
    spark.createDataFrame([(1,), (2,)], "customer_id bigint").createOrReplaceTempView("parents")
    query = parameters["CustomSqlStatement"].replace("shop_silver.shop_customers", "parents")
    assert spark.sql(query).collect()[0][0] == 1


def test_what_is_not_said_is_named(spark: SparkSession) -> None:
    text = ruleset(as_dataset("orders", references=(), freshness_hours=24.0, load_mode="append"), Lake.from_dict(LAKE))
    for word in ("types", "freshness", "append_only"):
        assert f"# Not said: {word}" in text


def test_a_ruleset_longer_than_glue_keeps_says_how_many_rules_it_leaves_out(spark: SparkSession) -> None:
    many = tuple(RowRule(f"rule_{number}", "order_id > 0 OR amount > 0", "x" * 100) for number in range(500))
    text = ruleset(as_dataset("orders", rules=many, references=()), Lake.from_dict(LAKE))
    assert len(text) <= 65_536
    assert "rules, for want of room" in text
    assert 200 < len(rules(spark, text)) < 500


def test_what_is_applied_is_registered_and_registered_anew_only_where_it_changed(new_shop: Shop) -> None:
    new_shop.apply()
    glue = boto3.client("glue")
    made = glue.get_data_quality_ruleset(Name="shop_orders")
    assert made["TargetTable"] == {"DatabaseName": f"{new_shop.name}_silver", "TableName": "shop_orders"}
    assert made["Description"] == "Contract shop.orders 1.0.0"
    assert made["Ruleset"] == ruleset(new_shop.lake.dataset("shop.orders"), new_shop.lake)

    new_shop.lake = new_shop.with_contracts(orders={"gates": []}, customers={"description": "Whoever buys"})
    assert {each.dataset for each in new_shop.apply()} == {"shop.customers", "shop.orders"}
    listed = glue.list_data_quality_rulesets(Filter={"TargetTable": made["TargetTable"]})["Rulesets"]
    assert [each["LastModifiedOn"] > each["CreatedOn"] for each in listed] == [True]
    assert "not_too_many" not in glue.get_data_quality_ruleset(Name="shop_orders")["Ruleset"]
    same = glue.get_data_quality_ruleset(Name="shop_customers")
    assert same["LastModifiedOn"] == same["CreatedOn"]
