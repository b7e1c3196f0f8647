"""A command as a role: the role's credentials from STS, for a session that says whose it is."""

from __future__ import annotations

import getpass
import re
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.bi import person
from cli.errors import CommandError
from cli.target import Target
from config.team import USER_TAG

if TYPE_CHECKING:
    from config import Environment
    from lake.roles import Role

SOON = timedelta(minutes=5)
HANDED_ON = "transitive tag key"  # STS's words where the identity provider's tag goes along by itself

AsOption = Annotated[str, typer.Option("--as", help="A role of the environment's file, to see what it sees.")]


@dataclass
class Assumed:
    """A session of one role; its credentials are asked for again before they expire.

    `named` is who takes it, as the person's own tag has it; of nobody's, it is the session that the role's tools share.
    """

    own: Target
    role: Role
    named: str
    _issued: dict[str, Any] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def user(self) -> str:
        """Whose folders the session opens."""
        return self.named or self.role.name

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
        from botocore.exceptions import ClientError

        tagged = {"Tags": [{"Key": USER_TAG, "Value": self.named}]} if self.named else {}
        try:
            return self._issue(**tagged)
        except ClientError as error:
            if tagged and HANDED_ON in str(error):
                return self._issue()
            if tagged and error.response["Error"]["Code"] == "AccessDenied":
                raise CommandError(
                    f"The user '{self.named}': expected the value of your own tag `{USER_TAG}`, as nobody takes a role"
                    f" as somebody else. Give --user that value, or leave it out. ({error})"
                ) from error
            raise

    def _issue(self, **tagged: Any) -> dict[str, Any]:
        sts = self.own.client("sts")
        session = self.named or re.sub(r"[^\w+=,.@-]", "-", f"headwater-{getpass.getuser()}", flags=re.ASCII)[:64]
        issued: dict[str, Any] = sts.assume_role(RoleArn=self.arn, RoleSessionName=session, **tagged)["Credentials"]
        return issued


def seen_by(own: Target, role: str, user: str) -> Target:
    """The same environment as the role has it, in a session of this person; as it is, where no role is named."""
    if not role:
        return own
    return replace(own, assumed=Assumed(own, _known(own.environment, role), person(user) if user else ""))


def _known(environment: Environment, name: str) -> Role:
    role = environment.roles.get(name)
    if role is None:
        raise CommandError(
            f"The role '{name}': expected one of {', '.join(environment.roles)}. Name one of them, or add it to"
            f" config/{environment.name}.yaml and deploy."
        )
    return role
