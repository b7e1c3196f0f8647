"""Findings of cdk-nag and cfn-lint that we accept: each on the one construct that needs it, with its reason."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Acknowledgment, CfnResource, Validations
from constructs import IConstruct


def acknowledge(scope: IConstruct, reasons: Mapping[str, str]) -> None:
    """Accept rules for these reasons; a rule as reports write it but for the pack: `S1` or `IAM5[Resource::*]`."""
    accepted = [Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=why) for rule, why in reasons.items()]
    if accepted:
        Validations.of(scope).acknowledge(*accepted)


def accept_lint(resource: CfnResource, *, reason: str, rule: str) -> None:
    """Accept a rule of cfn-lint, which the CDK runs at synth and others run on the template."""
    Validations.of(resource).acknowledge(Acknowledgment(id=f"CloudFormation-Validate::{rule}", reason=reason))
    resource.add_metadata("cfn-lint", {"config": {"ignore_checks": [rule]}})
