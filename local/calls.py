"""Every call to the endpoint, kept as it came and worked out when read: who called what, on what, with which answer."""

from __future__ import annotations

import io
import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from local.actions import Raw, action_of, credentials_of, names_in, resource_of
from local.own_calls import OWN_KEY

if TYPE_CHECKING:
    from local.endpoint import Endpoint

KEPT = 200_000
LARGEST_BODY = 1_000_000  # a larger one is an object or a package, and its path says what it is
READABLE = ("application/x-amz-json", "application/x-www-form-urlencoded", "application/json")


@dataclass(frozen=True)
class Call:
    """One call: `role` is a deployed role's name, `user` for people, `endpoint` for the endpoint's own."""

    at: float
    seconds: float
    role: str
    session: str
    action: str
    resource: str
    status: int


class Calls:
    """WSGI middleware that records, and answers `/_headwater/`: `endpoint.calls.of(role="headwater-local-refine")`."""

    def __init__(self, application: Callable[..., Iterable[bytes]], endpoint: Endpoint) -> None:
        self._application = application
        self._endpoint = endpoint
        self._raw: deque[Raw] = deque(maxlen=KEPT)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/_headwater/"):
            return self._answer(environ, start_response)
        began, status = time.time(), [500]

        def start(line: str, *rest: Any) -> Any:
            status[0] = int(line[:3])
            return start_response(line, *rest)

        names = environ["headwater.names"] = self._names(environ)
        try:
            return self._application(environ, start)
        finally:
            self._raw.append(
                Raw(
                    began,
                    time.time() - began,
                    environ["REQUEST_METHOD"],
                    environ["PATH_INFO"],
                    environ.get("QUERY_STRING", ""),
                    environ.get("HTTP_AUTHORIZATION", ""),
                    environ.get("HTTP_X_AMZ_TARGET", ""),
                    "HTTP_X_AMZ_COPY_SOURCE" in environ,
                    names,
                    status[0],
                )
            )

    def of(self, *, role: str | None = None, action: str | None = None) -> list[Call]:
        """The calls of a role and of an action, oldest first; without either, all."""
        return [call for call in self._worked_out(role) if action is None or call.action == action]

    def __iter__(self) -> Iterator[Call]:
        return self._worked_out(None)

    def _worked_out(self, asked: str | None) -> Iterator[Call]:
        principals = self._principals()
        for raw in list(self._raw):
            key, service = credentials_of(raw)
            role, session = principals.get(key, ("user", ""))
            if asked not in (None, role):
                continue
            yield Call(
                raw.at, raw.seconds, role, session, action_of(raw, service), resource_of(raw, service), raw.status
            )

    def _principals(self) -> dict[str, tuple[str, str]]:
        from moto.sts.models import sts_backends

        roles = list(sts_backends[self._endpoint.account]["aws"].assumed_roles)
        issued = {role.access_key_id: (role.role_arn.rpartition("/")[2], role.session_name) for role in roles}
        return {OWN_KEY: ("endpoint", ""), **issued}

    @staticmethod
    def _names(environ: dict[str, Any]) -> tuple[tuple[bytes, bytes], ...]:
        kind = environ.get("CONTENT_TYPE", "")
        length = environ.get("CONTENT_LENGTH") or ""
        if not kind.startswith(READABLE) or not length.isdigit() or int(length) > LARGEST_BODY:
            return ()
        body = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = io.BytesIO(body)
        return names_in(body, form=kind.startswith("application/x-www-form-urlencoded"))

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        asked = {name: values[-1] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
        status = "200 OK"
        found: dict[str, Any]
        match environ["PATH_INFO"]:
            case "/_headwater/health":
                found = {"status": "ready", "url": self._endpoint.url}
            case "/_headwater/calls":
                calls = self.of(role=asked.get("role"), action=asked.get("action"))
                found = {"calls": [asdict(call) for call in calls[-int(asked.get("limit", KEPT)) :]]}
            case "/_headwater/clock":
                self._endpoint.clock.advance(seconds=float(asked.get("advance", "0")))
                found = {"now": self._endpoint.clock.now().isoformat()}
            case path if page := self._endpoint.pages.get(path.rpartition("/")[2]):
                found = page(asked)
            case path:
                status = "404 Not Found"
                found = {"error": f"The path '{path}': expected /_headwater/health, calls or clock."}
        body = json.dumps(found).encode()
        start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]
