"""Athena on the laptop, as boto3 and awswrangler see it: tables, results in S3, errors, paging, cancel."""

from __future__ import annotations

import datetime as dt
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pyarrow as pa
import pytest
from botocore.exceptions import ClientError
from pyiceberg.catalog.glue import GlueCatalog

from local.engines.duckdb_instance import extension
from tests.local.conftest import RunningEndpoint
from tests.local.iceberg_deletes import delete_positions

LAKE, RESULTS, DATABASE = "athena-lake", "athena-results", "athena_tests"
OUTPUT = f"s3://{RESULTS}/queries"
AT = dt.datetime(2026, 11, 21, 5, 30, 0, 123456, tzinfo=dt.UTC)
SALES = pa.table(
    {
        "sale_id": pa.array([1, 2, 3], pa.int64()),
        "buyer": pa.array(["Ann", None, 'q"x,'], pa.string()),
        "price": pa.array([Decimal("1.50"), Decimal("2.25"), None], pa.decimal128(8, 2)),
        "sold_at": pa.array([AT, AT + dt.timedelta(days=1), None], pa.timestamp("us", tz="UTC")),
        "rules": pa.array([["a", "b"], [], None], pa.list_(pa.string())),
        "score": pa.array([1.5, 1e10, None], pa.float64()),
        "day": pa.array([dt.date(2026, 11, 21)] * 3, pa.date32()),
        "final": pa.array([True, False, None], pa.bool_()),
    }
)
Rows = list[list[str | None]]


def catalog(endpoint: RunningEndpoint) -> GlueCatalog:
    common = {
        "endpoint": endpoint.url,
        "region": endpoint.region,
        "access-key-id": "headwater",
        "secret-access-key": "x",
    }
    return GlueCatalog(
        "g", **{f"{service}.{name}": value for service in ("glue", "s3") for name, value in common.items()}
    )


@pytest.fixture(scope="module")
def lake(endpoint: RunningEndpoint) -> RunningEndpoint:
    """A database with an Iceberg table, an empty one, and a partitioned Avro table."""
    s3, glue = endpoint.client("s3"), endpoint.client("glue")
    for bucket in (LAKE, RESULTS):
        s3.create_bucket(Bucket=bucket)
    glue.create_database(DatabaseInput={"Name": DATABASE})
    tables = catalog(endpoint)
    tables.create_table((DATABASE, "sales"), SALES.schema, location=f"s3://{LAKE}/sales").append(SALES)
    tables.create_table((DATABASE, "empty"), SALES.schema, location=f"s3://{LAKE}/empty")
    return endpoint


def start(endpoint: RunningEndpoint, sql: str, **options: Any) -> str:
    request = {
        "QueryExecutionContext": {"Database": DATABASE, "Catalog": "AwsDataCatalog"},
        "ResultConfiguration": {"OutputLocation": OUTPUT},
        **options,
    }
    identity: str = endpoint.client("athena").start_query_execution(QueryString=sql, **request)["QueryExecutionId"]
    return identity


def ended(endpoint: RunningEndpoint, identity: str) -> dict[str, Any]:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        execution: dict[str, Any] = endpoint.client("athena").get_query_execution(QueryExecutionId=identity)[
            "QueryExecution"
        ]
        if execution["Status"]["State"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
            return execution
    raise TimeoutError(identity)


def execute(endpoint: RunningEndpoint, sql: str, **options: Any) -> tuple[dict[str, Any], Rows]:
    execution = ended(endpoint, start(endpoint, sql, **options))
    assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
    return execution, results(endpoint, execution["QueryExecutionId"])


def results(endpoint: RunningEndpoint, identity: str) -> Rows:
    pages = endpoint.client("athena").get_paginator("get_query_results").paginate(QueryExecutionId=identity)
    return [[cell.get("VarCharValue") for cell in row["Data"]] for page in pages for row in page["ResultSet"]["Rows"]]


def reason(endpoint: RunningEndpoint, sql: str) -> str:
    status = ended(endpoint, start(endpoint, sql))["Status"]
    assert status["State"] == "FAILED"
    assert status["AthenaError"]["ErrorMessage"] == status["StateChangeReason"]
    return str(status["StateChangeReason"])


def objects(endpoint: RunningEndpoint, location: str) -> bytes:
    bucket, _, key = location.removeprefix("s3://").partition("/")
    body: bytes = endpoint.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def test_values_are_written_as_athena_writes_them(lake: RunningEndpoint) -> None:
    _, rows = execute(lake, "SELECT * FROM sales ORDER BY sale_id")
    assert rows == [
        list(SALES.schema.names),
        ["1", "Ann", "1.50", "2026-11-21 05:30:00.123456 UTC", "[a, b]", "1.5", "2026-11-21", "true"],
        ["2", None, "2.25", "2026-11-22 05:30:00.123456 UTC", "[]", "1.0E10", "2026-11-21", "false"],
        ["3", 'q"x,', None, None, None, None, "2026-11-21", None],
    ]


def test_the_result_file_is_quoted_csv_with_its_metadata_beside(lake: RunningEndpoint) -> None:
    execution, _ = execute(lake, "SELECT sale_id, buyer FROM sales ORDER BY 1")
    location = execution["ResultConfiguration"]["OutputLocation"]
    assert location == f"{OUTPUT}/{execution['QueryExecutionId']}.csv"
    assert objects(lake, location).decode() == '"sale_id","buyer"\n"1","Ann"\n"2",\n"3","q""x,"\n'
    assert objects(lake, f"{location}.metadata")


def test_columns_have_athenas_types(lake: RunningEndpoint) -> None:
    identity = start(lake, "SELECT *, count(*) OVER () AS n FROM sales")
    ended(lake, identity)
    info = lake.client("athena").get_query_results(QueryExecutionId=identity)["ResultSet"]["ResultSetMetadata"]
    assert [(each["Name"], each["Type"], each["Precision"], each["Scale"]) for each in info["ColumnInfo"]] == [
        ("sale_id", "bigint", 19, 0),
        ("buyer", "varchar", 2147483647, 0),
        ("price", "decimal", 8, 2),
        ("sold_at", "timestamp with time zone", 6, 0),
        ("rules", "array", 0, 0),
        ("score", "double", 17, 0),
        ("day", "date", 0, 0),
        ("final", "boolean", 0, 0),
        ("n", "bigint", 19, 0),
    ]


def test_results_come_in_pages_and_the_header_once(lake: RunningEndpoint) -> None:
    values = ", ".join(map(str, range(2500)))
    identity = start(lake, f"SELECT x FROM (VALUES {values}) t(x) ORDER BY x")
    ended(lake, identity)
    athena = lake.client("athena")
    first = athena.get_query_results(QueryExecutionId=identity)
    assert len(first["ResultSet"]["Rows"]) == 1000
    second = athena.get_query_results(QueryExecutionId=identity, NextToken=first["NextToken"], MaxResults=1)
    assert second["ResultSet"]["Rows"] == [{"Data": [{"VarCharValue": "999"}]}]
    assert results(lake, identity) == [["x"], *([str(number)] for number in range(2500))]


def test_an_execution_tells_what_it_was_and_what_it_read(lake: RunningEndpoint) -> None:
    execution, _ = execute(lake, "SELECT sum(sale_id) FROM sales")
    whole, _ = execute(lake, "SELECT * FROM sales")
    nothing, _ = execute(lake, "SELECT 1")
    assert (execution["StatementType"], execution["SubstatementType"]) == ("DML", "SELECT")
    assert execution["QueryExecutionContext"] == {"Database": DATABASE, "Catalog": "AwsDataCatalog"}
    assert execution["EngineVersion"]["EffectiveEngineVersion"] == "Athena engine version 3"
    statistics = execution["Statistics"]
    assert 0 < statistics["DataScannedInBytes"] < whole["Statistics"]["DataScannedInBytes"]
    assert statistics["TotalExecutionTimeInMillis"] >= statistics["EngineExecutionTimeInMillis"] > 0
    assert nothing["Statistics"]["DataScannedInBytes"] == 0


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        (
            'SELECT count(*), sum(price), avg(price) FROM "awsdatacatalog"."athena_tests"."sales"',
            [["3", "3.75", "1.88"]],
        ),
        ("SELECT sale_id, rule FROM sales CROSS JOIN UNNEST(rules) AS r (rule) ORDER BY 2", [["1", "a"], ["1", "b"]]),
        ("SELECT count(*) FROM empty", [["0"]]),
        ('SELECT operation, parent_id FROM "sales$snapshots"', [["append", None]]),
        (
            f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{DATABASE}' ORDER BY 1 LIMIT 2",
            [["empty"], ["sales"]],
        ),
        (
            "SELECT data_type FROM information_schema.columns WHERE table_schema = 'athena_tests' AND "
            "table_name = 'sales' AND column_name IN ('sold_at', 'price', 'rules') ORDER BY 1",
            [["array(varchar)"], ["decimal(8,2)"], ["timestamp(6) with time zone"]],
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_a_query_over_the_catalog(lake: RunningEndpoint, sql: str, rows: Rows) -> None:
    assert execute(lake, sql)[1][1:] == rows


def test_parameters_stand_for_question_marks(lake: RunningEndpoint) -> None:
    sql = "SELECT sale_id FROM sales WHERE buyer = ? OR sale_id = ? ORDER BY 1"
    execution, rows = execute(lake, sql, ExecutionParameters=["'Ann'", "2"])
    assert rows[1:] == [["1"], ["2"]]
    assert execution["ExecutionParameters"] == ["'Ann'", "2"]


def test_rows_deleted_by_position_are_gone(lake: RunningEndpoint) -> None:
    """What Spark's merge-on-read leaves: a data file as it was, and a file that says which of its rows are deleted."""
    table = catalog(lake).create_table((DATABASE, "deleted"), SALES.schema, location=f"s3://{LAKE}/deleted")
    table.append(SALES)
    delete_positions(table.refresh(), [1])
    assert execute(lake, "SELECT sale_id FROM deleted ORDER BY 1")[1][1:] == [["1"], ["3"]]


def test_a_new_snapshot_is_seen_at_once(lake: RunningEndpoint) -> None:
    table = catalog(lake).create_table((DATABASE, "growing"), SALES.schema, location=f"s3://{LAKE}/growing")
    for count in (3, 6):
        table.append(SALES)
        assert execute(lake, "SELECT count(*) FROM growing")[1][1:] == [[str(count)]]


@pytest.fixture(scope="module")
def loads(lake: RunningEndpoint, tmp_path_factory: pytest.TempPathFactory) -> RunningEndpoint:
    """An Avro table as bronze has them: a partition for each committed load, and one load that is not registered."""
    folder = tmp_path_factory.mktemp("avro")
    columns = [
        {"Name": "id", "Type": "bigint"},
        {"Name": "seen", "Type": "timestamp"},
        {"Name": "note", "Type": "string"},
    ]
    storage = {
        "Columns": columns,
        "Location": f"s3://{LAKE}/loads/",
        "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.serde2.avro.AvroSerDe"},
    }
    glue = lake.client("glue")
    keys = [{"Name": name, "Type": "string"} for name in ("logical", "run")]
    glue.create_table(
        DatabaseName=DATABASE, TableInput={"Name": "loads", "StorageDescriptor": storage, "PartitionKeys": keys}
    )
    with duckdb.connect(config={"allow_unsigned_extensions": "true"}) as connection:
        connection.execute(f"LOAD '{extension('avro')}'")
        for number, values in enumerate((("d1", "r1"), ("d1", "r2"), ("d2", "r1"))):
            note = ", 'late' AS note" if number == 1 else ""  # a column that the source got later
            select = f"SELECT {number}::BIGINT AS \"ID\", TIMESTAMP '2026-01-01 00:00:00.123456' AS seen{note}"
            connection.execute(f"COPY ({select}) TO '{folder}/{number}.avro' (FORMAT avro)")
            key = f"loads/logical={values[0]}/run={values[1]}/part-0.avro"
            lake.client("s3").upload_file(f"{folder}/{number}.avro", LAKE, key)
            location = f"s3://{LAKE}/{key.rpartition('/')[0]}"
            if number < 2:
                glue.create_partition(
                    DatabaseName=DATABASE,
                    TableName="loads",
                    PartitionInput={"Values": list(values), "StorageDescriptor": {**storage, "Location": location}},
                )
    return lake


def test_an_avro_table_has_the_registered_partitions_only(loads: RunningEndpoint) -> None:
    _, rows = execute(loads, "SELECT id, seen, note, logical, run FROM loads ORDER BY id")
    assert rows[1:] == [
        ["0", "2026-01-01 00:00:00.123", None, "d1", "r1"],
        ["1", "2026-01-01 00:00:00.123", "late", "d1", "r2"],
    ]


def test_partitions_that_the_query_leaves_out_are_not_read(loads: RunningEndpoint) -> None:
    every, _ = execute(loads, "SELECT id FROM loads")
    one, rows = execute(loads, "SELECT id FROM loads WHERE run = 'r2' AND logical > 'd0'")
    assert rows[1:] == [["1"]]
    assert one["Statistics"]["DataScannedInBytes"] < every["Statistics"]["DataScannedInBytes"]


def test_a_file_that_is_gone_is_named(loads: RunningEndpoint) -> None:
    table = catalog(loads).create_table((DATABASE, "gone"), SALES.schema, location=f"s3://{LAKE}/gone")
    table.append(SALES)
    for task in table.scan().plan_files():
        loads.client("s3").delete_object(Bucket=LAKE, Key=task.file.file_path.removeprefix(f"s3://{LAKE}/"))
    told = reason(loads, "SELECT * FROM gone")
    assert told.startswith(f"ICEBERG_CANNOT_OPEN_SPLIT: Error opening Iceberg split s3://{LAKE}/gone/data/")
    assert reason(loads, "SELECT sale_id FROM sales JOIN gone USING (sale_id)") == told


def test_a_plain_table_has_the_files_that_lie_there(loads: RunningEndpoint) -> None:
    place = f"external_location = 's3://{LAKE}/left/', format = 'PARQUET'"
    execute(loads, f"CREATE TABLE left_over WITH ({place}) AS SELECT 1 AS id")
    for found in loads.client("s3").list_objects_v2(Bucket=LAKE, Prefix="left/")["Contents"]:
        loads.client("s3").delete_object(Bucket=LAKE, Key=found["Key"])
    assert execute(loads, "SELECT count(*) FROM left_over")[1][1:] == [["0"]]


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT x FROM sales", "COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved"),
        ("SELECT * FROM nope", "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.athena_tests.nope' does not exist"),
        ("SELECT * FROM no.t", "SCHEMA_NOT_FOUND: line 1:15: Schema 'no' does not exist"),
        ("SELECT 1 / 0", "DIVISION_BY_ZERO: Division by zero"),
        ("SELECT sale_id / (sale_id - 1) FROM sales", "DIVISION_BY_ZERO: Division by zero"),
        ("SELECT cast(buyer AS integer) FROM sales", "INVALID_CAST_ARGUMENT: Cannot cast 'Ann' to INT"),
        ("SELECT shuffle(rules) FROM sales", "NOT_SUPPORTED: line 1:8: Function 'shuffle' is not on the laptop's list"),
        ("ANALYZE sales", "NOT_SUPPORTED: ANALYZE is not run on the laptop yet"),
    ],
)
def test_a_query_that_fails_says_why_in_athenas_words(lake: RunningEndpoint, sql: str, told: str) -> None:
    assert reason(lake, sql).startswith(told)


@pytest.mark.parametrize(
    ("sql", "options", "told"),
    [
        ("SELEC 1", {}, "line 1:1: mismatched input 'SELEC'"),
        ("SELECT 1", {"WorkGroup": "nobody"}, "WorkGroup nobody is not found"),
        ("SELECT 1", {"ResultConfiguration": {}}, "No output location provided"),
        ("SELECT 1", {"ResultConfiguration": {"OutputLocation": "x"}}, "not a valid S3 path"),
        (f"SELECT '{'x' * 262_144}'", {}, "Member must have length less than or equal to 262144"),
    ],
    ids=["syntax", "workgroup", "no location", "bad location", "too long"],
)
def test_a_request_that_cannot_start_is_refused_at_once(
    lake: RunningEndpoint, sql: str, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(ClientError, match=told) as caught:
        start(lake, sql, **options)
    assert caught.value.response["Error"]["Code"] == "InvalidRequestException"


def test_results_that_are_not_there_are_refused(lake: RunningEndpoint) -> None:
    failed = start(lake, "SELECT 1 / 0")
    ended(lake, failed)
    with pytest.raises(ClientError, match="Final query state: FAILED"):
        results(lake, failed)
    with pytest.raises(ClientError, match="was not found"):
        results(lake, "00000000-0000-0000-0000-000000000000")


def test_a_results_bucket_that_is_not_there_is_refused_at_once(lake: RunningEndpoint) -> None:
    with pytest.raises(ClientError, match="Unable to verify/create output bucket no-such-bucket"):
        start(lake, "SELECT 1", ResultConfiguration={"OutputLocation": "s3://no-such-bucket/x/"})


def test_a_workgroups_place_is_used_unless_the_request_has_one(lake: RunningEndpoint) -> None:
    athena = lake.client("athena")
    for name, enforced in (("open", False), ("enforced", True)):
        configuration = {
            "EnforceWorkGroupConfiguration": enforced,
            "ResultConfiguration": {"OutputLocation": f"s3://{RESULTS}/{name}/"},
        }
        athena.create_work_group(Name=name, Configuration=configuration)
        for asked, place in (({}, name), ({"OutputLocation": OUTPUT}, "enforced" if enforced else "queries")):
            execution, _ = execute(lake, "SELECT 1", WorkGroup=name, ResultConfiguration=asked)
            assert execution["ResultConfiguration"]["OutputLocation"].startswith(f"s3://{RESULTS}/{place}/")
    listed = athena.list_query_executions(WorkGroup="open", MaxResults=1)
    assert len(listed["QueryExecutionIds"]) == 1
    assert listed["NextToken"]


def test_executions_are_described_together(lake: RunningEndpoint) -> None:
    known = start(lake, "SELECT 1")
    answer = lake.client("athena").batch_get_query_execution(QueryExecutionIds=[known, "unknown"])
    assert [each["QueryExecutionId"] for each in answer["QueryExecutions"]] == [known]
    assert [each["QueryExecutionId"] for each in answer["UnprocessedQueryExecutionIds"]] == ["unknown"]


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        ("SHOW TABLES", "sales"),
        (f"SHOW TABLES IN `{DATABASE}` 'sal*'", "sales"),
        ("SHOW DATABASES", DATABASE),
        ("SHOW SCHEMAS LIKE 'athena*'", DATABASE),
        ("DESCRIBE sales", "price\tdecimal(8, 2)\t"),
    ],
)
def test_listings_are_lines_of_text(lake: RunningEndpoint, sql: str, line: str) -> None:
    execution, rows = execute(lake, sql)
    assert [line] in rows
    location = execution["ResultConfiguration"]["OutputLocation"]
    assert location.endswith(".txt")
    body = objects(lake, location).decode()
    assert line in body.splitlines()
    assert not body.endswith("\n")


def test_a_cancelled_query_stops_and_the_next_one_runs(lake: RunningEndpoint) -> None:
    many = "(VALUES " + ", ".join(["1"] * 200) + ")"
    joined = " CROSS JOIN ".join(f"{many} t{i}(x{i})" for i in range(5))
    slow = start(lake, f"SELECT count(*) FROM {joined} WHERE x0 + x1 + x2 + x3 + x4 > 9")
    while (
        lake.client("athena").get_query_execution(QueryExecutionId=slow)["QueryExecution"]["Status"]["State"]
        == "QUEUED"
    ):
        time.sleep(0.05)
    began = time.monotonic()
    lake.client("athena").stop_query_execution(QueryExecutionId=slow)
    assert ended(lake, slow)["Status"]["State"] == "CANCELLED"
    assert time.monotonic() - began < 2
    assert execute(lake, "SELECT 1")[1] == [["_col0"], ["1"]]


def test_a_query_runs_though_its_engine_died(lake: RunningEndpoint) -> None:
    execute(lake, "SELECT 1")
    for process in workers(lake):
        os.kill(process, signal.SIGKILL)
    assert execute(lake, "SELECT 2")[1] == [["_col0"], ["2"]]


def test_many_queries_at_once_are_not_mixed_up(lake: RunningEndpoint) -> None:
    def ask(number: int) -> Rows:
        return execute(lake, f"SELECT {number} AS n, count(*) FROM sales")[1]

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(ask, range(30))) == [[["n", "_col1"], [str(n), "3"]] for n in range(30)]


def test_a_query_runs_with_its_callers_credentials(lake: RunningEndpoint) -> None:
    trust = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "*"}]}'
    role = lake.client("iam").create_role(RoleName="athena-analyst", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    lake.client("iam").put_role_policy(RoleName="athena-analyst", PolicyName="all", PolicyDocument=policy)
    issued = lake.client("sts").assume_role(RoleArn=role, RoleSessionName="ann")["Credentials"]
    athena = boto3.client(
        "athena",
        endpoint_url=lake.url,
        region_name=lake.region,
        aws_access_key_id=issued["AccessKeyId"],
        aws_secret_access_key=issued["SecretAccessKey"],
        aws_session_token=issued["SessionToken"],
    )
    started = athena.start_query_execution(
        QueryString=f"SELECT count(*) FROM {DATABASE}.sales WHERE sale_id > 1",
        ResultConfiguration={"OutputLocation": OUTPUT},
    )
    assert ended(lake, started["QueryExecutionId"])["Status"]["State"] == "SUCCEEDED"
    actions = {call["action"] for call in lake.calls(role="athena-analyst")}
    assert {"athena:StartQueryExecution", "glue:GetTable", "s3:GetObject", "s3:PutObject"} <= actions


def test_awswrangler_reads_a_frame(lake: RunningEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    import awswrangler

    for name, value in lake.environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    frame = awswrangler.athena.read_sql_query(
        "SELECT sale_id, buyer, price, score, final, sold_at FROM sales ORDER BY 1",
        database=DATABASE,
        ctas_approach=False,
        s3_output=f"s3://{RESULTS}/frames/",
        boto3_session=boto3.session.Session(region_name=lake.region),
    )
    assert frame["sale_id"].tolist() == [1, 2, 3]
    assert frame["price"].tolist()[:2] == [Decimal("1.50"), Decimal("2.25")]
    assert frame["buyer"].fillna("-").tolist() == ["Ann", "-", 'q"x,']
    assert [str(type_) for type_ in frame.dtypes[["sale_id", "score", "final"]]] == ["Int64", "float64", "boolean"]


def workers(endpoint: RunningEndpoint) -> list[int]:
    """The engine's processes below the endpoint's."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_text()
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            if "local.engines.duckdb_worker" in command and parent == endpoint.process.pid:
                found.append(int(folder.name))
    return found
