"""Functions of bytes and bits."""

from __future__ import annotations

from local.engines.athena_casts import coerce
from local.engines.athena_functions import BYTES, NUMBERS, TEXT, WHOLE, Call, Plain, function
from local.engines.athena_octet_values import DIGESTS
from local.engines.athena_scope import Term
from local.engines.athena_types import BIGINT, DOUBLE, INTEGER, REAL, VARBINARY, VARCHAR, common

for _name, _plain in {
    "to_utf8": Plain((TEXT,), VARBINARY, "encode"),
    "from_utf8": Plain((BYTES,), VARCHAR, "t_from_utf8"),
    "to_hex": Plain((BYTES,), VARCHAR, "hex"),
    "from_hex": Plain((TEXT,), VARBINARY, "t_from_hex"),
    "to_base64": Plain((BYTES,), VARCHAR, "to_base64"),
    "from_base64": Plain((TEXT,), VARBINARY, "t_from_base64"),
    "md5": Plain((BYTES,), VARBINARY, "t_md5"),
    "sha1": Plain((BYTES,), VARBINARY, "t_sha1"),
    "sha256": Plain((BYTES,), VARBINARY, "t_sha256"),
    "sha512": Plain((BYTES,), VARBINARY, "t_sha512"),
    "crc32": Plain((BYTES,), BIGINT, "t_crc32"),
    **{f"hmac_{name}": Plain((BYTES, BYTES), VARBINARY, f"t_hmac_{name}") for name in DIGESTS},
    "to_base64url": Plain((BYTES,), VARCHAR, "t_to_base64url"),
    "from_base64url": Plain((TEXT,), VARBINARY, "t_from_base64url"),
    "from_big_endian_32": Plain((BYTES,), INTEGER, "t_from_big_endian_32"),
    "from_big_endian_64": Plain((BYTES,), BIGINT, "t_from_big_endian_64"),
    "from_ieee754_32": Plain((BYTES,), REAL, "t_from_ieee754_32"),
    "from_ieee754_64": Plain((BYTES,), DOUBLE, "t_from_ieee754_64"),
    "bitwise_not": Plain((WHOLE,), BIGINT, "t_bit_not"),
}.items():
    function(_name)(_plain)

PACKED = {"big_endian_32": INTEGER, "big_endian_64": BIGINT, "ieee754_32": REAL, "ieee754_64": DOUBLE}
BITWISE = {"bitwise_and": "({a} & {b})", "bitwise_or": "({a} | {b})", "bitwise_xor": "xor({a}, {b})"}
SHIFTS = {
    "bitwise_left_shift": "left",
    "bitwise_right_shift": "right",
    "bitwise_right_shift_arithmetic": "arithmetic",
}
WIDTHS = {"tinyint": 8, "smallint": 16, "integer": 32, "bigint": 64}


@function(*BITWISE)
def bitwise(call: Call) -> Term:
    call.need(WHOLE, WHOLE)
    a, b = (coerce(term.sql, term.type, BIGINT) for term in call.terms)
    return Term(f"CAST({BITWISE[call.name].format(a=a, b=b)} AS BIGINT)", BIGINT)


@function(*SHIFTS)
def shift(call: Call) -> Term:
    call.need(WHOLE, WHOLE)
    type_ = call.first.type
    if type_.name not in WIDTHS:
        raise call.wrong()
    value, count = (coerce(term.sql, term.type, BIGINT) for term in call.terms)
    return Term(
        f"CAST(t_shifted({value}, {count}, {WIDTHS[type_.name]}, '{SHIFTS[call.name]}') AS {type_.duckdb})", type_
    )


@function("bit_count")
def bit_count(call: Call) -> Term:
    call.need(WHOLE, WHOLE)
    return Term(f"t_bit_count({', '.join(coerce(term.sql, term.type, BIGINT) for term in call.terms)})", BIGINT)


@function(*(f"to_{name}" for name in PACKED))
def packed(call: Call) -> Term:
    """A number of exactly this type, as bytes."""
    type_ = PACKED[call.name.removeprefix("to_")]
    call.need(WHOLE if type_.kind == "integer" else NUMBERS)
    if common(call.first.type, type_) != type_:
        raise call.wrong()
    return Term(f"t_{call.name}({coerce(call.first.sql, call.first.type, type_)})", VARBINARY)
