"""JSON values as Trino reads, searches and writes them; the laptop keeps a value of type json as its text."""

from __future__ import annotations

import json
import re
from typing import Any

STEP = re.compile(r'\.([A-Za-z_][A-Za-z0-9_-]*)|\[(\d+)\]|\["([^"\\]*)"\]')
PATH = re.compile(rf"\$(?:{STEP.pattern})*")
CONTROLS = re.compile(r"[\x00-\x07\x0b\x0e-\x1f]")
NOTHING = object()


class Number(str):
    """A number as it is written."""


class _Twice(ValueError):
    """A key is there twice."""


def parse(text: str) -> str:
    """json_parse: keys in order, no blanks; numbers as Trino writes them again."""
    return write(_read(text, f"INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON: '{text}'"), ordered=True)


def extract(text: str, path: str) -> str | None:
    found = _find(text, path)
    return None if found is NOTHING else write(found)


def scalar(text: str, path: str) -> str | None:
    found = _find(text, path)
    if found is NOTHING or found is None or isinstance(found, dict | list):
        return None
    return {True: "true", False: "false"}[found] if isinstance(found, bool) else str(found)


def length(text: str) -> int | None:
    found = _find(text, "$")
    return len(found) if isinstance(found, list) else None


def size(text: str, path: str) -> int | None:
    found = _find(text, path)
    return None if found is NOTHING else len(found) if isinstance(found, dict | list) else 0


def is_scalar(text: str) -> bool:
    return not isinstance(_read(text, f"INVALID_FUNCTION_ARGUMENT: Invalid JSON value: {text}"), dict | list)


def has_text(text: str, value: str) -> bool | None:
    found = _find(text, "$")
    return any(type(each) is str and each == value for each in found) if isinstance(found, list) else None


def has_whole(text: str, value: int) -> bool | None:
    found = _find(text, "$")
    if not isinstance(found, list):
        return None
    return any(isinstance(each, Number) and each.lstrip("-").isdigit() and int(each) == value for each in found)


def has_double(text: str, value: float) -> bool | None:
    """Only among the numbers with a point or an exponent."""
    found = _find(text, "$")
    if not isinstance(found, list):
        return None
    return any(isinstance(each, Number) and not each.lstrip("-").isdigit() and float(each) == value for each in found)


def has_boolean(text: str, value: bool) -> bool | None:
    found = _find(text, "$")
    return any(each is value for each in found) if isinstance(found, list) else None


def cast(text: str, target: str) -> str | None:
    """CAST of a json value to a plain type, as a text that DuckDB reads as that type."""
    found = _read(text, "INVALID_CAST_ARGUMENT: Invalid JSON value")
    if found is None:
        return None
    whole = isinstance(found, Number) and found.lstrip("-").isdigit()
    if target == "varchar" and (type(found) is str or whole):
        return str(found)
    if isinstance(found, bool):
        return str(found).lower() if target in ("varchar", "boolean") else str(int(found))
    if target == "double" and isinstance(found, Number):
        return str(float(found))
    if target != "boolean" and whole:
        return str(found)
    if isinstance(found, dict | list):
        raise ValueError(f"INVALID_CAST_ARGUMENT: Cannot cast '{text}' to {target}")
    raise ValueError(f"NOT_SUPPORTED: a cast of the json value {text} to {target} is not run on the laptop")


def items(text: str) -> list[str] | None:
    found = _read(text, "INVALID_CAST_ARGUMENT: Invalid JSON value")
    if found is None:
        return None
    if not isinstance(found, list):
        raise ValueError(f"INVALID_CAST_ARGUMENT: Cannot cast to array. Expected a json array, but got {text}")
    return [write(each) for each in found]


def pairs(text: str) -> list[dict[str, str]] | None:
    found = _read(text, "INVALID_CAST_ARGUMENT: Invalid JSON value")
    if found is None:
        return None
    if not isinstance(found, dict):
        raise ValueError(f"INVALID_CAST_ARGUMENT: Cannot cast to map. Expected a json object, but got {text}")
    return [{"k": key, "v": write(value)} for key, value in found.items()]


def member(text: str, name: str) -> str | None:
    """A row's field in a json object; what a key in another case means is not proven."""
    found = _read(text, "INVALID_CAST_ARGUMENT: Invalid JSON value")
    if found is None:
        return None
    if not isinstance(found, dict):
        raise ValueError(f"NOT_SUPPORTED: a cast of the json value {text} to a row is not run on the laptop")
    if any(key != name and key.lower() == name for key in found):
        raise ValueError(f"NOT_SUPPORTED: a cast to a row of a json key other than '{name}' is not run on the laptop")
    return write(found[name]) if name in found else None


def write(value: Any, *, ordered: bool = False) -> str:
    if isinstance(value, Number):
        return _number(value)
    if isinstance(value, dict):
        named = sorted(value.items()) if ordered else value.items()
        return "{" + ",".join(f"{_text(key)}:{write(each, ordered=ordered)}" for key, each in named) + "}"
    if isinstance(value, list):
        return "[" + ",".join(write(each, ordered=ordered) for each in value) + "]"
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(value: str) -> str:
    if CONTROLS.search(value):
        raise ValueError("NOT_SUPPORTED: json with control characters is not run on the laptop")
    return json.dumps(value, ensure_ascii=False)


def _number(value: str) -> str:
    """Whole numbers stay; of the others only those that every way of writing a double leaves as they are."""
    if not value.lstrip("-").isdigit():
        number = float(value)
        if repr(number) != value or not 1e-3 <= abs(number) < 1e7:
            raise ValueError(f"NOT_SUPPORTED: the json number {value} is not run on the laptop")
    return str(value)


def _find(text: str, path: str) -> Any:
    if not PATH.fullmatch(path):
        raise ValueError(
            f"NOT_SUPPORTED: the JSON path '{path}' is not run on the laptop, use $.name, [0] and [\"name\"]"
        )
    if text.lstrip()[:1] not in ("{", "["):
        try:
            found = _read(text, "")
        except ValueError as error:
            if str(error).startswith("NOT_SUPPORTED"):
                raise
            return NOTHING
    else:  # Trino stops where it has found the value, and what comes after may be anything
        found = _read(text, f"NOT_SUPPORTED: a search in what is not JSON is not run on the laptop: {text[:100]}")
    for step in STEP.finditer(path):
        key, index = (step[3] if step[1] is None else step[1]), step[2]
        if index is not None:
            inside = isinstance(found, list) and int(index) < len(found)
            found = found[int(index)] if inside else NOTHING
        else:
            found = found.get(key, NOTHING) if isinstance(found, dict) else NOTHING
    return found


def _read(text: str, otherwise: str) -> Any:
    def once(found: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(found)) < len(found):
            raise _Twice
        return dict(found)

    def refuse(word: str) -> None:
        raise ValueError(word)

    try:
        return json.loads(text, parse_int=Number, parse_float=Number, parse_constant=refuse, object_pairs_hook=once)
    except _Twice as error:
        raise ValueError("NOT_SUPPORTED: json with a key twice is not run on the laptop") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(otherwise) from error
