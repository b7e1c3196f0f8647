"""What a raw request asks for, as IAM would name it: the service, the action, the resource as far as it can be told."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

IAM_PREFIX = {"monitoring": "cloudwatch"}
BOTOCORE_NAME = {"states": "stepfunctions", "monitoring": "cloudwatch"}
SCOPE = re.compile(r"Credential=([^/]+)/\d{8}/[^/]+/([^/]+)/aws4_request")
OLDER_KEY = re.compile(r"(?:^AWS |AWSAccessKeyId=)(\w+)")  # version 2, in which boto3 still signs S3's URLs
RPC_PATH = re.compile(r"/service/[^/]+/operation/(\w+)$")
NAMES = (
    "StreamName", "TableName", "DatabaseName", "JobName", "JobRunId", "stateMachineArn", "executionArn", "WorkGroup",
    "QueryExecutionId", "logGroupName", "SecretId", "KeyId", "TopicArn", "TargetArn", "QueueUrl", "QueueName",
    "RoleArn", "RoleName", "PolicyArn", "StackName", "FunctionName", "AlarmName", "EventBusName", "GroupName",
    "Name", "name",
)  # fmt: skip
JSON_NAME = re.compile(rb'"(' + "|".join(NAMES).encode() + rb')"\s*:\s*"([^"]{1,300})"')
FORM_NAME = re.compile(rb"(?:^|&)(Action|" + "|".join(NAMES).encode() + rb")=([^&]{1,300})")
KEPT_NAMES = 3


class Raw(NamedTuple):
    """A request as it came; nothing is worked out before somebody reads it."""

    at: float
    seconds: float
    method: str
    path: str
    query: str
    authorization: str
    target: str
    copies: bool
    names: tuple[tuple[bytes, bytes], ...]
    status: int


@dataclass(frozen=True)
class Operation:
    """A REST operation of botocore's model, with what a request must have to be it."""

    name: str
    method: str
    path: re.Pattern[str]
    literals: tuple[tuple[str, str], ...]
    required: frozenset[str]
    copies: bool

    def fits(self, raw: Raw, query: dict[str, str]) -> bool:
        return (
            raw.method == self.method
            and self.path.fullmatch(raw.path) is not None
            and all(name in query and value in ("", query[name]) for name, value in self.literals)
            and self.required <= query.keys()
            and (raw.copies or not self.copies)
        )

    @property
    def rank(self) -> tuple[int, int, int]:
        return len(self.literals) + len(self.required), int(self.copies), len(self.path.pattern)


def credentials_of(raw: Raw) -> tuple[str, str]:
    """The access key and the service that the request was signed for; a request without both goes to S3."""
    if signed := SCOPE.search(raw.authorization):
        return signed[1], signed[2]
    query = unquote(raw.query)
    if signed := SCOPE.search(query):
        return signed[1], signed[2]
    older = OLDER_KEY.search(raw.authorization) or OLDER_KEY.search(query)
    return (older[1] if older else ""), "s3"


def names_in(body: bytes, form: bool) -> tuple[tuple[bytes, bytes], ...]:
    """The parameters of a body that say what it works on, the action of a form among them."""
    found: dict[bytes, bytes] = {}
    for match in (FORM_NAME if form else JSON_NAME).finditer(body):
        found.setdefault(match[1], match[2])
        if len(found) > KEPT_NAMES:
            break
    return tuple(found.items())


def action_of(raw: Raw, service: str) -> str:
    prefix = IAM_PREFIX.get(service, service)
    if "/_user_request_/" in raw.path:
        return "execute-api:Invoke"
    if raw.target:
        return f"{prefix}:{raw.target.rpartition('.')[2]}"
    if rpc := RPC_PATH.search(raw.path):
        return f"{prefix}:{rpc[1]}"
    query = dict(parse_qsl(raw.query, keep_blank_values=True))
    action = dict(raw.names).get(b"Action", b"").decode() or query.get("Action")
    if action:
        return f"{prefix}:{action}"
    fitting = [operation for operation in operations(service) if operation.fits(raw, query)]
    return f"{prefix}:{max(fitting, key=lambda operation: operation.rank).name if fitting else 'Unknown'}"


def resource_of(raw: Raw, service: str) -> str:
    if service == "s3":
        return unquote(raw.path).strip("/")
    named = dict(raw.names)
    named.pop(b"Action", None)
    if named:
        ordered = sorted(named, key=lambda name: NAMES.index(name.decode()))
        return "/".join(unquote(named[name].decode(errors="replace")) for name in ordered)
    path = re.sub(r"^/\d{4}-\d\d-\d\d/", "/", raw.path)  # Lambda's paths begin with the date of its API
    return "" if RPC_PATH.search(path) else unquote(path).strip("/")


@functools.cache
def service_model(service: str) -> Any:
    """botocore's, by the name that signatures have; it raises UnknownServiceError for one that it has none of."""
    import botocore.session

    return botocore.session.get_session().get_service_model(BOTOCORE_NAME.get(service, service))


@functools.cache
def operations(service: str) -> tuple[Operation, ...]:
    from botocore.exceptions import UnknownServiceError

    try:
        model = service_model(service)
    except UnknownServiceError:
        return ()
    found = [model.operation_model(name) for name in model.operation_names]
    return tuple(operation(each) for each in found if each.http.get("requestUri") and not each.deprecated)


def operation(model: Any) -> Operation:
    path, _, query = model.http["requestUri"].partition("?")
    pattern = "".join(
        (".+" if part.endswith("+}") else "[^/]+") if part.startswith("{") else re.escape(part)
        for part in re.split(r"(\{[^}]+\})", path)
    )
    shape = model.input_shape
    needed = [shape.members[name].serialization for name in shape.required_members] if shape else []
    return Operation(
        name=model.name,
        method=model.http["method"],
        path=re.compile(pattern if pattern == "/" else f"{pattern}/?"),
        literals=tuple(parse_qsl(query, keep_blank_values=True)),
        required=frozenset(member["name"] for member in needed if member.get("location") == "querystring"),
        copies=any(member.get("name", "").lower() == "x-amz-copy-source" for member in needed),
    )
