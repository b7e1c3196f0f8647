"""What the endpoint cannot do, said as AWS says an error, in the protocol of the service, with the action's name."""

from __future__ import annotations

import functools
import json
import traceback
from collections.abc import Callable, Iterable
from typing import Any
from xml.sax.saxutils import escape

from local.actions import Raw, action_of, credentials_of, service_model

REFUSED = "NotImplementedException"
FAILED = "InternalFailure"
STATUS = {REFUSED: "501 Not Implemented", FAILED: "500 Internal Server Error"}
ADVICE = "The laptop's endpoint does not do it; docs/fidelity.md says what it does."


class Refusals:
    """WSGI middleware: an action that nothing answers is refused by name, and a fault of ours is told in one line."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        started: list[Any] = []

        def start(*arguments: Any) -> None:
            started[:] = arguments

        try:
            answer = list(self._application(environ, start))
        except NotImplementedError as error:
            return refuse(environ, start_response, REFUSED, f"{error}. {ADVICE}")
        except Exception as error:  # moto's own fault or ours: never HTML, never a dropped connection
            traceback.print_exc()
            return refuse(environ, start_response, FAILED, f"{type(error).__name__}: {error}")
        if nobody_answered(started[0], answer):
            return refuse(environ, start_response, REFUSED, ADVICE)
        start_response(*started)
        return answer


def nobody_answered(status: str, answer: list[bytes]) -> bool:
    """Flask's own page for a path that no service of moto takes."""
    return status.startswith("404") and bool(answer) and b"The requested URL was not found on the server" in answer[0]


def refuse(environ: dict[str, Any], start_response: Callable[..., Any], code: str, reason: str) -> Iterable[bytes]:
    raw = raw_of(environ)
    _, service = credentials_of(raw)
    headers, body = said_as(protocol(service, environ), code, f"{action_of(raw, service)}: {reason}")
    start_response(STATUS[code], [*headers, ("Content-Length", str(len(body))), ("x-amzn-errortype", code)])
    return [body]


def raw_of(environ: dict[str, Any]) -> Raw:
    return Raw(
        0.0,
        0.0,
        environ["REQUEST_METHOD"],
        environ["PATH_INFO"],
        environ.get("QUERY_STRING", ""),
        environ.get("HTTP_AUTHORIZATION", ""),
        environ.get("HTTP_X_AMZ_TARGET", ""),
        "HTTP_X_AMZ_COPY_SOURCE" in environ,
        environ.get("headwater.names", ()),
        0,
    )


def protocol(service: str, environ: dict[str, Any]) -> str:
    if environ.get("HTTP_SMITHY_PROTOCOL") == "rpc-v2-cbor":
        return "cbor"
    return "json" if environ.get("HTTP_X_AMZ_TARGET") else model_protocol(service)


@functools.cache
def model_protocol(service: str) -> str:
    from botocore.exceptions import UnknownServiceError

    try:
        return str(service_model(service).metadata["protocol"])
    except UnknownServiceError:
        return "json"


def said_as(protocol: str, code: str, message: str) -> tuple[list[tuple[str, str]], bytes]:
    error = {"__type": code, "message": message}
    match protocol:
        case "cbor":
            texts = [cbor_text(text) for pair in error.items() for text in pair]
            return [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")], b"\xa2" + b"".join(texts)
        case "query" | "ec2" | "rest-xml":
            inner = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
            outer = inner if protocol == "rest-xml" else f"<ErrorResponse>{inner}</ErrorResponse>"
            return [("Content-Type", "text/xml")], outer.encode()
        case _:
            return [("Content-Type", "application/json")], json.dumps(error).encode()


def cbor_text(text: str) -> bytes:
    """A text of CBOR: its head says that it is text and that two bytes of length follow."""
    encoded = text.encode()[:65535]
    return b"\x79" + len(encoded).to_bytes(2, "big") + encoded
