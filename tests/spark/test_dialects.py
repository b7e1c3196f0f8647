"""What Spark says to MySQL and SQL Server, asked of its dialects in the JVM: no SQL Server can run here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlglot
from pyspark.sql import SparkSession
from pyspark.sql.types import LongType, StructField, StructType, TimestampNTZType

from glue_jobs.connection import DRIVERS, Source
from glue_jobs.reading import Reading
from glue_jobs.windows import Window
from tests.spark.shop import as_dataset

URLS = {"mysql": "jdbc:mysql://db:3306/shop", "tsql": "jdbc:sqlserver://db:1433;databaseName=shop;encrypt=true"}


def dialect(spark: SparkSession, url: str) -> Any:
    return spark._jvm.org.apache.spark.sql.jdbc.JdbcDialects.get(url)  # type: ignore[union-attr]


@pytest.mark.parametrize(("name", "told"), [("mysql", "MySQLDialect"), ("tsql", "MsSqlServerDialect")])
def test_spark_knows_the_engine_by_its_address(spark: SparkSession, name: str, told: str) -> None:
    assert dialect(spark, URLS[name]).getClass().getSimpleName().startswith(told)


@pytest.mark.parametrize("url", [*URLS.values(), "jdbc:postgresql://db/shop", "jdbc:h2:tcp://db/shop"])
def test_every_driver_that_a_connection_can_name_is_there(spark: SparkSession, url: str) -> None:
    known = next(driver for start, driver in DRIVERS.items() if url.startswith(start))
    loader = spark._jvm.java.lang.Thread.currentThread().getContextClassLoader()  # type: ignore[union-attr]
    kind = spark._jvm.java.lang.Class.forName(known.name, True, loader)  # type: ignore[union-attr]
    assert kind.newInstance().acceptsURL(url)


@pytest.mark.parametrize("name", ["order", "Group", "E-Mail", "größe", "a b", "[x]"])
@pytest.mark.parametrize("engine", list(URLS))
def test_a_name_in_sparks_quotes_is_a_name_to_the_engine(spark: SparkSession, engine: str, name: str) -> None:
    source = Source(URLS[engine], "reader", "secret")
    parsed = sqlglot.parse_one(f"SELECT * FROM {source.quoted(spark, f'dbo.{name}')}", dialect=engine)
    table = parsed.find(sqlglot.exp.Table)
    assert table is not None
    assert (table.name, table.db) == (name, "dbo")


class Overheard(Source):
    """A source that keeps what it is asked for, and answers with what a table of orders would."""

    def read(self, spark: SparkSession, **options: str) -> Any:
        ASKED.append(options["dbtable"])
        if " n " in f"{options['dbtable']} ":
            return spark.createDataFrame([(1, 1000, 1000)], "low bigint, high bigint, n bigint")
        if "latest" in options["dbtable"]:
            return spark.createDataFrame([(None,)], "latest timestamp")
        return spark.createDataFrame(
            [], StructType([StructField("id", LongType()), StructField("changed", TimestampNTZType())])
        )


ASKED: list[str] = []


@pytest.mark.parametrize("engine", list(URLS))
@pytest.mark.parametrize("high", [None, datetime(2026, 1, 2, tzinfo=UTC)])
def test_every_query_that_ingest_makes_is_one_that_the_engine_parses(
    spark: SparkSession, engine: str, high: datetime | None
) -> None:
    ASKED.clear()
    dataset = as_dataset("orders", source_object="dbo.Order")
    window = Window(datetime(2026, 1, 1, 12, 30, 0, 123456, tzinfo=UTC), high)
    for part in (window, None):
        reading = Reading(spark, Overheard(URLS[engine], "reader", "secret"), dataset, part)
        reading.rows(rows_per_partition=100)
        reading.rows(rows_per_partition=100, columns=reading.key_columns)
        reading.refuse_backwards()
    assert len(ASKED) >= 6
    made = dialect(spark, URLS[engine])
    for relation in ASKED:
        for query in (
            made.getSchemaQuery(relation),
            f"SELECT [id] FROM {relation}" if engine == "tsql" else f"SELECT `id` FROM {relation}",
        ):
            parsed = sqlglot.parse_one(query, dialect=engine, error_level=sqlglot.ErrorLevel.RAISE)
            assert not list(parsed.find_all(sqlglot.exp.Limit)), "T-SQL has none"
            assert [each.name for each in parsed.find_all(sqlglot.exp.Table)] == ["Order"]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-03-31 03:30:00.1234567 +02:00", "2024-03-31 01:30:00.123456"),
        ("1883-11-18 12:00:00.0000000 -05:00", "1883-11-18 17:00:00"),
    ],
)
def test_a_datetimeoffset_comes_as_text_that_casts_to_its_instant(spark: SparkSession, text: str, instant: str) -> None:
    ms = dialect(spark, URLS["tsql"])
    metadata = spark._jvm.org.apache.spark.sql.types.MetadataBuilder()  # type: ignore[union-attr]
    assert ms.getCatalystType(-155, "datetimeoffset", 34, metadata).get().typeName() == "string"
    (row,) = spark.sql(f"SELECT string(try_cast('{text}' AS timestamp))").collect()
    assert row[0] == instant
