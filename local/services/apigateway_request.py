"""A request to a deployed API as it came, and what its templates and logs may know of it."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from local.engines import jackson, velocity

BY_PATH = re.compile(r"/restapis/([^/]+)/([^/]+)/_user_request_(/.*)?")
BY_HOST = re.compile(r"([a-z0-9]+)\.execute-api\.")
LARGEST = 10 << 20  # API Gateway's quota of a payload
DRAINED = 64 << 20


@dataclass
class Request:
    """A request; `api`, `stage` and `path` say for whom."""

    environ: dict[str, Any]
    api: str
    stage: str
    path: str
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    at: float = field(default_factory=time.time)
    identity: dict[str, str] = field(default_factory=dict)
    error: dict[str, str] = field(default_factory=dict)
    resource_path: str = ""
    override: velocity.Overridden = field(default_factory=velocity.Overridden)
    complete: bool = True
    too_large: bool = False

    def __post_init__(self) -> None:
        self.override["header"] = velocity.Overridden()
        self.identity["sourceIp"] = self.environ.get("REMOTE_ADDR", "")
        self.identity["userAgent"] = self.environ.get("HTTP_USER_AGENT", "")

    @property
    def method(self) -> str:
        return str(self.environ["REQUEST_METHOD"])

    @property
    def content_type(self) -> str:
        """Without its parameters; a request that says none sends JSON, says API Gateway."""
        return str(self.environ.get("CONTENT_TYPE") or "application/json").partition(";")[0].strip().lower()

    @cached_property
    def raw(self) -> bytes:
        length = self.environ.get("CONTENT_LENGTH") or ""
        stream = self.environ["wsgi.input"]
        chunked = bool(self.environ.get("wsgi.input_terminated"))
        wanted = int(length) if length.isdigit() else (LARGEST + 1 if chunked else 0)
        self.too_large = wanted > LARGEST and not chunked
        body: bytes = stream.read(min(wanted, LARGEST + 1))
        self.too_large = self.too_large or len(body) > LARGEST
        if self.too_large:
            drain(stream, DRAINED if chunked else min(wanted - len(body), DRAINED))
        self.complete = chunked or self.too_large or len(body) == wanted
        return body

    @cached_property
    def body(self) -> str:
        """The payload as text; bytes that are not UTF-8 become U+FFFD, as in API Gateway."""
        return self.raw.decode("utf-8", "replace")

    @cached_property
    def value(self) -> Any:
        return jackson.read(self.body or "{}")

    @cached_property
    def headers(self) -> dict[str, str]:
        named = {name[5:]: value for name, value in self.environ.items() if name.startswith("HTTP_")}
        named["CONTENT_TYPE"] = self.environ.get("CONTENT_TYPE", "")
        return {name.replace("_", "-").title(): value for name, value in named.items()}

    def params(self, path: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
        query = dict(parse_qsl(self.environ.get("QUERY_STRING", ""), keep_blank_values=True))
        return {"path": path, "querystring": query, "header": self.headers}

    @cached_property
    def context(self) -> dict[str, Any]:
        """$context."""
        return {
            "accountId": self.environ.get("headwater.account", ""),
            "apiId": self.api,
            "error": self.error,
            "extendedRequestId": self.id,
            "httpMethod": self.method,
            "identity": self.identity,
            "path": f"/{self.stage}{self.path}",
            "protocol": self.environ.get("SERVER_PROTOCOL", ""),
            "requestId": self.id,
            "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(self.at)),
            "requestTimeEpoch": int(self.at * 1000),
            "resourcePath": self.resource_path,
            "responseOverride": self.override,
            "stage": self.stage,
        }


def drain(stream: Any, left: int) -> None:
    """Read what is still sent, so that the sender sees the answer and not a broken connection."""
    while left > 0 and (read := stream.read(min(left, 1 << 20))):
        left -= len(read)


def addressed(environ: dict[str, Any]) -> Request | None:
    """The request as one to a deployed API, by its path or its host."""
    path = environ.get("PATH_INFO", "")
    if found := BY_PATH.fullmatch(path):
        return Request(environ, found[1], found[2], found[3] or "/")
    if found := BY_HOST.match(environ.get("HTTP_HOST", "")):
        stage, _, rest = path.removeprefix("/").partition("/")
        return Request(environ, found[1], stage, f"/{rest}")
    return None
