"""What Python computes of texts: maps out of texts, forms of Unicode, distances, and sounds."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from itertools import pairwise
from typing import Any

FORMS = ("NFC", "NFD", "NFKC", "NFKD")
SOUNDS = {letter: str(code) for code, letters in enumerate(("bfpv", "cgjkqsxz", "dt", "l", "mn", "r"), 1)
          for letter in letters}  # fmt: skip
ONCE = "INVALID_FUNCTION_ARGUMENT: Key-value delimiter must appear exactly once in each entry. Bad input: "


def pairs(text: str, entries: str, parts: str, quote: str) -> list[tuple[str, str]]:
    """`a=1,b=2` in pairs; what comes after the last delimiter need not be there."""
    for name, delimiter in (("entryDelimiter", entries), ("keyValueDelimiter", parts)):
        if not delimiter:
            raise ValueError(f"INVALID_FUNCTION_ARGUMENT: {name} is empty")
    if entries == parts:
        raise ValueError("INVALID_FUNCTION_ARGUMENT: entryDelimiter and keyValueDelimiter must not be the same")
    found = text.split(entries)
    if found[-1] == "":
        found.pop()
    for each in found:
        if each.count(parts) != 1:
            raise ValueError(f"{ONCE}{quote}{each}{quote}")
    return [(key, value) for key, value in (each.split(parts) for each in found)]


def to_map(text: str, entries: str, parts: str) -> dict[str, str]:
    found = pairs(text, entries, parts, "'")
    made: dict[str, str] = {}
    for key, value in found:
        if key in made:
            raise ValueError(f"INVALID_FUNCTION_ARGUMENT: Duplicate keys ({key}) are not allowed")
        made[key] = value
    return made


def to_multimap(text: str, entries: str, parts: str) -> dict[str, list[str]]:
    made: dict[str, list[str]] = {}
    for key, value in pairs(text, entries, parts, ""):
        made.setdefault(key, []).append(value)
    return made


def normalize(text: str, form: str) -> str:
    return unicodedata.normalize(form, text)  # type: ignore[arg-type]


def hamming(left: str, right: str) -> int:
    if len(left) != len(right):
        words = "The input strings to hamming_distance function must have the same length"
        raise ValueError(f"INVALID_FUNCTION_ARGUMENT: {words}")
    return sum(ours != theirs for ours, theirs in zip(left, right, strict=True))


def levenshtein(left: str, right: str) -> int:
    row = list(range(len(right) + 1))
    for i, ours in enumerate(left, 1):
        last, row[0] = row[0], i
        for j, theirs in enumerate(right, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (ours != theirs))
    return row[-1]


def soundex(text: str) -> str:
    """American Soundex: h and w do not part letters of the same sound, vowels do."""
    if not text:
        return ""
    if not re.fullmatch("[A-Za-z]+", text):
        raise ValueError("NOT_SUPPORTED: soundex of what is not one word of English letters is not run on the laptop")
    lower = text.lower()
    heard = [lower[0], *(letter for letter in lower[1:] if letter not in "hw")]
    codes = [SOUNDS.get(letter, "") for letter in heard]
    kept = "".join(code for before, code in pairwise(codes) if code != before)
    return (text[0].upper() + kept + "000")[:4]


def luhn(text: str) -> bool:
    if not re.fullmatch(r"[0-9]*", text):
        raise ValueError("INVALID_FUNCTION_ARGUMENT: Input contains non-digit character")
    if not text:
        return False
    doubled = (int(digit) * (1 + i % 2) for i, digit in enumerate(reversed(text)))
    return sum(each // 10 + each % 10 for each in doubled) % 10 == 0


NATIVES: dict[str, tuple[Callable[..., Any], list[str], str]] = {
    "split_to_map": (to_map, ["VARCHAR", "VARCHAR", "VARCHAR"], "MAP(VARCHAR, VARCHAR)"),
    "split_to_multimap": (to_multimap, ["VARCHAR", "VARCHAR", "VARCHAR"], "MAP(VARCHAR, VARCHAR[])"),
    "normalize": (normalize, ["VARCHAR", "VARCHAR"], "VARCHAR"),
    "hamming": (hamming, ["VARCHAR", "VARCHAR"], "BIGINT"),
    "levenshtein": (levenshtein, ["VARCHAR", "VARCHAR"], "BIGINT"),
    "soundex": (soundex, ["VARCHAR"], "VARCHAR"),
    "luhn": (luhn, ["VARCHAR"], "BOOLEAN"),
}
