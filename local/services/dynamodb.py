"""DynamoDB: moto checks a condition and writes in steps that another call can come between; here a call is whole."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING, Any

from local.services.seams import patch, seam

if TYPE_CHECKING:
    from local.endpoint import Endpoint

FIDELITY = (("DynamoDB", "conditional writes at the same time: one wins", "moto, one call at a time", "real"),)

CALL = "moto.dynamodb.responses:DynamoHandler.call_action"

_one_at_a_time = RLock()


def install(endpoint: Endpoint) -> None:
    answer = seam(CALL)[0].call_action
    patch(CALL, lambda handler: whole(answer, handler))


def whole(answer: Any, handler: Any) -> Any:
    with _one_at_a_time:
        return answer(handler)
