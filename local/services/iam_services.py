"""Services of AWS that act as a role, whose trust policy must let the service in for this account and its resource."""

from __future__ import annotations

from moto.iam.models import iam_backends

from local.engines.iam_policy import Policies, decide
from local.engines.iam_statements import Principal, Request, policy
from local.services.iam_authority import KNOWN

REGIONAL = frozenset({"states"})  # which may also be named as a service of the region


class RoleNotAssumedError(Exception):
    """A service cannot act as a role: there is none of the name, or it does not trust the service."""


def check(role: str, service: str, region: str, source: str = "") -> None:
    """Fail unless the service, `lambda` for one, may assume the role; `source` is the ARN of what it does so for."""
    account = role.split(":")[4] if role.count(":") > 4 else ""
    roles = list(iam_backends[account]["aws"].roles.values()) if account else []
    trust = next((each.assume_role_policy_document for each in roles if each.arn == role), None)
    if trust is None:
        raise RoleNotAssumedError(f"The role '{role}': expected one that is deployed. Deploy the stack that makes it.")
    context: dict[str, str | tuple[str, ...]] = {"aws:sourceaccount": account, "aws:principalisawsservice": "true"}
    if source:
        context["aws:sourcearn"] = source
    policies = Policies(resource=policy(trust, "trust"), opens=True)
    names = [service, *([f"{service}.{region}"] if service in REGIONAL else [])]
    for name in (f"{each}.amazonaws.com" for each in names):
        asked = Request(Principal(account=account, service=name), "sts:AssumeRole", role, context, KNOWN)
        if decide(asked, policies).allowed:
            return
    raise RoleNotAssumedError(
        f"The role '{role}': its trust policy does not let {service}.amazonaws.com assume it"
        f"{f' for {source}' if source else ''}. Name the service there."
    )
