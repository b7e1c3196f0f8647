"""Crawlers of files on the laptop: folders of a bucket become tables that Athena reads, or a sentence says why not."""

from __future__ import annotations

import gzip
import io
import json
import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import RunningEndpoint
from tests.local.job_runs import JobLake

AVRO = {
    "type": "record",
    "name": "payment",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "paid", "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 8, "scale": 2}]},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    ],
}
GROUPING = {"Version": 1.0, "Grouping": {"TableLevelConfiguration": 3}}


class Landing(JobLake):
    """A bucket and a database, and crawlers over them: `landing.crawl(...)` is how the crawl ended."""

    def put(self, **files: bytes) -> None:
        for key, body in files.items():
            self.client("s3").put_object(Bucket=self.name, Key=key, Body=body)

    def crawler(self, noun: str, **settings: Any) -> str:
        name = f"{self.name}-{noun}"
        self.client("glue").create_database(DatabaseInput={"Name": name})
        given = {"Targets": {"S3Targets": [{"Path": f"s3://{self.name}/"}]}, "Configuration": json.dumps(GROUPING)}
        role = self.role(noun)
        self.client("glue").create_crawler(Name=name, Role=role, DatabaseName=name, **{**given, **settings})
        return name

    def crawl(self, name: str) -> dict[str, Any]:
        self.client("glue").start_crawler(Name=name)
        return self.ended(name)

    def ended(self, name: str) -> dict[str, Any]:
        end = time.monotonic() + 60
        while (found := self.client("glue").get_crawler(Name=name)["Crawler"])["State"] != "READY":
            assert time.monotonic() < end
            time.sleep(0.05)
        last: dict[str, Any] = found["LastCrawl"]
        return last

    def tables(self, name: str) -> dict[str, dict[str, Any]]:
        return {each["Name"]: each for each in self.client("glue").get_tables(DatabaseName=name)["TableList"]}

    def values(self, name: str, table: str) -> list[list[str]]:
        found = self.client("glue").get_partitions(DatabaseName=name, TableName=table)["Partitions"]
        return sorted(each["Values"] for each in found)

    def counts(self, name: str) -> tuple[int, int, int]:
        (found,) = self.client("glue").get_crawler_metrics(CrawlerNameList=[name])["CrawlerMetricsList"]
        return found["TablesCreated"], found["TablesUpdated"], found["TablesDeleted"]


@pytest.fixture(scope="module")
def landing(endpoint: RunningEndpoint) -> Landing:
    made = Landing(endpoint)
    files = {
        "shop/orders/2026/01/a.csv": b"id;total;placed\n1;2.5;2026-01-01\n2;3;2026-01-02\n",
        "shop/orders/2026/02/b.csv": b'id;total;placed;note\n3;4.5;2026-02-01;"late; sorry"\n',
        "shop/visits/day=2026-01-01/a.json": b'{"page": "/", "user": {"id": 1, "tags": ["a"]}}\n',
        "shop/visits/day=2026-01-02/b.json.gz": gzip.compress(b'{"page": "/x", "ms": 1.5, "at": "2026-01-02"}\n'),
        "bank/payments/a.avro": avro(),
        "bank/accounts/region=eu/a.parquet": columns(pa.table({"id": pa.array([1], pa.int32()), "open": [True]})),
        "bank/accounts/region=us/b.parquet": columns(pa.table({"id": pa.array([2], pa.int64()), "city": ["Rome"]})),
    }
    made.put(**files)
    return made


@pytest.fixture(scope="module")
def crawled(landing: Landing) -> str:
    name = landing.crawler("formats", TablePrefix="landing_")
    assert landing.crawl(name)["Status"] == "SUCCEEDED"
    return name


def avro() -> bytes:
    file = io.BytesIO()
    row = {"id": 1, "paid": Decimal("1.20"), "at": datetime(2026, 1, 1, tzinfo=UTC)}
    fastavro.writer(file, fastavro.parse_schema(AVRO), [{**row, "id": number} for number in range(50)], codec="deflate")
    return file.getvalue()


def columns(table: pa.Table) -> bytes:
    file = io.BytesIO()
    parquet.write_table(table, file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("table", "classification", "types", "keys", "partitions"),
    [
        (
            "landing_orders", "csv",
            {"id": "bigint", "total": "double", "placed": "string", "note": "string"},
            ["partition_0", "partition_1"], [["2026", "01"], ["2026", "02"]],
        ),
        (
            "landing_visits", "json",
            {"page": "string", "user": "struct<id:bigint,tags:array<string>>", "ms": "double", "at": "string"},
            ["day"], [["2026-01-01"], ["2026-01-02"]],
        ),
        ("landing_payments", "avro", {"id": "bigint", "paid": "decimal(8,2)", "at": "timestamp"}, [], []),
        (
            "landing_accounts", "parquet", {"id": "bigint", "open": "boolean", "city": "string"},
            ["region"], [["eu"], ["us"]],
        ),
    ],
)  # fmt: skip
def test_a_folder_of_each_format_is_a_table_with_its_partitions(
    landing: Landing, crawled: str, table: str, classification: str, types: dict[str, str], keys: list[str],
    partitions: list[list[str]],
) -> None:  # fmt: skip
    found = landing.tables(crawled)[table]
    assert {each["Name"]: each["Type"] for each in found["StorageDescriptor"]["Columns"]} == types
    assert [each["Name"] for each in found["PartitionKeys"]] == keys
    assert found["Parameters"]["classification"] == classification
    assert landing.values(crawled, table) == partitions if keys else not found["PartitionKeys"]


def test_a_csv_tables_parameters_say_delimiter_and_heading(landing: Landing, crawled: str) -> None:
    found = landing.tables(crawled)["landing_orders"]
    assert found["StorageDescriptor"]["SerdeInfo"]["Parameters"] == {"field.delim": ";"}
    assert (found["Parameters"]["skip.header.line.count"], found["Parameters"]["recordCount"]) == ("1", "3")
    assert landing.tables(crawled)["landing_visits"]["Parameters"]["compressionType"] == "gzip"


def test_athena_reads_what_a_crawler_found(landing: Landing, crawled: str) -> None:
    athena = landing.client("athena")
    sql = f'SELECT region, count(*) FROM "{crawled}".landing_accounts GROUP BY region ORDER BY region'
    where = {"OutputLocation": f"s3://{landing.name}-results/"}
    landing.client("s3").create_bucket(Bucket=f"{landing.name}-results")
    query = athena.start_query_execution(QueryString=sql, ResultConfiguration=where)["QueryExecutionId"]
    while (status := athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"])["State"] in (
        "QUEUED",
        "RUNNING",
    ):
        time.sleep(0.05)
    assert status["State"] == "SUCCEEDED", status
    rows = athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
    assert [[cell["VarCharValue"] for cell in row["Data"]] for row in rows[1:]] == [["eu", "1"], ["us", "1"]]


def test_a_second_crawl_changes_nothing_and_a_third_only_what_changed(landing: Landing, crawled: str) -> None:
    assert landing.crawl(crawled)["Status"] == "SUCCEEDED"
    assert landing.counts(crawled) == (0, 0, 0)
    landing.put(**{"bank/payments/b.csv": b"", "bank/loans/a.csv": b"id,sum\n1,2\n"})
    landing.client("s3").delete_object(Bucket=landing.name, Key="bank/payments/a.avro")
    landing.crawl(crawled)
    assert landing.counts(crawled) == (1, 0, 1)
    assert "DEPRECATED_BY_CRAWLER" in landing.tables(crawled)["landing_payments"]["Parameters"]


def test_a_corrupt_file_fails_the_crawl_by_name_and_the_others_are_found(
    landing: Landing, endpoint: RunningEndpoint
) -> None:
    other = Landing(endpoint)
    whole = avro()
    other.put(
        **{"bank/payments/a.avro": whole, "bank/payments/cut.avro": whole[:-20], "bank/loans/a.csv": b"id,sum\n1,2\n"}
    )
    name = other.crawler("corrupt")
    ended = other.crawl(name)
    assert ended["Status"] == "FAILED"
    assert f"The file 's3://{other.name}/bank/payments/cut.avro': expected avro" in ended["ErrorMessage"]
    assert set(other.tables(name)) == {"payments", "loans"}


def test_an_empty_prefix_succeeds_without_a_table(landing: Landing) -> None:
    name = landing.crawler("empty", Targets={"S3Targets": [{"Path": f"s3://{landing.name}/nothing/"}]})
    assert landing.crawl(name)["Status"] == "SUCCEEDED"
    assert landing.tables(name) == {}


def test_a_database_that_cannot_be_reached_fails_the_crawl_by_name(landing: Landing) -> None:
    properties = {"JDBC_CONNECTION_URL": "jdbc:postgresql://127.0.0.1:1/shop", "USERNAME": "u", "PASSWORD": "hidden"}
    connection = {"Name": f"{landing.name}-gone", "ConnectionType": "JDBC", "ConnectionProperties": properties}
    landing.client("glue").create_connection(ConnectionInput=connection)
    target = {"ConnectionName": connection["Name"], "Path": "shop/public/%"}
    ended = landing.crawl(landing.crawler("gone", Targets={"JdbcTargets": [target]}))
    assert ended["Status"] == "FAILED"
    assert "'jdbc:postgresql://127.0.0.1:1/shop' refused user 'u', or cannot be reached" in ended["ErrorMessage"]
    assert "hidden" not in ended["ErrorMessage"]


def test_a_crawler_writes_into_no_database_that_has_tables_of_others(landing: Landing) -> None:
    name = landing.crawler("taken")
    contract = {"Name": "saas_users", "Parameters": {"table_type": "ICEBERG"}}
    landing.client("glue").create_table(DatabaseName=name, TableInput=contract)
    ended = landing.crawl(name)
    assert (ended["Status"], "'saas_users' is none" in ended["ErrorMessage"]) == ("FAILED", True)
    assert set(landing.tables(name)) == {"saas_users"}


def test_a_crawler_at_work_is_not_started_twice_and_can_be_stopped(landing: Landing) -> None:
    glue, name = landing.client("glue"), landing.crawler("stopped")
    glue.start_crawler(Name=name)
    with pytest.raises(ClientError, match="CrawlerRunningException"):
        glue.start_crawler(Name=name)
    glue.stop_crawler(Name=name)
    assert landing.ended(name)["Status"] in ("CANCELLED", "SUCCEEDED")
    with pytest.raises(ClientError, match="CrawlerNotRunningException"):
        glue.stop_crawler(Name=name)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"Targets": {"DynamoDBTargets": [{"Path": "t"}]}}, "'DynamoDBTargets'"),
        ({"Classifiers": ["mine"]}, "'mine'"),
        ({"RecrawlPolicy": {"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"}}, "'CRAWL_NEW_FOLDERS_ONLY'"),
    ],
)
def test_what_cannot_be_crawled_is_refused_by_name(
    landing: Landing, crawled: str, settings: dict[str, Any], named: str
) -> None:
    with pytest.raises(ClientError, match=named):
        landing.client("glue").create_crawler(
            Name="refused", Role="none", DatabaseName="none", **{"Targets": {"S3Targets": []}, **settings}
        )
    with pytest.raises(ClientError, match=named):
        landing.client("glue").update_crawler(Name=crawled, **settings)
