"""Who may do what: a role for each thing that acts, and no wildcard that nobody accounts for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from datalake.access import Grant, GrantError
from tests.synth.synthesized import Synthesized

ACTORS = {
    "Glue::Crawler": "Role",
    "Glue::Job": "Role",
    "Lambda::Function": "Role",
    "StepFunctions::StateMachine": "RoleArn",
}


def _consumers(lake: Synthesized) -> set[str]:
    return {lake.environment.role(each) for each in lake.environment.roles}


def _statements(role: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for policy in role.get("Policies", ()):
        yield from policy["PolicyDocument"]["Statement"]


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_each_job_crawler_function_state_machine_schedule_and_api_has_a_role_of_its_own(lake: Synthesized) -> None:
    roles = [str(each[key]) for actor, key in ACTORS.items() for each in lake.properties(actor)]
    roles += [str(each["Target"]["RoleArn"]) for each in lake.properties("Scheduler::Schedule")]
    roles += [str(each["Name"]) for each in lake.properties("ApiGateway::RestApi")]  # named in its document
    of_others = {*_consumers(lake), lake.environment.resource("lake-formation")}
    acting = set(lake.named("IAM::Role", "RoleName")) - of_others
    assert len(roles) == len(set(roles)) == len(acting)


def test_a_roles_policy_is_part_of_the_role(lake: Synthesized) -> None:
    """So that what it may do stands in one place, and stacks stay small."""
    assert not lake.resources("IAM::Policy")
    consumers = lake.environment.resource("consumer")  # what all have who read the lake
    assert {each["ManagedPolicyName"] for each in lake.properties("IAM::ManagedPolicy")} == {consumers}
    assert {each["RoleName"] for each in lake.properties("IAM::Role") if "ManagedPolicyArns" in each} == _consumers(
        lake
    )


def test_no_action_is_a_wildcard(lake: Synthesized) -> None:
    actions = {
        action
        for role in lake.properties("IAM::Role")
        for each in _statements(role)
        for action in _each(each["Action"])
    }
    assert not {action for action in actions if "*" in action}


def test_every_resource_is_named_but_where_the_service_takes_none(lake: Synthesized) -> None:
    services = {"cloudtrail", "cloudwatch", "ec2", "lakeformation", "logs", "xray"}
    for role in lake.properties("IAM::Role"):
        for each in _statements(role):
            if "*" in _each(each["Resource"]):
                assert {action.split(":")[0] for action in _each(each["Action"])} <= services, role["RoleName"]


def test_no_role_reaches_another_environment(dev: Synthesized) -> None:
    for role in dev.properties("IAM::Role"):
        for each in _statements(role):
            for resource in _each(each["Resource"]):
                assert not isinstance(resource, str) or "-prod-" not in resource
                assert not isinstance(resource, str) or "-local-" not in resource


def _may(lake: Synthesized, role: str, action: str) -> set[str]:
    policies = lake.named("IAM::Role", "RoleName")[f"headwater-dev-{role}"]
    allowed = [each for each in _statements(policies) if action in _each(each["Action"])]
    return {str(resource) for each in allowed for resource in _each(each["Resource"])}


@pytest.mark.parametrize(
    ("job", "written"),
    [("ingest", {"bronze"}), ("refine", {"silver"}), ("model", {"gold"}), ("apply", {"silver", "gold"})],
)
def test_a_job_writes_its_own_layer_only(dev: Synthesized, job: str, written: set[str]) -> None:
    buckets = {f"arn:aws:s3:::{dev.environment.bucket(layer)}/*" for layer in written}
    scratch = f"arn:aws:s3:::{dev.environment.bucket('scratch')}/glue/{job}/*"
    assert _may(dev, f"{job}-job", "s3:PutObject") == {*buckets, scratch}


def test_only_ingest_and_each_sources_crawler_read_passwords(dev: Synthesized) -> None:
    passwords = {f":secret:headwater/dev/{source}-??????" for source in dev.environment.sources}
    readers = {
        role
        for role in dev.named("IAM::Role", "RoleName")
        for secret in _may(dev, role.removeprefix("headwater-dev-"), "secretsmanager:GetSecretValue")
        if secret.endswith(tuple(passwords))
    }
    crawlers = {f"headwater-dev-crawl-{source}" for source in dev.environment.sources}
    assert readers == {"headwater-dev-ingest-job", *crawlers}
    (own,) = _may(dev, "crawl-saas", "secretsmanager:GetSecretValue")
    assert own.endswith(":secret:headwater/dev/saas-??????")


def test_only_the_apply_job_makes_tables_of_the_lake(dev: Synthesized) -> None:
    silver = f"arn:aws:glue:us-east-1:{dev.environment.account}:table/headwater_dev_silver/*"
    makers = {
        role
        for role in dev.named("IAM::Role", "RoleName")
        if silver in _may(dev, role.removeprefix("headwater-dev-"), "glue:CreateTable")
    }
    assert makers == {"headwater-dev-apply-job"}


def test_a_permissions_boundary_bounds_every_role(synthesize: Any) -> None:
    prod = synthesize("prod")
    boundaries = [each.get("PermissionsBoundary") for each in prod.properties("IAM::Role")]
    assert all(str(prod.environment.permissions_boundary) in str(boundary) for boundary in boundaries)


def test_a_wildcard_without_a_reason_is_refused() -> None:
    with pytest.raises(GrantError, match=r"'Resource::arn:aws:s3:::b/\*': expected `why`"):
        Grant(["s3:GetObject"], ["arn:aws:s3:::b/*"])
