"""A load put through the stream of a lake that is up on this laptop, with faults on request, and what came of it."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from urllib.request import urlopen

from pyiceberg.catalog import load_catalog

from config.stream import noun
from lake import arrivals
from local.clinic import REQUEST_EVENTS, Load, checking, sending
from local.laptop import USER

if TYPE_CHECKING:
    import pyarrow as pa

    from cli.target import Target

DATASET, PIPELINE = "clinic.immunizations", "immunizations"
POLL_SECONDS, PATIENCE_SECONDS = 0.1, 120.0
SURE = 3  # looks in a row at which nothing was left


class StalledError(Exception):
    """The stream's consumer makes no progress."""


@dataclass(frozen=True)
class Delivered:
    """What was sent, how long it took until the last record was in bronze, and the faults on the way."""

    sent: sending.Sent
    seconds: float
    struck: dict[str, int]


class Trial:
    """The stream of the clinics in the lake `at`: `trial.deliver(load, trial.kinesis())`, then compare."""

    def __init__(self, at: Target) -> None:
        self.at = at
        self.dataset = at.lake().dataset(DATASET)
        self.bucket = at.environment.bucket("bronze")
        self.stream = at.environment.resource(noun(DATASET))
        self.function = at.environment.resource(f"consume-{noun(DATASET)}")

    def kinesis(self) -> sending.Way:
        return sending.Kinesis(self.at.client("kinesis"), self.stream)

    def api(self) -> sending.Way:
        return sending.api(self.at.client, str(self.at.endpoint_url), self.at.environment.resource("clinic"))

    def consumer(self) -> sending.Way:
        return sending.Function(self.at.client("lambda"), self.function)

    def deliver(
        self, load: Load, way: sending.Way, *, kills: int = 0, per_second: float | None = None, **faults: float
    ) -> Delivered:
        """Send all of it and wait until the consumer has had all of it; `faults` are those of the endpoint's page."""
        sent, began = sending.Sent(), time.monotonic()
        with self._faults(faults), self._killing(kills, load.count, sent):
            size = REQUEST_EVENTS if per_second is None else max(1, min(REQUEST_EVENTS, int(per_second)))
            sending.send(load.batches(size), way, per_second=per_second, sent=sent)
            self.settle()
        return Delivered(sent, time.monotonic() - began, self._page("faults")["struck"])

    def settle(self) -> None:
        """Wait until nothing is left to do in the stream."""
        least, since, idle = None, time.monotonic(), 0
        while idle < SURE:
            left = self.left()
            idle = 0 if left else idle + 1
            if least is None or left < least:
                least, since = left, time.monotonic()
            if left and time.monotonic() - since > PATIENCE_SECONDS:
                raise StalledError(f"{left} records wait in '{self.stream}': expected fewer in {PATIENCE_SECONDS} s.")
            time.sleep(POLL_SECONDS)

    def left(self) -> int:
        """Records and batches that the consumer has not had."""
        states = self._page("event_sources").values()
        ours = [each for each in states if each["stream"].endswith(f"/{self.stream}")]
        return sum(int(each["waiting"]) + int(each["in_flight"]) for each in ours)

    def silver(self) -> pa.Table:
        table = (self.at.environment.database("silver"), self.dataset.table)
        return self._catalog().load_table(table).scan().to_arrow()

    def dead_letters(self) -> Counter[tuple[str, str]]:
        return checking.letters(self.at.client("s3"), self.bucket, arrivals.dead_letters(self.dataset))

    def undelivered(self) -> int:
        """Objects that the event source mapping put aside."""
        found = self.at.client("s3").list_objects_v2(Bucket=self.bucket, Prefix=arrivals.GIVEN_UP)
        return int(found["KeyCount"])

    @contextmanager
    def _faults(self, often: dict[str, float]) -> Iterator[None]:
        self._page("faults", seed=1, **often)
        try:
            yield
        finally:
            self._page("faults", **dict.fromkeys(often, 0))

    @contextmanager
    def _killing(self, times: int, count: int, sent: sending.Sent) -> Iterator[None]:
        """Kill the consumer so many times, at even distances on the way, while it works."""
        done = threading.Event()

        def kill() -> None:
            struck = 0
            while struck < times and not done.wait(POLL_SECONDS):
                if sent.records - self.left() >= struck * count / (times + 1):
                    struck += self._killed()

        thread = threading.Thread(target=kill, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _killed(self) -> int:
        before = self._page("faults")["struck"].get("kill", 0)
        return int(self._page("faults", kill=self.function)["struck"]["kill"]) - int(before)

    def _page(self, name: str, **asked: Any) -> dict[str, Any]:
        with urlopen(f"{self.at.endpoint_url}/_headwater/{name}?{urlencode(asked)}") as answer:
            page: dict[str, Any] = json.load(answer)
        return page

    def _catalog(self) -> Any:
        common = {"endpoint": str(self.at.endpoint_url), "region": self.at.environment.region}
        common |= {"access-key-id": USER.access_key, "secret-access-key": USER.secret_key}
        given = {f"{service}.{name}": value for service in ("glue", "s3") for name, value in common.items()}
        return load_catalog("lake", type="glue", **given, **{"s3.force-virtual-addressing": "false"})
