"""Integrations: a request's template, the service called as the document's role, the template of its answer."""

from __future__ import annotations

import functools
import io
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from local.actions import service_model
from local.engines import jackson, velocity
from local.services.apigateway_access import DeniedError
from local.services.apigateway_document import Integration
from local.services.apigateway_request import Request
from local.services.iam_services import RoleNotAssumedError

if TYPE_CHECKING:
    from local.endpoint import Endpoint

KEPT_SECONDS = 1800.0
JSON = "application/json"


@dataclass(frozen=True)
class Answer:
    """What goes back to the client."""

    status: int
    headers: dict[str, str]
    body: bytes


class Services:
    """Calls an action of a JSON service through this endpoint, so that the call is recorded with its role."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._kept: dict[str, tuple[float, tuple[str, str]]] = {}

    def call(self, integration: Integration, body: bytes) -> tuple[int, bytes]:
        target, version = target_of(integration.service, integration.action)
        key, token = self._credentials(integration.role)
        scope = f"{time.strftime('%Y%m%d')}/{integration.region}/{integration.service}/aws4_request"
        told: list[int] = []
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/",
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self._endpoint.port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": f"application/x-amz-json-{version}",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_HOST": f"{integration.service}.{integration.region}.amazonaws.com",
            "HTTP_X_AMZ_TARGET": target,
            "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders=host, Signature=0",
            "HTTP_X_AMZ_SECURITY_TOKEN": token,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        answer = b"".join(self._endpoint.calls(environ, lambda line, *_: told.append(int(line[:3]))))
        return told[0], answer

    def _credentials(self, role: str) -> tuple[str, str]:
        """An access key of the role and its token; none can be had of a role that is not deployed."""
        made, kept = self._kept.get(role, (0.0, ("", "")))
        if not kept[0] or time.monotonic() - made > KEPT_SECONDS:
            try:
                given = self._endpoint.credentials_for(role, "api-gateway", "apigateway")
            except RoleNotAssumedError as error:
                raise DeniedError("API_CONFIGURATION_ERROR", 500, "Internal server error") from error
            kept = given["AWS_ACCESS_KEY_ID"], given["AWS_SESSION_TOKEN"]
            self._kept[role] = (time.monotonic(), kept)
        return kept


@functools.cache
def target_of(service: str, action: str) -> tuple[str, str]:
    metadata = service_model(service).metadata
    if "targetPrefix" not in metadata:
        raise NotImplementedError(f"API Gateway: an integration with service {service}, whose protocol is not JSON")
    return f"{metadata['targetPrefix']}.{action}", metadata["jsonVersion"]


def request_body(integration: Integration, request: Request, path: Mapping[str, str]) -> bytes:
    template = integration.templates.get(request.content_type)
    if template is None:
        raise DeniedError("UNSUPPORTED_MEDIA_TYPE", 415, "Unsupported Media Type")
    try:
        payload = velocity.Input(request.body or "{}", request.value, request.params(path))
        return jackson.utf_8(velocity.render(template, payload, request.context, {}))
    except jackson.JsonError as error:
        message = f"Could not parse request body into json: {error}"
        raise DeniedError("BAD_REQUEST_BODY", 400, message) from error


def answer(integration: Integration, request: Request, path: Mapping[str, str], status: int, said: bytes) -> Answer:
    """The service's answer by the response whose pattern fits its status, through that one's template."""
    response = integration.response(status)
    if response is None:
        raise DeniedError("API_CONFIGURATION_ERROR", 500, "Internal server error")
    text = said.decode("utf-8", "replace")
    templates = response.get("responseTemplates") or {}
    accepted = request.headers.get("Accept", JSON).partition(",")[0].strip()
    template = templates.get(accepted) or templates.get(JSON) or next(iter(templates.values()), None)
    if template is not None:
        payload = velocity.Input(text, jackson.read(text or "{}"), request.params(path))
        text = velocity.render(template, payload, request.context, {})
    mapped = mapped_headers(response.get("responseParameters") or {}, "method.response.header.")
    headers = {"Content-Type": JSON, **mapped, **request.override["header"]}
    code = request.override.get("status", response["statusCode"])
    return Answer(int(code), {name: str(value) for name, value in headers.items()}, jackson.utf_8(text))


def mapped_headers(parameters: Mapping[str, Any], prefix: str) -> dict[str, str]:
    """Header mappings of a static value, which stands in single quotes."""
    return {name.removeprefix(prefix): str(value).strip("'") for name, value in parameters.items()}
