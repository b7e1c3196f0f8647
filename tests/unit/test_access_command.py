# ruff: noqa: E501  (a case reads best in one line)
"""`headwater access`: who sees what, what changed of it, and why."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

import contracts
from cli.__main__ import app
from cli.errors import CommandError
from cli.reasons import explain
from cli.rights import Rights, at_revision, changes, rights
from cli.sights import NAMES, changed
from contracts import ROOT
from contracts.compile import describe
from lake.governance import plan
from lake.views import View
from tests.unit.lake_root import BY_CATEGORY, change

PROD = "config/prod.yaml"
UNREAD = "its columns' names: it reads"


@pytest.fixture(scope="module")
def prod() -> Rights:
    return rights("prod")


def invoke(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["access", *arguments, "--env", "prod"], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_the_list_has_a_line_for_each_table_of_which_a_role_sees_something() -> None:
    listed = json.loads(invoke("list", "--json"))
    seen = {(each["role"], each["table"]): each for each in listed}
    assert "email" not in seen["analyst", "silver.saas_users"]["columns"]
    assert ("analyst", "silver.clinic_immunizations") not in seen
    assert seen["clinic_001", "silver.clinic_immunizations"]["rows"][0].startswith("site_id = 'site-001': ")
    assert {(each["note"], *each["columns"]) for each in listed if each["role"] == "auditor"} == {(NAMES,)}


def test_the_list_has_every_table_beside_those_of_contracts(prod: Rights) -> None:
    seen = {each.table for each in prod.sights("data_engineer")}
    assert seen == set(prod.tables)
    assert seen >= {"bronze.ecommerce_sales", "bronze.clinic_immunizations__dead_letters", "gold.weekly_doses"}
    assert seen >= {"silver.crm_customers__deleted", "silver.saas_users__masked", "silver.saas_users__quarantine"}
    assert {each.table.partition(".")[0] for each in prod.sights("analyst")} == {"silver", "gold"}
    assert not [each for each in prod.sights("analyst") if "__quarantine" in each.table]


def test_a_layer_of_which_a_role_sees_everything_is_one_line() -> None:
    told = invoke("list", "--role", "data_engineer")
    assert re.search(r"data_engineer +silver\.\* \(\d+ tables\) +all +all", told)
    assert len(told.splitlines()) == 5
    told = invoke("list", "--role", "analyst")
    assert re.search(r"saas_users +16 of 21: all but first_name, last_name, email", told)
    assert re.search(
        r"silver.clinic_immunizations +all +site_id = 'site-001' *\n", invoke("list", "--role", "clinic_001")
    )


def test_a_view_is_read_by_who_sees_all_that_it_reads(prod: Rights) -> None:
    gold = {each.id: each for each in prod.datasets.values()}
    sql = (
        "SELECT u.city, u.email FROM {silver}.saas_users u JOIN {silver}.clinic_immunizations i ON i.event_id = u.city"
    )
    databases = describe(prod.environment).databases
    view = View("mails", "", sql.format(**databases), (), ())
    again = View("again", "", "SELECT city AS town FROM {gold}.mails".format(**databases), (), ())
    views = (*prod.views, view, again)
    found = replace(prod, views=views, plan=plan(describe(prod.environment), gold.values(), views))
    for role, hidden in (
        ("analyst", "silver.clinic_immunizations.event_id"),
        ("clinical_analyst", "silver.saas_users.email"),
    ):
        for name in ("gold.mails", "gold.again"):
            sight = found.judge.sight(found.environment.roles[role], found.tables[name])
            assert sight
            assert (sight.columns, sight.note) == ((), f"{UNREAD} {hidden}, which the role does not see")
    assert found.tables["gold.again"].columns == ("town",)


@pytest.mark.parametrize(
    ("role", "place", "seen", "says"),
    [
        ("analyst", "silver.clinic_immunizations__quarantine", False, r"refused or deleted, .* unclassed as a whole \(contracts/clinic/immunizations\.odcs\.yaml:\d+\)"),
        ("analyst", "crm_customers__deleted", False, r"not granted every class"),
        ("clinic_001", "clinic_immunizations__quarantine", False, r"granted to roles to which no filter hides a row"),
        ("clinic_001", "silver.saas_users", False, r"sees rows by its filters only \(config/prod\.yaml:\d+\)"),
        ("data_engineer", "clinic_immunizations__quarantine", True, r"the role lists all \(config/prod\.yaml:\d+\)"),
        ("data_engineer", "bronze.ecommerce_sales", True, r"rows as they came from the source"),
        ("analyst", "bronze.clinic_immunizations__dead_letters", False, r"The table is in bronze"),
        ("analyst", "gold.weekly_doses", True, r"It is a view.*\(queries/weekly_doses\.sql:2\)"),
        ("analyst", "weekly_doses.doses", True, r"Of gold\.doses_by_vaccine_site_week it reads doses, vaccine_code, week: seen"),
        ("auditor", "silver.saas_users", False, r"its columns' names, and no rows, since it audits \(config/prod\.yaml:\d+\)"),
        ("clinical_analyst", "saas_users__masked.phone", True, r"class internal"),
        ("analyst", "silver.saas_users", True, r"Of its 21 columns these are not seen: first_name, last_name, email, phone, _hash\."),
    ],
)  # fmt: skip
def test_each_table_of_the_lake_is_explained(prod: Rights, role: str, place: str, seen: bool, says: str) -> None:
    found, why = explain(prod, role, place)
    assert found is seen
    assert re.search(says, "\n".join(why)), why


def test_where_iam_decides_a_layer_is_open_as_a_whole(prod: Rights, monkeypatch: pytest.MonkeyPatch) -> None:
    by_iam = replace(prod, plan=replace(prod.plan, mode="iam"))
    assert {each.table.partition(".")[0] for each in by_iam.sights("data_engineer")} == {"bronze", "silver", "gold"}
    assert not list(by_iam.sights("analyst"))
    monkeypatch.setattr("cli.rights.rights", lambda _: by_iam)
    assert invoke("list", "--role", "analyst") == "No table is shown to analyst: `access explain` says why.\n"
    assert "In mode iam a layer is open to roles that may see every class" in "\n".join(
        explain(by_iam, "analyst", "saas_users")[1]
    )


def test_a_reason_names_the_class_the_grant_the_filter_and_their_lines() -> None:
    told = invoke("explain", "analyst", "silver.saas_users.email")
    assert "silver.saas_users.email is not seen by analyst." in told
    assert "Column email is of class pii (contracts/saas/users.odcs.yaml:" in told
    assert "The role is granted public, internal (config/prod.yaml:" in told
    [number] = re.findall(r"users.odcs.yaml:(\d+)", invoke("explain", "analyst", "saas_users__masked.phone"))
    assert "mask" in (ROOT / "contracts/saas/users.odcs.yaml").read_text().splitlines()[int(number) - 1]
    told = invoke("explain", "clinic_001", "clinic.immunizations")
    assert "is seen by clinic_001" in told
    assert "Filter clinic is by site_id (contracts/clinic/immunizations.odcs.yaml:" in told
    assert "the role lists site-001 (config/prod.yaml:" in told


@pytest.mark.parametrize(
    ("role", "place", "says"),
    [
        ("analist", "saas_users", "The role 'analist': expected one of config/prod.yaml. Did you mean 'analyst'?"),
        (
            "analyst",
            "saas_user.email",
            "The table 'saas_user.email': expected one that has a contract, or that is made of one.",
        ),
        ("analyst", "saas_users.emial", "The column 'emial': expected one of saas_users. Did you mean 'email'?"),
    ],
)
def test_a_name_that_is_not_there_is_refused_with_what_is_near(prod: Rights, role: str, place: str, says: str) -> None:
    with pytest.raises(CommandError) as error:
        explain(prod, role, place)
    assert says in str(error.value)


def test_between_two_commits_it_says_who_sees_more_and_who_sees_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "lake"
    for part in ("config", "contracts", "models"):
        subprocess.run(["mkdir", "-p", root], check=True)
        subprocess.run(["cp", "-r", ROOT / part, root], check=True)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", str(root)]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "before"]):
        subprocess.run([*git, *command], check=True)
    change(root, BY_CATEGORY, "classification: public", "classification: pii")
    subprocess.run([*git, "commit", "-qam", "after"], check=True)
    monkeypatch.setattr(contracts, "ROOT", root)
    before, after = (at_revision("prod", each, tmp_path / each) for each in ("HEAD~1", "HEAD"))
    moved = changes(before, after)
    assert {each.table for _, each in moved} == {"gold.sales_by_category"}
    roles = ("analyst", "bi", "clinical_analyst")
    assert [(mark, each.role) for mark, each in moved] == [(mark, role) for role in roles for mark in "-+"]
    lost = set(moved[0][1].columns) - set(moved[1][1].columns)
    assert len(lost) == 1
    told = list(changed(moved, before.tables, after.tables))
    assert told == [("-", role, "gold.sales_by_category", *lost, "all") for role in roles]


def test_a_table_that_is_seen_anew_or_of_which_other_rows_are_is_told_with_its_columns(prod: Rights) -> None:
    name, table = "clinic_001", "silver.clinic_immunizations"
    role = prod.environment.roles[name]
    sight = prod.judge.sight(role, prod.tables[table])
    assert sight
    anew = list(changed([("+", sight)], prod.tables, prod.tables))
    assert anew == [("+", name, table, "all", "site_id = 'site-001'")]
    every = replace(sight, rows=())
    more = list(changed([("-", sight), ("+", every)], prod.tables, prod.tables))
    assert more == [("-", name, table, "all", "site_id = 'site-001'"), ("+", name, table, "all", "all")]


def test_a_revision_that_git_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="'no-such': expected one that git knows"):
        at_revision("prod", "no-such", tmp_path)
