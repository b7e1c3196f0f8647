"""Delivery with retries: again after a server's error; to the dead letters after the last try or a client's error."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local.services.iam_services import RoleNotAssumedError
from local.services.targets import NotPermittedError, UnsupportedTargetError

if TYPE_CHECKING:
    from local.endpoint import Endpoint

LOG = logging.getLogger(__name__)
DEFAULT_RETRIES = 185
DEFAULT_AGE_SECONDS = 86_400
LONGEST_WAIT = 3600.0
TRANSIENT = ("Throttling", "TooManyRequests", "LimitExceeded", "ServiceUnavailable", "InternalFailure")
REFUSALS = (NotPermittedError, RoleNotAssumedError, UnsupportedTargetError)


@dataclass
class Delivery:
    """One message for one target: `send(attempt)` hands it over, `bury(attributes)` puts it into the dead letters."""

    what: str
    send: Callable[[int], None]
    bury: Callable[[dict[str, str]], None] | None = None
    retry: Mapping[str, Any] = field(default_factory=dict)


class Deliveries:
    """Each delivery in a thread of its own, as the services that call us do not wait for their targets."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def start(self, delivery: Delivery) -> None:
        self._endpoint.background(lambda: self._work(delivery), delivery.what)

    def _work(self, delivery: Delivery) -> None:
        clock = self._endpoint.clock
        most = int(delivery.retry.get("MaximumRetryAttempts", DEFAULT_RETRIES))
        age = int(delivery.retry.get("MaximumEventAgeInSeconds", DEFAULT_AGE_SECONDS))
        expires = clock.now() + timedelta(seconds=age)
        attempt = 1
        while True:
            try:
                delivery.send(attempt)
                return
            except (ClientError, *REFUSALS) as error:
                LOG.warning("%s, try %d: %s", delivery.what, attempt, error)
                why = self._why_no_more(error, attempt > most, clock.now() > expires)
                if why is not None:
                    self._give_up(delivery, error, why, attempt)
                    return
            if not clock.sleep(min(2.0 ** (attempt - 1), LONGEST_WAIT)):
                return
            attempt += 1

    @staticmethod
    def _why_no_more(error: Exception, all_tried: bool, too_old: bool) -> str | None:
        if not isinstance(error, ClientError):
            return "NotRetryable"
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500))
        code = error.response["Error"]["Code"]
        if status < 500 and not any(word in code for word in TRANSIENT):
            return "NotRetryable"
        return "MaximumRetryAttempts" if all_tried else "MaximumEventAgeInSeconds" if too_old else None

    @staticmethod
    def _give_up(delivery: Delivery, error: Exception, why: str, attempt: int) -> None:
        if delivery.bury is None:
            return
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else "NO_PERMISSIONS"
        attributes = {"ERROR_CODE": code, "ERROR_MESSAGE": str(error), "RETRY_ATTEMPTS": str(attempt - 1)}
        if why != "NotRetryable":
            attributes["EXHAUSTED_RETRY_CONDITION"] = why
        try:
            delivery.bury(attributes)
        except (ClientError, *REFUSALS) as lost:
            LOG.warning("%s is lost, its dead-letter queue did not take it: %s", delivery.what, lost)


def attributes_of(given: dict[str, str]) -> dict[str, Any]:
    """Message attributes of SQS."""
    return {name: {"DataType": "String", "StringValue": value} for name, value in given.items() if value}
