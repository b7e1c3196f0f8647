"""The managed policy of people who query the lake: what it opens to one person of a team, and to no other."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import pytest

import config
from cli.bi_files import policy
from config import Environment, consumers
from contracts import compile
from tests.synth.synthesized import Synthesize, Synthesized

ANN = {"user": "ann.lee"}
BOB = {"user": "bob.ray"}
NOBODY: dict[str, str] = {}


def may(statements: list[dict[str, Any]], tags: dict[str, str], action: str, resource: str, prefix: str = "") -> bool:
    """As IAM decides: a policy variable that the principal has no tag for fits nothing."""
    return any(_allows(each, tags, action, resource, prefix) for each in statements)


def _allows(statement: dict[str, Any], tags: dict[str, str], action: str, resource: str, prefix: str) -> bool:
    if action not in statement["Action"]:
        return False
    resources = [_said(each, tags) for each in _listed(statement["Resource"])]
    condition = statement.get("Condition", {})
    for key, allowed in condition.get("StringEquals", {}).items():
        if tags.get(key.removeprefix("aws:PrincipalTag/")) not in _listed(allowed):
            return False
    folders = [_said(each, tags) for each in _listed(condition.get("StringLike", {}).get("s3:prefix", "*"))]
    if not any(fnmatchcase(prefix, each) for each in folders if "${" not in each):
        return False
    return any(fnmatchcase(resource, each) for each in resources if "${" not in each)


def _said(text: str, tags: dict[str, str]) -> str:
    for name, value in tags.items():
        text = text.replace(f"${{aws:PrincipalTag/{name}}}", value)
    return text


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@pytest.fixture
def statements(lake: Synthesized) -> list[dict[str, Any]]:
    (found,) = lake.properties("IAM::ManagedPolicy")
    assert found["ManagedPolicyName"] == lake.environment.resource("consumer")
    said: list[dict[str, Any]] = found["PolicyDocument"]["Statement"]
    return said


def by_iam(name: str) -> Environment:
    """An environment as it is where IAM alone decides."""
    return replace(config.load(name), governance="iam")


def place(environment: Environment, layer: str, key: str = "") -> str:
    return f"arn:aws:s3:::{environment.bucket(layer)}{key}"


def test_each_person_has_a_folder_of_results_and_a_sandbox_that_no_other_opens(
    lake: Synthesized, statements: list[dict[str, Any]]
) -> None:
    for layer, folder in (("results", "athena"), ("sandbox", "data")):
        own = place(lake.environment, layer, f"/{folder}/ann.lee/x.csv")
        for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
            assert may(statements, ANN, action, own)
            assert not may(statements, BOB, action, own)
            assert not may(statements, NOBODY, action, own)
            assert not may(statements, ANN, action, place(lake.environment, layer, f"/{folder}/ann.lees/x.csv"))
        bucket = place(lake.environment, layer)
        assert may(statements, ANN, "s3:ListBucket", bucket, f"{folder}/ann.lee/")
        assert not may(statements, ANN, "s3:ListBucket", bucket, f"{folder}/bob.ray/")
        assert not may(statements, ANN, "s3:ListBucket", bucket, "")


def test_a_role_queries_in_the_workgroup_of_its_team_and_writes_its_tables_whatever_a_session_says_of_itself(
    lake: Synthesized, statements: list[dict[str, Any]]
) -> None:
    environment = lake.environment
    at = f"arn:aws:athena:{environment.region}:{environment.account}:workgroup"
    for name, role in environment.roles.items():
        said = [*statements, *role_statements(lake, name)]
        for team in environment.teams:
            for tags in (ANN, {"team": team}, NOBODY):
                group = f"{at}/{environment.workgroup(team)}"
                assert may(said, tags, "athena:StartQueryExecution", group) == (team == role.team)
                for action in ("glue:GetPartitions", "glue:GetTable", "glue:CreateTable"):
                    assert may(said, tags, action, _table(environment, f"sandbox_{team}")) == (team == role.team)


def role_statements(lake: Synthesized, role: str) -> list[dict[str, Any]]:
    """What the role may do beyond what all consumers may."""
    made = lake.named("IAM::Role", "RoleName")[lake.environment.role(role)]
    return [each for policy in made.get("Policies", ()) for each in policy["PolicyDocument"]["Statement"]]


def test_a_role_writes_no_layer(lake: Synthesized, statements: list[dict[str, Any]]) -> None:
    environment = lake.environment
    for role in environment.roles:
        said = [*statements, *role_statements(lake, role)]
        for layer in ("bronze", "silver", "gold"):
            row = place(environment, layer, "/saas/users/data/1.parquet")
            assert not may(said, ANN, "s3:PutObject", row)
            assert not may(said, ANN, "s3:DeleteObject", row)
            assert not may(said, ANN, "glue:UpdateTable", _table(environment, layer))
        assert not may(said, ANN, "s3:GetObject", place(environment, "landing", "/saas/x"))


def test_where_iam_alone_decides_a_layer_is_open_to_roles_that_may_see_all_of_it() -> None:
    environment = by_iam("local")
    readable = compile.read(environment).readable
    row = {each: place(environment, each, "/x/1.parquet") for each in ("bronze", "silver", "gold")}
    opened = {}
    for name, role in environment.roles.items():
        said = [each.statement() for each in consumers.of_role(environment, role, readable[name])]
        opened[name] = [layer for layer in row if may(said, ANN, "s3:GetObject", row[layer])]
    assert opened.pop("data_engineer") == ["bronze", "silver", "gold"]
    assert set(map(tuple, opened.values())) == {()}


def test_where_lake_formation_decides_a_role_reaches_no_object_and_asks_it_for_tables(
    synthesize: Synthesize, dev: Synthesized
) -> None:
    for lake in (dev, synthesize("local"), synthesize("prod")):
        assert lake.environment.governance != "iam"
        (consumer,) = lake.properties("IAM::ManagedPolicy")
        assert may(consumer["PolicyDocument"]["Statement"], ANN, "lakeformation:GetDataAccess", "*")
        for name, role in lake.environment.roles.items():
            said = role_statements(lake, name)
            for layer in ("bronze", "silver", "gold"):
                assert not may(said, ANN, "s3:GetObject", place(lake.environment, layer, "/x/1.parquet"))
                asks = layer in role.reads or role.audit
                assert may(said, ANN, "glue:GetTable", _table(lake.environment, layer)) == asks


def test_nobody_takes_a_role_as_somebody_else(lake: Synthesized) -> None:
    for name in lake.environment.roles:
        made = lake.named("IAM::Role", "RoleName")[lake.environment.role(name)]
        for each in made["AssumeRolePolicyDocument"]["Statement"]:
            assert each["Condition"] == {"StringEqualsIfExists": {"aws:RequestTag/user": "${aws:PrincipalTag/user}"}}
        assert {"Key": "user", "Value": name} in made["Tags"]


def test_the_policy_fits_into_what_iam_takes(statements: list[dict[str, Any]]) -> None:
    assert len("".join(str(each).replace(" ", "") for each in statements)) < 6144


@pytest.mark.parametrize(
    "environment",
    [by_iam("local"), *map(config.load, ("local", "dev", "prod"))],
    ids=lambda each: f"{each.name}-{each.governance}",
)
def test_a_bi_user_reads_gold_and_the_own_results_and_no_more(environment: Environment) -> None:
    said = policy(environment, "analysts", "ann.lee")["Statement"]
    by_objects = may(said, NOBODY, "s3:GetObject", place(environment, "gold", "/gold/sales_by_date/1.parquet"))
    asks = may(said, NOBODY, "lakeformation:GetDataAccess", "*")
    assert (by_objects, asks) == ((True, False) if environment.governance == "iam" else (False, True))
    assert may(said, NOBODY, "glue:GetTable", _table(environment, "gold"))
    assert not may(said, NOBODY, "glue:GetTable", _table(environment, "silver"))
    assert may(said, NOBODY, "s3:PutObject", place(environment, "results", "/athena/ann.lee/x.csv"))
    assert not may(said, NOBODY, "s3:GetObject", place(environment, "results", "/athena/bob.ray/x.csv"))
    assert not may(said, NOBODY, "s3:GetObject", place(environment, "silver", "/saas/users/1.parquet"))
    assert not may(said, NOBODY, "s3:PutObject", place(environment, "sandbox", "/data/ann.lee/x.csv"))
    assert not may(said, NOBODY, "glue:CreateTable", _table(environment, "sandbox_analysts"))


def _table(environment: Environment, layer: str) -> str:
    return f"arn:aws:glue:{environment.region}:{environment.account}:table/{environment.database(layer)}/t"
