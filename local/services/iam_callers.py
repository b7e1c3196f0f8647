"""Who calls, by the access key: sessions of roles and users, with the policies and tags that they have now."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from local.engines.iam_policy import Policies
from local.engines.iam_statements import Policy, Principal, policy

TAGS = "headwater_tags"  # the attribute of moto's session that keeps its tags
TRANSITIVE = "headwater_transitive"
POLICIES = "headwater_policies"  # managed policies that narrow a session
Context = dict[str, str | tuple[str, ...]]


@dataclass(frozen=True)
class Caller:
    """A session or a user, as IAM's evaluator wants it. `session` is moto's."""

    principal: Principal
    policies: Policies
    context: Context
    token: str
    expires: datetime | None
    session: Any = None

    @property
    def role(self) -> str:
        return self.principal.role.rpartition("/")[2]


class Callers:
    """The sessions and users of an account: `callers.find("ASIA…")`."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._iam, self._sts = iam_backends[account]["aws"], sts_backends[account]["aws"]
        self._sessions: dict[str, Any] = {}
        self._seen = 0

    def find(self, key: str) -> Caller | None:
        if session := self._session(key):
            return self._of_session(session)
        for user in list(self._iam.users.values()):
            if any(each.access_key_id == key for each in user.access_keys):
                return self._of_user(user)
        return None

    def session(self, key: str) -> Any:
        """moto's record of an assumed role, or None."""
        return self._session(key)

    def _session(self, key: str) -> Any:
        sessions = self._sts.assumed_roles
        if self._seen > len(sessions):  # moto was reset
            self._sessions, self._seen = {}, 0
        if self._seen < len(sessions):
            fresh = sessions[self._seen :]
            self._sessions.update({each.access_key_id: each for each in fresh})
            self._seen += len(fresh)
        return self._sessions.get(key)

    def _of_session(self, session: Any) -> Caller:
        role = self.role(session.role_arn)
        name = session.role_arn.rpartition("/")[2]
        arn = f"arn:aws:sts::{self._account}:assumed-role/{name}/{session.session_name}"
        own = role.id if role is not None else ""
        tags = {**_tags(role.tags if role is not None else []), **getattr(session, TAGS, {})}
        context: Context = {
            "aws:principalarn": session.role_arn,
            "aws:principaltype": "AssumedRole",
            "aws:userid": f"{own}:{session.session_name}",
            **self._of_account(tags),
        }
        principal = Principal(arn, self._account, session.role_arn)
        return Caller(principal, self._policies(role, session), context, session.session_token,
                      session.expiration.replace(tzinfo=UTC), session)  # fmt: skip

    def _of_account(self, tags: dict[str, str]) -> Context:
        return {
            "aws:principalaccount": self._account,
            **{f"aws:principaltag/{key.lower()}": value for key, value in tags.items()},
        }

    def _policies(self, role: Any, session: Any) -> Policies:
        if role is None:
            return Policies()  # deleted since: its sessions may do nothing
        narrowed = [policy(session.policy, "session")] if session.policy else []
        narrowed += [managed(each) for each in getattr(session, POLICIES, ())]
        return Policies(tuple(_own(role)), boundary=self._boundary(role.permissions_boundary_arn),
                        session=narrowed or None)  # fmt: skip

    def _of_user(self, user: Any) -> Caller:
        groups = [each for each in self._iam.groups.values() if user in each.users]
        own = tuple(found for each in (user, *groups) for found in _own(each))
        context: Context = {
            "aws:principalarn": user.arn,
            "aws:principaltype": "User",
            "aws:username": user.name,
            "aws:userid": user.id,
            **self._of_account(_tags(getattr(user, "tags", []))),
        }
        boundary = self._boundary(getattr(user, "permissions_boundary_arn", None))
        return Caller(Principal(user.arn, self._account), Policies(own, boundary=boundary), context, "", None)

    def _boundary(self, arn: str | None) -> Policy | None:
        return managed(self._iam.managed_policies[arn]) if arn else None

    def role(self, arn: str) -> Any:
        found = self._iam.roles
        return next((each for each in list(found.values()) if each.arn == arn), None)

    def role_named(self, name: str) -> str:
        """The ARN of a role by its name or ARN, deployed or not."""
        if name.startswith("arn:"):
            return name
        found = next((each.arn for each in list(self._iam.roles.values()) if each.name == name), None)
        return found or f"arn:aws:iam::{self._account}:role/{name}"


def _own(entity: Any) -> Iterable[Policy]:
    """Inline and attached policies of a role, a user or a group."""
    inline = entity.policies
    pairs = (
        inline.items()
        if isinstance(inline, dict)
        else [(each["policy_name"], each["policy_document"]) for each in inline]
    )
    yield from (policy(document, name) for name, document in pairs)
    yield from (managed(each) for each in list(entity.managed_policies.values()))


def managed(found: Any) -> Policy:
    default = next(each for each in found.versions if each.version_id == found.default_version_id)
    return policy(default.document, found.name)


def _tags(tags: Any) -> dict[str, str]:
    listed = tags.values() if isinstance(tags, dict) else tags or ()
    return {each["Key"]: each["Value"] for each in listed}


@functools.cache
def administrator() -> Policies:
    """What the person at the laptop may do: everything."""
    text = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    return Policies((policy(text, "AdministratorAccess"),))


def is_over(caller: Caller) -> bool:
    return caller.expires is not None and caller.expires < datetime.now(UTC)
