"""Sending events as clinics' systems do, and what failed once more: to the API, Kinesis or the consumer itself."""

from __future__ import annotations

import base64
import itertools
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, Protocol

import urllib3

from local.clinic import Record

TRIES, FIRST_WAIT, LONGEST_WAIT = 40, 0.05, 2.0  # a sender that gives up after a minute loses events
AGAIN = (429, 500, 502, 503, 504)
SENDERS = 4


class NotTakenError(Exception):
    """Events that were refused for good, or not taken in any of the tries."""


class Way(Protocol):
    """Where a request goes."""

    def send(self, records: Sequence[Record]) -> list[bool]:
        """Which of the records were taken."""


@dataclass
class Sent:
    """What was sent: requests, records that were taken, and records that had to be sent once more."""

    requests: int = 0
    records: int = 0
    again: int = 0


@dataclass
class Api:
    """`POST /immunizations` with an API key."""

    url: str
    key: str
    _http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(maxsize=SENDERS, retries=False))

    def send(self, records: Sequence[Record]) -> list[bool]:
        body = b"[" + b",".join(record.data for record in records) + b"]"
        headers = {"Content-Type": "application/json", "x-api-key": self.key}
        answer = self._http.request("POST", self.url, body=body, headers=headers)
        if answer.status in AGAIN:
            return [False] * len(records)
        if answer.status != 207:
            raise NotTakenError(f"The API answered {answer.status}: {answer.data.decode(errors='replace')[:500]}")
        outcomes = sorted(json.loads(answer.data)["events"], key=lambda each: int(each["index"]))
        return [each["status"] == "accepted" for each in outcomes]


@dataclass
class Kinesis:
    """PutRecords, for what the API's envelope would not let through."""

    client: Any
    stream: str

    def send(self, records: Sequence[Record]) -> list[bool]:
        wanted = [{"Data": record.data, "PartitionKey": record.key} for record in records]
        answer = self.client.put_records(StreamName=self.stream, Records=wanted)
        return ["ErrorCode" not in outcome for outcome in answer["Records"]]


@dataclass
class Function:
    """The consumer itself, invoked as an event source mapping does it: one batch until it has taken all of it."""

    client: Any
    function: str
    shard: str = "shardId-000000000000"
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(10**55))

    def send(self, records: Sequence[Record]) -> list[bool]:
        """A batch is the same at each try, or its records would be written under two names."""
        arrived = time.time()
        batch = [self._record(record, arrived) for record in records]
        for attempt in range(TRIES):
            answer = self.client.invoke(FunctionName=self.function, Payload=json.dumps({"Records": batch}))
            told = json.loads(answer["Payload"].read())
            if "FunctionError" not in answer and not told["batchItemFailures"]:
                return [True] * len(records)
            time.sleep(min(LONGEST_WAIT, FIRST_WAIT * 2**attempt))
        return [False] * len(records)

    def _record(self, record: Record, arrived: float) -> dict[str, Any]:
        sequence = str(next(self._numbers))
        kinesis = {
            "partitionKey": record.key,
            "sequenceNumber": sequence,
            "data": base64.b64encode(record.data).decode(),
            "approximateArrivalTimestamp": arrived,
        }
        return {"eventID": f"{self.shard}:{sequence}", "eventSource": "aws:kinesis", "kinesis": kinesis}


def api(client: Any, url: str, name: str, path: str = "immunizations") -> Api:
    """The deployed API of this name, with the key that its users were given; `client` makes AWS clients."""
    gateway = client("apigateway")
    found = {each["name"]: each["id"] for each in gateway.get_rest_apis(limit=500)["items"]}
    stage = gateway.get_stages(restApiId=found[name])["item"][0]["stageName"]
    keys = {each["name"]: each["value"] for each in gateway.get_api_keys(includeValues=True, limit=500)["items"]}
    key = next(value for called, value in sorted(keys.items()) if called.startswith(name))
    return Api(f"{url}/restapis/{found[name]}/{stage}/_user_request_/{path}", key)


def send(
    batches: Iterable[Sequence[Record]], way: Way, *, per_second: float | None = None, sent: Sent | None = None
) -> Sent:
    """Every batch until each of its records is taken; at most so many events a second, where that is said."""
    sent, began, given = sent or Sent(), time.monotonic(), 0
    running: set[Future[tuple[int, int, int]]] = set()
    with ThreadPoolExecutor(SENDERS) as senders:
        for batch in batches:
            if per_second:
                time.sleep(max(0.0, began + given / per_second - time.monotonic()))
            given += len(batch)
            running.add(senders.submit(_send, way, batch))
            if len(running) >= 2 * SENDERS:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                _count(sent, done)
        _count(sent, running)
    return sent


def _send(way: Way, batch: Sequence[Record]) -> tuple[int, int, int]:
    left, again = list(batch), 0
    for attempt in range(TRIES):
        taken = way.send(left)
        left = [record for record, was in zip(left, taken, strict=True) if not was]
        if not left:
            return attempt + 1, len(batch), again
        again += len(left)
        time.sleep(min(LONGEST_WAIT, FIRST_WAIT * 2**attempt))
    raise NotTakenError(f"{len(left)} of {len(batch)} records were not taken in {TRIES} tries.")


def _count(sent: Sent, done: Iterable[Future[tuple[int, int, int]]]) -> None:
    for each in done:
        requests, records, again = each.result()
        sent.requests += requests
        sent.records += records
        sent.again += again
