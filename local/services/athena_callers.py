"""Who calls Athena, and clients of other services that carry the caller's own credentials."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from local.actions import SCOPE

if TYPE_CHECKING:
    from local.endpoint import Endpoint

LAPTOP_USER = {"key": "headwater", "secret": "headwater", "token": None}
KEPT = 32


def caller(response: Any) -> dict[str, Any]:
    """The credentials that the request came with; the endpoint knows a caller by the key, so any secret serves."""
    signed = SCOPE.search(response.headers.get("Authorization", ""))
    if signed is None:
        return LAPTOP_USER
    return {**LAPTOP_USER, "key": signed[1], "token": response.headers.get("X-Amz-Security-Token")}


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
