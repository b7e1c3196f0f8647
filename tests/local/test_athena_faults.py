"""Athena on the laptop under bad input and load: each fault is told in Athena's class, and the next query runs."""

from __future__ import annotations

import gzip
import io
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import numpy
import pyarrow as pa
import pyarrow.parquet
import pytest
from botocore.exceptions import ClientError

from tests.local.athena_statements import Analyst
from tests.local.conftest import RunningEndpoint
from tests.local.test_athena import workers

SLOW = "(VALUES 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)"
MANY = " CROSS JOIN ".join(f"{SLOW} t{i}(x{i})" for i in range(10))
SUM = " + ".join(f"x{i}" for i in range(10))


@pytest.fixture(scope="module")
def ann(endpoint: RunningEndpoint) -> Analyst:
    analyst = Analyst(endpoint, "athena_faults", "athena-faults").prepare()
    analyst.run(
        "CREATE TABLE sales WITH (partitioned_by = ARRAY['month']) AS "
        "SELECT * FROM (VALUES (1, 'one', 1), (2, 'two', 2), (3, 'three', 3)) t(id, word, month)"
    )
    analyst.run(
        "CREATE TABLE ledger WITH (table_type = 'ICEBERG', is_external = false, "
        "location = 's3://athena-faults/ledger/') AS SELECT 1 AS id"
    )
    return analyst


@pytest.fixture(autouse=True)
def up(ann: Analyst) -> Iterator[None]:
    """After every fault the endpoint answers the next query."""
    yield
    assert ann.rows("SELECT count(*) FROM sales") == [["3"]]


def status(ann: Analyst, sql: str) -> dict[str, Any]:
    found: dict[str, Any] = ann.ended(ann.start(sql))["Status"]
    return found


@pytest.mark.parametrize(
    ("form", "name", "body", "told"),
    [
        ("PARQUET", "a.parquet", b"PAR1" + b"x" * 100 + b"PAR1", "HIVE_BAD_DATA: "),
        ("PARQUET", "a.parquet", b"no parquet at all", "HIVE_BAD_DATA: "),
        ("AVRO", "a.avro", b"Obj\x01 and then nothing of it", "HIVE_BAD_DATA: "),
        ("JSON", "a.json.gz", gzip.compress(b'{"id": 1}\n' * 100)[:-12], "HIVE_"),
    ],
    ids=["broken parquet", "no parquet", "broken avro", "cut gzip"],
)
def test_a_corrupt_file_is_told_as_bad_data(ann: Analyst, form: str, name: str, body: bytes, told: str) -> None:
    table = f"corrupt_{abs(hash((form, body)))}"
    ann.endpoint.client("s3").put_object(Bucket=ann.bucket, Key=f"{table}/{name}", Body=body)
    stored = {"JSON": "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'"}.get(form, f"STORED AS {form}")
    ann.run(f"CREATE EXTERNAL TABLE {table} (id int) {stored} LOCATION 's3://{ann.bucket}/{table}/'")
    found = status(ann, f"SELECT id FROM {table}")
    assert found["State"] == "FAILED"
    assert found["StateChangeReason"].startswith(told)
    assert found["AthenaError"]["ErrorCategory"] == 2


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT 1 / (id - id) FROM sales", "DIVISION_BY_ZERO: "),
        ("SELECT 2147483647 + id FROM sales", "NUMERIC_VALUE_OUT_OF_RANGE: "),
        ("SELECT nothing FROM sales", "COLUMN_NOT_FOUND: line 1:8: Column 'nothing' cannot be resolved"),
        ("SELECT 1 FROM nothing", "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.athena_faults.nothing'"),
        ("SELECT 1 FROM no.t", "SCHEMA_NOT_FOUND: line 1:15: Schema 'no' does not exist"),
    ],
)
def test_a_users_fault_is_of_category_2(ann: Analyst, sql: str, told: str) -> None:
    found = status(ann, sql)
    assert found["StateChangeReason"].startswith(told)
    assert (found["AthenaError"]["ErrorCategory"], found["AthenaError"]["Retryable"]) == (2, False)


def test_ten_megabytes_of_sql_are_refused_as_athena_refuses_them(ann: Analyst) -> None:
    with pytest.raises(ClientError, match="Member must have length less than or equal to 262144") as caught:
        ann.start(f"SELECT '{'x' * 10_000_000}'")
    assert caught.value.response["Error"]["Code"] == "InvalidRequestException"


def test_fifty_queries_of_several_clients_each_get_their_own_answer(ann: Analyst) -> None:
    clients = [Analyst(ann.endpoint, ann.database, ann.bucket) for _ in range(5)]

    def ask(number: int) -> list[list[str | None]]:
        return clients[number % len(clients)].rows(f"SELECT {number} AS n, sum(id) FROM sales WHERE month <= {number}")

    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(ask, range(1, 51)))
    assert found == [[[str(n), str(sum(range(1, min(n, 3) + 1)))]] for n in range(1, 51)]


@pytest.mark.parametrize(
    "sql",
    [
        f"CREATE TABLE late AS SELECT {SUM} AS total FROM {MANY}",
        f"INSERT INTO ledger SELECT {SUM} FROM {MANY}",
        f"MERGE INTO ledger USING (SELECT sum({SUM}) AS s FROM {MANY}) n ON ledger.id = n.s "
        "WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT (id) VALUES (5)",
    ],
    ids=["ctas", "insert", "merge"],
)
def test_a_cancelled_write_leaves_nothing_behind(ann: Analyst, sql: str) -> None:
    before = ann.keys("ledger/"), ann.keys("results/tables/"), ann.names()
    identity = ann.start(sql)
    athena = ann.endpoint.client("athena")
    athena.get_query_execution(QueryExecutionId=identity)  # which waits a little
    athena.stop_query_execution(QueryExecutionId=identity)
    found = ann.ended(identity)["Status"]
    assert (found["State"], found["StateChangeReason"]) == ("CANCELLED", "Query cancelled by user")
    assert (ann.keys("ledger/"), ann.keys("results/tables/"), ann.names()) == before
    assert ann.rows("SELECT id FROM ledger") == [["1"]]


def test_a_write_whose_engine_dies_fails_with_an_internal_error_and_is_not_tried_again(ann: Analyst) -> None:
    identity = ann.start(f"INSERT INTO ledger SELECT {SUM} FROM {MANY}")
    ann.endpoint.client("athena").get_query_execution(QueryExecutionId=identity)
    for process in workers(ann.endpoint):
        os.kill(process, signal.SIGKILL)
    found = ann.ended(identity)["Status"]
    assert found["State"] == "FAILED"
    assert found["StateChangeReason"].startswith("GENERIC_INTERNAL_ERROR: ")
    assert found["AthenaError"]["ErrorCategory"] == 1


def test_bytes_scanned_are_those_of_the_column_in_the_partitions_that_are_asked_for(ann: Analyst) -> None:
    """Counted are the column chunks, and for each file what DuckDB reads to find its footer (16 KiB, or all of it)."""
    footer = 16_384
    random = numpy.random.default_rng(1)
    expected = {}
    for month in (1, 2):
        sink = io.BytesIO()
        rows = pa.table({"x": random.random(20_000), "y": random.random(20_000)})
        pyarrow.parquet.write_table(rows, sink, use_dictionary=False)
        key = f"measured/month={month}/a.parquet"
        ann.endpoint.client("s3").put_object(Bucket=ann.bucket, Key=key, Body=sink.getvalue())
        expected[month] = pyarrow.parquet.ParquetFile(sink).metadata.row_group(0).column(0).total_compressed_size
    ann.run(
        "CREATE EXTERNAL TABLE measured (x double, y double) PARTITIONED BY (month int) STORED AS PARQUET "
        f"LOCATION 's3://{ann.bucket}/measured/'"
    )
    ann.run("MSCK REPAIR TABLE measured")
    scanned = ann.run("SELECT sum(x) FROM measured WHERE month = 2")["Statistics"]["DataScannedInBytes"]
    assert expected[2] <= scanned <= expected[2] + 2 * footer
    ann.endpoint.client("s3").put_object(Bucket=ann.bucket, Key="measured/month=1/a.parquet", Body=b"not parquet")
    assert len(ann.rows("SELECT sum(x) FROM measured WHERE month = 2")) == 1  # the other partition is not read
    assert status(ann, "SELECT sum(x) FROM measured")["State"] == "FAILED"


def test_a_client_that_goes_away_leaves_its_query_to_end(ann: Analyst) -> None:
    endpoint = ann.endpoint
    gone = boto3.client(
        "athena",
        endpoint_url=endpoint.url,
        region_name=endpoint.region,
        aws_access_key_id="headwater",
        aws_secret_access_key="x",
    )
    place = {"OutputLocation": f"s3://{ann.bucket}/results/"}
    started = [
        gone.start_query_execution(QueryString=f"SELECT {n}", ResultConfiguration=place)["QueryExecutionId"]
        for n in range(10)
    ]
    gone.close()
    assert {ann.ended(identity)["Status"]["State"] for identity in started} == {"SUCCEEDED"}
