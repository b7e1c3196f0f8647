"""The lake's customer key, and which services may use it on our behalf."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, aws_iam as iam, aws_kms as kms, aws_ssm as ssm
from constructs import Construct

from config import Environment

# They encrypt for us without a role of ours: alarms, budgets and rules that publish or dead-letter, log delivery.
SERVICES = ("budgets", "cloudwatch", "delivery.logs", "events")


def lake_key(
    scope: Construct, construct_id: str, *, environment: Environment, removal_policy: RemovalPolicy
) -> kms.Key:
    key = kms.Key(
        scope,
        construct_id,
        alias=f"alias/{environment.resource('lake')}",
        description=f"The lake's data in environment {environment.name}",
        enable_key_rotation=True,
        removal_policy=removal_policy,
    )
    key.add_to_resource_policy(_services(environment))
    key.add_to_resource_policy(_log_groups(environment))
    return key


def _services(environment: Environment) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid="ServicesThatEncryptForUs",
        principals=[iam.ServicePrincipal(f"{service}.amazonaws.com") for service in SERVICES],
        actions=["kms:Decrypt", "kms:GenerateDataKey*"],
        resources=["*"],  # in a key policy: this key
        conditions={"StringEquals": {"aws:SourceAccount": environment.account}},
    )


def _log_groups(environment: Environment) -> iam.PolicyStatement:
    ours = (
        f"arn:aws:logs:{environment.region}:{environment.account}:log-group:*{environment.project}-{environment.name}*"
    )
    return iam.PolicyStatement(
        sid="OurLogGroups",
        principals=[iam.ServicePrincipal(f"logs.{environment.region}.amazonaws.com")],
        actions=["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
        resources=["*"],
        conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": ours}},
    )


def shared_key(scope: Construct, construct_id: str, *, environment: Environment) -> kms.IKey:
    """The key in a stack that did not make it: its ARN has no rule, so it is read from a parameter at deploy."""
    arn = ssm.StringParameter.value_for_string_parameter(scope, environment.key_arn_parameter)
    return kms.Key.from_key_arn(scope, construct_id, arn)
