"""Who queries the lake: one policy for the roles of people, which opens to each what their tags say is theirs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from aws_cdk import aws_iam as iam
from constructs import Construct

from config import Environment, consumers
from config.consumers import Permission
from datalake.nag import acknowledge


class ConsumerPolicy(Construct):
    """The managed policy `consumer`, to be attached to roles whose sessions carry the tag `user`."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        super().__init__(scope, construct_id)
        permissions = list(consumers.consumer(environment))
        self.policy = iam.ManagedPolicy(
            self,
            "Policy",
            managed_policy_name=environment.resource("consumer"),
            description="Results and sandbox of a person, by the principal tag `user`",
            document=iam.PolicyDocument.from_json({"Statement": [each.statement() for each in permissions]}),
        )
        acknowledge(self.policy, {f"IAM5[Resource::{_told(one)}]": why for one, why in _wildcards(permissions)})


def _wildcards(permissions: Iterable[Permission]) -> Iterator[tuple[str, str]]:
    return ((one, each.why) for each in permissions for one in each.resources if "*" in one)


def _told(resource: str) -> str:
    """As the rules' report writes a resource with a policy variable in it."""
    return resource.replace("${", "<").replace("}", ">")
