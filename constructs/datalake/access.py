"""What a role may do: grants that name actions and resources, and say why where a wildcard stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aws_cdk import aws_iam as iam
from constructs import Construct

from config import Environment
from datalake.nag import acknowledge


class GrantError(ValueError):
    """A grant has a wildcard and no reason for it."""


@dataclass(frozen=True)
class Grant:
    """Some actions on some resources; `why` accounts for every `*` in them."""

    actions: Sequence[str]
    resources: Sequence[str]
    why: str = ""
    conditions: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.wildcards and not self.why:
            raise GrantError(
                f"The grant '{self.wildcards[0]}': expected `why` to account for its wildcard."
                " Name what is meant, or say why."
            )

    @property
    def wildcards(self) -> list[str]:
        actions = [f"Action::{action}" for action in self.actions if "*" in action]
        return actions + [f"Resource::{resource}" for resource in self.resources if "*" in resource]

    def statement(self) -> dict[str, Any]:
        made: dict[str, Any] = {"Effect": "Allow", "Action": list(self.actions), "Resource": list(self.resources)}
        return {**made, "Condition": self.conditions} if self.conditions else made


def on_our_behalf(service: str, environment: Environment, *, arn: str = "") -> iam.ServicePrincipal:
    """The service, for this account only; `arn` is a pattern of what it acts for, if it passes aws:SourceArn."""
    conditions = {"StringEquals": {"aws:SourceAccount": environment.account}}
    if arn:
        conditions["ArnLike"] = {"aws:SourceArn": arn}
    return iam.ServicePrincipal(f"{service}.amazonaws.com", conditions=conditions)


def role(
    scope: Construct,
    construct_id: str,
    *,
    name: str,
    principal: iam.IPrincipal,
    grants: Sequence[Grant],
    description: str,
    managed: Sequence[str] = (),
) -> iam.IRole:
    """A role with one inline policy; other constructs cannot add to it, so `grants` is all that it may do.

    But for policies of ours that others have too: `managed` names them.
    """
    statements = [grant.statement() for grant in grants]
    made = iam.Role(
        scope,
        construct_id,
        role_name=name,
        description=description,
        assumed_by=principal,
        # from_json: one call into the CDK, not one for each statement
        managed_policies=[
            iam.ManagedPolicy.from_managed_policy_name(scope, f"{construct_id}-{each}", each) for each in managed
        ]
        or None,
        inline_policies={"Access": iam.PolicyDocument.from_json({"Statement": statements})} if statements else None,
    )
    acknowledge(made, {f"IAM5[{wildcard}]": grant.why for grant in grants for wildcard in grant.wildcards})
    return made.without_policy_updates()
