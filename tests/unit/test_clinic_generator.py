"""The load generator: its numbers are exact, its valid events keep the contract, each malformed one breaks its rule."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

import config
import contracts
from cli.target import Target
from lambdas.consume.reading import Reader, RefusedError
from local.clinic import Load, Record
from local.clinic.events import LATEST, Event
from local.clinic.faults import KINDS, THROUGH_HTTP

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
COUNT = 4000


@pytest.fixture(scope="module")
def load() -> Load:
    return Load(COUNT, ending=NOW)


@pytest.fixture(scope="module")
def records(load: Load) -> list[Record]:
    return list(load.records())


def latest(records: list[Record]) -> dict[str, dict[str, Any]]:
    """What silver holds in the end, worked out from what was sent."""
    found: dict[str, dict[str, Any]] = {}
    for record in records:
        if record.kind is None:
            event = orjson.loads(record.data)
            before = found.get(record.key)
            if before is None or moment(before) < moment(event):
                found[record.key] = event
    return found


def moment(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["event_time"])


def test_the_numbers_are_those_asked_for(records: list[Record]) -> None:
    valid = [record for record in records if record.kind is None]
    by_id = Counter(record.key for record in valid)
    assert (len(records), len(records) - len(valid)) == (COUNT, 20)
    assert len(valid) - len({record.data for record in valid}) == 40  # copies
    assert len({record.data for record in valid}) - len(by_id) == 40  # corrections
    assert len(by_id) == COUNT - 20 - 40 - 40


def test_one_in_a_hundred_is_late_by_up_to_three_days(records: list[Record]) -> None:
    first: dict[str, datetime] = {}
    for record in records:
        if record.kind is None:
            at = moment(orjson.loads(record.data))
            first[record.key] = min(at, first.get(record.key, at))
    behind = [NOW - at for at in first.values()]
    assert sum(each > timedelta(minutes=5) for each in behind) == 40
    assert timedelta(days=2) < max(behind) <= LATEST


def test_what_silver_must_hold_is_the_latest_event_of_each_id(load: Load, records: list[Record]) -> None:
    sent = latest(records)
    expected = list(load.expected())
    assert {event.event_id for event in expected} == set(sent)
    for event in expected:
        found = sent[event.event_id]
        assert (moment(found), found["status"], found.get("lot_number"), found["dose_number"]) == (
            event.event_time,
            event.status,
            event.lot_number,
            event.dose_number,
        )


def test_some_corrections_come_before_what_they_correct(records: list[Record]) -> None:
    order: dict[str, list[datetime]] = {}
    for record in records:
        if record.kind is None:
            order.setdefault(record.key, []).append(moment(orjson.loads(record.data)))
    assert any(times != sorted(times) for times in order.values())
    assert any(times == sorted(times) and len(set(times)) > 1 for times in order.values())


def test_each_malformed_record_is_unlike_every_other_and_of_a_known_kind(load: Load, records: list[Record]) -> None:
    malformed = [record for record, _ in load.malformed_records()]
    assert sorted(record.data for record in malformed) == sorted(record.data for record in records if record.kind)
    assert len({record.data for record in malformed}) == len({record.key for record in malformed}) == load.malformed
    of_each = [kind.name for _, kind in Load(len(KINDS) * 200, ending=NOW).malformed_records()]
    assert sorted(of_each) == sorted(kind.name for kind in KINDS)


def test_the_same_seed_gives_the_same_records_and_another_other_ones(load: Load, records: list[Record]) -> None:
    assert [record.data for record in Load(COUNT, ending=NOW).records()] == [record.data for record in records]
    assert not {record.data for record in Load(COUNT, ending=NOW, seed=1).records()} & {
        record.data for record in records
    }


def test_sites_are_skewed(records: list[Record]) -> None:
    sites = Counter(orjson.loads(record.data)["site_id"] for record in records if record.kind is None)
    assert len(sites) > 50
    assert sites.most_common()[0][1] > 10 * sites.most_common()[-1][1]


def test_the_fields_are_those_of_the_contract() -> None:
    contract = contracts.load("clinic.immunizations")
    assert [column.source for column in contract.columns] == list(Event._fields)


def test_each_kind_breaks_the_rule_that_it_says_and_no_other(load: Load, records: list[Record]) -> None:
    reader = Reader(Target(config.load("local"), None).lake().dataset("clinic.immunizations"))
    for record in Load(len(KINDS) * 200, ending=NOW).records():
        if record.kind is not None:
            with pytest.raises(RefusedError) as caught:
                reader.read(b64encode(record.data).decode(), NOW)
            assert caught.value.rules == [record.kind.rule], record.kind.name
    for record in records:
        if record.kind is None:
            reader.read(b64encode(record.data).decode(), NOW)


def test_requests_hold_at_most_500_events_that_keep_the_envelope() -> None:
    load = Load(1200, ending=NOW, kinds=THROUGH_HTTP)
    sizes = []
    for batch in load.batches():
        sizes.append(len(batch))
        assert all(orjson.loads(record.data)["event_id"] == record.key for record in batch)
    assert sizes == [500, 500, 200]
