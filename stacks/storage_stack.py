"""The lake's data and its run ledger: what must outlive every redeploy of the pipelines."""

from __future__ import annotations

from typing import Any

from aws_cdk import Stack
from constructs import Construct

from config import Environment
from datalake.deletion import removal_policy
from datalake.governance_keys import GovernanceKeys
from datalake.ledger import RunLedger
from datalake.storage import LakeStorage


class StorageStack(Stack):
    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)
        policy = removal_policy(self, keep_data=environment.keep_data)
        storage = LakeStorage(self, "Lake", environment=environment, removal_policy=policy)
        RunLedger(self, "Ledger", table_name=environment.resource("ledger"), key=storage.key, removal_policy=policy)
        GovernanceKeys(self, "Governance", environment=environment, key=storage.key, removal_policy=policy)
