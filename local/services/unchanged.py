"""The services that moto serves as they are. Two things are mended for all: moto keeps a list of every object of every
service that it ever made, so that what is deleted or overwritten is never freed; and it lists its own folder at each
call, which took a quarter of a small one's time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import moto.backends

from local.services.seams import patch

if TYPE_CHECKING:
    from local.endpoint import Endpoint

FIDELITY = (
    ("CloudWatch Logs", "groups, streams, events, filters", "moto", "real"),
    ("CloudWatch Logs", "retention, metric filters, subscriptions, insights", "kept, without effect", "simulated"),
    ("DynamoDB", "tables, indexes, items, conditions, transactions, TTL's setting", "moto", "real"),
    ("DynamoDB", "capacity, throttling, point-in-time recovery, streams", "kept, without effect", "simulated"),
    ("ECR", "repositories, for the CDK's bootstrap stack", "moto", "simulated"),
    ("IAM", "roles, policies, AWS's managed policies", "moto", "real"),
    ("KMS", "keys, aliases, grants; nothing at rest is encrypted", "moto", "simulated"),
    ("Secrets Manager", "secrets, versions, generated passwords, policies", "moto", "real"),
    ("Secrets Manager", "rotation", "moto", "simulated"),
    ("SNS", "topics, policies, delivery to SQS and Lambda", "moto", "real"),
    ("SNS", "delivery by e-mail, SMS or HTTP", "kept, never sent", "simulated"),
    ("SQS", "queues, dead letters, visibility, policies", "moto", "real"),
    ("SSM", "parameters", "moto", "real"),
)


def install(endpoint: Endpoint) -> None:
    patch("moto.core.common_models:BaseModel.__new__", staticmethod(untracked))
    modules = tuple(moto.backends.list_of_moto_modules())
    patch("moto.backends:list_of_moto_modules", lambda: modules)


def untracked(cls: type, *_: Any, **__: Any) -> Any:
    return object.__new__(cls)
