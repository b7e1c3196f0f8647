"""Who calls Athena, and calls of other services that carry the caller's own credentials."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import boto3
from botocore.config import Config
from werkzeug.test import create_environ, run_wsgi_app

from local.actions import SCOPE

if TYPE_CHECKING:
    from local.endpoint import Endpoint

LAPTOP_USER = {"key": "headwater", "secret": "headwater", "token": None}
KEPT = 32
CODE = re.compile(rb"<Code>(\w+)</Code>")


class NotReadError(Exception):
    """S3 does not give the caller an object; the message is S3's code."""


def caller(response: Any) -> dict[str, Any]:
    """The credentials that the request came with; the endpoint knows a caller by the key, so any secret serves."""
    headers, query = response.headers, urlsplit(response.uri).query
    signed = SCOPE.search(headers.get("Authorization", "")) or SCOPE.search(unquote(query))
    if signed is None:
        return LAPTOP_USER
    told = parse_qs(query).get("X-Amz-Security-Token", [None])[0]  # of a request that is signed in its URL
    return {**LAPTOP_USER, "key": signed[1], "token": headers.get("X-Amz-Security-Token") or told}


class Callers:
    """Clients for callers: `Callers(endpoint).client("glue", response)`, and reads of S3."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._made = functools.lru_cache(KEPT)(self._client)

    def client(self, service: str, response: Any) -> Any:
        return self._made(service, *caller(response).values())

    def read(self, bucket: str, key: str, response: Any) -> bytes:
        """An object as the caller may read it, by a call like any other but for the way through a socket and a client:
        whoever asks for a result waits for it.
        """
        asking = caller(response)
        scope = f"{asking['key']}/20260101/{self._endpoint.region}/s3/aws4_request"
        headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
        if asking["token"]:
            headers["X-Amz-Security-Token"] = asking["token"]
        environ = create_environ(quote(f"/{bucket}/{key}"), self._endpoint.url, headers=headers)
        body, status, _ = run_wsgi_app(self._endpoint.calls, environ, buffered=True)
        answer = b"".join(body)
        if not status.startswith("200"):
            code = CODE.search(answer)
            raise NotReadError(code[1].decode() if code else status)
        return answer

    def _client(self, service: str, key: str, secret: str, token: str | None) -> Any:
        session = boto3.session.Session(key, secret, token, region_name=self._endpoint.region)
        config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
        return session.client(service, endpoint_url=self._endpoint.url, config=config)
