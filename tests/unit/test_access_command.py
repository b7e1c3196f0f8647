"""`headwater access`: who sees what, what changed of it, and why."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

import contracts
from cli.__main__ import app
from cli.errors import CommandError
from cli.rights import at_revision, changes, explain, rights
from contracts import ROOT
from tests.unit.lake_root import BY_CATEGORY, change

PROD = "config/prod.yaml"


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
    assert not [each for each in listed if each["role"] == "auditor"]


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
        ("analyst", "saas_user.email", "The table 'saas_user.email': expected one that has a contract."),
        ("analyst", "saas_users.emial", "The column 'emial': expected one of saas_users. Did you mean 'email'?"),
    ],
)
def test_a_name_that_is_not_there_is_refused_with_what_is_near(role: str, place: str, says: str) -> None:
    with pytest.raises(CommandError) as error:
        explain(rights("prod"), role, place)
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


def test_a_revision_that_git_does_not_know_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="'no-such': expected one that git knows"):
        at_revision("prod", "no-such", tmp_path)
