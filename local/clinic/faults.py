"""Malformed events: each kind breaks one rule, and keeps the event's id, so that no two are the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

Document = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """A fault: the rule that the event breaks, and whether the API's envelope lets it pass."""

    name: str
    rule: str
    spoil: Callable[[Document], bytes]
    passes_envelope: bool = True


def _with(**fields: Any) -> Callable[[Document], bytes]:
    return lambda event: orjson.dumps({**event, **fields})


def _without(*names: str) -> Callable[[Document], bytes]:
    return lambda event: orjson.dumps({name: value for name, value in event.items() if name not in names})


def _written(write: Callable[[bytes], bytes]) -> Callable[[Document], bytes]:
    return lambda event: write(orjson.dumps(event))


def _text(old: str, new: str) -> Callable[[Document], bytes]:
    """Another text in place of one that every event has."""
    return _written(lambda text: text.replace(old.encode(), new.encode(), 1))


def _nested(depth: int) -> Callable[[Document], bytes]:
    return _written(lambda text: text[:-1] + b',"deep":' + b"[" * depth + b"]" * depth + b"}")


UNREADABLE = "not_json"
KINDS = (
    Kind("no patient", "required_patient_id", _without("patient_id")),
    Kind("a vaccine of null", "required_vaccine_code", _with(vaccine_code=None)),
    Kind("a dose in words", "type_dose_number", _with(dose_number="two")),
    Kind("half a dose", "type_dose_number", _with(dose_number=1.5)),
    Kind("a dose that is true", "type_dose_number", _with(dose_number=True)),
    Kind("a dose of 20 digits", "type_dose_number", _with(dose_number=10**19)),
    Kind("dose 0", "dose_number_range", _with(dose_number=0)),
    Kind("an event of the year 2100", "event_time_plausible", _with(event_time="2100-01-01T00:00:00Z")),
    Kind("an event of 1970", "event_time_plausible", _with(event_time="1970-01-01T00:00:00Z")),
    Kind("a time without its zone", "type_event_time", _with(event_time="2026-01-01T00:00:00")),
    Kind("a day that does not exist", "type_birth_date", _with(birth_date="2001-02-30")),
    Kind("a day in another order", "type_birth_date", _with(birth_date="31.01.2001")),
    Kind("an unknown status", "status_known", _with(status="COMPLETED")),
    Kind("a patient's number in small letters", "patient_id_pattern", _with(patient_id="p-1")),
    Kind("a site that is a list", "type_site_id", _with(site_id=["site-001"])),
    Kind("a patient that is an object", "type_patient_id", _with(patient_id={"id": "P-0000001"})),
    Kind("cut off", UNREADABLE, _written(lambda text: text[:-7]), passes_envelope=False),
    Kind("not UTF-8", UNREADABLE, _written(lambda text: text[:-1] + b',"note":"\xe9"}'), passes_envelope=False),
    Kind("NaN", UNREADABLE, _text('"status":', '"rate":NaN,"status":'), passes_envelope=False),
    Kind("a key without quotes", UNREADABLE, _text('"status":', "status:"), passes_envelope=False),
    Kind("two documents", UNREADABLE, _written(lambda text: text + text), passes_envelope=False),
    Kind("nested deep", "too_deep", _nested(300), passes_envelope=False),
    Kind("nested deeper", UNREADABLE, _nested(20_000), passes_envelope=False),
    Kind("a key twice", "duplicate_key", _text('"status":', '"status":null,"status":'), passes_envelope=False),
    Kind("a key of another case", "duplicate_key", _text('"status":', '"STATUS":null,"status":')),
    Kind("a field of ours", "reserved_field", _text('"status":', '"_shard":"shardId-0","status":')),
    Kind("a list", "not_an_object", _written(lambda text: b"[" + text + b"]"), passes_envelope=False),
    Kind("a text", "not_an_object", lambda event: orjson.dumps(event["event_id"]), passes_envelope=False),
)
THROUGH_HTTP = tuple(kind for kind in KINDS if kind.passes_envelope)
