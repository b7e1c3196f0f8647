"""Who read or wrote what, or was refused: data events in CloudTrail's shape, a JSON line each."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.own_calls import OWN_KEY, OWN_REGION, PERSON_KEY
from local.services import access_events
from local.services.iam_callers import Callers
from local.services.iam_request import Asked

if TYPE_CHECKING:
    from local.endpoint import Endpoint

NAME = "access.jsonl"
FIDELITY = (
    ("CloudTrail", "data events of S3 that a trail selects, in access.jsonl of the state folder", "ours", "simulated"),
    ("CloudTrail", "what Lake Formation let a query read, in the same file", "ours", "simulated"),
    ("CloudTrail", "trails, their settings and selectors; no trail writes files to its bucket", "moto", "simulated"),
)
FAILURES = {403: ("AccessDenied", "Access Denied"), 404: ("NoSuchKey", "The specified key does not exist.")}
_LOCK = threading.Lock()
_LOGS: list[AccessLog] = []


class AccessLog:
    """The endpoint's one log: `AccessLog(path, account, callers).write(key, "s3", "GetObject", {…})`."""

    def __init__(self, path: Path, account: str, callers: Callers) -> None:
        self._path, self.account, self._callers = path, account, callers

    def write(
        self, key: str, service: str, event: str, told: Mapping[str, Any], failure: tuple[str, str] | None = None,
        *, reads: bool = True,
    ) -> None:  # fmt: skip
        """One line, of who called with the access key; `failure` is the error's code and words."""
        line: dict[str, Any] = {
            "eventVersion": "1.09",
            "userIdentity": self.identity(key),
            "eventTime": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "eventSource": f"{service}.amazonaws.com",
            "eventName": event,
            "awsRegion": OWN_REGION,
            "requestParameters": dict(told),
            "readOnly": reads,
            "eventID": str(uuid.uuid4()),
            "eventType": "AwsApiCall",
            "eventCategory": "Data",
            "recipientAccountId": self.account,
        }
        if failure:
            line["errorCode"], line["errorMessage"] = failure
        with _LOCK, self._path.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def identity(self, key: str) -> dict[str, Any]:
        """`userIdentity`: of a session the role and the session's own name, which says who has taken it."""
        if not key:
            return {"type": "AWSAccount", "principalId": "", "accountId": "anonymous"}
        known = {"accountId": self.account, "accessKeyId": key}
        if key == PERSON_KEY:
            arn = f"arn:aws:iam::{self.account}:user/{PERSON_KEY}"
            return {"type": "IAMUser", "principalId": PERSON_KEY, "arn": arn, **known, "userName": PERSON_KEY}
        caller = self._callers.find(key)
        if caller is None:
            return {"type": "Unknown", **known}
        arn, principal = caller.principal.arn, str(caller.context["aws:userid"])
        if caller.session is None:
            name = arn.rpartition("/")[2]
            return {"type": "IAMUser", "principalId": principal, "arn": arn, **known, "userName": name}
        issuer = {"type": "Role", "principalId": principal.partition(":")[0], "arn": caller.principal.role,
                  "accountId": self.account, "userName": caller.role}  # fmt: skip
        return {"type": "AssumedRole", "principalId": principal, "arn": arn, **known,
                "sessionContext": {"sessionIssuer": issuer}}  # fmt: skip


def install(endpoint: Endpoint) -> None:
    """Log the requests to S3 that a trail selects, too."""
    log = AccessLog(endpoint.state / NAME, endpoint.account, endpoint.authority.callers)
    _LOGS[:] = [log]

    def wrap(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
        def logged(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            asked = Asked(environ, endpoint.account)
            selectors = access_events.selectors(endpoint.account, endpoint.region)
            if not selectors or asked.service != "s3" or asked.key == OWN_KEY:
                return application(environ, start_response)
            events = [each for each in access_events.of_request(asked) if access_events.kept(each, selectors)]

            def start(line: str, *rest: Any) -> Any:
                for each in events:
                    log.write(asked.key, "s3", each.name, each.told, FAILURES.get(int(line[:3])), reads=each.reads)
                return start_response(line, *rest)

            return application(environ, start if events else start_response)

        return logged

    endpoint.middleware.append(wrap)


def table_arn(log: AccessLog, database: str, table: str) -> str:
    return f"arn:aws:glue:{OWN_REGION}:{log.account}:table/{database}/{table}"


def refused(key: str, database: str, table: str, needed: str) -> None:
    """Lake Formation has nothing on the table for who called with this key."""
    text = f"Insufficient Lake Formation permission(s): Required {needed.title()} on {table}"
    for log in _LOGS:
        told = {"tableArn": table_arn(log, database, table), "permissions": [needed]}
        log.write(key, "lakeformation", "GetDataAccess", told, ("AccessDeniedException", text))


def read(key: str, query: str, accessed: Sequence[Mapping[str, Any]], reason: str) -> None:
    """What a query has touched; of one that failed, the kind of error, since its words may hold values."""
    failure = ("QueryFailed", reason.partition(":")[0]) if reason else None
    asked = {"auditContext": {"additionalAuditContext": f"queryId={query}"}}
    for log in _LOGS:
        for each in accessed:
            told = {"tableArn": table_arn(log, each["database"], each["table"]), "permissions": ["SELECT"],
                    "columns": each["columns"], "rowFilter": each["filtered"], **asked}  # fmt: skip
            log.write(key, "lakeformation", "GetDataAccess", told, failure)
        if failure and not accessed:
            log.write(key, "athena", "StartQueryExecution", asked, failure)
