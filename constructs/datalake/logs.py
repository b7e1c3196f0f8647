"""Log groups, encrypted with the lake's key and kept as long as the environment says."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, aws_kms as kms, aws_logs as logs
from constructs import Construct

from config import Environment


def log_group(
    scope: Construct, construct_id: str, *, name: str, environment: Environment, key: kms.IKey
) -> logs.LogGroup:
    group = logs.LogGroup(
        scope,
        construct_id,
        log_group_name=name,
        encryption_key=key,
        removal_policy=RemovalPolicy.DESTROY,  # retained, its name would block the next first deploy
    )
    made = group.node.default_child
    assert isinstance(made, logs.CfnLogGroup)
    made.retention_in_days = environment.retention["log_groups"]  # the enumeration of the construct has words for days
    return group
