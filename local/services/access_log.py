"""Who read what of the governed tables, or was refused: data events in CloudTrail's shape, a JSON line each."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.own_calls import OWN_REGION

if TYPE_CHECKING:
    from local.endpoint import Endpoint

NAME = "access.jsonl"
FIDELITY = (
    ("CloudTrail", "data events of governed tables and places: access.jsonl in the state folder", "ours", "simulated"),
)
_LOCK = threading.Lock()
_FILE: list[Path] = []


def install(endpoint: Endpoint) -> None:
    _FILE[:] = [endpoint.state / NAME]


def write(
    principal: str, service: str, event: str, told: Mapping[str, Any], failure: tuple[str, str] | None = None
) -> None:
    """One line; `failure` is the error's code and words."""
    account, name = principal.split(":")[4], principal.rpartition("/")[2]
    kind = "AssumedRole" if ":role/" in principal else "IAMUser"
    line: dict[str, Any] = {
        "eventVersion": "1.09",
        "userIdentity": {"type": kind, "arn": principal, "accountId": account,
                         "sessionContext": {"sessionIssuer": {"type": "Role", "arn": principal, "userName": name}}},
        "eventTime": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "eventSource": f"{service}.amazonaws.com",
        "eventName": event,
        "awsRegion": OWN_REGION,
        "requestParameters": dict(told),
        "readOnly": True,
        "eventID": str(uuid.uuid4()),
        "eventType": "AwsApiCall",
        "eventCategory": "Data",
        "recipientAccountId": account,
    }  # fmt: skip
    if failure:
        line["errorCode"], line["errorMessage"] = failure
    with _LOCK:
        for path in _FILE:
            with path.open("a") as file:
                file.write(json.dumps(line) + "\n")


def table_arn(principal: str, database: str, table: str) -> str:
    return f"arn:aws:glue:{OWN_REGION}:{principal.split(':')[4]}:table/{database}/{table}"


def refused(principal: str, database: str, table: str, needed: str) -> None:
    text = f"Insufficient Lake Formation permission(s): Required {needed.title()} on {table}"
    told = {"tableArn": table_arn(principal, database, table), "permissions": [needed]}
    write(principal, "lakeformation", "GetDataAccess", told, ("AccessDeniedException", text))


def read(principal: str, query: str, accessed: Sequence[Mapping[str, Any]], reason: str) -> None:
    """What a query has touched; of one that failed, why."""
    for each in accessed:
        told = {
            "tableArn": table_arn(principal, each["database"], each["table"]),
            "permissions": ["SELECT"],
            "columns": each["columns"],
            "rowFilter": each["filtered"],
            "auditContext": {"additionalAuditContext": f"queryId={query}"},
        }
        write(principal, "lakeformation", "GetDataAccess", told, ("QueryFailed", reason) if reason else None)
    if reason and not accessed:
        told = {"auditContext": {"additionalAuditContext": f"queryId={query}"}}
        write(principal, "athena", "StartQueryExecution", told, ("QueryFailed", reason))
