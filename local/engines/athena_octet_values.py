"""What Python computes of bytes and bits: keyed digests, numbers as bytes, shifts."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import struct
from collections.abc import Callable
from typing import Any

DIGESTS = ("md5", "sha1", "sha256", "sha512")
NUMBERS = {"big_endian_32": (">i", "INTEGER"), "big_endian_64": (">q", "BIGINT"),
           "ieee754_32": (">f", "FLOAT"), "ieee754_64": (">d", "DOUBLE")}  # fmt: skip
URL_SAFE = re.compile(r"(?:[0-9A-Za-z_-]{4})*(?:[0-9A-Za-z_-]{2}(?:==)?|[0-9A-Za-z_-]{3}=?)?")


def keyed(name: str) -> Callable[[bytes, bytes], bytes]:
    return lambda octets, key: hmac.digest(key, octets, name)


def packed(form: str) -> Callable[[Any], bytes]:
    return lambda number: struct.pack(form, number)


def unpacked(name: str, form: str) -> Callable[[bytes], Any]:
    size = struct.calcsize(form)

    def read(octets: bytes) -> Any:
        if len(octets) != size:
            words = f"expected {size}-byte input, but got instead: {len(octets)}"
            if "ieee" in name:
                words = f"Input floating-point value must be exactly {size} bytes long"
            raise ValueError(f"INVALID_FUNCTION_ARGUMENT: {words}")
        found = struct.unpack(form, octets)[0]
        if found != found:  # the engine would take it for NULL
            raise ValueError("NOT_SUPPORTED: bytes that stand for NaN are not read on the laptop")
        return found

    return read


def from_base64url(text: str) -> bytes:
    if not URL_SAFE.fullmatch(text):
        raise ValueError("NOT_SUPPORTED: this text is not read as base64 on the laptop")
    bare = text.rstrip("=")
    return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))


def shifted(value: int, count: int, width: int, how: str) -> int:
    """Bits of a number of this width, moved; by the width or more nothing is left, but for the sign."""
    if count < 0:
        raise ValueError("NOT_SUPPORTED: a shift by a negative number of bits is not run on the laptop")
    if how == "arithmetic":
        return value >> min(count, width)
    bits = value & ((1 << width) - 1)
    moved = 0 if count >= width else bits << count if how == "left" else bits >> count
    moved &= (1 << width) - 1
    return moved - (1 << width) if moved >> (width - 1) else moved


def bit_count(value: int, bits: int) -> int:
    if not 2 <= bits <= 64:
        words = f"Bits specified in bit_count must be between 2 and 64, got {bits}"
        raise ValueError(f"INVALID_FUNCTION_ARGUMENT: {words}")
    if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
        words = f"Number must be representable with the bits specified. {value} cannot be represented with {bits} bits"
        raise ValueError(f"INVALID_FUNCTION_ARGUMENT: {words}")
    return (value & ((1 << bits) - 1)).bit_count()


NATIVES: dict[str, tuple[Callable[..., Any], list[str], str]] = {
    **{f"hmac_{name}": (keyed(name), ["BLOB", "BLOB"], "BLOB") for name in DIGESTS},
    **{f"to_{name}": (packed(form), [type_], "BLOB") for name, (form, type_) in NUMBERS.items()},
    **{f"from_{name}": (unpacked(name, form), ["BLOB"], type_) for name, (form, type_) in NUMBERS.items()},
    "sha512": (lambda octets: hashlib.sha512(octets).digest(), ["BLOB"], "BLOB"),
    "crc32": (lambda octets: binascii.crc32(octets), ["BLOB"], "BIGINT"),
    "to_base64url": (lambda octets: base64.urlsafe_b64encode(octets).decode(), ["BLOB"], "VARCHAR"),
    "from_base64url": (from_base64url, ["VARCHAR"], "BLOB"),
    "shifted": (shifted, ["BIGINT", "BIGINT", "INTEGER", "VARCHAR"], "BIGINT"),
    "bit_count": (bit_count, ["BIGINT", "BIGINT"], "BIGINT"),
}
