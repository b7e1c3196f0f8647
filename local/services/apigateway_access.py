"""Who may call an API and how often: SigV4 signatures, API keys of usage plans, token buckets."""

from __future__ import annotations

import calendar
import hashlib
import hmac
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.own_calls import PERSON_KEY, PERSON_SECRET
from local.services.apigateway_request import Request

SIGNED = re.compile(
    r"AWS4-HMAC-SHA256\s+Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request,\s*SignedHeaders=([^,]+),\s*Signature=(\w+)"
)
SKEW_SECONDS = 300


class DeniedError(Exception):
    """A request is refused, with the type of gateway response and its message."""

    def __init__(self, kind: str, status: int, message: str) -> None:
        super().__init__(message)
        self.kind, self.status, self.message = kind, status, message


class Bucket:
    """Tokens that come back at a rate, up to a burst."""

    def __init__(self, rate: float, burst: int) -> None:
        self.limits = (rate, burst)
        self._tokens = float(burst)
        self._at = time.monotonic()
        self._lock = threading.Lock()

    def take(self) -> bool:
        rate, burst = self.limits
        with self._lock:
            now = time.monotonic()
            self._tokens = min(float(burst), self._tokens + (now - self._at) * rate)
            self._at = now
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True


class Buckets:
    """One bucket for each thing that is limited; new limits begin with a full one."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, ...], Bucket] = {}

    def take(self, of: tuple[str, ...], limits: tuple[float, int]) -> None:
        bucket = self._kept.get(of)
        if bucket is None or bucket.limits != limits:
            bucket = self._kept[of] = Bucket(*limits)
        if not bucket.take():
            raise DeniedError("THROTTLED", 429, "Too Many Requests")


@dataclass(frozen=True)
class Caller:
    """Credentials that this account gave out."""

    secret: str
    token: str
    arn: str


class Callers:
    """The access keys of roles, users and the person at the laptop."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._known: dict[str, Caller] = {}

    def find(self, key: str) -> Caller | None:
        if key not in self._known:
            self._known = dict(self._all())
        return self._known.get(key)

    def _all(self) -> Iterator[tuple[str, Caller]]:
        from moto.iam.models import iam_backends
        from moto.sts.models import sts_backends

        root = f"arn:aws:iam::{self._account}:root"
        yield PERSON_KEY, Caller(PERSON_SECRET, "", root)
        for role in sts_backends[self._account]["aws"].assumed_roles:
            name = f"{role.role_arn.rpartition('/')[2]}/{role.session_name}"
            arn = f"arn:aws:sts::{self._account}:assumed-role/{name}"
            yield role.access_key_id, Caller(role.secret_access_key, role.session_token, arn)
        for user in iam_backends[self._account]["aws"].users.values():
            for key in user.access_keys:
                yield key.access_key_id, Caller(key.secret_access_key, "", user.arn)


def check_signature(request: Request, callers: Callers) -> None:
    """IAM: the signature is that of credentials of this account, over this very request, now."""
    said = request.headers.get("Authorization", "")
    if not said:
        raise DeniedError("MISSING_AUTHENTICATION_TOKEN", 403, "Missing Authentication Token")
    found = SIGNED.fullmatch(said.strip())
    date = request.headers.get("X-Amz-Date", "")
    if found is None or not date.startswith(found[2]):
        message = "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' of AWS4-HMAC-SHA256."
        raise DeniedError("INVALID_SIGNATURE", 403, message)
    caller = callers.find(found[1])
    if caller is None or caller.token != request.headers.get("X-Amz-Security-Token", ""):
        raise DeniedError("INVALID_SIGNATURE", 403, "The security token included in the request is invalid.")
    if abs(seconds(date) - time.time()) > SKEW_SECONDS:
        raise DeniedError("INVALID_SIGNATURE", 403, f"Signature expired or not yet current: {date}")
    if not hmac.compare_digest(signature(request, caller, found), found[6]) or other_body(request):
        message = "The request signature we calculated does not match the signature you provided."
        raise DeniedError("INVALID_SIGNATURE", 403, message)
    request.identity.update(caller=found[1], userArn=caller.arn, accessKey=found[1])


def other_body(request: Request) -> bool:
    """Whether a hash that was signed is another body's."""
    said = request.headers.get("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
    return said not in ("UNSIGNED-PAYLOAD", hashlib.sha256(request.raw).hexdigest())


def seconds(date: str) -> float:
    try:
        return float(calendar.timegm(time.strptime(date, "%Y%m%dT%H%M%SZ")))
    except ValueError:
        return 0.0


def signature(request: Request, caller: Caller, said: re.Match[str]) -> str:
    environ = request.environ
    path = environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ["PATH_INFO"]
    query = environ.get("QUERY_STRING", "")
    url = f"http://{environ['HTTP_HOST']}{path.partition('?')[0]}" + (f"?{query}" if query else "")
    names = said[5].split(";")
    headers = {name: request.headers.get(name.title(), "") for name in names}
    signed = AWSRequest(method=request.method, url=url, data=request.raw, headers=headers)
    signed.context["timestamp"] = request.headers["X-Amz-Date"]
    auth = SigV4Auth(Credentials(said[1], caller.secret), said[4], said[3])
    return str(auth.signature(auth.string_to_sign(signed, auth.canonical_request(signed)), signed))


class Keys:
    """API keys, by the usage plans that hold the stage."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def plan(self, request: Request) -> tuple[str, Mapping[str, Any]]:
        """The key's id and its plan; without both the request is refused."""
        value = request.headers.get("X-Api-Key", "")
        stage = (request.api, request.stage)
        for plan in list(self._backend.usage_plans.values()):
            if stage not in ((each["apiId"], each["stage"]) for each in plan.api_stages):
                continue
            for key in list(self._backend.usage_plan_keys.get(plan.id, {})):
                kept = self._backend.keys.get(key)
                if kept and kept.enabled and value and hmac.compare_digest(kept.value.encode(), value.encode()):
                    request.identity.update(apiKeyId=key)
                    return key, {"id": plan.id, **plan.throttle}
        raise DeniedError("INVALID_API_KEY", 403, "Forbidden")
