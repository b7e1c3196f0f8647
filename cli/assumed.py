"""A command as a role: the role's credentials from STS, for a session that says whose it is."""

from __future__ import annotations

import getpass
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.bi import person
from cli.errors import CommandError
from cli.target import Target
from config.team import TEAM_TAG, USER_TAG

if TYPE_CHECKING:
    from config import Environment
    from lake.roles import Role

SOON = timedelta(minutes=5)

AsOption = Annotated[str, typer.Option("--as", help="A role of the environment's file, to see what it sees.")]


@dataclass
class Assumed:
    """A session of one role; its credentials are asked for again before they expire."""

    own: Target
    role: Role
    user: str
    _issued: dict[str, Any] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def arn(self) -> str:
        environment = self.own.environment
        return f"arn:aws:iam::{environment.account}:role/{environment.role(self.role.name)}"

    def client_arguments(self) -> dict[str, str]:
        with self._lock:
            if not self._issued or self._issued["Expiration"] - datetime.now(UTC) < SOON:
                self._issued = self._assume()
        return {
            "aws_access_key_id": self._issued["AccessKeyId"],
            "aws_secret_access_key": self._issued["SecretAccessKey"],
            "aws_session_token": self._issued["SessionToken"],
        }

    def _assume(self) -> dict[str, Any]:
        tags = {USER_TAG: self.user, TEAM_TAG: self.role.team}
        answer = self.own.client("sts").assume_role(
            RoleArn=self.arn,
            RoleSessionName=self.user,
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
        issued: dict[str, Any] = answer["Credentials"]
        return issued


def seen_by(own: Target, role: str, user: str) -> Target:
    """The same environment as the role has it, in a session of this person; as it is, where no role is named."""
    if not role:
        return own
    return replace(own, assumed=Assumed(own, _known(own.environment, role), person(user or getpass.getuser().lower())))


def _known(environment: Environment, name: str) -> Role:
    role = environment.roles.get(name)
    if role is None:
        raise CommandError(
            f"The role '{name}': expected one of {', '.join(environment.roles)}. Name one of them, or add it to"
            f" config/{environment.name}.yaml and deploy."
        )
    return role
