"""Databases, the teams' workgroups, named queries and views."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from string import Template

import config
from tests.synth.synthesized import ROOT, Synthesized

GOVERNED = ("bronze", "silver", "gold")


def test_where_lake_formation_decides_a_new_table_is_open_to_nobody_and_elsewhere_to_whom_iam_lets(
    lake: Synthesized,
) -> None:
    databases = {each["DatabaseInput"]["Name"]: each["DatabaseInput"] for each in lake.properties("Glue::Database")}
    sandboxes = {lake.environment.sandbox(team) for team in lake.environment.teams}
    assert set(databases) == {lake.environment.database(layer) for layer in config.DATABASES} | sandboxes
    by_iam = [{"Permissions": ["ALL"], "Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}}]
    for layer in config.DATABASES:
        closed = lake.environment.governance == "lake_formation" and layer in GOVERNED
        opened = databases[lake.environment.database(layer)]["CreateTableDefaultPermissions"]
        assert opened == ([] if closed else by_iam), layer
    assert all(databases[each]["CreateTableDefaultPermissions"] == by_iam for each in sandboxes)


def test_each_team_has_a_workgroup_that_encrypts_and_limits_but_lets_users_choose_where_results_go(
    lake: Synthesized,
) -> None:
    groups = lake.named("Athena::WorkGroup", "Name")
    teams = lake.environment.teams
    assert set(groups) == {f"headwater-{lake.environment.name}-{team}" for team in teams}
    for name, team in teams.items():
        settings = groups[lake.environment.workgroup(name)]["WorkGroupConfiguration"]
        assert settings["EnforceWorkGroupConfiguration"] is False
        assert settings["BytesScannedCutoffPerQuery"] == team.gigabytes_per_query * 1024**3
        assert settings["ResultConfiguration"]["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"
        assert settings["ResultConfiguration"]["OutputLocation"] == f"s3://{lake.environment.bucket('results')}/athena/"


def test_every_select_is_a_named_query_of_each_team_on_this_environments_databases(lake: Synthesized) -> None:
    selects = {path.stem for path in (ROOT / "queries").glob("*.sql") if "CREATE OR REPLACE" not in path.read_text()}
    named = lake.properties("Athena::NamedQuery")
    for team in lake.environment.teams:
        group = lake.environment.workgroup(team)
        assert {each["Name"] for each in named if each["WorkGroup"] == group} == selects
    for query in named:
        assert not Template(query["QueryString"]).get_identifiers()
        assert f"headwater_{lake.environment.name}_" in query["QueryString"]
        assert query["Description"]


def test_views_are_no_resources_but_reach_the_jobs_with_the_contracts(lake: Synthesized) -> None:
    assert not [each for each in lake.properties("Glue::Table")]
    (packed,) = [path for path in lake.folder.glob("asset.*.zip") if "views.json" in _names(path)]
    views = {each["name"]: each for each in json.loads(zipfile.ZipFile(packed).read("compiled/views.json"))}
    month = views["sales_by_month"]
    assert f"FROM headwater_{lake.environment.name}_gold.sales_by_date" in month["sql"]
    assert {"name": "sales", "type": "bigint", "description": "How many sales were made"} in month["columns"]


def _names(archive: Path) -> str:
    return " ".join(zipfile.ZipFile(archive).namelist())
