"""Athena's API around queries: prepared statements, byte limits, results used again, the catalog's metadata."""

from __future__ import annotations

from typing import Any

import numpy
import pyarrow as pa
import pyarrow.parquet
import pytest
from botocore.exceptions import ClientError

from tests.local.athena_statements import Analyst
from tests.local.conftest import RunningEndpoint

LIMIT = 10_000_000


@pytest.fixture(scope="module")
def ann(endpoint: RunningEndpoint) -> Analyst:
    analyst = Analyst(endpoint, "statement_api", "statement-api").prepare()
    analyst.run("CREATE TABLE words AS SELECT * FROM (VALUES (1, 'one'), (2, 'two')) t(id, word)")
    return analyst


@pytest.fixture(scope="module")
def athena(ann: Analyst) -> Any:
    return ann.endpoint.client("athena")


def test_a_prepared_statement_runs_with_its_values(ann: Analyst) -> None:
    ann.run("PREPARE by_id FROM SELECT word FROM words WHERE id = ? AND word <> ?")
    assert ann.rows("EXECUTE by_id USING 1, 'it''s, no'") == [["one"]]
    assert ann.rows("EXECUTE by_id", ExecutionParameters=["2", "'x'"]) == [["two"]]
    assert ann.fails("EXECUTE by_id USING 1").startswith("INVALID_PARAMETER_USAGE")
    assert "already exists" in ann.fails("PREPARE by_id FROM SELECT 1")
    ann.run("PREPARE adds FROM INSERT INTO words SELECT ?, 'xyz'")
    assert ann.run("EXECUTE adds USING 3")["SubstatementType"] == "INSERT"
    assert ann.rows("SELECT word FROM words WHERE id = 3") == [["xyz"]]
    for name in ("by_id", "adds"):
        ann.run(f"DEALLOCATE PREPARE {name}")
    assert "by_id was not found in workGroup primary" in ann.fails("EXECUTE by_id USING 1, 'a'")


def test_prepared_statements_are_kept_with_their_workgroup(ann: Analyst, athena: Any) -> None:
    athena.create_prepared_statement(StatementName="p", WorkGroup="primary", QueryStatement="SELECT ? AS a")
    assert ann.rows("EXECUTE p USING 5") == [["5"]]
    athena.update_prepared_statement(StatementName="p", WorkGroup="primary", QueryStatement="SELECT 6 AS a")
    assert ann.rows("EXECUTE p") == [["6"]]
    found = athena.get_prepared_statement(StatementName="p", WorkGroup="primary")["PreparedStatement"]
    assert found["QueryStatement"] == "SELECT 6 AS a"
    listed = athena.list_prepared_statements(WorkGroup="primary")["PreparedStatements"]
    assert [each["StatementName"] for each in listed] == ["p"]
    athena.delete_prepared_statement(StatementName="p", WorkGroup="primary")
    with pytest.raises(athena.exceptions.ResourceNotFoundException):
        athena.get_prepared_statement(StatementName="p", WorkGroup="primary")


def test_a_query_over_its_workgroups_limit_is_cancelled_without_a_result(ann: Analyst, athena: Any) -> None:
    configuration = {"BytesScannedCutoffPerQuery": LIMIT, "EnforceWorkGroupConfiguration": False}
    athena.create_work_group(Name="thrifty", Configuration=configuration)
    large = pa.table({"x": numpy.random.default_rng(1).random(LIMIT // 7)})
    sink = pa.BufferOutputStream()
    pyarrow.parquet.write_table(large, sink)
    ann.endpoint.client("s3").put_object(Bucket=ann.bucket, Key="large/a.parquet", Body=sink.getvalue().to_pybytes())
    ann.run(f"CREATE EXTERNAL TABLE large (x double) STORED AS PARQUET LOCATION 's3://{ann.bucket}/large/'")
    for sql in ("SELECT sum(x) FROM large", "CREATE TABLE copied AS SELECT * FROM large"):
        execution = ann.ended(ann.start(sql, WorkGroup="thrifty"))
        assert execution["Status"]["State"] == "CANCELLED"
        assert execution["Status"]["StateChangeReason"] == "Bytes scanned limit was exceeded"
    assert "copied" not in ann.names()
    assert ann.run("SELECT count(*) FROM large", WorkGroup="thrifty")["Status"]["State"] == "SUCCEEDED"


def test_a_result_is_used_again_while_it_is_young_enough(ann: Analyst) -> None:
    reuse = {"ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 5}}}
    sql = "SELECT count(*) AS n FROM words"
    first, second = ann.run(sql, **reuse), ann.run(sql, **reuse)
    flags = [each["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"] for each in (first, second)]
    assert flags == [False, True]
    assert second["Statistics"]["DataScannedInBytes"] == 0
    places = {each["ResultConfiguration"]["OutputLocation"] for each in (first, second)}
    assert len(places) == 1
    rows = [ann.results(each["QueryExecutionId"])["ResultSet"]["Rows"] for each in (first, second)]
    assert rows[0] == rows[1]
    for other in ({}, {**reuse, "WorkGroup": "primary", "QueryExecutionContext": {"Database": "default"}}):
        execution = ann.ended(ann.start(sql, **other))
        assert not execution["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"]
    moment = [ann.run("SELECT now() AS at", **reuse) for _ in range(2)]
    assert not moment[1]["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"]


def test_databases_and_tables_are_those_of_the_glue_catalog(ann: Analyst, athena: Any) -> None:
    catalog = {"CatalogName": "AwsDataCatalog"}
    assert athena.list_data_catalogs()["DataCatalogsSummary"][0] == {"CatalogName": "AwsDataCatalog", "Type": "GLUE"}
    pages = athena.get_paginator("list_databases").paginate(**catalog)
    assert ann.database in [each["Name"] for page in pages for each in page["DatabaseList"]]
    assert athena.get_database(**catalog, DatabaseName=ann.database)["Database"]["Name"] == ann.database
    tables = athena.list_table_metadata(**catalog, DatabaseName=ann.database, Expression="wor.*")["TableMetadataList"]
    assert [each["Name"] for each in tables] == ["words"]
    found = athena.get_table_metadata(**catalog, DatabaseName=ann.database, TableName="words")["TableMetadata"]
    assert found["Columns"] == [{"Name": "id", "Type": "int"}, {"Name": "word", "Type": "varchar(3)"}]
    assert found["Parameters"]["location"].startswith(f"s3://{ann.bucket}/")
    with pytest.raises(athena.exceptions.MetadataException, match="EntityNotFoundException"):
        athena.get_table_metadata(**catalog, DatabaseName=ann.database, TableName="none")


def test_runtime_statistics_tell_times_bytes_and_rows(ann: Analyst, athena: Any) -> None:
    execution = ann.run("SELECT id FROM words")
    found = athena.get_query_runtime_statistics(QueryExecutionId=execution["QueryExecutionId"])[
        "QueryRuntimeStatistics"
    ]
    assert found["Rows"]["InputBytes"] == execution["Statistics"]["DataScannedInBytes"]
    assert found["Timeline"]["TotalExecutionTimeInMillis"] == execution["Statistics"]["TotalExecutionTimeInMillis"]
    with pytest.raises(ClientError, match="was not found"):
        athena.get_query_runtime_statistics(QueryExecutionId="none")
