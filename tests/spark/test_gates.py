"""Gates: what a rule over a whole dataset answers, and what it says where it cannot answer."""

from __future__ import annotations

from typing import Any

import pytest
from pyspark.sql import SparkSession

import contracts
from glue_jobs.failures import GateFailedError
from glue_jobs.gates import check, require
from lake.gates import told
from lake.model import Gate
from tests.spark.shop import as_dataset


def answer(spark: SparkSession, **fields: Any) -> dict[str, Any]:
    rows = spark.createDataFrame([(1, "a"), (2, "a"), (3, None)], "number int, text string")
    [checked] = check(rows, [Gate("gate", **fields)], "candidate")
    return checked


@pytest.mark.parametrize(
    ("fields", "value", "passed"),
    [
        ({"metric": "row_count", "operator": "between", "threshold": (1, 3)}, 3, True),
        ({"metric": "row_count", "operator": "<", "threshold": 3}, 3, False),
        ({"metric": "duplicate_count", "columns": ("text",)}, 1, False),
        (
            {"metric": "sql", "expression": "SELECT avg(number) FROM {table}", "operator": ">", "threshold": 1},
            2.0,
            True,
        ),
    ],
)
def test_a_gate_compares_what_the_rows_give(spark: SparkSession, fields: Any, value: Any, passed: bool) -> None:
    checked = answer(spark, **fields)
    assert (checked["value"], checked["passed"]) == (value, passed)
    assert told(checked) == f"'gate' is {value}, expected {checked['expected']}"


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("SELECT max(number) FROM {table} WHERE number > 9", "'gate' gives NULL, expected a number"),
        ("SELECT number FROM {table} WHERE number > 9", "'gate' gives no row, expected one number"),
        ("SELECT number FROM {table}", "'gate' gives more than one row, expected one number"),
        ("SELECT max(text) FROM {table}", "'gate' gives str, expected a number"),
        ("SELECT double('NaN') FROM {table} LIMIT 1", "'gate' gives NaN, expected a number"),
        ("SELECT colour FROM {table}", "'gate' cannot be asked: [UNRESOLVED_COLUMN"),
    ],
)
@pytest.mark.parametrize("severity", ["error", "warn"])
def test_a_gate_without_a_number_is_not_met_and_says_why(
    spark: SparkSession, query: str, problem: str, severity: str
) -> None:
    checked = answer(spark, metric="sql", expression=query, operator=">=", threshold=0, severity=severity)
    assert told(checked).startswith(problem)
    assert not checked["passed"]


def test_a_gate_that_stops_names_itself_its_contract_and_where_to_look(spark: SparkSession) -> None:
    checked = answer(spark, metric="sql", expression="SELECT NULL", operator="=", threshold=0)
    dataset = as_dataset("orders")
    with pytest.raises(GateFailedError) as raised:
        require(dataset, [checked], {"quarantined": 1})
    assert raised.value.cause.startswith("The gate 'gate' gives NULL, expected a number. Nothing of shop.orders was")
    assert "`./headwater quarantine show shop.orders`" in raised.value.remedy
    assert "contracts/shop/orders.odcs.yaml" in raised.value.remedy
    assert raised.value.facts == {"quarantined": 1}
    require(dataset, [{**checked, "severity": "warn"}], {})


@pytest.mark.parametrize(("counts", "value"), [([5, 9], 5), ([5, 4], 4), ([7, None], 0), ([], 5)])
def test_what_tells_of_fewer_people_than_a_contract_promises_is_stopped(
    spark: SparkSession, counts: list[int | None], value: int
) -> None:
    gate = contracts.load("gold.coverage_by_cohort").gates[-1]
    rows = spark.createDataFrame([(each,) for each in counts], "begun bigint")
    [checked] = check(rows, [gate], "candidate")
    assert (checked["name"], checked["value"], checked["passed"]) == ("smallest_group", value, value >= 5)
    assert checked["severity"] == "error"
