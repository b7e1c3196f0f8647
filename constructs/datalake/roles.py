"""The roles that people and tools take to read the lake, as config names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Tags, aws_iam as iam
from constructs import Construct

from config import Environment, consumers
from config.team import USER_TAG
from datalake.access import Grant, role
from lake.roles import Role


class ConsumerRoles(Construct):
    """An IAM role for each role of the environment, with the policy of all consumers; `readable` is of compile."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, readable: Mapping[str, Sequence[str]]
    ) -> None:
        super().__init__(scope, construct_id)
        for each in environment.roles.values():
            self._role(environment, each, readable[each.name])

    def _role(self, environment: Environment, described: Role, readable: Sequence[str]) -> None:
        scope = Construct(self, described.name.replace("_", "-"))
        Tags.of(scope).add(USER_TAG, described.name)  # of a session that does not say whose it is, such as a tool's
        permissions = consumers.of_role(environment, described, readable)
        role(
            scope,
            "Role",
            name=environment.role(described.name),
            description=f"Reads the lake as role {described.name} of team {described.team}",
            principal=_themselves(environment),
            grants=[Grant(each.actions, each.resources, each.why, dict(each.conditions)) for each in permissions],
            managed=[environment.resource("consumer")],
        )


def _themselves(environment: Environment) -> iam.IPrincipal:
    """Whom the account's own policies let take the role; nobody takes it as somebody else."""
    account = iam.AccountPrincipal(environment.account)
    return iam.SessionTagsPrincipal(iam.PrincipalWithConditions(account, consumers.ONESELF))
