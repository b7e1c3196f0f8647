"""Assuming a role: what its trust policy and the caller's own must allow, and what a session keeps of the request."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from moto.iam.models import iam_backends
from moto.sts.exceptions import STSClientError

from local.services.iam_authority import DeniedError
from local.services.iam_callers import POLICIES, TAGS, TRANSITIVE, Caller, Callers
from local.services.iam_request import Asked, Need, UnclearError
from local.services.seams import patch

if TYPE_CHECKING:
    from local.endpoint import Endpoint

MOST_TAGS = 50
TAG = re.compile(r"Tags\.member\.\d+\.(Key|Value)")
KNOWN = frozenset({"aws:requesttag/", "aws:tagkeys", "sts:transitivetagkeys"})


def needs(asked: Asked, callers: Callers, caller: Caller) -> Iterator[Need]:
    """sts:AssumeRole, and sts:TagSession where tags are given or handed on, by the role's trust policy."""
    if asked.action != "AssumeRole":
        raise UnclearError(f"sts:{asked.action}, which the laptop has no mapping for")
    arn = asked["RoleArn"]
    role = callers.role(arn)
    if role is None:
        return  # STS says that there is none
    tags = judged_tags(asked)
    handed = set(getattr(caller.session, TRANSITIVE, ())) if caller.session is not None else set()
    context: dict[str, str | tuple[str, ...]] = {"sts:rolesessionname": asked["RoleSessionName"]}
    if external := asked.params.get("ExternalId"):
        context["sts:externalid"] = str(external)
    if tags:
        context |= {f"aws:requesttag/{key}": value for key, value in tags.items()}
        context["aws:tagkeys"] = tuple(asked.members("Tags"))
        context["sts:transitivetagkeys"] = asked.listed("TransitiveTagKeys")
    trust = role.assume_role_policy_document
    yield Need("sts:AssumeRole", arn, context, trust, opens=True, knows=KNOWN)
    if tags or handed:
        yield Need("sts:TagSession", arn, context, trust, opens=True, knows=KNOWN)


def judged_tags(asked: Asked) -> dict[str, str]:
    """The tags by their keys in lower case, each said once and in one way, so that none is judged and another kept."""
    said = parse_qsl(asked.body.decode(errors="replace"), keep_blank_values=True)
    other = [name for name, _ in said if name.startswith("Tags.") and TAG.fullmatch(name) is None]
    if other or len(dict(said)) < len(said) or asked.query:
        raise UnclearError("A request to STS that can be read in two ways")
    keys = [value.lower() for name, value in said if name.startswith("Tags.") and name.endswith(".Key")]
    if len(set(keys)) < len(keys):
        text = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        raise DeniedError("InvalidInput", text)
    return {key.lower(): value for key, value in asked.members("Tags").items()}


def install(endpoint: Endpoint, callers: Callers) -> None:
    """moto forgets a session's tags and the managed policies that narrow it."""

    def assume(response: Any) -> Any:
        asked = {each["Key"]: each["Value"] for each in response._get_param("Tags") or ()}
        transitive = set(response._get_param("TransitiveTagKeys") or ())
        if len(asked) > MOST_TAGS:
            raise STSClientError("ValidationError", f"More than {MOST_TAGS} session tags: pass fewer.")
        key = Asked(response_environ(response), endpoint.account).key
        chained = callers.session(key)
        handed = set(getattr(chained, TRANSITIVE, ()))
        kept = {name: value for name, value in getattr(chained, TAGS, {}).items() if name in handed}
        check_keys(list(kept), [each["Key"] for each in response._get_param("Tags") or ()])
        narrowing = managed_policies(endpoint.account, response._get_param("PolicyArns") or ())
        answer = assume_by_moto(response)
        session = answer.result["Credentials"]
        setattr(session, TAGS, {**kept, **asked})
        setattr(session, TRANSITIVE, handed | transitive)
        setattr(session, POLICIES, narrowing)
        return answer

    assume_by_moto = patch("moto.sts.responses:TokenResponse.assume_role", assume)


def check_keys(kept: list[str], asked: list[str]) -> None:
    """What is handed on stays as it is, in whatever case a key is written."""
    if {each.lower() for each in kept} & {each.lower() for each in asked}:
        text = (
            "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from"
            " the calling session."
        )
        raise STSClientError("InvalidParameterValue", text)


def managed_policies(account: str, named: Any) -> tuple[Any, ...]:
    known = iam_backends[account]["aws"].managed_policies
    arns = [each["arn"] if isinstance(each, dict) and "arn" in each else each["Arn"] for each in named]
    missing = [arn for arn in arns if arn not in known]
    if missing:
        raise STSClientError("MalformedPolicyDocument", f"The policy '{missing[0]}': there is none. Name one that is.")
    return tuple(known[arn] for arn in arns)


def response_environ(response: Any) -> dict[str, Any]:
    """What of the request tells whose key signed it."""
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "HTTP_AUTHORIZATION": response.headers.get("Authorization", ""),
    }
