"""format() as Java's Formatter writes: conversions of texts, numbers, booleans and dates; any other is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

SPECIFIER = re.compile(r"%(?:(\d+)\$|(<))?([-#+ 0,(]*)(\d+)?(?:\.(\d+))?([tT]?[A-Za-z%])")
FORMS = {"x": "x", "o": "o"}
WHOLE = ("tinyint", "smallint", "integer", "bigint")
FRACTIONS = ("decimal", "double", "real")
CLASSES = {**dict.fromkeys(WHOLE, "java.lang.Long"), "decimal": "java.math.BigDecimal", "double": "java.lang.Double",
           "real": "java.lang.Float", "varchar": "java.lang.String", "boolean": "java.lang.Boolean",
           "date": "java.time.LocalDate", "timestamp": "java.time.LocalDateTime"}  # fmt: skip
TIMES = {"Y": "%Y", "y": "%y", "m": "%m", "d": "%d", "e": "%-d", "B": "%B", "b": "%b", "h": "%b", "A": "%A", "a": "%a",
         "j": "%j", "H": "%H", "k": "%-H", "I": "%I", "l": "%-I", "M": "%M", "S": "%S", "F": "%Y-%m-%d",
         "D": "%m/%d/%y", "T": "%H:%M:%S", "R": "%H:%M", "r": "%I:%M:%S %p"}  # fmt: skip
ON_A_DAY = "YymdeBbhAajFD"
MOST_DIGITS = 6


@dataclass(frozen=True)
class Specifier:
    """One `%…`: what is written, its flags, its width, its digits and its conversion."""

    text: str
    flags: str
    width: int
    digits: int | None
    letter: str

    def refuse(self) -> ValueError:
        return ValueError(f"NOT_SUPPORTED: '{self.text}' in a format is not run on the laptop")

    def padded(self, written: str) -> str:
        return written.ljust(self.width) if "-" in self.flags else written.rjust(self.width)


def wrong(form: str, words: str) -> ValueError:
    return ValueError(f"INVALID_FUNCTION_ARGUMENT: Invalid format string: {form} ({words})")


def java_format(form: str, kinds: str, values: Sequence[str | None]) -> str:
    """The values come as texts, their types as names with commas between."""
    types, out, end, ordinary, last = kinds.split(","), [], 0, 0, -1
    for found in SPECIFIER.finditer(form):
        out.append(_plain(form, form[end : found.start()]))
        end = found.end()
        spec = Specifier(found[0], found[3], int(found[4] or 0), int(found[5]) if found[5] else None, found[6])
        if len(set(spec.flags)) < len(spec.flags):
            raise spec.refuse()
        if spec.letter in ("%", "n"):
            if found[0][1:] != spec.letter:
                raise spec.refuse()
            out.append("%" if spec.letter == "%" else "\n")
            continue
        if found[1]:
            last = int(found[1]) - 1
        elif not found[2]:
            last, ordinary = ordinary, ordinary + 1
        if not 0 <= last < len(values):
            raise wrong(form, f"MissingFormatArgument: Format specifier '{found[0]}'")
        out.append(_written(form, spec, types[last], values[last]))
    return "".join(out) + _plain(form, form[end:])


def _plain(form: str, text: str) -> str:
    if "%" in text:
        raise ValueError(f"NOT_SUPPORTED: the format '{form}' is not run on the laptop")
    return text


def _written(form: str, spec: Specifier, kind: str, value: str | None) -> str:
    letter = spec.letter
    if letter in "sS" or (letter in "bB" and kind in ("boolean", "unknown")):
        if spec.flags.strip("-") or ("-" in spec.flags and not spec.width):
            raise spec.refuse()
        missing = "null" if letter in "sS" else "false"
        text = missing if value is None else _told(spec, kind, value)
        text = text if spec.digits is None else text[: spec.digits]
        return spec.padded(text.upper() if letter in "SB" else text)
    if value is None:
        if letter in "dxXof" and not spec.digits and not spec.flags:
            return spec.padded("NULL" if letter.isupper() else "null")
        raise spec.refuse()
    fits = {"d": WHOLE, "x": WHOLE, "X": WHOLE, "o": WHOLE, "f": FRACTIONS}.get(letter)
    if letter[0] in "tT" and len(letter) > 1:
        return _time(form, spec, kind, value)
    if fits is None:
        raise spec.refuse()
    if kind not in fits:
        raise wrong(form, f"IllegalFormatConversion: {letter} != {CLASSES.get(kind, kind)}")
    return _fraction(spec, value) if letter == "f" else _whole(form, spec, value)


def _told(spec: Specifier, kind: str, value: str) -> str:
    """What Java's toString has of a value."""
    if kind != "timestamp":
        return value
    day, clock = value.split(" ")
    seconds, _, fraction = clock.partition(".")
    digits = fraction.ljust(MOST_DIGITS, "0")
    kept = "" if not int(digits) else "." + (digits[:3] if digits.endswith("000") else digits)
    return f"{day}T{seconds.removesuffix(':00') if not kept else seconds}{kept}"


def _whole(form: str, spec: Specifier, value: str) -> str:
    if spec.digits is not None:
        raise wrong(form, f"IllegalFormatPrecision: {spec.digits}")
    number = int(value)
    if spec.letter == "d":
        return _number(spec, number < 0, f"{abs(number):,}" if "," in spec.flags else str(abs(number)))
    if number < 0 or spec.flags.strip("0-"):
        raise spec.refuse()
    text = format(number, FORMS[spec.letter.lower()])
    return _number(spec, False, text.upper() if spec.letter == "X" else text)


def _fraction(spec: Specifier, value: str) -> str:
    if value in ("NaN", "Infinity", "-Infinity") or "#" in spec.flags:
        raise spec.refuse()
    digits = MOST_DIGITS if spec.digits is None else spec.digits
    number = Decimal(value)
    rounded = abs(number).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return _number(spec, value.startswith("-"), f"{rounded:,f}" if "," in spec.flags else f"{rounded:f}")


def _number(spec: Specifier, negative: bool, text: str) -> str:
    """The sign as the flags have it, then the padding."""
    if "-" in spec.flags and ("0" in spec.flags or not spec.width):
        raise spec.refuse()
    before, after = ("-", "") if negative else ("", "")
    if negative and "(" in spec.flags:
        before, after = "(", ")"
    elif not negative and "+" in spec.flags:
        before = "+"
    elif not negative and " " in spec.flags:
        before = " "
    if "0" in spec.flags:
        text = text.rjust(spec.width - len(before) - len(after), "0")
    return spec.padded(f"{before}{text}{after}")


def _time(form: str, spec: Specifier, kind: str, value: str) -> str:
    letter = spec.letter[1]
    if kind not in ("date", "timestamp"):
        raise wrong(form, f"IllegalFormatConversion: {letter} != {CLASSES.get(kind, kind)}")
    if letter not in TIMES or spec.flags.strip("-") or (kind == "date" and letter not in ON_A_DAY):
        raise spec.refuse()
    text = datetime.fromisoformat(value).strftime(TIMES[letter])
    return spec.padded(text.upper() if spec.letter[0] == "T" else text)


NATIVES: dict[str, tuple[Callable[..., Any], list[str], str]] = {
    "format": (java_format, ["VARCHAR", "VARCHAR", "VARCHAR[]"], "VARCHAR"),
}
