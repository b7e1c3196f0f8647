"""Where a query's result goes, and how it is encrypted: by the request, its workgroup, or managed by Athena."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.s3.models import s3_backends

from local.services import athena_managed

NO_LOCATION = (
    "No output location provided. An output location is required either through the Workgroup result configuration "
    "setting or as an API input."
)


def invalid(message: str) -> JsonRESTError:
    return JsonRESTError("InvalidRequestException", message)


def result_configuration(workgroup: Any, asked: dict[str, Any], state: Path) -> dict[str, Any]:
    """Where the result goes: the request's place, unless there is none or the workgroup's is enforced."""
    if athena_managed.wanted(workgroup):
        if asked:
            raise invalid(athena_managed.BOTH)
        return {"OutputLocation": athena_managed.location(state)}
    own = (workgroup.configuration or {}).get("ResultConfiguration") or {}
    enforced = workgroup.configuration.get("EnforceWorkGroupConfiguration", False)
    config = dict(own) if enforced or not asked.get("OutputLocation") else dict(asked)
    location = config.get("OutputLocation", "")
    if not location.startswith("s3://"):
        raise invalid(f"outputLocation is not a valid S3 path: '{location}'" if location else NO_LOCATION)
    bucket = location.removeprefix("s3://").partition("/")[0]
    if not any(bucket in account["aws"].buckets for account in s3_backends.values()):
        raise invalid(f"Unable to verify/create output bucket {bucket}")
    return config


def encryption(asked: dict[str, str]) -> dict[str, str]:
    match asked.get("EncryptionOption"):
        case None:
            return {}
        case "SSE_S3":
            return {"ServerSideEncryption": "AES256"}
        case "SSE_KMS":
            return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": asked["KmsKey"]}
        case option:
            raise invalid(f"The encryption option '{option}': the laptop has SSE_S3 and SSE_KMS.")
