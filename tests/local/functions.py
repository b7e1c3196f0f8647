"""Roles and functions for the tests of Lambda and of what calls it."""

from __future__ import annotations

import io
import json
import time
import uuid
import zipfile
from collections.abc import Callable
from typing import Any

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {
                "Service": ["lambda.amazonaws.com", "states.amazonaws.com", "glue.amazonaws.com",
                            "scheduler.amazonaws.com", "events.amazonaws.com"]
            },
        }
    ],
}  # fmt: skip
PATIENCE = 60.0  # for what comes for sure, however busy the machine is


def unique(noun: str) -> str:
    return f"{noun}-{uuid.uuid4().hex[:8]}"


def make_role(endpoint: Any, noun: str) -> str:
    """A role that may do everything; its name says what it is for."""
    iam, name = endpoint.client("iam"), unique(noun)
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=json.dumps(allow))
    return arn


def package(code: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("handler.py", code)
    return packed.getvalue()


def make_function(endpoint: Any, code: str, **settings: Any) -> str:
    """A deployed function of the code, whose handler is `handle`; its name."""
    name = unique("function")
    role = settings.pop("Role", None) or make_role(endpoint, "function-role")
    endpoint.client("lambda").create_function(
        FunctionName=name,
        Role=role,
        Code={"ZipFile": package(code)},
        **{"Runtime": "python3.11", "Handler": "handler.handle", "Timeout": 10, **settings},
    )
    return name


def until(condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """What the condition answers as soon as that is true."""
    limit = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < limit, "It did not happen in time."
        time.sleep(0.03)
    return found
