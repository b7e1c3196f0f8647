"""Databases and the analysts' workgroup."""

from __future__ import annotations

import dataclasses
from string import Template

import aws_cdk as cdk
import pytest

import config
from datalake.catalog import GovernanceError, LakeDatabases
from tests.synth.synthesized import ROOT, Synthesized


def test_in_mode_iam_access_to_tables_is_for_iam_to_decide(lake: Synthesized) -> None:
    databases = [each["DatabaseInput"] for each in lake.properties("Glue::Database")]
    assert {each["Name"] for each in databases} == {lake.environment.database(layer) for layer in config.DATABASES}
    by_iam = {"Permissions": ["ALL"], "Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}}
    assert all(each["CreateTableDefaultPermissions"] == [by_iam] for each in databases)


def test_a_governance_mode_that_is_not_built_is_refused() -> None:
    environment = dataclasses.replace(config.load("dev"), governance="lake_formation")
    with pytest.raises(GovernanceError, match=r"'lake_formation' of environment 'dev': expected iam"):
        LakeDatabases(cdk.Stack(), "Databases", environment=environment, removal_policy=cdk.RemovalPolicy.RETAIN)


def test_the_workgroup_encrypts_and_limits_but_lets_users_choose_where_results_go(lake: Synthesized) -> None:
    (group,) = lake.properties("Athena::WorkGroup")
    settings = group["WorkGroupConfiguration"]
    assert settings["EnforceWorkGroupConfiguration"] is False
    assert settings["BytesScannedCutoffPerQuery"] > 0
    assert settings["ResultConfiguration"]["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"
    assert settings["ResultConfiguration"]["OutputLocation"] == f"s3://{lake.environment.bucket('results')}/athena/"


def test_every_query_is_a_named_query_on_this_environments_databases(lake: Synthesized) -> None:
    named = lake.named("Athena::NamedQuery", "Name")
    assert set(named) == {path.stem for path in (ROOT / "queries").glob("*.sql")}
    assert len(named) >= 3
    for query in named.values():
        assert not Template(query["QueryString"]).get_identifiers()
        assert f"headwater_{lake.environment.name}_" in query["QueryString"]
        assert query["Description"]
