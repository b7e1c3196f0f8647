"""Sending and checking a load: what failed is sent again and nothing else, and every difference is seen."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from local.clinic import Load, Record, checking, sending

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def load() -> Load:
    return Load(1000, ending=NOW)


class Faulty:
    """Takes every other record the first time, everything after that."""

    def __init__(self) -> None:
        self.taken: Counter[bytes] = Counter()
        self.seen: set[bytes] = set()

    def send(self, records: Sequence[Record]) -> list[bool]:
        told = []
        for number, record in enumerate(records):
            told.append(number % 2 == 0 or record.data in self.seen)
            self.taken[record.data] += told[-1]
            self.seen.add(record.data)
        return told


class Refusing:
    def send(self, records: Sequence[Record]) -> list[bool]:
        return [False] * len(records)


def test_what_was_not_taken_is_sent_again_and_nothing_else(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "FIRST_WAIT", 0)
    way = Faulty()
    sent = sending.send(load.batches(100), way)
    assert way.taken == Counter(record.data for record in load.records())
    assert (sent.records, 480 < sent.again <= 500, sent.requests) == (1000, True, 20)


def test_a_sender_whose_events_nobody_takes_says_so(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "LONGEST_WAIT", 0)
    with pytest.raises(sending.NotTakenError, match="500 of 500 records were not taken"):
        sending.send(load.batches(), Refusing())


def test_no_more_events_a_second_are_sent_than_asked_for(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("local.clinic.sending.time.monotonic", lambda: 100.0)
    monkeypatch.setattr("local.clinic.sending.time.sleep", slept.append)

    class Taking:
        def send(self, records: Sequence[Record]) -> list[bool]:
            return [True] * len(records)

    sending.send(load.batches(300), Taking(), per_second=100)
    assert slept == [0.0, 3.0, 6.0, 9.0]


class Lambda:
    """Fails the first time, takes nothing the second, all the third."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def invoke(self, FunctionName: str, Payload: str) -> dict[str, Any]:
        self.asked.append(json.loads(Payload))
        failures = [{"itemIdentifier": "1"}] if len(self.asked) == 2 else []
        failed = {"FunctionError": "Unhandled"} if len(self.asked) == 1 else {}
        return {**failed, "Payload": io.BytesIO(json.dumps({"batchItemFailures": failures}).encode())}


def test_a_function_is_handed_the_same_batch_until_it_takes_it(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "FIRST_WAIT", 0)
    client = Lambda()
    batch = next(load.batches(3))
    assert sending.Function(client, "consume").send(batch) == [True] * 3
    assert len(client.asked) == 3
    assert client.asked[0] == client.asked[1] == client.asked[2]
    assert len({record["kinesis"]["sequenceNumber"] for record in client.asked[0]["Records"]}) == 3


def test_every_difference_in_silver_is_seen(load: Load) -> None:
    right = checking.table(load.expected())
    assert not checking.silver([load], right)
    assert not checking.silver([load], right.take(list(reversed(range(right.num_rows)))))
    assert checking.silver([load], right.slice(1)).missing == 1
    doubled = checking.silver([load], pa.concat_tables([right, right.slice(0, 2)]))
    assert (doubled.missing, doubled.unexpected, len(doubled.examples)) == (0, 2, 2)
    rows = right.to_pylist()
    rows[0]["status"] = "completed" if rows[0]["status"] != "completed" else "not_done"
    changed = checking.silver([load], pa.Table.from_pylist(rows, right.schema))
    assert (changed.missing, changed.unexpected, changed.examples) == (1, 1, (rows[0]["event_id"],))


def test_every_difference_in_dead_letters_is_seen(load: Load) -> None:
    right = Counter((record.key, kind.rule) for record, kind in load.malformed_records())
    first = next(iter(right))
    assert not checking.dead_letters([load], right)
    assert checking.dead_letters([load], right - Counter([first])).missing == 1
    assert checking.dead_letters([load], right + Counter([first])).unexpected == 1
    assert checking.dead_letters([load], right + Counter([("another", "not_json")])).examples == ("another not_json",)
