"""boto3 at the laptop: everything of a query's life, of statements that are kept, of workgroups and of metadata."""

from __future__ import annotations

import json
import time
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import RunningEndpoint

BUCKET, DATABASE, GROUP = "asked-by-boto3", "asked_by_boto3", "boto3"
FINAL = ("SUCCEEDED", "FAILED", "CANCELLED")
OUTPUT = {"OutputLocation": f"s3://{BUCKET}/output/"}
CONTEXT = {"Database": DATABASE, "Catalog": "AwsDataCatalog"}


class Asker:
    """What a script of a person's does: `asker.ask(sql)` waits for the execution and answers with it."""

    def __init__(self, endpoint: RunningEndpoint, key: str = "headwater", secret: str = "headwater") -> None:
        self.session = boto3.session.Session(key, secret, region_name=endpoint.region)
        self.url = endpoint.url
        self.athena = self.client("athena")

    def client(self, service: str) -> Any:
        return self.session.client(service, endpoint_url=self.url)

    def start(self, sql: str, **options: Any) -> str:
        asked = {"QueryExecutionContext": CONTEXT, "ResultConfiguration": OUTPUT, **options}
        return str(self.athena.start_query_execution(QueryString=sql, **asked)["QueryExecutionId"])

    def wait(self, execution: str) -> dict[str, Any]:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            found: dict[str, Any] = self.athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]
            if found["Status"]["State"] in FINAL:
                return found
        raise TimeoutError(execution)

    def ask(self, sql: str, **options: Any) -> dict[str, Any]:
        found = self.wait(self.start(sql, **options))
        assert found["Status"]["State"] == "SUCCEEDED", found["Status"]
        return found

    def rows(self, execution: str, **options: Any) -> list[list[str | None]]:
        pages = self.athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution, **options)
        every = [row["Data"] for page in pages for row in page["ResultSet"]["Rows"]]
        return [[cell.get("VarCharValue") for cell in row] for row in every]


@pytest.fixture(scope="module")
def me(endpoint: RunningEndpoint) -> Asker:
    asker = Asker(endpoint)
    asker.client("s3").create_bucket(Bucket=BUCKET)
    asker.client("glue").create_database(DatabaseInput={"Name": DATABASE, "Description": "Of boto3"})
    asker.athena.create_work_group(
        Name=GROUP,
        Description="Theirs",
        Configuration={"ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/group/"},
                       "EnforceWorkGroupConfiguration": False},
        Tags=[{"Key": "team", "Value": "a"}],
    )  # fmt: skip
    asker.ask(
        "CREATE TABLE words WITH (format = 'PARQUET', partitioned_by = ARRAY['kind']) AS SELECT id, word, kind"
        " FROM (VALUES (1, 'one', 'odd'), (2, 'two', 'even'), (3, cast(NULL AS varchar), 'odd')) AS t (id, word, kind)"
    )
    return asker


def test_results_come_page_by_page_and_the_header_once(me: Asker) -> None:
    query = me.start("SELECT x, x * 2 AS twice FROM UNNEST(sequence(1, 2500)) AS t (x) ORDER BY x")
    assert me.wait(query)["Status"]["State"] == "SUCCEEDED"
    expected = [["x", "twice"], *([str(n), str(2 * n)] for n in range(1, 2501))]
    assert me.rows(query) == expected
    paged = me.athena.get_paginator("get_query_results").paginate(
        QueryExecutionId=query, PaginationConfig={"PageSize": 700}
    )
    assert [len(page["ResultSet"]["Rows"]) for page in paged] == [700, 700, 700, 401]
    assert me.rows(query, PaginationConfig={"PageSize": 700, "MaxItems": 1400}) == expected[:1400]
    first = me.athena.get_query_results(QueryExecutionId=query, MaxResults=2)
    second = me.athena.get_query_results(QueryExecutionId=query, MaxResults=2, NextToken=first["NextToken"])
    assert [row["Data"][0]["VarCharValue"] for row in second["ResultSet"]["Rows"]] == ["2", "3"]
    columns = [
        (each["Name"], each["Label"], each["Type"], each["Nullable"], each["CaseSensitive"])
        for each in second["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    ]
    assert columns == [("x", "x", "bigint", "UNKNOWN", False), ("twice", "twice", "bigint", "UNKNOWN", False)]


@pytest.mark.parametrize(
    ("asked", "told"),
    [({"MaxResults": 1001}, "MaxResults"), ({"NextToken": "no-such-token"}, "Invalid pagination token")],
)
def test_a_page_that_cannot_be_is_refused(me: Asker, asked: dict[str, Any], told: str) -> None:
    query = me.start("SELECT 1 AS a")
    me.wait(query)
    with pytest.raises(me.athena.exceptions.InvalidRequestException, match=told):
        me.athena.get_query_results(QueryExecutionId=query, **asked)


def test_a_query_that_is_stopped_says_so_and_has_no_rows(me: Asker) -> None:
    many = " CROSS JOIN ".join(f"UNNEST(sequence(1, 300)) AS t{i} (x{i})" for i in range(4))
    slow = me.start(f"SELECT count(*) FROM {many} WHERE x0 + x1 > x2")
    with pytest.raises(me.athena.exceptions.InvalidRequestException, match="not yet finished"):
        me.athena.get_query_results(QueryExecutionId=slow)
    me.athena.stop_query_execution(QueryExecutionId=slow)
    assert me.wait(slow)["Status"]["State"] == "CANCELLED"
    with pytest.raises(me.athena.exceptions.InvalidRequestException, match="Final query state: CANCELLED"):
        me.athena.get_query_results(QueryExecutionId=slow)
    with pytest.raises(me.athena.exceptions.InvalidRequestException, match="was not found"):
        me.athena.stop_query_execution(QueryExecutionId="0" * 36)


def test_executions_are_listed_newest_first_and_described_together(me: Asker) -> None:
    asked = [me.ask(f"SELECT {number} AS n", WorkGroup=GROUP)["QueryExecutionId"] for number in range(3)]
    pages = me.athena.get_paginator("list_query_executions").paginate(
        WorkGroup=GROUP, PaginationConfig={"PageSize": 2, "MaxItems": 3}
    )
    assert [each for page in pages for each in page["QueryExecutionIds"]] == asked[::-1]
    found = me.athena.batch_get_query_execution(QueryExecutionIds=[*asked, "0" * 36])
    assert [each["Query"] for each in found["QueryExecutions"]] == [f"SELECT {number} AS n" for number in range(3)]
    assert [each["QueryExecutionId"] for each in found["UnprocessedQueryExecutionIds"]] == ["0" * 36]
    place = found["QueryExecutions"][0]["ResultConfiguration"]["OutputLocation"]
    assert place == f"s3://{BUCKET}/output/{asked[0]}.csv"


def test_named_queries_are_kept_changed_listed_and_run(me: Asker) -> None:
    athena, ids = me.athena, []
    for number in range(3):
        kept = {"Name": f"q{number}", "Database": DATABASE, "WorkGroup": GROUP, "Description": "Kept"}
        ids.append(athena.create_named_query(QueryString=f"SELECT {number} AS n", **kept)["NamedQueryId"])
    pages = athena.get_paginator("list_named_queries").paginate(WorkGroup=GROUP, PaginationConfig={"PageSize": 2})
    assert sorted(each for page in pages for each in page["NamedQueryIds"]) == sorted(ids)
    found = athena.batch_get_named_query(NamedQueryIds=[*ids[:2], "0" * 36])
    assert {each["Name"] for each in found["NamedQueries"]} == {"q0", "q1"}
    assert [each["NamedQueryId"] for each in found["UnprocessedNamedQueryIds"]] == ["0" * 36]
    athena.update_named_query(NamedQueryId=ids[0], Name="changed", QueryString="SELECT 7 AS n")
    query = athena.get_named_query(NamedQueryId=ids[0])["NamedQuery"]
    assert (query["Name"], query["Database"], query["WorkGroup"]) == ("changed", DATABASE, GROUP)
    done = me.ask(query["QueryString"], WorkGroup=query["WorkGroup"])
    assert me.rows(done["QueryExecutionId"]) == [["n"], ["7"]]
    athena.delete_named_query(NamedQueryId=ids[0])
    with pytest.raises(ClientError) as caught:
        athena.get_named_query(NamedQueryId=ids[0])
    assert caught.value.response["Error"]["Code"] == "InvalidRequestException"


def test_prepared_statements_take_their_values_with_the_execution(me: Asker) -> None:
    athena, kept = me.athena, {"StatementName": "by_kind", "WorkGroup": GROUP}
    athena.create_prepared_statement(
        QueryStatement="SELECT id FROM words WHERE kind = ? AND id > ? ORDER BY id", Description="d", **kept
    )
    done = me.ask("EXECUTE by_kind", ExecutionParameters=["'odd'", "1"], WorkGroup=GROUP)
    assert me.rows(done["QueryExecutionId"]) == [["id"], ["3"]]
    assert done["ExecutionParameters"] == ["'odd'", "1"]
    plain = me.ask("SELECT word FROM words WHERE id = ?", ExecutionParameters=["2"])
    assert me.rows(plain["QueryExecutionId"]) == [["word"], ["two"]]
    for parameters in (["'odd'"], ["'odd'", "1", "2"]):
        failed = me.wait(me.start("EXECUTE by_kind", ExecutionParameters=parameters, WorkGroup=GROUP))
        assert failed["Status"]["State"] == "FAILED"
        assert "Incorrect number of parameters: expected 2" in failed["Status"]["StateChangeReason"]
    found = athena.batch_get_prepared_statement(PreparedStatementNames=["by_kind", "none"], WorkGroup=GROUP)
    assert [each["Description"] for each in found["PreparedStatements"]] == ["d"]
    assert [each["StatementName"] for each in found["UnprocessedPreparedStatementNames"]] == ["none"]
    listed = athena.list_prepared_statements(WorkGroup=GROUP)["PreparedStatements"]
    assert [each["StatementName"] for each in listed] == ["by_kind"]
    athena.delete_prepared_statement(**kept)
    failed = me.wait(me.start("EXECUTE by_kind USING 'odd', 1", WorkGroup=GROUP))
    assert "by_kind was not found in workGroup boto3" in failed["Status"]["StateChangeReason"]


def test_a_young_result_is_used_again(me: Asker) -> None:
    reuse = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 60}}
    first, second = (me.ask("SELECT sum(id) AS s FROM words", ResultReuseConfiguration=reuse) for _ in "12")
    assert not first["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"]
    assert second["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"]
    assert second["ResultReuseConfiguration"] == reuse
    assert me.rows(second["QueryExecutionId"]) == [["s"], ["6"]]


def test_a_result_is_used_again_for_nobody_else(me: Asker, endpoint: RunningEndpoint) -> None:
    """Another may not see the same, though workgroup, folder and query are."""
    iam, asked = me.client("iam"), {"ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": True}}}
    allowed = {"Effect": "Allow", "Action": ["athena:*", "glue:*", "s3:*"], "Resource": "*"}
    iam.create_user(UserName="neighbour")
    iam.put_user_policy(
        UserName="neighbour",
        PolicyName="reads",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": allowed}),
    )
    key = iam.create_access_key(UserName="neighbour")["AccessKey"]
    neighbour = Asker(endpoint, key["AccessKeyId"], key["SecretAccessKey"])
    found = [each.ask("SELECT max(id) AS m FROM words", **asked) for each in (me, neighbour, me, neighbour)]
    told = [each["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"] for each in found]
    assert told == [False, False, True, True]


def test_a_start_that_is_sent_again_with_its_token_starts_nothing_new(me: Asker) -> None:
    token = "t" * 32
    ids = {me.start("SELECT 5 AS n", ClientRequestToken=token) for _ in "12"}
    assert len(ids) == 1
    assert me.rows(me.wait(ids.pop())["QueryExecutionId"]) == [["n"], ["5"]]
    with pytest.raises(me.athena.exceptions.InvalidRequestException, match="Idempotent parameters do not match"):
        me.start("SELECT 6 AS n", ClientRequestToken=token)


def test_a_workgroup_is_changed_disabled_and_deleted(me: Asker) -> None:
    athena = me.athena
    described = athena.get_work_group(WorkGroup=GROUP)["WorkGroup"]
    assert (described["State"], described["Description"]) == ("ENABLED", "Theirs")
    arn = f"arn:aws:athena:us-east-1:{me.client('sts').get_caller_identity()['Account']}:workgroup/{GROUP}"
    assert athena.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "team", "Value": "a"}]
    athena.create_work_group(Name="changing", Configuration={"ResultConfiguration": OUTPUT})
    changes = {"ResultConfigurationUpdates": {"OutputLocation": f"s3://{BUCKET}/changed/"},
               "EnforceWorkGroupConfiguration": True, "BytesScannedCutoffPerQuery": 10_000_000}  # fmt: skip
    athena.update_work_group(WorkGroup="changing", Description="d", ConfigurationUpdates=changes)
    settings = athena.get_work_group(WorkGroup="changing")["WorkGroup"]["Configuration"]
    assert settings["BytesScannedCutoffPerQuery"] == 10_000_000
    encryption = {"ResultConfigurationUpdates": {"EncryptionConfiguration": {"EncryptionOption": "SSE_S3"}}}
    removed = {"RemoveBytesScannedCutoffPerQuery": True, **encryption}
    athena.update_work_group(WorkGroup="changing", ConfigurationUpdates=removed)
    settings = athena.get_work_group(WorkGroup="changing")["WorkGroup"]["Configuration"]
    assert "BytesScannedCutoffPerQuery" not in settings
    assert sorted(settings["ResultConfiguration"]) == ["EncryptionConfiguration", "OutputLocation"]
    done = me.ask("SELECT 1 AS a", WorkGroup="changing")
    assert done["ResultConfiguration"]["OutputLocation"].startswith(f"s3://{BUCKET}/changed/")
    names = [each["Name"] for each in athena.list_work_groups()["WorkGroups"]]
    assert {"primary", GROUP, "changing"} <= set(names)
    athena.update_work_group(WorkGroup="changing", State="DISABLED")
    with pytest.raises(athena.exceptions.InvalidRequestException, match="disabled"):
        me.start("SELECT 1", WorkGroup="changing")
    with pytest.raises(athena.exceptions.InvalidRequestException, match="not empty"):
        athena.delete_work_group(WorkGroup="changing")
    athena.delete_work_group(WorkGroup="changing", RecursiveDeleteOption=True)
    with pytest.raises(athena.exceptions.InvalidRequestException, match="WorkGroup changing is not found"):
        athena.get_work_group(WorkGroup="changing")
    with pytest.raises(athena.exceptions.InvalidRequestException, match="WorkGroup boto3 is already created"):
        athena.create_work_group(Name=GROUP)


def test_an_execution_tells_its_times_bytes_and_kind(me: Asker) -> None:
    done = me.ask("SELECT word FROM words WHERE kind = 'odd'")
    assert (done["StatementType"], done["SubstatementType"], done["WorkGroup"]) == ("DML", "SELECT", "primary")
    whole = me.ask("SELECT * FROM words")
    assert 0 < done["Statistics"]["DataScannedInBytes"] < whole["Statistics"]["DataScannedInBytes"]
    told = me.athena.get_query_runtime_statistics(QueryExecutionId=done["QueryExecutionId"])["QueryRuntimeStatistics"]
    assert told["Rows"]["OutputRows"] == 2
    assert told["Rows"]["InputBytes"] == done["Statistics"]["DataScannedInBytes"]
    assert told["Timeline"]["TotalExecutionTimeInMillis"] >= told["Timeline"]["EngineExecutionTimeInMillis"]
    inserted = me.ask("INSERT INTO words VALUES (4, 'four', 'even')")
    answer = me.athena.get_query_results(QueryExecutionId=inserted["QueryExecutionId"])
    assert (answer["UpdateCount"], answer["ResultSet"]["Rows"]) == (1, [])


def test_catalogs_databases_and_tables_are_described(me: Asker) -> None:
    athena, named = me.athena, {"CatalogName": "AwsDataCatalog", "DatabaseName": DATABASE}
    assert athena.get_data_catalog(Name="AwsDataCatalog")["DataCatalog"]["Type"] == "GLUE"
    assert athena.get_database(**named)["Database"] == {"Name": DATABASE, "Description": "Of boto3", "Parameters": {}}
    pages = athena.get_paginator("list_table_metadata").paginate(**named)
    assert [each["Name"] for page in pages for each in page["TableMetadataList"]] == ["words"]
    found = athena.get_table_metadata(TableName="words", **named)["TableMetadata"]
    assert found["Columns"] == [{"Name": "id", "Type": "int"}, {"Name": "word", "Type": "string"}]
    assert found["PartitionKeys"] == [{"Name": "kind", "Type": "varchar(4)"}]
    assert found["TableType"] == "EXTERNAL_TABLE"
    with pytest.raises(athena.exceptions.MetadataException, match="EntityNotFoundException"):
        athena.get_table_metadata(TableName="nowhere", **named)


def test_a_failure_names_its_category_and_type(me: Asker) -> None:
    failed = me.wait(me.start("SELECT * FROM nowhere"))["Status"]
    assert failed["StateChangeReason"] == (
        f"TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.{DATABASE}.nowhere' does not exist"
    )
    assert failed["AthenaError"]["ErrorCategory"] == 2
    assert failed["AthenaError"]["ErrorMessage"] == failed["StateChangeReason"]
    assert not failed["AthenaError"]["Retryable"]
