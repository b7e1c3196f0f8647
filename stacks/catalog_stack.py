"""What queries and jobs find the lake by: databases, sources, and the teams' workgroups. Nothing for each dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aws_cdk import Stack
from constructs import Construct

from config import Environment
from contracts.queries import NamedQuery
from datalake.catalog import LakeDatabases
from datalake.consumers import ConsumerPolicy
from datalake.crawlers import LakeCrawlers
from datalake.deletion import removal_policy
from datalake.encryption import shared_key
from datalake.grants import LakeGrants
from datalake.source import Source
from datalake.workgroup import Workgroups


class CatalogStack(Stack):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        queries: Sequence[NamedQuery],
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        key = shared_key(self, "Key", environment=environment)
        policy = removal_policy(self, keep_data=environment.keep_data)
        LakeDatabases(self, "Databases", environment=environment, removal_policy=policy)
        sources = [
            Source(self, f"Source-{name}", name=name, environment=environment, key=key, removal_policy=policy)
            for name in environment.sources
        ]
        LakeCrawlers(
            self, "Crawlers", environment=environment, lake=LakeGrants(environment, key_arn=key.key_arn)
        ).node.add_dependency(*sources)
        Workgroups(self, "Workgroups", environment=environment, key_arn=key.key_arn, queries=queries)
        ConsumerPolicy(self, "Consumers", environment=environment)
