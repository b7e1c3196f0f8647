"""Statements of IAM policies: whom they are for, which actions and resources they name, and on which conditions."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from local.engines.iam_conditions import Condition, Context, arn_like, expression, resolved

ELEMENTS = {
    "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition",
}  # fmt: skip
VERSIONS = ("2012-10-17", "2008-10-17")


class PolicyError(Exception):
    """A policy that IAM would not have taken."""


class Named(IntEnum):
    """How exactly a policy on a resource names who asks."""

    NOT = 0
    ACCOUNT = 1  # which only lets the account's own policies decide
    ROLE = 2  # or everybody
    EXACTLY = 3


@dataclass(frozen=True)
class Principal:
    """Who asks: a session of a role, a user, or a service of AWS; without an ARN, anybody."""

    arn: str = ""
    account: str = ""
    role: str = ""
    service: str = ""

    @property
    def names(self) -> frozenset[str]:
        return frozenset(each for each in (self.arn, self.role) if each)


@dataclass(frozen=True)
class Request:
    """What is asked; the context's keys are in lower case, and `known` names those that may have no value."""

    principal: Principal
    action: str
    resource: str
    context: Context = field(default_factory=dict)
    known: frozenset[str] = frozenset()


class Statement:
    """One statement, compiled: `statement.covers(request)` answers the resource's pattern, or None."""

    def __init__(self, written: Mapping[str, Any], policy: str, position: int, variables: bool) -> None:
        self.policy, self.position, self.variables = policy, position, variables
        self.sid = str(written.get("Sid") or "")
        unknown = set(written) - ELEMENTS
        if unknown or written.get("Effect") not in ("Allow", "Deny"):
            what = f"the element '{sorted(unknown)[0]}'" if unknown else f"the effect '{written.get('Effect')}'"
            raise PolicyError(f"Statement {position} of policy '{policy}': {what} is none of IAM's. Mend the policy.")
        self.denies = written["Effect"] == "Deny"
        self.principals, self.not_principals = written.get("Principal"), written.get("NotPrincipal")
        if self.not_principals is not None and not self.denies:
            raise PolicyError(f"Statement {position} of policy '{policy}': NotPrincipal is for Deny. Name principals.")
        self.actions, self.other_actions = _either(written, "Action", policy)
        self.resources, self.other_resources = _either(written, "Resource", policy, ["*"])
        self.conditions = tuple(
            Condition(operator, key, _texts(values))
            for operator, keys in (written.get("Condition") or {}).items()
            for key, values in keys.items()
        )
        self._exact = frozenset(each.lower() for each in self.actions if "*" not in each and "?" not in each)
        self._wild = tuple(expression((each,), True) for each in self.actions if "*" in each or "?" in each)
        for each in self.resources:
            if each != "*" and each.count(":") < 5 and "${" not in each:
                raise PolicyError(
                    f"The resource '{each}' of policy '{policy}': expected an ARN or '*'. Mend the policy."
                )

    def covers(self, request: Request) -> str | None:
        """The pattern that names the resource, when action, resource and conditions fit; principals are not asked."""
        named = request.action.lower() in self._exact or any(one.fullmatch(request.action) for one in self._wild)
        if named == self.other_actions:
            return None
        pattern = self._pattern(request)
        if (pattern is None) != self.other_resources:
            return None
        if not all(each.holds(request.context, request.known, self.variables) for each in self.conditions):
            return None
        return pattern or "*"

    def _pattern(self, request: Request) -> str | None:
        for pattern in self.resources:
            varies = self.variables and "${" in pattern
            if pattern == "*" or (pattern == request.resource and not varies):
                return pattern
            parts = resolved(pattern, request.context) if varies else (pattern,)
            if parts is not None and arn_like(parts, request.resource):
                return pattern
        return None

    def names(self, principal: Principal) -> Named:
        if self.not_principals is not None:
            # AWS: to leave a session out, its account and its role must be named too
            levels = {_names(each, principal) for each in _principals(self.not_principals)}
            wanted = {Named.ACCOUNT, Named.EXACTLY} | ({Named.ROLE} if principal.role else set())
            return Named.NOT if wanted <= levels else Named.EXACTLY
        return max((_names(each, principal) for each in _principals(self.principals)), default=Named.NOT)


@dataclass(frozen=True)
class Policy:
    """A policy's statements; those that deny and those that allow."""

    name: str
    denies: tuple[Statement, ...]
    allows: tuple[Statement, ...]


@functools.lru_cache(2048)
def policy(document: str, name: str = "") -> Policy:
    """The policy that a JSON document says; the same text is read once."""
    written = json.loads(document)
    version = written.get("Version", VERSIONS[1])
    if version not in VERSIONS:
        raise PolicyError(f"The version '{version}' of policy '{name}': expected one of {', '.join(VERSIONS)}.")
    found = written.get("Statement", [])
    each = found if isinstance(found, list) else [found]
    statements = [Statement(one, name, position, version == VERSIONS[0]) for position, one in enumerate(each)]
    return Policy(name, tuple(s for s in statements if s.denies), tuple(s for s in statements if not s.denies))


def _either(
    written: Mapping[str, Any], element: str, name: str, default: list[str] | None = None
) -> tuple[tuple[str, ...], bool]:
    """What the element or its `Not…` lists, and whether it is the latter."""
    if (element in written) == (f"Not{element}" in written) and (element in written or default is None):
        raise PolicyError(
            f"A statement of policy '{name}': expected one of {element} and Not{element}. Mend the policy."
        )
    found = written.get(element, written.get(f"Not{element}", default))
    return tuple(_texts(found)), f"Not{element}" in written


def _texts(values: Any) -> list[str]:
    listed = values if isinstance(values, list) else [values]
    return [str(each).lower() if isinstance(each, bool) else str(each) for each in listed]


def _principals(written: Any) -> list[tuple[str, str]]:
    if written is None or isinstance(written, str):
        return [("*", written)] if written else []
    return [(kind, each) for kind, values in written.items() for each in _texts(values)]


def _names(written: tuple[str, str], principal: Principal) -> Named:
    kind, name = written
    if kind == "Service" or principal.service:
        same = name == "*" if kind == "*" else kind == "Service" and name == principal.service
        return Named.EXACTLY if principal.service and same else Named.NOT
    if kind not in ("AWS", "*"):
        return Named.NOT
    if name == "*":
        return Named.ROLE
    if not principal.arn:
        return Named.NOT
    if name in (principal.account, f"arn:aws:iam::{principal.account}:root"):
        return Named.ACCOUNT
    if name == principal.role:
        return Named.ROLE
    return Named.EXACTLY if name == principal.arn else Named.NOT
