"""One record of a stream, read: its event as a line of bronze, or why it is none."""

from __future__ import annotations

import json
from binascii import a2b_base64
from datetime import datetime
from typing import Any

import orjson

from lake.model import Dataset
from lambdas.consume.checks import OWN_FIELDS, compiled, reason

Event = dict[str, Any]
SHAPES = 1000  # lists of fields that are remembered as sound: a sender has few


class RefusedError(Exception):
    """A record that is no event of its contract: the rules that it breaks, and the reason without any of its data."""

    def __init__(self, rules: list[str], reason: str) -> None:
        super().__init__(reason)
        self.rules = rules


class Reader:
    """Reads the events of a dataset: `raw, event = reader.read(data, arrived)`, `raw` being the event's own bytes."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset, self._check = dataset, compiled(dataset)
        self._fields = {column.source for column in dataset.columns} - OWN_FIELDS
        self._sound: set[tuple[str, ...]] = set()

    def read(self, data: str, arrived: datetime) -> tuple[bytes, Event]:
        raw = a2b_base64(data)
        try:
            event = orjson.loads(raw)
            same = orjson.dumps(event) == raw
        except orjson.JSONDecodeError as error:
            raise RefusedError(["not_json"], f"Expected JSON in UTF-8: {error.msg} at {error.pos}.") from None
        except orjson.JSONEncodeError:
            raise RefusedError(["too_deep"], "Expected JSON of at most 254 levels.") from None
        if type(event) is not dict:
            raise RefusedError(["not_an_object"], "Expected a JSON object, an event.")
        # Written out again as it came, the event has no key twice; with the contract's fields alone, nothing nested.
        if not same or tuple(event) not in self._sound:
            raw = self._looked_through(raw, event, same)
        if broken := self._check(event, arrived):
            raise RefusedError(broken, reason(self._dataset, broken))
        return raw, event

    def _looked_through(self, raw: bytes, event: Event, same: bool) -> bytes:
        """The event in one line; an error where readers of bronze would not agree on what it says."""
        if any(name.lower() in OWN_FIELDS for name in event):
            raise RefusedError(["reserved_field"], f"Expected no field of the names {', '.join(sorted(OWN_FIELDS))}.")
        nested = any(isinstance(value, dict | list) for value in event.values())
        if nested or not same:
            json.loads(raw, object_pairs_hook=once)
        else:
            once(list(event.items()))
            if len(self._sound) < SHAPES and self._fields.issuperset(event):
                self._sound.add(tuple(event))
        return raw if same else raw.strip().translate(SPACES)


SPACES = bytes.maketrans(b"\r\n", b"  ")  # JSON has them between its tokens only


def once(pairs: list[tuple[str, Any]]) -> None:
    """Athena's JSON reader takes no notice of case, and fails a whole query at a key that is there twice."""
    if len({name.lower() for name, _ in pairs}) < len(pairs):
        raise RefusedError(["duplicate_key"], "Expected each key once, whatever its case: which of the two holds?")
