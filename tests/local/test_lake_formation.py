"""Lake Formation on the laptop: what a role is granted is what it sees, through Athena, Glue and vended credentials."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.local import governed_lake as lake
from tests.local.athena_statements import Analyst
from tests.local.conftest import RunningEndpoint
from tests.local.own_endpoint import started
from tests.local.trails import logged

NOT_AUTHORIZED = "cannot be resolved or requester is not authorized to access requested resources"
FORBIDDEN = "Insufficient permissions to execute the query. Insufficient Lake Formation permission(s)"


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    for own in started(tmp_path_factory):
        running: Any = own
        lake.prepare(running)
        for role in ("columns", "rows", "cells", "clinical", "nobody", "describer"):
            lake.make_role(running, role)
        lake.grant(running, "columns", lake.columns("patients", "id", "name", "score"), "SELECT")
        for view in ("people", "mails"):
            for role in ("columns", "clinical"):
                named = {"Table": {"DatabaseName": lake.DATABASE, "Name": view}}
                lake.grant(running, role, named, "SELECT", "DESCRIBE")
        lake.grant(running, "rows", lake.cells(running, "patients", "north", "clinic = 'north'"), "SELECT")
        lake.grant(running, "rows", lake.cells(running, "visits", "north", "clinic = 'north'"), "SELECT")
        for name, rows, seen in (("all", "clinic = 'south'", ()), ("some", "clinic = 'north'", ("id", "clinic"))):
            lake.grant(running, "cells", lake.cells(running, "patients", name, rows, *seen), "SELECT")
        for table in ("patients", "visits"):
            lake.grant(running, "clinical", {"Table": {"DatabaseName": lake.DATABASE, "Name": table}}, "SELECT")
        lake.grant(running, "describer", {"Table": {"DatabaseName": lake.DATABASE, "Name": "patients"}}, "DESCRIBE")
        yield running


def as_(endpoint: RunningEndpoint, role: str) -> Analyst:
    return lake.analyst(endpoint, role)


def test_hidden_columns_are_not_there(endpoint: RunningEndpoint) -> None:
    seen = as_(endpoint, "columns")
    assert seen.rows("SELECT * FROM patients WHERE id < 3 ORDER BY id") == [["1", "Ada", "10"], ["2", "Bob", "20"]]
    assert NOT_AUTHORIZED in seen.fails("SELECT email FROM patients")
    assert NOT_AUTHORIZED in seen.fails("SELECT id FROM patients p WHERE p.email LIKE 's%'")
    assert seen.rows("SELECT count(*) FROM patients") == [["4"]]


def test_hidden_rows_are_seen_by_nothing_that_a_query_computes(endpoint: RunningEndpoint) -> None:
    seen = as_(endpoint, "rows")
    assert seen.rows("SELECT id, email FROM patients ORDER BY id") == [["1", "ada@example.org"], ["3", "secret-cy"]]
    assert seen.rows("SELECT count(*), max(score) FROM patients") == [["2", "10"]]
    assert seen.rows("SELECT id FROM patients WHERE 1 / (id - 4) > -5 ORDER BY 1") == [["1"], ["3"]]
    assert seen.rows("SELECT note, clinic FROM visits WHERE 1 / strpos(clinic, 'north') = 1") == [["ok", "north"]]


def test_cells_that_no_filter_has_are_null(endpoint: RunningEndpoint) -> None:
    rows = as_(endpoint, "cells").rows("SELECT id, clinic, email FROM patients ORDER BY id")
    assert rows == [["1", "north", None], ["2", "south", "bob@example.org"], ["3", "north", None],
                    ["4", "south", "secret-di"]]  # fmt: skip


def test_a_role_without_a_grant_sees_no_table(endpoint: RunningEndpoint) -> None:
    nobody = as_(endpoint, "nobody")
    assert FORBIDDEN in nobody.fails("SELECT 1 FROM patients")
    assert FORBIDDEN in nobody.fails("SHOW TABLES")
    assert nobody.rows(f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{lake.DATABASE}'") == []
    glue = nobody.endpoint.client("glue")
    assert lake.DATABASE not in [each["Name"] for each in glue.get_databases()["DatabaseList"]]
    with pytest.raises(ClientError, match="Insufficient Lake Formation permission"):
        glue.get_table(DatabaseName=lake.DATABASE, Name="patients")


def test_who_may_only_describe_reads_nothing(endpoint: RunningEndpoint) -> None:
    seen = as_(endpoint, "describer")
    assert "illness" in str(seen.rows("DESCRIBE patients"))
    assert FORBIDDEN in seen.fails("SELECT count(*) FROM patients")
    assert FORBIDDEN in seen.fails('SELECT * FROM "patients$history"')


def test_a_view_is_read_with_its_readers_rights(endpoint: RunningEndpoint) -> None:
    seen = as_(endpoint, "columns")
    assert seen.rows("SELECT name FROM people WHERE id = 1") == [["Ada"]]
    assert NOT_AUTHORIZED in seen.fails("SELECT * FROM mails")
    assert as_(endpoint, "clinical").rows("SELECT email FROM mails WHERE id = 1") == [["ada@example.org"]]
    assert FORBIDDEN in as_(endpoint, "rows").fails("SELECT * FROM people")


def test_metadata_tables_need_every_cell(endpoint: RunningEndpoint) -> None:
    for role in ("columns", "rows"):
        for inner in ("partitions", "files", "manifests", "snapshots"):
            assert FORBIDDEN in as_(endpoint, role).fails(f'SELECT * FROM "patients${inner}"')
    assert as_(endpoint, "columns").rows('SELECT count(*) FROM "patients$history"') == [["1"]]
    assert as_(endpoint, "clinical").rows('SELECT record_count FROM "patients$files"') == [["4"]]
    assert FORBIDDEN in as_(endpoint, "rows").fails('SELECT * FROM "visits$partitions"')


def test_listings_have_what_is_seen(endpoint: RunningEndpoint) -> None:
    seen = as_(endpoint, "columns")
    assert [row[0].strip() for row in seen.rows("SHOW COLUMNS IN patients") if row[0]] == ["id", "name", "score"]
    described = [str(row[0]).split("\t")[0].strip() for row in seen.rows("DESCRIBE patients")]
    columns = ("id", "name", "email", "clinic", "illness", "score")
    assert [each for each in described if each in columns] == ["id", "name", "score"]
    assert "email" not in str(seen.rows("SHOW CREATE TABLE patients"))
    assert seen.rows("SHOW TABLES") == [["mails"], ["patients"], ["people"]]
    glue = seen.endpoint.client("glue")
    table = glue.get_table(DatabaseName=lake.DATABASE, Name="patients")["Table"]
    assert [each["Name"] for each in table["StorageDescriptor"]["Columns"]] == ["id", "name", "score"]
    assert table["IsRegisteredWithLakeFormation"]
    athena = seen.endpoint.client("athena")
    told = athena.get_table_metadata(CatalogName="AwsDataCatalog", DatabaseName=lake.DATABASE, TableName="patients")
    assert [each["Name"] for each in told["TableMetadata"]["Columns"]] == ["id", "name", "score"]


def test_names_of_iceberg_columns_are_in_information_schema(endpoint: RunningEndpoint) -> None:
    sql = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'patients'"
    assert as_(endpoint, "columns").rows(sql) == [["6"]]


def test_a_reader_changes_nothing(endpoint: RunningEndpoint) -> None:
    for statement in ("INSERT INTO patients VALUES (9, 'x', 'x', 'x', 'x', 1)", "DELETE FROM patients",
                      "UPDATE patients SET name = email", "DROP TABLE patients", "VACUUM patients",
                      "ALTER TABLE patients ADD COLUMNS (more int)"):  # fmt: skip
        for role in ("columns", "rows", "clinical"):
            assert "Lake Formation permission" in as_(endpoint, role).fails(statement), (role, statement)
    assert lake.analyst(endpoint).rows("SELECT count(*) FROM patients") == [["4"]]


def test_a_table_of_ones_own_over_a_governed_place_is_refused(endpoint: RunningEndpoint) -> None:
    statement = f"CREATE EXTERNAL TABLE {lake.SANDBOX}.mine (id int, email string) STORED AS PARQUET LOCATION "
    assert "Lake Formation permission" in as_(endpoint, "columns").fails(f"{statement} 's3://{lake.LAKE}/patients/'")
    seen = as_(endpoint, "columns")
    seen.run(f"CREATE TABLE {lake.SANDBOX}.copied AS SELECT * FROM patients")
    assert seen.rows(f"SELECT * FROM {lake.SANDBOX}.copied WHERE id = 3") == [["3", "Cy", "0"]]


PATIENTS = {"TableArn": f"arn:aws:glue:us-east-1:{lake.ACCOUNT}:table/{lake.DATABASE}/patients",
            "SupportedPermissionTypes": ["COLUMN_PERMISSION"]}  # fmt: skip


@pytest.fixture
def full_table_access(endpoint: RunningEndpoint) -> Iterator[None]:
    """The account lets engines of other makers have credentials for tables that their caller sees all of."""
    formation = endpoint.client("lakeformation")
    settings = formation.get_data_lake_settings()["DataLakeSettings"]
    formation.put_data_lake_settings(DataLakeSettings={**settings, "AllowFullTableExternalDataAccess": True})
    yield
    formation.put_data_lake_settings(DataLakeSettings=settings)


def test_credentials_are_lent_to_nobody_unless_the_account_allows_it(endpoint: RunningEndpoint) -> None:
    for role in ("clinical", "columns", "rows", "nobody"):
        with pytest.raises(ClientError, match="AccessDenied"):
            as_(endpoint, role).endpoint.client("lakeformation").get_temporary_glue_table_credentials(**PATIENTS)


@pytest.mark.usefixtures("full_table_access")
def test_lent_credentials_open_the_tables_prefix_for_who_sees_all_of_it(endpoint: RunningEndpoint) -> None:
    for role in ("columns", "rows", "nobody"):
        client = as_(endpoint, role).endpoint.client("lakeformation")
        for context in ({}, {"QuerySessionContext": {"AdditionalContext": {"principal": lake.arn("clinical")}}}):
            with pytest.raises(ClientError, match="AccessDenied"):
                client.get_temporary_glue_table_credentials(**PATIENTS, **context)
    client = as_(endpoint, "clinical").endpoint.client("lakeformation")
    lent = client.get_temporary_glue_table_credentials(**PATIENTS)
    assert lent["VendedS3Path"] == [f"s3://{lake.LAKE}/patients/"]
    s3 = boto3.client(
        "s3", endpoint_url=endpoint.url, region_name="us-east-1", aws_access_key_id=lent["AccessKeyId"],
        aws_secret_access_key=lent["SecretAccessKey"], aws_session_token=lent["SessionToken"],
    )  # fmt: skip
    assert s3.list_objects_v2(Bucket=lake.LAKE, Prefix="patients/")["KeyCount"]


@pytest.mark.usefixtures("full_table_access")
def test_credentials_are_not_lent_for_a_table_that_is_left_to_iam(endpoint: RunningEndpoint) -> None:
    formation, everyone = endpoint.client("lakeformation"), {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}
    table = {"Table": {"DatabaseName": lake.DATABASE, "Name": "patients"}}
    place = f"arn:aws:s3:::{lake.LAKE}"
    role = formation.describe_resource(ResourceArn=place)["ResourceInfo"]["RoleArn"]
    formation.update_resource(ResourceArn=place, RoleArn=role, HybridAccessEnabled=True)
    formation.grant_permissions(Principal=everyone, Resource=table, Permissions=["ALL"])
    try:
        with pytest.raises(ClientError, match="Lake Formation permission"):
            as_(endpoint, "nobody").endpoint.client("lakeformation").get_temporary_glue_table_credentials(**PATIENTS)
    finally:
        formation.revoke_permissions(Principal=everyone, Resource=table, Permissions=["ALL"])
        formation.update_resource(ResourceArn=place, RoleArn=role, HybridAccessEnabled=False)


def test_what_is_read_is_logged(endpoint: RunningEndpoint) -> None:
    as_(endpoint, "columns").run("SELECT name FROM patients")
    lines = logged(endpoint.state)
    last = lines[-1]
    assert last["userIdentity"]["arn"] == f"arn:aws:sts::{lake.ACCOUNT}:assumed-role/columns/test"
    assert last["eventName"] == "GetDataAccess"
    assert last["requestParameters"]["columns"] == ["name"]
    assert any(line.get("errorCode") for line in lines)
    assert NOT_AUTHORIZED in as_(endpoint, "columns").fails("SELECT email FROM patients")
    as_(endpoint, "nobody").fails("SELECT name FROM patients")
    who = {line["userIdentity"]["arn"].rpartition("/")[0].rpartition("/")[2] for line in logged(endpoint.state)}
    assert {"columns", "nobody"} <= who


def test_older_versions_and_names_hide_the_same(endpoint: RunningEndpoint) -> None:
    admin = lake.analyst(endpoint)
    snapshot = admin.rows('SELECT snapshot_id FROM "patients$snapshots"')[0][0]
    version = f"patients FOR VERSION AS OF {snapshot}"
    assert NOT_AUTHORIZED in as_(endpoint, "columns").fails(f"SELECT email FROM {version}")
    assert as_(endpoint, "columns").rows(f"SELECT * FROM {version} WHERE id = 1") == [["1", "Ada", "10"]]
    assert as_(endpoint, "rows").rows(f"SELECT count(*) FROM {version}") == [["2"]]


@pytest.mark.parametrize(
    ("role", "statement", "seen"),
    [
        ("columns", "WITH p AS (SELECT * FROM patients) SELECT count(*) FROM p WHERE email IS NULL", None),
        ("columns", "SELECT id FROM patients p WHERE EXISTS (SELECT 1 FROM patients q WHERE q.email = 'x')", None),
        ("columns", "SELECT id FROM patients UNION ALL SELECT length(illness) FROM patients", None),
        ("columns", "SELECT row_number() OVER (ORDER BY illness) FROM patients", None),
        ("columns", "EXPLAIN SELECT email FROM patients", None),
        ("rows", "SELECT CAST(email AS integer) FROM patients WHERE id = 4", []),
        ("rows", "SELECT count(*) FROM patients a CROSS JOIN patients b", [["4"]]),
        ("rows", "SELECT max(score) OVER () FROM patients LIMIT 1", [["10"]]),
        ("cells", "SELECT count(*) FROM patients WHERE email LIKE 'secret%'", [["1"]]),
        ("cells", "SELECT count(email) FROM patients", [["2"]]),
    ],
)
def test_no_form_of_query_reaches_what_is_hidden(
    endpoint: RunningEndpoint, role: str, statement: str, seen: list[list[str]] | None
) -> None:
    if seen is None:
        assert NOT_AUTHORIZED in as_(endpoint, role).fails(statement)
    else:
        assert as_(endpoint, role).rows(statement) == seen
