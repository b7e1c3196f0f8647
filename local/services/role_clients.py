"""Clients that call as a deployed role, as AWS's own services do when they act for their user."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from local.endpoint import Endpoint

KEPT_SECONDS = 1800.0


class RoleClients:
    """`clients.of("lambda", role_arn)`: made once for each service and role, renewed before credentials end.

    `acting` is the service that takes the role, and `source` what it does so for, where AWS names it.
    """

    def __init__(self, endpoint: Endpoint, acting: str, session_name: str = "") -> None:
        self._endpoint, self._acting = endpoint, acting
        self._session_name = session_name or acting
        self._session = boto3.session.Session(region_name=endpoint.region)  # one, so that API models are read once
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str, str], tuple[float, Any]] = {}

    def of(self, service: str, role_arn: str, source: str = "") -> Any:
        kept = service, role_arn, source
        made, client = self._kept.get(kept, (0.0, None))
        if client is None or time.monotonic() - made > KEPT_SECONDS:
            given = self._endpoint.credentials_for(role_arn, self._session_name, self._acting, source)
            client = self._make(service, given)
            self._kept[kept] = (time.monotonic(), client)
        return client

    def _make(self, service: str, credentials: dict[str, str]) -> Any:
        config = Config(
            retries={"total_max_attempts": 1},
            inject_host_prefix=False,
            parameter_validation=False,
            max_pool_connections=50,
            read_timeout=900,
            s3={"addressing_style": "path"},
        )
        with self._lock:  # a session is not safe between threads, its clients are
            return self._session.client(
                service,
                endpoint_url=self._endpoint.url,
                aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
                aws_session_token=credentials["AWS_SESSION_TOKEN"],
                config=config,
            )
