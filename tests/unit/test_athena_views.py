"""Views of queries/ in the catalog: made once their tables are there, written again only when they change."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

import boto3
import pytest

from glue_jobs import athena_views, aws as clients
from glue_jobs.failures import DatasetError
from lake.model import Lake
from lake.views import View, ViewColumn
from tests.unit.compiled_lake import ENVIRONMENT, USERS

GOLD, SILVER = ENVIRONMENT["databases"]["gold"], ENVIRONMENT["databases"]["silver"]
VIEW = View(
    "people",
    "Everybody",
    f"SELECT email, count(*) AS n FROM {SILVER}.saas_users GROUP BY email",
    (ViewColumn("email", "string", "Where to write to"), ViewColumn("n", "bigint")),
    ("saas.users",),
)


@pytest.fixture
def glue(aws: None) -> Any:
    client = boto3.client("glue")
    for database in (GOLD, SILVER):
        client.create_database(DatabaseInput={"Name": database})
    return client


@pytest.fixture(autouse=True)
def own_clients() -> Iterator[None]:
    clients.client.cache_clear()
    yield
    clients.client.cache_clear()


def lake(view: View = VIEW) -> Lake:
    return Lake.from_dict({"environment": ENVIRONMENT, "datasets": [USERS], "views": [asdict(view)]})


def held(glue: Any) -> dict[str, Any]:
    found: dict[str, Any] = glue.get_table(DatabaseName=GOLD, Name="people")["Table"]
    return found


def with_users(glue: Any) -> None:
    glue.create_table(DatabaseName=SILVER, TableInput={"Name": "saas_users"})


def test_a_view_waits_for_the_tables_that_it_reads(glue: Any) -> None:
    athena_views.publish(lake(), ["saas.users"])
    assert glue.get_tables(DatabaseName=GOLD)["TableList"] == []
    with_users(glue)
    athena_views.publish(lake(), ["saas.events"])  # another pipeline's
    assert glue.get_tables(DatabaseName=GOLD)["TableList"] == []
    athena_views.publish(lake(), ["saas.users"])
    assert held(glue)["TableType"] == "VIRTUAL_VIEW"


def test_a_view_is_what_athena_itself_writes_with_what_its_columns_mean(glue: Any) -> None:
    with_users(glue)
    athena_views.publish(lake(), ["saas.users"])
    found = held(glue)
    assert found["Parameters"]["presto_view"] == "true"
    told = json.loads(base64.b64decode(found["ViewOriginalText"].split()[3]))
    assert told["originalSql"] == VIEW.sql
    assert told["columns"] == [{"name": "email", "type": "varchar"}, {"name": "n", "type": "bigint"}]
    columns = {each["Name"]: each for each in found["StorageDescriptor"]["Columns"]}
    assert columns["email"] == {"Name": "email", "Type": "string", "Comment": "Where to write to"}


def test_a_view_is_written_again_only_when_its_file_changed(glue: Any) -> None:
    with_users(glue)
    for view in (VIEW, VIEW, replace(VIEW, description="All"), replace(VIEW, description="All")):
        athena_views.publish(lake(view), ["saas.users"])
    assert len(glue.get_table_versions(DatabaseName=GOLD, TableName="people")["TableVersions"]) == 2
    assert held(glue)["Description"] == "All"


def test_a_table_of_the_views_name_is_never_written_over(glue: Any) -> None:
    with_users(glue)
    glue.create_table(DatabaseName=GOLD, TableInput={"Name": "people", "TableType": "EXTERNAL_TABLE"})
    with pytest.raises(DatasetError, match="expected nothing of that name, or the lake's own view"):
        athena_views.publish(lake(), ["saas.users"])
