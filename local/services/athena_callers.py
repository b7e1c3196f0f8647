"""Who calls Athena, and clients of other services that carry the caller's own credentials."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
from botocore.config import Config

from local.actions import SCOPE

if TYPE_CHECKING:
    from local.endpoint import Endpoint

LAPTOP_USER = {"key": "headwater", "secret": "headwater", "token": None}
KEPT = 32


def caller(response: Any) -> dict[str, Any]:
    """The credentials that the request came with; the endpoint knows a caller by the key, so any secret serves."""
    headers, query = response.headers, urlsplit(response.uri).query
    signed = SCOPE.search(headers.get("Authorization", "")) or SCOPE.search(unquote(query))
    if signed is None:
        return LAPTOP_USER
    told = parse_qs(query).get("X-Amz-Security-Token", [None])[0]  # of a request that is signed in its URL
    return {**LAPTOP_USER, "key": signed[1], "token": headers.get("X-Amz-Security-Token") or told}


class Callers:
    """Clients for callers: `Callers(endpoint).client("glue", response)`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._made = functools.lru_cache(KEPT)(self._client)

    def client(self, service: str, response: Any) -> Any:
        return self._made(service, *caller(response).values())

    def _client(self, service: str, key: str, secret: str, token: str | None) -> Any:
        session = boto3.session.Session(key, secret, token, region_name=self._endpoint.region)
        config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
        return session.client(service, endpoint_url=self._endpoint.url, config=config)
