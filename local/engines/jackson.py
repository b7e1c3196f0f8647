"""JSON as Jackson reads and writes it for API Gateway: no NaN, the last of two like keys counts."""

from __future__ import annotations

import json
import math
from typing import Any


class JsonError(ValueError):
    """A text is not JSON, or deeper or longer in its numbers than a parser takes."""


def read(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=refuse)
    except RecursionError:
        raise JsonError("The JSON is nested too deep.") from None
    except ValueError as error:
        raise JsonError(str(error)) from error


def refuse(constant: str) -> Any:
    raise JsonError(f"The constant {constant} is not JSON.")


def write(value: Any) -> str:
    """Compact, with what is not ASCII as it is; a number that a double cannot hold is a text, `"Infinity"`."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except ValueError:
        return json.dumps(finite(value), ensure_ascii=False, separators=(",", ":"))
    except RecursionError:
        raise JsonError("The JSON is nested too deep.") from None


def finite(value: Any) -> Any:
    match value:
        case float() if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        case list():
            return [finite(each) for each in value]
        case dict():
            return {name: finite(each) for name, each in value.items()}
    return value


def utf_8(text: str) -> bytes:
    """Java's bytes of a text: half a surrogate pair becomes a question mark."""
    return text.encode("utf-8", "replace")
