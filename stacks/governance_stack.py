"""Who may see what: the roles that read the lake, what Lake Formation grants them, and the log of accesses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Stack
from constructs import Construct

from config import Environment
from datalake.encryption import shared_key
from datalake.governance import LakeFormation
from datalake.grants import LakeGrants
from datalake.roles import ConsumerRoles
from datalake.trail import AccessTrail
from lake.rights import Plan


class GovernanceStack(Stack):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        plan: Plan,
        readable: Mapping[str, Sequence[str]],
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        AccessTrail(self, "Accesses", environment=environment)
        roles = ConsumerRoles(self, "Roles", environment=environment, readable=readable)
        if environment.governance == "iam":
            return
        key = shared_key(self, "Key", environment=environment)
        lake = LakeGrants(environment, key_arn=key.key_arn)
        LakeFormation(self, "LakeFormation", environment=environment, lake=lake, plan=plan, principals=roles)
