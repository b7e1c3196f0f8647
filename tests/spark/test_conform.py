"""Conforming rows to a contract: casts, rules, hashes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession, functions as F

from glue_jobs import bronze
from glue_jobs.basis import keys
from glue_jobs.conform import conform
from lake.model import Column, RowRule
from tests.spark.shop import as_dataset

LOGICAL = datetime(2026, 1, 1, tzinfo=UTC)


def conformed(
    spark: SparkSession, value: Any, source: str, target: str, *rules: RowRule, required: bool = False
) -> Any:
    columns = (Column("id", "bigint", "id"), Column("value", target, "Value", required))
    dataset = as_dataset("customers", columns=columns, key=("id",), rules=rules)
    rows = spark.createDataFrame([(1, value)], f"id bigint, `Value` {source}")
    return conform(rows, dataset, LOGICAL, {}).collect()[0]


LOST = [  # a value, its type in the source and that of the contract
    ("JAN", "string", "int"),
    ("1.5", "string", "int"),
    (3_000_000_000, "bigint", "int"),
    (1.5, "double", "bigint"),
    ("12.345", "string", "decimal(8,2)"),
    ("1234567.00", "string", "decimal(8,2)"),
    ("2026-02-30", "string", "date"),
    ("soon", "string", "timestamp"),
    ("perhaps", "string", "boolean"),
]
KEPT = [
    ("12.30", "string", "decimal(8,2)"),
    (7, "smallint", "bigint"),
    (2.0, "double", "bigint"),
    ("  x ", "string", "string"),
    ("2026-01-02", "string", "date"),
]


def side_by_side(spark: SparkSession, cases: list[tuple[Any, str, str]]) -> Any:
    """One row with a column for each case: `c0`, `c1` and so on."""
    columns = [Column(f"c{number}", target, f"C{number}") for number, (_, _, target) in enumerate(cases)]
    dataset = as_dataset("customers", columns=(Column("id", "bigint", "id"), *columns), key=("id",), rules=())
    schema = ", ".join(["id bigint", *(f"C{number} {source}" for number, (_, source, _) in enumerate(cases))])
    rows = spark.createDataFrame([(1, *(value for value, _, _ in cases))], schema)
    return conform(rows, dataset, LOGICAL, {}).collect()[0]


def test_a_value_that_would_be_lost_breaks_the_rule_of_its_type(spark: SparkSession) -> None:
    broken = set(side_by_side(spark, LOST)["_rules"])
    assert [case for number, case in enumerate(LOST) if f"type_c{number}" not in broken] == []


def test_a_value_that_fits_is_kept_as_it_is(spark: SparkSession) -> None:
    row = side_by_side(spark, KEPT)
    assert [str(row[f"c{number}"]) for number in range(len(KEPT))] == ["12.30", "7", "2", "  x ", "2026-01-02"]
    assert row["_rules"] == []


def test_bytes_are_text_that_a_reader_can_read(spark: SparkSession, tmp_path: Path) -> None:
    """Parquet's readers refuse a file whose text is not UTF-8."""
    rows = spark.createDataFrame([(1, b"\xde\xad"), (2, None)], "id bigint, `Value` binary")
    rows.write.format("avro").save(str(tmp_path / "bronze"))
    columns = (Column("id", "bigint", "id"), Column("value", "string", "Value"))
    dataset = as_dataset("customers", columns=columns, key=("id",))
    found = conform(bronze.read(spark, [str(tmp_path / "bronze")]), dataset, LOGICAL, {}).orderBy("id").collect()
    assert [row["value"] for row in found] == ["DEAD", None]


def test_only_a_missing_value_breaks_requiredness(spark: SparkSession) -> None:
    assert conformed(spark, None, "string", "int", required=True)["_rules"] == ["required_value"]
    assert conformed(spark, "x", "string", "int", required=True)["_rules"] == ["type_value"]


def test_a_row_rule_is_broken_by_false_and_not_by_null(spark: SparkSession) -> None:
    rule = RowRule("small", "value < 10")
    assert conformed(spark, 11, "int", "int", rule)["_rules"] == ["small"]
    assert conformed(spark, None, "int", "int", rule)["_rules"] == []


def test_without_a_cursor_the_version_is_the_logical_time(spark: SparkSession) -> None:
    row = conformed(spark, 1, "int", "int")
    assert row["_version"].astimezone(UTC) == LOGICAL


def test_the_hash_tells_whose_each_value_is_and_outlives_a_wider_type(spark: SparkSession) -> None:
    def hashes(kind: str, *rows: tuple[int | None, int | None]) -> list[str]:
        columns = tuple(Column(each, kind, each) for each in "ab")
        dataset = as_dataset("customers", columns=columns, key=("a",))
        frame = spark.createDataFrame(rows, f"a {kind}, b {kind}")
        return [each["_hash"] for each in conform(frame, dataset, LOGICAL, {}).collect()]

    rows = ((1, None), (None, 1), (1, 1), (2, 1), (1, 2), (None, None))
    found = hashes("int", *rows)
    assert len(set(found)) == len(rows)
    assert hashes("bigint", *rows) == found


def test_the_hash_tells_null_from_empty_and_outlives_a_new_nullable_column(spark: SparkSession) -> None:
    def hashes(rows: DataFrame, *columns: str) -> list[str]:
        dataset = as_dataset("customers", columns=tuple(Column(each, "string", each) for each in columns), key=("a",))
        return [each["_hash"] for each in conform(rows, dataset, LOGICAL, {}).collect()]

    rows = spark.createDataFrame([("x", None), ("x", ""), ("", "x")], "a string, b string")
    before = hashes(rows, "a", "b")
    assert len(set(before)) == 3
    assert hashes(rows.withColumn("c", F.lit(None).cast("string")), "c", "b", "a") == before


def test_a_key_is_read_by_whatever_name_its_source_gives_it(spark: SparkSession) -> None:
    named = as_dataset("customers", columns=(Column("id", "bigint", "its `id`.no"),), key=("id",))
    rows = spark.createDataFrame([("7",)], "id string").toDF("its `id`.no")
    assert [tuple(each) for each in keys(rows, named).collect()] == [(7,)]
