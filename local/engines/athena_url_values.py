"""URLs as Java's URI and URLDecoder read and write them, which Trino's url_* functions go by."""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, unquote_to_bytes

UNRESERVED = string.ascii_letters + string.digits + "_-!.~'()*"
IN_PATH = UNRESERVED + ":@&=+$,;/"
IN_QUERY = UNRESERVED + ";/?:@&=+$,[]"
IN_USER = UNRESERVED + ";:&=+$,"
IN_NAME = UNRESERVED + "$,;:@&=+"
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
HOST = re.compile(rf"(?:{LABEL}\.)*[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.?")
BYTE = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
ADDRESS = re.compile(rf"{BYTE}(?:\.{BYTE}){{3}}")
SERVER = re.compile(r"(?:([^@]*)@)?([^@:]*)(?::(\d*))?")
LARGEST_PORT = 2**31 - 1
PARTS = re.compile(r"(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.S)


@dataclass(frozen=True)
class Url:
    """The parts of a URL as they are written; those that it has not are None."""

    scheme: str | None = None
    host: str | None = None
    port: int | None = None
    path: str | None = None
    query: str | None = None
    fragment: str | None = None


def parse(text: str) -> Url | None:
    """None for a text that is no URI for Java."""
    scheme, colon, rest = text.partition(":")
    if not colon or re.search(r"[/?#]", scheme):
        scheme, rest = "", text
    elif not SCHEME.fullmatch(scheme) or not rest or rest[0] == "#":
        return None
    if scheme and rest[0] != "/":
        body, _, fragment = rest.partition("#")
        legal = _legal(body, IN_QUERY) and _legal(fragment, IN_QUERY)
        return Url(scheme, fragment=fragment if "#" in rest else None) if legal else None
    found = PARTS.fullmatch(rest)
    assert found is not None  # every text fits
    authority, path, query, fragment = found.groups()
    if authority == "" and not path and query is None and fragment is None:
        return None
    if not (_legal(path, IN_PATH) and _legal(query or "", IN_QUERY) and _legal(fragment or "", IN_QUERY)):
        return None
    if not authority:
        return Url(scheme or None, path=path, query=query, fragment=fragment)
    server = _server(authority)
    if server is None:
        return None
    return Url(scheme or None, *server, path, query, fragment)


def _server(authority: str) -> tuple[str | None, int | None] | None:
    """Host and port; neither for a name that is no server's, and None for what cannot be an authority."""
    if "[" in authority or "]" in authority:
        raise ValueError("NOT_SUPPORTED: a URL with an IPv6 address is not run on the laptop")
    found = SERVER.fullmatch(authority)
    if found and _legal(found[1] or "", IN_USER) and (ADDRESS.fullmatch(found[2]) or HOST.fullmatch(found[2])):
        port = int(found[3]) if found[3] else None
        if port is None or port <= LARGEST_PORT:
            return found[2], port
    return (None, None) if _legal(authority, IN_NAME) else None


def _legal(text: str, letters: str) -> bool:
    bare = re.sub(r"%[0-9A-Fa-f]{2}", "", text)
    return all(letter in letters or (ord(letter) > 127 and letter.isprintable()) for letter in bare)


def decode(text: str) -> str:
    """What the percent signs stand for."""
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError as error:
        raise ValueError("NOT_SUPPORTED: a URL whose escapes are not UTF-8 is not run on the laptop") from error


def extract(text: str, part: str) -> str | None:
    found = parse(text)
    if found is None:
        return None
    value = getattr(found, part) or ""
    return value if part in ("scheme", "host") else decode(value)


def port(text: str) -> int | None:
    found = parse(text)
    return None if found is None else found.port


def parameter(text: str, name: str) -> str | None:
    """The first parameter of the name."""
    found = parse(text)
    if found is None or found.query is None:
        return None
    for each in found.query.split("&"):
        key, _, value = each.partition("=")
        if key == name:
            return url_decode(value)
    return None


def url_decode(text: str) -> str:
    if wrong := re.search(r"%(?![0-9A-Fa-f]{2})", text):
        words = "Incomplete trailing escape (%) pattern" if wrong.start() + 2 >= len(text) else (
            f"Illegal hex characters in escape (%) pattern: {text[wrong.start() : wrong.start() + 3]}"
        )  # fmt: skip
        raise ValueError(f"INVALID_FUNCTION_ARGUMENT: URLDecoder: {words}")
    return decode(text.replace("+", " "))


def url_encode(text: str) -> str:
    return quote_plus(text, safe="-_.*").replace("~", "%7E")


NATIVES: dict[str, tuple[Callable[..., Any], list[str], str]] = {
    "url_extract": (extract, ["VARCHAR", "VARCHAR"], "VARCHAR"),
    "url_port": (port, ["VARCHAR"], "BIGINT"),
    "url_parameter": (parameter, ["VARCHAR", "VARCHAR"], "VARCHAR"),
    "url_decode": (url_decode, ["VARCHAR"], "VARCHAR"),
    "url_encode": (url_encode, ["VARCHAR"], "VARCHAR"),
}
