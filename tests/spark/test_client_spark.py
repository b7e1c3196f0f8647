"""Spark at the laptop: with Iceberg's own Glue catalog it reads what Athena made, and Athena reads what it wrote."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession

from tests.local.athena_statements import Analyst
from tests.local.conftest import RunningEndpoint, start_endpoint

BUCKET, DATABASE = "read-by-spark", "read_by_spark"
MERGE_ON_READ = ", ".join(f"'write.{verb}.mode' = 'merge-on-read'" for verb in ("delete", "update", "merge"))


@pytest.fixture(scope="module")
def ann(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Analyst]:
    running = start_endpoint(tmp_path_factory.mktemp("spark-client"), "--lazy")
    yield Analyst(running, DATABASE, BUCKET).prepare()
    running.process.terminate()
    running.process.wait(30)


@pytest.fixture(scope="module")
def glue(spark: SparkSession, ann: Analyst) -> Iterator[SparkSession]:
    """A session of its own in the JVM of all tests, with the settings that the user of a cluster writes."""
    session, jvm = spark.newSession(), spark._jvm
    assert jvm is not None
    system: Any = jvm.java.lang.System
    keys = {"aws.accessKeyId": "headwater", "aws.secretAccessKey": "headwater", "aws.region": ann.endpoint.region}
    for name, value in keys.items():
        system.setProperty(name, value)
    for name, value in settings(ann.endpoint).items():
        session.conf.set(name, value)
    yield session
    for name in keys:
        system.clearProperty(name)


def settings(endpoint: RunningEndpoint) -> dict[str, str]:
    catalog = "spark.sql.catalog.glue"
    return {
        catalog: "org.apache.iceberg.spark.SparkCatalog",
        f"{catalog}.catalog-impl": "org.apache.iceberg.aws.glue.GlueCatalog",
        f"{catalog}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        f"{catalog}.warehouse": f"s3://{BUCKET}/warehouse",
        f"{catalog}.cache-enabled": "false",
        f"{catalog}.glue.endpoint": endpoint.url,
        f"{catalog}.s3.endpoint": endpoint.url,
        f"{catalog}.s3.path-style-access": "true",
        "spark.sql.session.timeZone": "UTC",
        "fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
        "fs.s3.impl.disable.cache": "true",
        "fs.s3a.endpoint": endpoint.url,
        "fs.s3a.path.style.access": "true",
        "fs.s3a.connection.ssl.enabled": "false",
        "fs.s3a.access.key": "headwater",
        "fs.s3a.secret.key": "headwater",
    }


def rows(frame: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in frame.collect()]


def test_tables_that_athena_made_are_read_and_grown(glue: SparkSession, ann: Analyst) -> None:
    ann.run(
        "CREATE TABLE doses (id bigint, patient string, weight decimal(5,2), at timestamp, tags array<string>)"
        f" PARTITIONED BY (day(at)) LOCATION 's3://{BUCKET}/doses/' TBLPROPERTIES ('table_type' = 'ICEBERG')"
    )
    ann.run(
        "INSERT INTO doses VALUES (1, 'Ann', 61.50, timestamp '2026-01-01 10:00:00.123456', ARRAY['a']),"
        " (2, NULL, NULL, timestamp '2026-01-02 00:00:00', NULL)"
    )
    ann.run("UPDATE doses SET patient = 'Bo' WHERE id = 2")
    table = glue.table(f"glue.{DATABASE}.doses").orderBy("id")
    assert dict(table.dtypes) == {
        "id": "bigint", "patient": "string", "weight": "decimal(5,2)", "at": "timestamp_ntz", "tags": "array<string>",
    }  # fmt: skip
    assert rows(table) == [
        (1, "Ann", Decimal("61.50"), dt.datetime(2026, 1, 1, 10, 0, 0, 123456), ["a"]),
        (2, "Bo", None, dt.datetime(2026, 1, 2), None),
    ]
    values = "3L, 'Cy', CAST(NULL AS decimal(5,2)), TIMESTAMP_NTZ '2026-01-02 01:00:00', array('b')"
    glue.sql(f"INSERT INTO glue.{DATABASE}.doses VALUES ({values})")
    assert ann.rows("SELECT id, patient, at FROM doses WHERE at >= timestamp '2026-01-02 00:30:00'") == [
        ["3", "Cy", "2026-01-02 01:00:00.000000"]
    ]
    ann.run("CREATE TABLE sales WITH (partitioned_by = ARRAY['part']) AS"
            " SELECT * FROM (VALUES (1, 1.50, 'x'), (2, 2.25, 'y')) AS t (id, price, part)")  # fmt: skip
    location = ann.table("sales")["StorageDescriptor"]["Location"]
    assert rows(glue.read.parquet(location).orderBy("id")) == [(1, Decimal("1.50"), "x"), (2, Decimal("2.25"), "y")]


def test_rows_that_spark_deletes_and_changes_beside_their_files_are_so_for_athena(
    glue: SparkSession, ann: Analyst
) -> None:
    name = f"glue.{DATABASE}.stock"
    glue.sql(
        f"CREATE TABLE {name} (id bigint, word string, day date) USING iceberg PARTITIONED BY (day)"
        f" LOCATION 's3://{BUCKET}/stock' TBLPROPERTIES ('format-version' = '2', {MERGE_ON_READ})"
    )
    glue.sql(f"INSERT INTO {name} SELECT id, concat('w', id), DATE '2026-01-01' FROM range(5)")
    glue.sql(f"DELETE FROM {name} WHERE id = 1")
    glue.sql(f"UPDATE {name} SET word = 'two' WHERE id = 2")
    glue.sql(
        f"MERGE INTO {name} t USING (SELECT 3L AS id UNION ALL SELECT 9L) s ON t.id = s.id"
        " WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id, word, day) VALUES (s.id, 'new', DATE '2026-02-01')"
    )
    assert glue.sql(f"SELECT 1 FROM {name}.delete_files").count() > 0
    expected = [["0", "w0", "2026-01-01"], ["2", "two", "2026-01-01"], ["4", "w4", "2026-01-01"],
                ["9", "new", "2026-02-01"]]  # fmt: skip
    assert ann.rows("SELECT * FROM stock ORDER BY id") == expected
    assert ann.rows("SELECT count(*) FROM stock WHERE day = date '2026-01-01'") == [["3"]]
    first = glue.sql(f"SELECT snapshot_id FROM {name}.snapshots ORDER BY committed_at LIMIT 1").collect()[0][0]
    assert ann.rows(f"SELECT count(*) FROM stock FOR VERSION AS OF {first}") == [["5"]]
    glue.sql(f"ALTER TABLE {name} ADD COLUMN note string")
    ann.run("INSERT INTO stock VALUES (10, 'ten', date '2026-02-01', 'by Athena')")
    assert rows(glue.sql(f"SELECT word, note FROM {name} WHERE id = 10")) == [("ten", "by Athena")]
