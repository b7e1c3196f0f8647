"""The keys of hashes that stand for people: made by Secrets Manager, read by the jobs they are for, never another."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, aws_kms as kms, aws_secretsmanager as secretsmanager
from constructs import Construct

from config import Environment
from datalake.nag import acknowledge
from lake.masking import MASKING_KEY
from lake.subjects import ERASURE_KEY

LENGTH = 64  # letters and digits: more than the 256 bits that the hash can use
ABOUT = {
    MASKING_KEY: "The key of the hashes in masked tables: another one would part what joins",
    ERASURE_KEY: "The key of the list of who is forgotten: with another one it would forget them",
}


class GovernanceKeys(Construct):
    """Secrets `PROJECT/ENV/governance/NAME`, which nobody has to know."""

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
        for name, description in ABOUT.items():
            secret = secretsmanager.Secret(
                self,
                name.rpartition("/")[2].title(),
                secret_name=environment.secret(name),
                description=description,
                encryption_key=key,
                generate_secret_string=secretsmanager.SecretStringGenerator(
                    password_length=LENGTH, exclude_punctuation=True
                ),
                removal_policy=removal_policy,
            )
            acknowledge(secret, {"SMG4": "Another key changes every hash, so only a person may change it."})
