"""The services that moto serves as they are: nothing is mended, so there is nothing to install."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.endpoint import Endpoint

FIDELITY = (
    ("CloudWatch Logs", "groups, streams, events, filters", "moto", "real"),
    ("CloudWatch Logs", "retention, subscriptions, insights", "kept, without effect", "simulated"),
    ("DynamoDB", "tables, indexes, items, conditions, transactions, TTL's setting", "moto", "real"),
    ("DynamoDB", "capacity, throttling, point-in-time recovery, streams", "kept, without effect", "simulated"),
    ("ECR", "repositories, for the CDK's bootstrap stack", "moto", "simulated"),
    ("IAM", "roles, policies, AWS's managed policies", "moto", "real"),
    ("IAM", "permissions: every call is recorded with its role, and allowed", "ours", "simulated"),
    ("KMS", "keys, aliases, grants; nothing at rest is encrypted", "moto", "simulated"),
    ("Secrets Manager", "secrets, versions, generated passwords, policies", "moto", "real"),
    ("Secrets Manager", "rotation", "moto", "simulated"),
    ("SNS", "topics, policies, delivery to SQS and Lambda", "moto", "real"),
    ("SNS", "delivery by e-mail, SMS or HTTP", "kept, never sent", "simulated"),
    ("SQS", "queues, dead letters, visibility, policies", "moto", "real"),
    ("SSM", "parameters", "moto", "real"),
)


def install(endpoint: Endpoint) -> None:
    """Nothing to mend."""
