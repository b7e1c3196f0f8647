"""IAM: moto lets every caller do everything. Here each request of a role's session or a user's is decided before moto
sees it, by the policies that the role has then; what they do not allow is refused in AWS's words and the service's own
shape. The person at the laptop is the account's administrator, whom policies of buckets and trusts of roles bind too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from local.engines.iam_conditions import UnknownConditionError
from local.engines.iam_policy import Policies
from local.engines.iam_statements import PolicyError, Principal
from local.own_calls import OWN_KEY, PERSON_KEY, person_name
from local.refusals import protocol, said_as
from local.services import iam_needs, iam_readings, iam_trust
from local.services.iam_authority import Authority, DeniedError
from local.services.iam_callers import Caller, administrator, is_over
from local.services.iam_request import Asked, Need, UnclearError

if TYPE_CHECKING:
    from local.endpoint import Endpoint

FIDELITY = (
    ("IAM", "identity, boundary, session and resource policies, conditions, variables, iam:PassRole", "ours", "real"),
    ("IAM", "KMS of encrypted objects, streams, tables, queues, topics, secrets: the caller's leave", "ours", "real"),
    ("IAM", "trust policies, session tags and session policies of AssumeRole", "ours", "real"),
    ("IAM", "services that take a role: its trust policy, aws:SourceAccount; aws:SourceArn of state machines, "
     "schedule groups, rules and Lake Formation", "ours", "real"),
    ("IAM", "signatures: a caller is known by its access key and token", "not recomputed", "simulated"),
    ("IAM", "requests that can be read in two ways: a parameter said twice, or one that the operation does not have, "
     "a body that is JSON and a form, a host that is none of S3's", "", "refused"),
    ("IAM", "condition keys without a value here, actions without a mapping, other accounts, SCPs", "", "refused"),
)  # fmt: skip

ANYBODYS = {"sts:GetCallerIdentity"}  # never denied, on AWS too
JSON_RPC = "400 Bad Request"


class Guard:
    """WSGI middleware that asks the authority before moto sees a request."""

    def __init__(self, account: str, authority: Authority) -> None:
        self._account, self._authority = account, authority

    def before(self, application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
        def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            asked = Asked(environ, self._account)
            try:
                if asked.key != OWN_KEY:
                    self._check(asked)
            except DeniedError as error:
                return refused(asked, error.code, str(error), start_response)
            except (UnclearError, UnknownConditionError, PolicyError) as error:
                raise NotImplementedError(
                    f"IAM on the laptop cannot decide on it for a role or user: {error}"
                ) from error
            return application(environ, start_response)

        return serve

    def _check(self, asked: Asked) -> None:
        if asked.key == PERSON_KEY:
            self._check_person(asked)
            return
        if not asked.signed:
            raise DeniedError(
                "AccessDenied" if asked.service == "s3" else "MissingAuthenticationToken", "Access Denied"
            )
        iam_readings.check(asked)
        caller = self._authority.callers.find(asked.key)
        if caller is None or caller.token != asked.token:
            code = "InvalidAccessKeyId" if asked.service == "s3" else "UnrecognizedClientException"
            raise DeniedError(code, "The security token included in the request is invalid.")
        if is_over(caller):
            code = "ExpiredToken" if asked.service == "s3" else "ExpiredTokenException"
            raise DeniedError(code, "The security token included in the request is expired")
        if asked.service == "sts":
            self._check_sts(asked, caller)
            return
        for need in self._needs(asked, caller):
            self._ask(caller, need, asked)

    def _needs(self, asked: Asked, caller: Caller) -> list[Need]:
        try:
            found = iam_needs.needs(asked)
        except UnclearError:
            if may_do_anything(caller.policies):
                return []
            raise
        for role, service in iam_needs.passed(asked):
            arn = self._authority.callers.role_named(role)
            found.append(Need("iam:PassRole", arn, {"iam:passedtoservice": service}))
        return found

    def _check_person(self, asked: Asked) -> None:
        """An administrator needs no grant; a bucket's policy can deny even that, and a role chooses whom it trusts."""
        arn = f"arn:aws:iam::{self._account}:user/{PERSON_KEY}"
        context: dict[str, str | tuple[str, ...]] = {"aws:principalarn": arn, "aws:principaltype": "User",
                                                     "aws:username": PERSON_KEY,
                                                     "aws:principaltag/user": person_name()}  # fmt: skip
        person = Caller(Principal(arn, self._account), administrator(), context, "", None)
        if asked.service == "s3":
            try:
                found = iam_needs.needs(asked)
            except UnclearError:
                return
            for need in found:
                if need.policy:
                    self._ask(person, need, asked)
        elif asked.service == "sts":
            self._check_sts(asked, person)

    def _check_sts(self, asked: Asked, caller: Caller) -> None:
        if f"sts:{asked.action}" in ANYBODYS:
            return
        for need in iam_trust.needs(asked, self._authority.callers, caller):
            self._ask(caller, need, asked)

    def _ask(self, caller: Caller, need: Need, asked: Asked) -> None:
        self._authority.check(caller, need, asked.region, asked.prefix)


def may_do_anything(policies: Policies) -> bool:
    """Whether it needs no telling what a request is about: everything is allowed, and nothing denied."""
    if policies.boundary is not None or policies.session is not None or any(each.denies for each in policies.identity):
        return False
    statements = [one for each in policies.identity for one in each.allows]
    return any(one.actions == ("*",) and one.resources == ("*",) and not one.conditions
               and not one.other_actions and not one.other_resources for one in statements)  # fmt: skip


def refused(asked: Asked, code: str, message: str, start_response: Callable[..., Any]) -> Iterable[bytes]:
    spoken = protocol(asked.service, asked.environ)
    headers, body = said_as(spoken, code, message)
    status = JSON_RPC if spoken == "json" else "403 Forbidden"
    if asked.raw.method == "HEAD":
        body = b""
    drain(asked.environ)
    start_response(status, [*headers, ("Content-Length", str(len(body))), ("x-amzn-errortype", code)])
    return [body]


def drain(environ: dict[str, Any]) -> None:
    """Read what the client still sends, else the connection's next request would begin in the middle of it."""
    left = int(environ.get("CONTENT_LENGTH") or 0)
    while left > 0 and (got := environ["wsgi.input"].read(min(left, 1 << 20))):
        left -= len(got)


def install(endpoint: Endpoint) -> None:
    authority = endpoint.authority = Authority(endpoint.account)
    endpoint.middleware.append(Guard(endpoint.account, authority).before)
    endpoint.pages["grants"] = authority.page
    iam_trust.install(endpoint, authority.callers)
