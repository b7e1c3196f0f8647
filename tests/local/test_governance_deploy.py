"""The governance stack on an account that others use too: what is theirs stays, what is ours ends right, and goes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import cli.target
from cli.__main__ import app
from cli.assumed import seen_by
from cli.target import Target
from config import Governance
from contracts.compile import describe
from glue_jobs.governance import EVERYONE
from lake.governance import principal
from tests.local.shared_account import (
    ENVIRONMENT,
    GOVERNANCE,
    IMMUNIZATIONS,
    NEIGHBOUR,
    OURS,
    SILVER,
    USERS,
    Account,
    change,
    hand_over,
    listed,
    shared_account,
    theirs,
)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    yield from shared_account(tmp_path_factory)


def test_the_first_deploy_changes_nothing_of_others_and_closes_what_is_ours(account: Account) -> None:
    now = account.shown()
    kept = theirs(now)
    assert {name: kept[name] for name in ("settings", "tags", "places", "filters")} == {
        name: account.before[name] for name in ("settings", "tags", "places", "filters")
    }
    assert account.before["grants"] <= kept["grants"]
    governed = {ENVIRONMENT.database(layer) for layer in ("bronze", "silver", "gold")}
    opened = [json.loads(resource) for who, resource, _ in now["grants"] if who == EVERYONE]
    names = {each.get("DatabaseName") or each["Name"] for resource in opened for each in resource.values()}
    assert "their_lake" in names
    assert not names & governed


def test_again_and_after_grants_by_hand_it_ends_right(account: Account) -> None:
    first = account.shown()
    assert set(account.deploy()) == {"unchanged"}
    account.apply(USERS, IMMUNIZATIONS)
    assert account.shown() == first

    hand_over(account.endpoint, {"Database": {"Name": SILVER}}, "DESCRIBE")
    hand_over(account.endpoint, {"Table": {"DatabaseName": SILVER, "Name": "saas_users"}}, "SELECT")
    ours = next(name for name in first["filters"] if name.startswith(OURS))
    cells = {"TableCatalogId": ENVIRONMENT.account, "DatabaseName": SILVER, "TableName": "clinic_immunizations"}
    hand_over(account.endpoint, {"DataCellsFilter": {**cells, "Name": ours}}, "SELECT")
    by_hand = account.shown()["grants"] - first["grants"]
    assert len(by_hand) == 3

    written = change(account.assembly, "bi", ["public"])
    assert "updated" in account.deploy()
    account.apply(USERS, IMMUNIZATIONS)
    narrowed = account.shown()
    assert by_hand <= narrowed["grants"]
    assert theirs(narrowed) == {**theirs(first), "grants": theirs(first)["grants"] | by_hand}
    [moved] = first["grants"] - narrowed["grants"]
    assert moved[0] == principal(describe(ENVIRONMENT), "bi")

    (account.assembly / f"{GOVERNANCE}.template.json").write_text(written)
    account.deploy()
    assert account.shown() == {**first, "grants": first["grants"] | by_hand}


def ask(
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
    *arguments: str,
    governance: Governance = ENVIRONMENT.governance,
) -> Result:
    environment = replace(ENVIRONMENT, governance=governance)
    monkeypatch.setattr(cli.target, "target", lambda env: Target(environment, account.endpoint.url))
    monkeypatch.delenv("HEADWATER_USER", raising=False)
    return CliRunner().invoke(app, list(arguments))


def test_a_query_as_a_role_sees_what_the_role_sees_and_its_results_are_the_persons(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rows(sql: str, role: str) -> Any:
        told = ask(account, monkeypatch, "query", sql, "--as", role, "--user", "ann.lee", "--json")
        return json.loads(told.stdout) if told.exit_code == 0 else str(told.exception)

    users = f"SELECT * FROM {SILVER}.saas_users"
    assert "email" in rows(users, "data_engineer")[0]
    assert "email" not in rows(users, "analyst")[0]
    assert "cannot be resolved or requester is not authorized" in rows(users.replace("*", "email"), "analyst")
    immunizations = f"SELECT count(*) AS n FROM {SILVER}.clinic_immunizations"
    assert rows(immunizations, "clinical_analyst") == [{"n": 1}]
    assert rows(immunizations, "clinic_001") == [{"n": 0}]
    assert "Insufficient Lake Formation permission" in rows(immunizations, "analyst")
    results = account.endpoint.client("s3").list_objects_v2(Bucket=ENVIRONMENT.bucket("results"))["Contents"]
    assert [each for each in results if each["Key"].startswith("athena/ann.lee/")]


def test_a_preview_as_a_role_reaches_no_object_of_a_layer(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    found = account.endpoint.client("s3").list_objects_v2(Bucket=ENVIRONMENT.bucket("silver"))["Contents"]
    key = next(each["Key"] for each in found if each["Key"].endswith(".parquet"))
    place = f"s3://{ENVIRONMENT.bucket('silver')}/{key}"
    assert ask(account, monkeypatch, "preview", place).exit_code == 0
    told = ask(account, monkeypatch, "preview", place, "--as", "data_engineer", "--user", "ann.lee")
    assert "expected permission to read it" in str(told.exception)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--as", "nurse"], "The role 'nurse': expected one of data_engineer, analyst, clinical_analyst, clinic_001, "),
        (["--as", "analyst", "--team", "engineers"], "The team 'engineers': expected 'analysts', which role analyst"),
        (["--as", "analyst", "--user", "../x"], "The user '../x': expected FIRST.LAST"),
    ],
)
def test_a_role_that_is_not_there_and_a_team_that_is_not_its_own_are_refused(
    account: Account, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    assert says in str(ask(account, monkeypatch, "query", "SELECT 1", *arguments).exception)


def columns(account: Account, role: str) -> list[str]:
    """What the catalog tells the role of the users' table."""
    glue = seen_by(Target(ENVIRONMENT, account.endpoint.url), role, "ann.lee").client("glue")
    table = glue.get_table(DatabaseName=SILVER, Name="saas_users")["Table"]
    return [each["Name"] for each in table["StorageDescriptor"]["Columns"]]


def test_roles_are_opted_in_once_where_access_is_hybrid_and_then_lake_formation_holds_for_them(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "expected mode hybrid" in str(ask(account, monkeypatch, "access", "opt-in").exception)
    lake = account.endpoint.client("lakeformation")
    place = lake.describe_resource(ResourceArn=f"arn:aws:s3:::{ENVIRONMENT.bucket('silver')}")["ResourceInfo"]
    lake.update_resource(ResourceArn=place["ResourceArn"], RoleArn=place["RoleArn"], HybridAccessEnabled=True)
    lake.grant_permissions(
        Principal={"DataLakePrincipalIdentifier": EVERYONE},
        Resource={"Table": {"DatabaseName": SILVER, "Name": "saas_users"}},
        Permissions=["ALL"],
    )
    assert "email" in columns(account, "analyst")  # by IAM alone, as everybody's
    theirs = {"Principal": {"DataLakePrincipalIdentifier": NEIGHBOUR}, "Resource": {"Database": {"Name": SILVER}}}
    lake.create_lake_formation_opt_in(**theirs)
    first, again = (
        json.loads(ask(account, monkeypatch, "access", "opt-in", "--json", governance="hybrid").stdout)
        for _ in range(2)
    )
    assert len(first) == len(ENVIRONMENT.roles) * 3 * 2
    assert again == []
    held = list(listed(lake.list_lake_formation_opt_ins, "LakeFormationOptInsInfoList"))
    assert len(held) == len(first) + 1
    assert "email" not in columns(account, "analyst")
    assert "email" in columns(account, "data_engineer")


def test_destroying_it_takes_its_own_alone(account: Account) -> None:
    before = account.shown()
    account.endpoint.client("cloudformation").delete_stack(StackName=GOVERNANCE)
    now = account.shown()
    assert theirs(now) == theirs(before)
    assert [each for each in now["tags"] if each.startswith(OURS)] == []
    assert now["places"] == account.before["places"]
    left = {resource for who, resource, _ in now["grants"] if f":role/{OURS}" in who}
    assert not [each for each in left if "DataCellsFilter" not in each]  # these are the apply job's, and go with tables
