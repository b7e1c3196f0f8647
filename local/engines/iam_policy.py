"""What IAM answers to a request within one account: denied by a statement, allowed by one, or allowed by none.

As AWS documents it: an explicit deny anywhere wins; a policy on the resource that names the very session or user is
enough; else the identity's policies or the resource's must allow, and so must the boundary and the session's policies
where there are any. A key's policy and a role's trust must open to the caller or its account in any case.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from local.engines.iam_statements import Named, Policy, Request, Statement

IDENTITY, RESOURCE = "identity-based policy", "resource-based policy"
BOUNDARY, SESSION = "permissions boundary", "session policy"


@dataclass(frozen=True)
class Policies:
    """All that bears on a request. `opens`: the resource's policy must allow too, as for keys and roles."""

    identity: Sequence[Policy] = ()
    resource: Policy | None = None
    boundary: Policy | None = None
    session: Sequence[Policy] | None = None
    opens: bool = False


@dataclass(frozen=True)
class Decision:
    """The answer, AWS's words for a refusal, and the statement that decided with its pattern of the resource."""

    allowed: bool
    reason: str = ""
    statement: Statement | None = None
    pattern: str = ""


def decide(request: Request, policies: Policies) -> Decision:
    """The one answer; an UnknownConditionError when a statement asks for what cannot be told here."""
    found = _denied(request, policies)
    if found is not None:
        return found
    named, on_resource = _opened(request, policies.resource)
    if named is Named.EXACTLY:
        return on_resource
    if policies.opens and named is Named.NOT:
        return _none(request, RESOURCE)
    by_identity = _allowed(request, policies.identity)
    granted = by_identity or (on_resource if named is Named.ROLE else None)
    if granted is None:
        return _none(request, IDENTITY)
    if policies.boundary is not None and _allowed(request, [policies.boundary]) is None:
        return _none(request, BOUNDARY)
    if policies.session is not None and _allowed(request, policies.session) is None:
        return _none(request, SESSION)
    return granted


def _denied(request: Request, policies: Policies) -> Decision | None:
    own = [policies.boundary] if policies.boundary else []
    for kind, each in ((IDENTITY, policies.identity), (SESSION, policies.session or ()), (BOUNDARY, own)):
        for statement in (one for policy in each for one in policy.denies):
            if (pattern := statement.covers(request)) is not None:
                return _by(statement, pattern, kind)
    for statement in policies.resource.denies if policies.resource else ():
        if statement.names(request.principal) and (pattern := statement.covers(request)) is not None:
            return _by(statement, pattern, RESOURCE)
    return None


def _by(statement: Statement, pattern: str, kind: str) -> Decision:
    article = "an" if kind == IDENTITY else "a"
    return Decision(False, f"with an explicit deny in {article} {kind}", statement, pattern)


def _opened(request: Request, policy: Policy | None) -> tuple[Named, Decision]:
    """How exactly the resource's policy lets the caller in, and by which statement."""
    best, found = Named.NOT, Decision(False)
    for statement in policy.allows if policy else ():
        named = statement.names(request.principal)
        if named > best and (pattern := statement.covers(request)) is not None:
            best, found = named, Decision(True, "", statement, pattern)
    return best, found


def _allowed(request: Request, policies: Iterable[Policy]) -> Decision | None:
    for statement in (one for policy in policies for one in policy.allows):
        if (pattern := statement.covers(request)) is not None:
            return Decision(True, "", statement, pattern)
    return None


def _none(request: Request, kind: str) -> Decision:
    return Decision(False, f"because no {kind} allows the {request.action} action")
