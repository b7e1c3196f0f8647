"""S3: moto takes a Deny whose condition is not met for a denial, so a bucket that asks for TLS refuses every call; it
wants the policy of a log bucket before any bucket may log there, then writes an object for each call (a Spark job makes
tens of thousands); and it spools large objects to the system's temporary folder. Hadoop's S3A will not copy an object
that names its KMS key over plain HTTP, which is all a loopback needs, so it is not told the key.
"""

from __future__ import annotations

import functools
import json
import shutil
import tempfile
from typing import TYPE_CHECKING, Any

from flask import has_request_context, request
from moto.iam.access_control import IAMPolicy, PermissionResult

from local.services.s3_reads import Reads
from local.services.seams import patch

if TYPE_CHECKING:
    from local.endpoint import Endpoint

FIDELITY = (
    ("S3", "objects, versions, multipart uploads, listings, tags", "moto", "real"),
    ("S3", "bucket policies, the demand for TLS taken as met: the loopback stands for it", "moto", "simulated"),
    ("S3", "lifecycle, encryption, access blocks, ownership, logging", "kept, without effect", "simulated"),
    (
        "S3",
        "objects live as long as the endpoint: in memory up to 5 MiB, in files above it",
        "moto",
        "simulated",
    ),
)
ENCRYPTION = "s3:x-amz-server-side-encryption"
KEPT_POLICIES = 256


def install(endpoint: Endpoint) -> None:
    patch("moto.s3.models:FakeBucket.get_permission", get_permission)
    patch("moto.s3.models:FakeBucket._log_permissions_enabled_policy", staticmethod(lambda **_: True))
    patch("moto.s3.models:S3Backend.log_incoming_request", lambda *_: None)
    endpoint.middleware += [Reads(endpoint.account).before, without_key]
    spool = endpoint.state / "spool"
    shutil.rmtree(spool, ignore_errors=True)  # what a killed endpoint left
    spool.mkdir(parents=True)
    patch("moto.s3.models:tempfile", Spool(str(spool)))
    endpoint.on_stop(lambda: shutil.rmtree(spool, ignore_errors=True))


KEY = "x-amz-server-side-encryption-aws-kms-key-id"


def without_key(application: Any) -> Any:
    """Leaves the KMS key out of what S3A is told of an object."""

    def answer(environ: dict[str, Any], start_response: Any) -> Any:
        if not environ.get("HTTP_USER_AGENT", "").startswith("Hadoop"):
            return application(environ, start_response)

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            return start_response(status, [each for each in headers if each[0].lower() != KEY], *more)

        return application(environ, start)

    return answer


class Spool:
    """What moto.s3 uses of the module tempfile, in a folder of our own."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def SpooledTemporaryFile(self, max_size: int = 0) -> Any:
        return tempfile.SpooledTemporaryFile(max_size, dir=self.folder)


def get_permission(bucket: Any, action: str, resource: str) -> Any:
    """moto's answer to a policy, with the statements left out whose conditions this call does not meet."""
    if bucket.policy is None:
        return PermissionResult.NEUTRAL
    policy = policy_of(bucket.policy)
    kept = [each for each in policy["Statement"] if not encrypted_as_asked(each)]
    if not kept:
        return PermissionResult.NEUTRAL
    return IAMPolicy(json.dumps({**policy, "Statement": kept})).is_action_permitted(action, resource)


@functools.lru_cache(KEPT_POLICIES)
def policy_of(text: str | bytes) -> dict[str, Any]:
    """A bucket's policy without its demand for TLS."""
    policy: dict[str, Any] = json.loads(text)
    return {**policy, "Statement": [each for each in policy["Statement"] if not asks_for_tls(each)]}


def asks_for_tls(statement: dict[str, Any]) -> bool:
    condition = statement.get("Condition") or {}
    transport = "aws:SecureTransport" in condition.get("Bool", {})
    version = "s3:TlsVersion" in condition.get("NumericLessThan", {})
    return statement["Effect"] == "Deny" and len(condition) == 1 and (transport or version)


def encrypted_as_asked(statement: dict[str, Any]) -> bool:
    """Whether the statement refuses what asks for another encryption than its own, and this call does not."""
    condition = statement.get("Condition") or {}
    wanted = condition.get("StringNotEquals", {}).get(ENCRYPTION)
    if statement["Effect"] != "Deny" or wanted is None or condition.get("Null") != {ENCRYPTION: "false"}:
        return False
    if not has_request_context():
        return True  # a read, which asks for none
    return bool(request.headers.get(ENCRYPTION.removeprefix("s3:"), wanted) == wanted)
