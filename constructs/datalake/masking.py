"""The key of masked tables' hashes: made by Secrets Manager, read by one job, and the same for ever."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, aws_kms as kms, aws_secretsmanager as secretsmanager
from constructs import Construct

from config import Environment
from datalake.nag import acknowledge
from lake.masking import MASKING_KEY

LENGTH = 64  # letters and digits: more than the 256 bits that the hash can use


class MaskingKey(Construct):
    """Secret `PROJECT/ENV/governance/masking`, which nobody has to know."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        key: kms.IKey,
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        secret = secretsmanager.Secret(
            self,
            "Secret",
            secret_name=environment.secret(MASKING_KEY),
            description="The key of the hashes in masked tables: another one would part what joins",
            encryption_key=key,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=LENGTH, exclude_punctuation=True
            ),
            removal_policy=removal_policy,
        )
        acknowledge(secret, {"SMG4": "A new key changes every hash, so only a person may change it: see the runbook."})
