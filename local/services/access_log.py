"""Who read what of the governed tables, or was refused: data events in CloudTrail's shape, a JSON line each."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from local.actions import SCOPE
from local.own_calls import OWN_REGION

if TYPE_CHECKING:
    from local.endpoint import Endpoint

NAME = "access.jsonl"
WRITES = ("PutObject", "DeleteObject", "DeleteObjects")
FIDELITY = (
    ("CloudTrail", "data events of governed tables and places: access.jsonl in the state folder", "ours", "simulated"),
    ("CloudTrail", "trails, their settings and selectors; no trail writes files to its bucket", "moto", "simulated"),
)
_LOCK = threading.Lock()
_FILE: list[Path] = []


OBJECTS = {"GET": "GetObject", "HEAD": "HeadObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
LISTINGS = {"GET": "ListObjects", "POST": "DeleteObjects"}
DENIED = 403


def install(endpoint: Endpoint, governed: Callable[[str], bool], principal_of_key: Callable[[str], str | None]) -> None:
    """Log the calls to places that are governed, too."""
    _FILE[:] = [endpoint.state / NAME]

    def wrap(application: Callable[..., Any]) -> Callable[..., Any]:
        def logged(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
            path = environ["PATH_INFO"].lstrip("/")
            asked = f"{environ.get('HTTP_AUTHORIZATION', '')} {unquote(environ.get('QUERY_STRING', ''))}"
            signed = SCOPE.search(asked)
            if signed is None or signed[2] != "s3" or not governed(f"s3://{path}"):
                return application(environ, start_response)
            principal = principal_of_key(signed[1])
            if principal is None:
                return application(environ, start_response)

            def start(line: str, *rest: Any) -> Any:
                _object(principal, environ["REQUEST_METHOD"], path, int(line[:3]))
                return start_response(line, *rest)

            return application(environ, start)

        return logged

    endpoint.middleware.append(wrap)


def _object(principal: str, method: str, path: str, status: int) -> None:
    bucket, _, key = path.partition("/")
    event = (OBJECTS if key else LISTINGS).get(method)
    if event is not None:
        failure = ("AccessDenied", "Access Denied") if status == DENIED else None
        write(principal, "s3", event, {"bucketName": bucket, **({"key": key} if key else {})}, failure)


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
        "readOnly": event not in WRITES,
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
    """What a query has touched; of one that failed, the kind of error, since its words may hold values."""
    reason = reason.partition(":")[0]
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
