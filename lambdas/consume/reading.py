"""One record of a stream, read: its event as a line of bronze, or why it is none."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from orjson import JSONDecodeError, JSONEncodeError, dumps, loads
from pybase64 import b64decode

from lake.arrivals import OWN_FIELDS
from lake.model import Dataset
from lambdas.consume.checks import Event, compiled, reasons

LONGEST_NUMBER = 1000  # characters that Spark's parser takes: of an event with a longer one it reads nothing
SPACES = bytes.maketrans(b"\r\n", b"  ")


class RefusedError(Exception):
    """A record that is no event of its contract: the rules that it breaks, and the reason without any of its data."""

    def __init__(self, rules: list[str], reason: str) -> None:
        super().__init__(reason)
        self.rules = rules


class Reader:
    """Reads the events of a dataset: `reader.read(data, arrived)` are an event's own bytes, in one line."""

    def __init__(self, dataset: Dataset) -> None:
        self._check, self._reasons = compiled(dataset, self._other), reasons(dataset)
        self._fields = frozenset(column.source for column in dataset.columns)

    def read(self, data: str, arrived: datetime) -> bytes:
        raw = b64decode(data)
        try:
            event = loads(raw)
            if dumps(event) != raw:  # a key that is there twice would be there once
                raw = in_one_line(raw)
        except JSONDecodeError as error:
            raise RefusedError(["not_json"], f"Expected JSON in UTF-8: {error.msg} at {error.pos}.") from None
        except JSONEncodeError:
            raise RefusedError(["too_deep"], "Expected JSON of at most 254 levels.") from None
        if type(event) is not dict:
            raise RefusedError(["not_an_object"], "Expected a JSON object, an event.")
        if broken := self._check(event, arrived):
            raise RefusedError(broken, " ".join(map(self._reasons.__getitem__, broken)))
        return raw

    def _other(self, event: Event) -> None:
        if not self._fields.issuperset(event):
            unambiguous(event)


def in_one_line(raw: bytes) -> bytes:
    """JSON has line breaks between its tokens only. An error where a key is there twice, or a number is too long."""
    json.loads(raw, object_pairs_hook=once, parse_float=short, parse_int=short)
    return raw.strip().translate(SPACES)


def once(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise RefusedError(["duplicate_key"], "Expected each key once: which of the two holds?")


def short(number: str) -> None:
    if len(number) > LONGEST_NUMBER:
        raise RefusedError(["number_too_long"], f"Expected numbers of at most {LONGEST_NUMBER} characters.")


def unambiguous(event: Event) -> None:
    """An error where Athena's JSON reader, which takes no notice of case, would meet a key twice and fail its query."""
    if not set(OWN_FIELDS).isdisjoint(map(str.lower, event)):
        raise RefusedError(["reserved_field"], f"Expected no field of the names {', '.join(sorted(OWN_FIELDS))}.")
    inside: list[Any] = [event]
    while inside:
        each = inside.pop()
        if isinstance(each, dict):
            if len(set(map(str.lower, each))) < len(each):
                raise RefusedError(["duplicate_key"], "Expected each key once whatever its case.")
            inside += each.values()
        elif isinstance(each, list):
            inside += each
