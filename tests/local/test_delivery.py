"""Deliveries: tried again after a server's error, buried with the reason when no try is left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from botocore.exceptions import ClientError

from local.clock import Clock
from local.services.delivery import Deliveries, Delivery
from tests.local.functions import until


class Deliverer:
    """What a delivery needs of an endpoint."""

    def __init__(self) -> None:
        self.clock = Clock()

    def background(self, work: Callable[[], None], name: str) -> None:
        threading.Thread(target=work, name=name, daemon=True).start()


def server_error() -> ClientError:
    answer = {"Error": {"Code": "InternalError", "Message": "later"}, "ResponseMetadata": {"HTTPStatusCode": 500}}
    return ClientError(answer, "Invoke")


def test_a_servers_error_is_tried_again_until_it_is_over() -> None:
    deliverer, tries = Deliverer(), []

    def send(attempt: int) -> None:
        tries.append(attempt)
        if attempt < 4:
            raise server_error()

    Deliveries(deliverer).start(Delivery("test", send))  # type: ignore[arg-type]
    for _ in range(3):
        deliverer.clock.advance(minutes=1)
        time.sleep(0.1)
    assert until(lambda: tries == [1, 2, 3, 4])


def test_after_the_last_try_the_event_is_buried_with_the_reason() -> None:
    deliverer = Deliverer()
    buried: list[dict[str, str]] = []

    def send(attempt: int) -> None:
        raise server_error()

    Deliveries(deliverer).start(  # type: ignore[arg-type]
        Delivery("test", send, bury=buried.append, retry={"MaximumRetryAttempts": 1})
    )
    time.sleep(0.1)
    deliverer.clock.advance(minutes=1)
    letter = until(lambda: buried)[0]
    assert (letter["RETRY_ATTEMPTS"], letter["EXHAUSTED_RETRY_CONDITION"]) == ("1", "MaximumRetryAttempts")
