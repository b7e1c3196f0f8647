"""The roles that people and tools take to read the lake, as config names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Tags, aws_iam as iam
from constructs import Construct

from config import Environment, consumers
from config.team import TEAM_TAG, USER_TAG
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
        # What a session does not say of itself: a tool's own folder of results, a person's team.
        for tag, value in ((TEAM_TAG, described.team), (USER_TAG, described.name)):
            Tags.of(scope).add(tag, value)
        permissions = consumers.of_role(environment, described, readable)
        role(
            scope,
            "Role",
            name=environment.role(described.name),
            description=f"Reads the lake as role {described.name} of team {described.team}",
            principal=_of_account(environment, described.team),
            grants=[Grant(each.actions, each.resources, each.why, dict(each.conditions)) for each in permissions],
            managed=[environment.resource("consumer")],
        )


def _of_account(environment: Environment, team: str) -> iam.IPrincipal:
    """Whom the account's own policies let take the role; nobody takes it for another team."""
    same_team = {"StringEqualsIfExists": {f"aws:RequestTag/{TEAM_TAG}": team}}
    account = iam.AccountPrincipal(environment.account)
    return iam.SessionTagsPrincipal(iam.PrincipalWithConditions(account, same_team))
