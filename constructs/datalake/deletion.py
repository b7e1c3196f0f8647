"""Deleting data takes two keys: `keep_data: false` in the environment and `-c delete_data=yes` at deploy."""

from __future__ import annotations

from aws_cdk import Annotations, RemovalPolicy
from constructs import Construct

FLAG = "delete_data"


def removal_policy(scope: Construct, *, keep_data: bool) -> RemovalPolicy:
    """DESTROY where both keys are turned; else data outlives its stack, unless its first deploy rolls back."""
    if keep_data:
        return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
    if scope.node.try_get_context(FLAG) == "yes":
        return RemovalPolicy.DESTROY
    Annotations.of(scope).add_warning_v2(
        "headwater:data-is-kept",
        f"keep_data is false, yet data is kept: expected '-c {FLAG}=yes' too. Pass it where the data may go.",
    )
    return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
