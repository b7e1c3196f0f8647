"""Findings of cdk-nag that we accept: each on the one construct that needs it, with its reason."""

from __future__ import annotations

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(scope: IConstruct, *, reason: str, rules: tuple[str, ...]) -> None:
    """Accept `rules`, written as in reports but for the pack, such as `S1` or `IAM5[Resource::*]`."""
    for rule in rules:
        Validations.of(scope).acknowledge(Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason))
