"""Findings of cdk-nag and cfn-lint that we accept: each on the one construct that needs it, with its reason."""

from __future__ import annotations

from aws_cdk import Acknowledgment, CfnResource, Validations
from constructs import IConstruct


def acknowledge(scope: IConstruct, *, reason: str, rules: tuple[str, ...]) -> None:
    """Accept `rules`, written as in reports but for the pack, such as `S1` or `IAM5[Resource::*]`."""
    for rule in rules:
        Validations.of(scope).acknowledge(Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason))


def accept_lint(resource: CfnResource, *, reason: str, rule: str) -> None:
    """Accept a rule of cfn-lint, which the CDK runs at synth and others run on the template."""
    Validations.of(resource).acknowledge(Acknowledgment(id=f"CloudFormation-Validate::{rule}", reason=reason))
    resource.add_metadata("cfn-lint", {"config": {"ignore_checks": [rule]}})
