"""A service acts as a role only where the role's trust policy names it, for this account and what it acts for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import RunningEndpoint
from tests.local.functions import package, unique

MACHINE = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})
STRANGER = "999999999999"


def role(endpoint: RunningEndpoint, service: str, conditions: dict[str, Any] | None = None) -> str:
    trust: dict[str, Any] = {"Effect": "Allow", "Action": "sts:AssumeRole",
                             "Principal": {"Service": f"{service}.amazonaws.com"}}  # fmt: skip
    document = {"Version": "2012-10-17", "Statement": [{**trust, **({"Condition": conditions} if conditions else {})}]}
    made = endpoint.client("iam").create_role(
        RoleName=unique("trusting"), AssumeRolePolicyDocument=json.dumps(document)
    )
    return str(made["Role"]["Arn"])


def function(endpoint: RunningEndpoint, arn: str) -> Any:
    return endpoint.client("lambda").create_function(
        FunctionName=unique("trusted"), Role=arn, Runtime="python3.11", Handler="handler.handle",
        Code={"ZipFile": package("def handle(event, context): ...")},
    )  # fmt: skip


def machine(endpoint: RunningEndpoint, arn: str) -> Any:
    return endpoint.client("stepfunctions").create_state_machine(
        name=unique("trusted"), definition=MACHINE, roleArn=arn
    )


def schedule(endpoint: RunningEndpoint, arn: str) -> Any:
    target = {"Arn": f"arn:aws:sqs:us-east-1:{endpoint.account}:none", "RoleArn": arn}
    return endpoint.client("scheduler").create_schedule(
        Name=unique("trusted"), ScheduleExpression="rate(300 days)", FlexibleTimeWindow={"Mode": "OFF"}, Target=target,
        State="DISABLED",
    )  # fmt: skip


def crawler(endpoint: RunningEndpoint, arn: str) -> Any:
    return endpoint.client("glue").create_crawler(
        Name=unique("trusted"), Role=arn, DatabaseName="none", Targets={"S3Targets": [{"Path": "s3://none/"}]}
    )


SERVICES = [
    ("lambda", function, "InvalidParameterValueException.*cannot be assumed by Lambda"),
    ("states", machine, "AccessDeniedException.*Neither the global service principal states.amazonaws.com"),
    ("scheduler", schedule, "ValidationException.*must allow AWS EventBridge Scheduler to assume the role"),
    ("glue", crawler, "InvalidInputException.*Service is unable to assume provided role"),
]


@pytest.mark.parametrize(("service", "make", "refusal"), SERVICES, ids=[each[0] for each in SERVICES])
def test_a_service_takes_a_role_that_trusts_it_for_this_account_and_no_other(
    endpoint: RunningEndpoint, service: str, make: Callable[..., Any], refusal: str
) -> None:
    for wrong in (
        role(endpoint, "ec2"),
        role(endpoint, service, {"StringEquals": {"aws:SourceAccount": STRANGER}}),
        role(endpoint, service, {"ArnLike": {"aws:SourceArn": f"arn:aws:{service}:us-east-1:{STRANGER}:*"}}),
    ):
        with pytest.raises(ClientError, match=refusal):
            make(endpoint, wrong)
    make(endpoint, role(endpoint, service))
    make(endpoint, role(endpoint, service, {"StringEquals": {"aws:SourceAccount": endpoint.account}}))


def test_a_machine_and_a_schedules_group_are_named_to_the_role(endpoint: RunningEndpoint) -> None:
    for service, make, kind in (("states", machine, "stateMachine:*"), ("scheduler", schedule, "schedule-group/*")):
        arn = f"arn:aws:{service}:us-east-1:{endpoint.account}:{kind}"
        make(endpoint, role(endpoint, service, {"ArnLike": {"aws:SourceArn": arn}}))


def test_a_change_of_role_is_held_to_trust_too(endpoint: RunningEndpoint) -> None:
    made = machine(endpoint, role(endpoint, "states"))["stateMachineArn"]
    with pytest.raises(ClientError, match="Neither the global service principal"):
        endpoint.client("stepfunctions").update_state_machine(stateMachineArn=made, roleArn=role(endpoint, "ec2"))
    name = function(endpoint, role(endpoint, "lambda"))["FunctionName"]
    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        endpoint.client("lambda").update_function_configuration(FunctionName=name, Role=role(endpoint, "ec2"))


def test_trust_that_ends_ends_what_the_service_does(endpoint: RunningEndpoint) -> None:
    arn = role(endpoint, "lambda")
    name = function(endpoint, arn)["FunctionName"]
    elsewhere = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
    endpoint.client("iam").update_assume_role_policy(
        RoleName=arn.rpartition("/")[2],
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [elsewhere]}),
    )
    with pytest.raises(ClientError, match="its trust policy does not let lambda"):
        endpoint.client("lambda").invoke(FunctionName=name)
