"""A request to the endpoint as IAM looks at it: whose key signed it, for which service, which action, with what."""

from __future__ import annotations

import functools
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote

from local.actions import IAM_PREFIX, RPC_PATH, Raw, action_of, credentials_of
from local.refusals import raw_of

REGION = re.compile(r"Credential=[^/]+/\d{8}/([^/]+)/")
HOSTED = re.compile(r"^([a-z0-9][a-z0-9.-]*)\.s3[.-][a-z0-9.-]*amazonaws\.com(?::\d+)?$")


class UnclearError(Exception):
    """What a request needs cannot be told from it."""


@dataclass(frozen=True)
class Need:
    """One permission that a request needs, with what conditions may ask, and the resource's own policy.

    `opens`: that policy must allow too. `knows`: further keys of conditions, which have no value for want of one.
    """

    permission: str
    resource: str
    context: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    policy: str | None = None
    opens: bool = False
    knows: frozenset[str] = frozenset()


class Asked:
    """One request: `asked.service`, `asked.action`, `asked["TableName"]`."""

    def __init__(self, environ: dict[str, Any], account: str) -> None:
        self.environ, self.account = environ, account
        self.raw: Raw = raw_of(environ)
        self.key, self.service = credentials_of(self.raw)
        self.signed = bool(self.key)

    @property
    def prefix(self) -> str:
        return IAM_PREFIX.get(self.service, self.service)

    @cached_property
    def region(self) -> str:
        found = REGION.search(self.raw.authorization) or REGION.search(unquote(self.raw.query))
        return found[1] if found else "us-east-1"

    @cached_property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.raw.query, keep_blank_values=True))

    @property
    def token(self) -> str:
        in_query = (self.query.get(name) for name in ("X-Amz-Security-Token", "x-amz-security-token"))
        return str(self.environ.get("HTTP_X_AMZ_SECURITY_TOKEN") or next(filter(None, in_query), ""))

    def header(self, name: str) -> str:
        return str(self.environ.get(f"HTTP_{name.upper().replace('-', '_')}", ""))

    @cached_property
    def action(self) -> str:
        """The API's name of what is asked; a request that names two is refused."""
        named = {self.raw.target.rpartition(".")[2], self.query.get("Action", "")}
        if self.is_form:
            named.add(str(self.params.get("Action", "")))
        if rpc := RPC_PATH.search(self.raw.path):
            named.add(rpc[1])
        named.discard("")
        if len(named) > 1:
            raise UnclearError(f"A request for {' and '.join(sorted(named))} at once")
        return named.pop() if named else rest_action(self.service, self.raw.method, self.raw.path, self.raw.query)

    @property
    def is_form(self) -> bool:
        return str(self.environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded")

    @cached_property
    def body(self) -> bytes:
        length = self.environ.get("CONTENT_LENGTH") or ""
        if not length.isdigit():
            if self.environ.get("HTTP_TRANSFER_ENCODING"):
                raise UnclearError("A body without a length")
            return b""
        body: bytes = self.environ["wsgi.input"].read(int(length))
        self.environ["wsgi.input"] = io.BytesIO(body)
        try:
            return gzip.decompress(body) if self.header("content-encoding") == "gzip" else body
        except (OSError, zlib.error) as error:
            raise UnclearError(f"A body that is no gzip: {error}") from error

    @cached_property
    def params(self) -> dict[str, Any]:
        """What the body says, and for a form its query too; a form's lists are flat: `Tags.member.1.Key`."""
        if self.header("smithy-protocol") == "rpc-v2-cbor":
            return cbor(self.body)
        if self.is_form or (not self.raw.target and "Action" in self.query):
            return {**self.query, **dict(parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True))}
        try:
            found = json.loads(self.body or b"{}")
        except ValueError as error:
            raise UnclearError(f"A body that is no JSON: {error}") from error
        return found if isinstance(found, dict) else {}

    def __getitem__(self, path: str) -> str:
        """The text at a path such as `DatabaseInput.Name`."""
        found: Any = self.params
        for name in path.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        if not isinstance(found, str) or not found:
            raise UnclearError(f"A request without {path}")
        return found

    def first(self, *paths: str) -> str:
        """The text at the first of the paths that has one."""
        for path in paths:
            try:
                return self[path]
            except UnclearError:
                continue
        raise UnclearError(f"A request without {' or '.join(paths)}")

    def members(self, name: str) -> dict[str, str]:
        """A form's list of keys and values, as tags are."""
        wanted = re.compile(rf"{name}\.(?:member\.)?(\d+)\.Key$")
        return {
            str(value): str(self.params.get(f"{path.removesuffix('Key')}Value", ""))
            for path, value in self.params.items()
            if wanted.match(path)
        }

    def listed(self, name: str) -> tuple[str, ...]:
        wanted = re.compile(rf"{name}\.(?:member\.)?\d+$")
        return tuple(str(value) for path, value in self.params.items() if wanted.match(path))

    def arn(self, resource: str, service: str = "") -> str:
        return f"arn:aws:{service or self.prefix}:{self.region}:{self.account}:{resource}"

    def need(self, resource: str, permission: str = "", **more: Any) -> Need:
        """The permission, the action's own unless another is named, on an ARN or a resource of the service."""
        whole = resource if resource == "*" or resource.startswith("arn:") else self.arn(resource)
        return Need(f"{self.prefix}:{permission or self.action}", whole, **more)

    def needs(self, resources: Iterable[str], permission: str = "") -> list[Need]:
        return [self.need(each, permission) for each in resources]

    @cached_property
    def bucket_and_key(self) -> tuple[str, str]:
        path = self.raw.path.lstrip("/")
        if hosted := HOSTED.match(self.environ.get("HTTP_HOST", "")):
            return hosted[1], path
        bucket, _, key = path.partition("/")
        return bucket, key


@functools.lru_cache(4096)
def rest_action(service: str, method: str, path: str, query: str) -> str:
    """An operation by its method and path, for services that say it so."""
    found = action_of(Raw(0.0, 0.0, method, path, query, "", "", False, (), 0), service)
    return found.rpartition(":")[2]


def cbor(body: bytes) -> dict[str, Any]:
    from botocore.parsers import RpcV2CBORParser

    parser: Any = RpcV2CBORParser()
    found = parser.parse_data_item(parser.get_peekable_stream_from_bytes(body)) if body else {}
    return found if isinstance(found, dict) else {}
