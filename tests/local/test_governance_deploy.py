"""The governance stack on an account that others use too: what is theirs stays, what is ours ends right, and goes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.assumed import Assumed
from cli.errors import CommandError
from cli.target import Target
from config import Governance
from contracts.compile import describe
from glue_jobs.governance import EVERYONE, Governor
from lake.governance import principal
from local.own_calls import own_client
from tests.local.account_questions import ask, columns, opened, told
from tests.local.planned_lake import client
from tests.local.shared_account import (
    ENVIRONMENT,
    GOVERNANCE,
    IMMUNIZATIONS,
    NEIGHBOUR,
    OURS,
    SILVER,
    USERS,
    Account,
    as_hybrid,
    change,
    hand_over,
    listed,
    shared_account,
    theirs,
)
from tests.local.trails import logged

ME = "ann.lee"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADWATER_USER", ME)  # whom the laptop takes the person for
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


def test_a_query_as_a_role_sees_what_the_role_sees_and_its_results_are_the_persons(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rows(sql: str, role: str) -> Any:
        told = ask(account, monkeypatch, "query", sql, "--as", role, "--user", ME, "--json")
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
    assert [each for each in results if each["Key"].startswith(f"athena/{ME}/")]
    wrote = [each for each in logged(account.endpoint.state) if each["eventName"] == "PutObject"]
    assert [each for each in wrote if each["requestParameters"]["key"].startswith(f"athena/{ME}/")
            and each["userIdentity"]["arn"].endswith(f"role-data-engineer/{ME}")]  # fmt: skip


def test_nobody_takes_a_role_as_somebody_else_and_who_names_nobody_shares_its_tools_folder(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = ask(account, monkeypatch, "query", "SELECT 1", "--as", "analyst", "--user", "some.body")
    assert "The user 'some.body': expected the value of your own tag `user`" in str(refused.exception)
    assert ask(account, monkeypatch, "query", "SELECT 1", "--as", "analyst").exit_code == 0
    held = account.endpoint.client("s3").list_objects_v2(Bucket=ENVIRONMENT.bucket("results"), Prefix="athena/analyst/")
    assert held["KeyCount"]


@dataclass(frozen=True)
class Chained(Target):
    """The account as a session has it to which a name was handed on, such as an identity provider's."""

    keys: Mapping[str, str] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        place: Any = SimpleNamespace(url=self.endpoint_url, region=ENVIRONMENT.region)
        return client(place, service, self.keys)


def test_a_name_that_is_handed_on_is_the_sessions_and_no_other_is_taken(account: Account) -> None:
    endpoint: Any = account.endpoint
    iam, sts = endpoint.client("iam"), endpoint.client("sts")
    takes = {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"]}
    anybody = {**takes, "Principal": {"AWS": f"arn:aws:iam::{ENVIRONMENT.account}:root"}}
    trust, policy = (
        json.dumps({"Version": "2012-10-17", "Statement": [each]}) for each in (anybody, {**takes, "Resource": "*"})
    )
    arn = iam.create_role(RoleName="provider", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName="provider", PolicyName="takes", PolicyDocument=policy)
    tags = {"Tags": [{"Key": "user", "Value": ME}], "TransitiveTagKeys": ["user"]}
    issued = sts.assume_role(RoleArn=arn, RoleSessionName=ME, **tags)["Credentials"]
    keys = {"aws_access_key_id": issued["AccessKeyId"], "aws_secret_access_key": issued["SecretAccessKey"],
            "aws_session_token": issued["SessionToken"]}  # fmt: skip
    own = Chained(ENVIRONMENT, account.endpoint.url, keys=keys)
    analyst = ENVIRONMENT.roles["analyst"]
    with pytest.raises(CommandError, match="expected the value of your own tag"):
        Assumed(own, analyst, "bob.ray").client_arguments()
    for named in (ME, ""):
        s3 = client(endpoint, "s3", Assumed(own, analyst, named).client_arguments())
        s3.put_object(Bucket=ENVIRONMENT.bucket("results"), Key=f"athena/{ME}/x", Body=b"1")
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.get_object(Bucket=ENVIRONMENT.bucket("results"), Key="athena/bob.ray/x")


def test_a_preview_as_a_role_reaches_no_object_of_a_layer(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    found = account.endpoint.client("s3").list_objects_v2(Bucket=ENVIRONMENT.bucket("silver"))["Contents"]
    key = next(each["Key"] for each in found if each["Key"].endswith(".parquet"))
    place = f"s3://{ENVIRONMENT.bucket('silver')}/{key}"
    assert ask(account, monkeypatch, "preview", place).exit_code == 0
    told = ask(account, monkeypatch, "preview", place, "--as", "data_engineer", "--user", ME)
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


OLD = (("bronze", "clinic_notes"), ("bronze", "clinic_notes__dead_letters"), ("silver", "by_hand"), ("gold", "old"))
SEEING = [("analyst", *OLD[2]), ("analyst", *OLD[3]), ("auditor", *OLD[0])]  # whom IAM lets ask


def test_what_hybrid_left_open_is_closed_by_the_first_run_also_tables_of_no_contract(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    glue = account.endpoint.client("glue")
    with as_hybrid(account):
        account.deploy()
        for layer, name in OLD:
            place = f"s3://{ENVIRONMENT.bucket(layer)}/old/{name}/"
            held = {"Columns": [{"Name": "note", "Type": "string"}], "Location": place}
            glue.create_table(
                DatabaseName=ENVIRONMENT.database(layer), TableInput={"Name": name, "StorageDescriptor": held}
            )
    account.deploy()
    assert [each for each in SEEING if not told(account, *each)] == []  # the mode is new, the tables are not
    assert opened(account) == {(ENVIRONMENT.database(layer), name) for layer, name in OLD}

    arn = f"arn:aws:iam::{ENVIRONMENT.account}:role/{ENVIRONMENT.resource('apply-job')}"
    sts = own_client(account.endpoint.url, "sts")  # as Glue takes a job's role
    issued = sts.assume_role(RoleArn=arn, RoleSessionName="apply")["Credentials"]
    keys = {"aws_access_key_id": issued["AccessKeyId"], "aws_secret_access_key": issued["SecretAccessKey"]}
    endpoint: Any = account.endpoint
    job = client(endpoint, "lakeformation", {**keys, "aws_session_token": issued["SessionToken"]})
    closed = Governor(job, describe(ENVIRONMENT)).close()
    assert {each["Table"]["Name"] for each in closed} == {name for _, name in OLD}
    assert opened(account) == set()
    assert [each for each in SEEING if told(account, *each)] == [("auditor", *OLD[0])]  # which tables there are
    assert told(account, "data_engineer", "bronze", "clinic_notes") == ["note"]  # by its tags
    for role, layer, name in SEEING:
        sql = f"SELECT * FROM {ENVIRONMENT.database(layer)}.{name}"
        asked = ask(account, monkeypatch, "query", sql, "--as", role)
        assert "Insufficient Lake Formation permission" in str(asked.exception)


def test_roles_are_opted_in_where_access_is_hybrid_and_then_lake_formation_holds_for_them(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def align(governance: Governance) -> list[dict[str, str]]:
        asked = ask(account, monkeypatch, "access", "opt-in", "--json", governance=governance)
        found: list[dict[str, str]] = json.loads(asked.stdout)
        return found

    lake, iam = account.endpoint.client("lakeformation"), account.endpoint.client("iam")
    place = lake.describe_resource(ResourceArn=f"arn:aws:s3:::{ENVIRONMENT.bucket('silver')}")["ResourceInfo"]
    lake.update_resource(ResourceArn=place["ResourceArn"], RoleArn=place["RoleArn"], HybridAccessEnabled=True)
    lake.grant_permissions(
        Principal={"DataLakePrincipalIdentifier": EVERYONE},
        Resource={"Table": {"DatabaseName": SILVER, "Name": "saas_users"}},
        Permissions=["ALL"],
    )
    assert "email" in columns(account, "analyst")  # by IAM alone, as everybody's
    gone = iam.create_role(RoleName=ENVIRONMENT.role("gone"), AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    for who in (NEIGHBOUR, gone):
        opted = {"DataLakePrincipalIdentifier": who}
        lake.create_lake_formation_opt_in(Principal=opted, Resource={"Database": {"Name": SILVER}})
    iam.delete_role(RoleName=ENVIRONMENT.role("gone"))

    first, again = align("hybrid"), align("hybrid")
    assert [each["change"] for each in first] == ["+"] * (len(ENVIRONMENT.roles) * 3 * 2) + ["-"]
    assert (first[-1]["principal"], again) == (gone, [])
    held = list(listed(lake.list_lake_formation_opt_ins, "LakeFormationOptInsInfoList"))
    assert len(held) == len(ENVIRONMENT.roles) * 3 * 2 + 1
    assert "email" not in columns(account, "analyst")
    assert "email" in columns(account, "data_engineer")

    assert {each["change"] for each in align("lake_formation")} == {"-"}
    [theirs] = listed(lake.list_lake_formation_opt_ins, "LakeFormationOptInsInfoList")
    assert theirs["Principal"] == {"DataLakePrincipalIdentifier": NEIGHBOUR}


def test_a_person_closes_what_is_open_without_waiting_for_a_run(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = account.shown()["filters"]
    assert "email" in columns(account, "analyst")
    first, again = (json.loads(ask(account, monkeypatch, "access", "close", "--json").stdout) for _ in range(2))
    assert first == [{"change": "closed", "place": f"{SILVER}.saas_users"}]
    assert again == []
    assert "email" not in columns(account, "analyst")
    assert account.shown()["filters"] == before


def test_destroying_it_takes_its_own_alone(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    before = account.shown()
    account.endpoint.client("cloudformation").delete_stack(StackName=GOVERNANCE)
    now = account.shown()
    assert theirs(now) == theirs(before)
    assert [each for each in now["tags"] if each.startswith(OURS)] == []
    assert now["places"] == account.before["places"]
    left = {resource for who, resource, _ in now["grants"] if f":role/{OURS}" in who}
    assert not [each for each in left if "DataCellsFilter" not in each]  # these are the apply job's

    assert ask(account, monkeypatch, "access", "close", governance="iam").exit_code == 0
    cleared = account.shown()
    assert [each for each in cleared["filters"] if each.startswith(OURS)] == []
    assert not [who for who, _, _ in cleared["grants"] if f":role/{OURS}" in who]
    assert theirs(cleared)["filters"] == theirs(before)["filters"]
