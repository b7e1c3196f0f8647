"""Requests that can be read in two ways: what is decided on must be what the service answers, so they are refused."""

from __future__ import annotations

import functools
import re
from collections import Counter
from urllib.parse import parse_qsl

from local.actions import SCOPE, service_model
from local.services.iam_request import HOSTED, Asked, UnclearError

OWN_HOST = re.compile(r"(127\.0\.0\.1|localhost|s3(\.[a-z0-9-]+)?\.amazonaws\.com)?(:\d+)?")
LISTS = {"tagKeys"}  # names that REST services repeat for a list


def check(asked: Asked) -> None:
    """An UnclearError where a service could take the request for another than the one that is decided on."""
    check_signature(asked)
    host = asked.header("host")
    if asked.service == "s3" and not OWN_HOST.fullmatch(host) and not HOSTED.fullmatch(host):
        raise UnclearError("A host that is none of S3's, which may stand for a bucket")
    if asked.is_form and asked.raw.target:
        raise UnclearError("A body that can be read as a form and as JSON")
    if any(count > 1 and name not in LISTS for name, count in Counter(said(asked)).items()):
        raise UnclearError("A parameter that is there twice")
    known = parameters(asked.service, asked.action) if asked.raw.target else None
    if known is not None and (more := asked.params.keys() - known):
        raise UnclearError(f"The parameter {min(more)}, which {asked.action} does not have")


def check_signature(asked: Asked) -> None:
    """moto reads the service from the signature in its own way."""
    told = asked.raw.authorization
    scope = told.partition(",")[0].split()[1:]
    if told.count("Credential=") > 1 or ("Credential=" in told and not (scope and SCOPE.fullmatch(scope[0]))):
        raise UnclearError("A signature that can be read in two ways")
    if not told and asked.service != "s3":
        raise UnclearError("A signature in the URL for another service than S3")


def said(asked: Asked) -> list[str]:
    """The names of a query's parameters and of a form's: services take the first of two, or the last."""
    body = asked.body.decode(errors="replace") if asked.is_form and asked.service != "s3" else ""
    return [name for text in (asked.raw.query, body) for name, _ in parse_qsl(text, keep_blank_values=True)]


@functools.cache
def parameters(service: str, action: str) -> frozenset[str] | None:
    """Those of an operation: another could name what is decided on in the place of what is answered."""
    from botocore.exceptions import UnknownServiceError
    from botocore.model import OperationNotFoundError

    try:
        shape = service_model(service).operation_model(action).input_shape
    except (UnknownServiceError, OperationNotFoundError):
        return None
    return frozenset(shape.members) if shape is not None else frozenset()
