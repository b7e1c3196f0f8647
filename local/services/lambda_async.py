"""Asynchronous invocations: accepted at once, tried up to three times, then sent to where the function says."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local.engines.workers import Answer
from local.services.lambda_functions import TooManyRequestsError
from local.services.role_clients import RoleClients
from local.services.targets import send_as_role

if TYPE_CHECKING:
    from local.endpoint import Endpoint

LOG = logging.getLogger(__name__)
WAITS = (60.0, 120.0)  # before the second and the third try
THROTTLED_SECONDS = 1.0


@dataclass
class Invocation:
    """One accepted event and how often it was tried."""

    function: Any
    event: Any
    request_id: str
    accepted: datetime
    tries: int = 0
    condition: str = "Success"


class AsyncInvocations:
    """`accept` answers at once; the rest happens in a thread of the endpoint."""

    def __init__(self, endpoint: Endpoint, invoke: Callable[..., Answer]) -> None:
        self._endpoint = endpoint
        self._invoke = invoke
        self._clients = RoleClients(endpoint, "lambda", "lambda-destination")

    def accept(self, function: Any, event: Any) -> None:
        invocation = Invocation(function, event, str(uuid.uuid4()), self._endpoint.clock.now())
        self._endpoint.background(lambda: self._work(invocation), f"event for {function.function_name}")

    def _work(self, invocation: Invocation) -> None:
        settings = self._settings(invocation.function)
        retries = int(settings.get("MaximumRetryAttempts", 2))
        expires = invocation.accepted + timedelta(seconds=int(settings.get("MaximumEventAgeInSeconds", 21600)))
        while True:
            invocation.tries += 1
            answer = self._try(invocation, expires)
            if answer is None:
                return  # the endpoint stops
            if not answer.error:
                break
            if invocation.tries > retries:
                invocation.condition = "RetriesExhausted"
                break
            if not self._endpoint.clock.sleep(WAITS[invocation.tries - 1]):
                return  # the endpoint stops
            if self._endpoint.clock.now() > expires:
                invocation.condition = "EventAgeExceeded"
                break
        self._conclude(invocation, answer, settings.get("DestinationConfig") or {})

    def _try(self, invocation: Invocation, expires: datetime) -> Answer | None:
        """One try; while the function is throttled it waits, and that counts as no try."""
        while True:
            try:
                return self._invoke(invocation.function, invocation.event, invocation.request_id)
            except TooManyRequestsError as error:
                if self._endpoint.clock.now() > expires:
                    told = {"errorType": "Function.Throttled", "errorMessage": str(error)}
                    return Answer(json.dumps(told), error=True)
            if not self._endpoint.clock.sleep(THROTTLED_SECONDS):
                return None

    @staticmethod
    def _settings(function: Any) -> dict[str, Any]:
        settings: dict[str, Any] = function.event_invoke_config[-1].config if function.event_invoke_config else {}
        return settings

    def _conclude(self, invocation: Invocation, answer: Answer, destinations: dict[str, Any]) -> None:
        destination = (destinations.get("OnFailure" if answer.error else "OnSuccess") or {}).get("Destination")
        letters = getattr(invocation.function, "kept_settings", {}).get("DeadLetterConfig", {}).get("TargetArn")
        try:
            if destination:
                body = json.dumps(self._record(invocation, answer))
                send_as_role(self._clients, invocation.function.role, destination, body)
            if answer.error and letters:
                send_as_role(self._clients, invocation.function.role, letters, json.dumps(invocation.event))
        except ClientError as error:
            LOG.warning("The outcome of '%s' is lost: %s", invocation.function.function_name, error)

    def _record(self, invocation: Invocation, answer: Answer) -> dict[str, Any]:
        context: dict[str, Any] = {"statusCode": 200, "executedVersion": "$LATEST"}
        if answer.error:
            context["functionError"] = "Unhandled"
        return {
            "version": "1.0",
            "timestamp": self._endpoint.clock.now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "requestContext": {
                "requestId": invocation.request_id,
                "functionArn": f"{invocation.function.function_arn}:$LATEST",
                "condition": invocation.condition,
                "approximateInvokeCount": invocation.tries,
            },
            "requestPayload": invocation.event,
            "responseContext": context,
            "responsePayload": json.loads(answer.payload),
        }
