"""Clients for the endpoint's own calls to itself, CloudFormation's for one, and the credentials that are no role's."""

from __future__ import annotations

import functools
import getpass
import os
import threading
from typing import Any

OWN_KEY = "HEADWATERENDPOINT000"
PERSON_KEY, PERSON_SECRET = "headwater", "laptop"  # of the person at the laptop
OWN_REGION = "us-east-1"
MAKING_CLIENTS = threading.Lock()  # a session makes one client at a time, and one session reads botocore's data once


@functools.cache
def person_name() -> str:
    """Whom the laptop takes the person at it for, as a tag `user` says it on AWS."""
    try:
        return os.environ.get("HEADWATER_USER") or getpass.getuser().lower()
    except KeyError:  # a container runs as a user that it has no name for
        return ""


@functools.cache
def own_session() -> Any:
    import boto3

    return boto3.session.Session(aws_access_key_id=OWN_KEY, aws_secret_access_key="endpoint", region_name=OWN_REGION)


@functools.cache
def own_client(url: str, service: str) -> Any:
    from botocore.config import Config

    config = Config(
        retries={"total_max_attempts": 1}, inject_host_prefix=False, s3={"addressing_style": "path"}, read_timeout=900
    )
    with MAKING_CLIENTS:
        return own_session().client(service, endpoint_url=url, config=config)
