"""JSON as it lies in lakes: a value a line, values one after another, or one list of them; read value by value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TextIO

CHUNK = 64 * 1024
LONGEST = 16 * 1024**2  # of one value, in characters
CUT = 16  # characters before the end in which an error can be that of a value cut off


class JsonFault(ValueError):
    """The text is no JSON; its words say where."""


def values(file: TextIO) -> Iterator[object]:
    """Each value of the text, read no further than asked for."""
    decoder, text, place, step, ended = json.JSONDecoder(), "", 0, CHUNK, False
    in_list: bool | None = None  # not known before the first character
    while True:
        place = _skip(text, place, in_list)
        if place < len(text) and in_list is None:
            in_list = text[place] == "["
            place += in_list
            continue
        if place < len(text) and in_list and text[place] == "]":
            return
        found = _decoded(decoder, text, place, ended)
        if found is not None:
            value, place = found
            yield value
            continue
        if ended:
            if in_list:
                raise JsonFault("its list has no end: the object is cut off")
            return
        more = file.read(step)
        text, place, step, ended = text[place:] + more, 0, 2 * step, not more
        if len(text) > LONGEST:
            raise JsonFault(f"a value has more than {LONGEST:,} characters")


def _skip(text: str, place: int, in_list: bool | None) -> int:
    between = " \t\r\n," if in_list else " \t\r\n"
    while place < len(text) and text[place] in between:
        place += 1
    return place


def _decoded(decoder: json.JSONDecoder, text: str, place: int, ended: bool) -> tuple[object, int] | None:
    """The value that begins here and where it ends; None where there is none, or not all of it yet."""
    if place >= len(text):
        return None
    try:
        value, end = decoder.raw_decode(text, place)
    except json.JSONDecodeError as error:
        cut = error.msg.startswith("Unterminated") or error.pos >= len(text) - CUT
        if cut and not ended:
            return None
        raise JsonFault(f"{error.msg}, at {_shown(text, error.pos)}") from error
    except RecursionError as error:
        raise JsonFault(f"a value is nested too deeply, at {_shown(text, place)}") from error
    return None if end == len(text) and not ended else (value, end)


def _shown(text: str, place: int) -> str:
    return f"'{text[max(0, place - 10) : place + 20].strip()}'"
