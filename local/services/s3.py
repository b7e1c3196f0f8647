"""S3: moto takes a Deny whose condition is not met for a denial, so it is not asked, since `iam` has decided; it wants
the policy of a log bucket before any bucket may log there, then writes an object for each call (a Spark job makes
tens of thousands); and it spools large objects to the system's temporary folder. Hadoop's S3A will not copy an object
that names its KMS key over plain HTTP, which is all a loopback needs, so it is not told the key.
"""

from __future__ import annotations

import shutil
import tempfile
from typing import TYPE_CHECKING, Any

from moto.iam.access_control import PermissionResult

from local.services.s3_reads import Reads
from local.services.seams import patch

if TYPE_CHECKING:
    from local.endpoint import Endpoint

FIDELITY = (
    ("S3", "objects, versions, multipart uploads, listings, tags", "moto", "real"),
    ("S3", "a missing key: 404 for who may list the bucket without a condition, else 403", "ours", "real"),
    ("S3", "bucket policies, the demand for TLS taken as met: the loopback stands for it", "ours", "simulated"),
    ("S3", "lifecycle, encryption, access blocks, ownership, logging", "kept, without effect", "simulated"),
    (
        "S3",
        "objects live as long as the endpoint: in memory up to 5 MiB, in files above it",
        "moto",
        "simulated",
    ),
)


def install(endpoint: Endpoint) -> None:
    patch("moto.s3.models:FakeBucket.get_permission", lambda *_: PermissionResult.NEUTRAL)
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
