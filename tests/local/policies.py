"""What a role's policies say, and which permission a recorded call needs."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

PERMISSIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:CopyObject": "s3:PutObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:UploadPart": "s3:PutObject",
}


def statements(iam: Any, role: str) -> Iterator[dict[str, Any]]:
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        yield from (each for each in document["Statement"] if each["Effect"] == "Allow")


def needed(call: dict[str, str]) -> tuple[str, str]:
    """The permission that a call needs; on which resource only for S3, whose recorded resources are whole."""
    action = PERMISSIONS.get(call["action"], call["action"])
    if not action.startswith("s3:"):
        return action, ""
    bucket, _, key = call["resource"].partition("/")
    whole = action != "s3:ListBucket" and call["action"] != "s3:DeleteObjects" and key
    return action, f"arn:aws:s3:::{bucket}/{key}" if whole else f"arn:aws:s3:::{bucket}"


def allows(statement: dict[str, Any], action: str, resource: str) -> bool:
    actions, resources = _listed(statement["Action"]), _listed(statement["Resource"])
    if not any(fnmatchcase(action, each) for each in actions):
        return False
    return not resource or any(fnmatchcase(resource, each) or each.startswith(f"{resource}/") for each in resources)


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
