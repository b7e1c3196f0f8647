"""The account's authority: what a caller may do, and which grants were used for it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

from local.engines.iam_policy import Decision, Policies, decide
from local.engines.iam_statements import Request, Statement, policy
from local.services.iam_callers import Caller, Callers
from local.services.iam_request import Need

KNOWN = frozenset({  # keys that have a value in each request where AWS gives them one
    "aws:principalaccount", "aws:principalarn", "aws:principaltag/", "aws:principaltype", "aws:userid",
    "aws:username", "aws:securetransport", "aws:requestedregion", "aws:currenttime", "aws:epochtime", "aws:sourceip",
    "aws:viaawsservice", "aws:sourcearn", "aws:sourceaccount", "aws:resourceaccount", "aws:principalisawsservice",
    "aws:principalorgid", "aws:sourceidentity", "aws:sourceowner", "s3:prefix", "s3:delimiter", "s3:max-keys",
    "s3:versionid", "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id",
    "s3:x-amz-acl", "s3:x-amz-copy-source", "s3:x-amz-metadata-directive", "s3:x-amz-storage-class",
    "s3:x-amz-content-sha256", "s3:tlsversion", "kms:viaservice", "kms:calleraccount", "kms:resourcealiases",
    "kms:encryptioncontext:aws:s3:arn", "kms:encryptioncontext:aws:logs:arn", "cloudwatch:namespace",
    "iam:passedtoservice", "iam:associatedresourcearn", "sts:externalid", "sts:rolesessionname", "sts:sourceidentity",
})  # fmt: skip
CODES = {"s3": "AccessDenied", "sts": "AccessDenied", "iam": "AccessDenied", "cloudwatch": "AccessDenied",
         "sns": "AuthorizationError", "cloudformation": "AccessDenied"}  # fmt: skip
QUOTED = ("s3",)  # services whose text has the resource in quotes


class DeniedError(Exception):
    """A request is refused, with the service's code and AWS's words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Authority:
    """`endpoint.authority.check(caller, need, region)`; `may` answers instead of raising."""

    def __init__(self, account: str) -> None:
        self._account = account
        self.callers = Callers(account)
        self._used: set[tuple[str, str, int, str, str]] = set()
        self._refused: set[tuple[str, str, str]] = set()
        self._lock = threading.Lock()

    def check(self, caller: Caller, need: Need, region: str, service: str = "") -> None:
        """A DeniedError when the caller may not, as the service says it that was asked."""
        found = self.decide(caller, need, region)
        if found.allowed:
            return
        with self._lock:
            self._refused.add((caller.role or caller.principal.arn, need.permission, need.resource))
        service = service or need.permission.partition(":")[0]
        resource = f'"{need.resource}"' if service in QUOTED else need.resource
        raise DeniedError(
            CODES.get(service, "AccessDeniedException"),
            f"User: {caller.principal.arn} is not authorized to perform: {need.permission} on resource: {resource} "
            f"{found.reason}",
        )

    def decide(self, caller: Caller, need: Need, region: str) -> Decision:
        """IAM's answer to one need of a caller."""
        now = datetime.now(UTC)
        context = {
            **caller.context,
            "aws:securetransport": "true",  # the loopback stands for TLS
            "s3:tlsversion": "1.3",
            "aws:requestedregion": region,
            "aws:currenttime": now.isoformat(),
            "aws:epochtime": str(now.timestamp()),
            "aws:sourceip": "127.0.0.1",
            "aws:viaawsservice": "false",
            "aws:principalisawsservice": "false",
            "aws:resourceaccount": self._account,
            **need.context,
        }
        own = caller.policies
        resource = policy(need.policy, "resource") if need.policy else None
        whole = Policies(own.identity, resource, own.boundary, own.session, need.opens)
        found = decide(Request(caller.principal, need.permission, need.resource, context, KNOWN | need.knows), whole)
        if found.allowed and found.statement is not None and caller.role:
            self._remember(caller.role, found.statement, need.permission, found.pattern)
        return found

    def _remember(self, role: str, statement: Statement, action: str, pattern: str) -> None:
        used = (role, statement.policy, statement.position, action, pattern)
        if used not in self._used:
            with self._lock:
                self._used.add(used)

    def page(self, asked: dict[str, str]) -> dict[str, Any]:
        """`/_headwater/grants?role=NAME`: what was used (policy, statement, action, pattern), and what was refused."""
        with self._lock:
            used, refused = sorted(self._used), sorted(self._refused)
        wanted = (None, asked.get("role")) if "role" in asked else None
        return {
            "used": [each for each in used if wanted is None or each[0] in wanted],
            "refused": [each for each in refused if wanted is None or each[0] in wanted],
        }
