"""The bodies of api_bodies.yaml, made as their entries say, and others of all kinds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

GROUPS = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text())
CASES = [case for group in GROUPS for case in group["bodies"]]

TEXT = st.text(max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT | st.just("event_id"), inner, max_size=3),
    max_leaves=10,
)
EVENTS = st.lists(st.fixed_dictionaries({"event_id": TEXT}, optional={"x": VALUES, "$ref": VALUES}), max_size=4)
BODIES = st.binary(max_size=60) | TEXT.map(str.encode) | (VALUES | EVENTS).map(lambda value: json.dumps(value).encode())


def body_of(case: dict[str, Any]) -> bytes:
    match case:
        case {"body": str(text)}:
            return text.encode()
        case {"hex": digits}:
            return bytes.fromhex(digits)
        case {"id": int(length)}:
            return compact([{"event_id": case.get("of", "x") * length}])
        case {"events": int(count)}:
            return compact([{"event_id": str(number)} for number in range(count)])
        case {"event": int(size)}:
            others = [{"event_id": f"before {number}"} for number in range(case.get("after", 0))]
            return compact([*others, padded(size, case.get("of", "x"))])
        case {"total": int(size)}:
            events = [{"event_id": str(number), "x": "y" * 200_000} for number in range(20)]
            return compact(events).ljust(size)
        case {"nested": int(depth)}:
            return b'[{"event_id":"a","x":' + b"[" * depth + b"]" * depth + b"}]"
    raise AssertionError(case)


def padded(size: int, of: str) -> dict[str, str]:
    event = {"event_id": "a", "x": ""}
    left = size - len(compact(event))
    event["x"] = of * (left // len(of.encode())) + "x" * (left % len(of.encode()))
    assert len(compact(event)) == size
    return event


def compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
