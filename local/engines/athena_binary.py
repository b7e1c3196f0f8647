"""Functions of bytes and bits."""

from __future__ import annotations

from local.engines.athena_casts import coerce
from local.engines.athena_functions import BYTES, TEXT, WHOLE, Call, Plain, function
from local.engines.athena_scope import Term
from local.engines.athena_types import BIGINT, VARBINARY, VARCHAR

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
    "bitwise_not": Plain((WHOLE,), BIGINT, "t_bit_not"),
}.items():
    function(_name)(_plain)

BITWISE = {
    "bitwise_and": "({a} & {b})", "bitwise_or": "({a} | {b})", "bitwise_xor": "xor({a}, {b})",
    "bitwise_left_shift": "t_left({a}, {b})", "bitwise_right_shift": "t_right({a}, {b})",
    "bitwise_right_shift_arithmetic": "t_right({a}, {b})",
}  # fmt: skip


@function(*BITWISE)
def bitwise(call: Call) -> Term:
    call.need(WHOLE, WHOLE)
    if "shift" in call.name and call.first.type != BIGINT:
        raise call.wrong()
    a, b = (coerce(term.sql, term.type, BIGINT) for term in call.terms)
    return Term(f"CAST({BITWISE[call.name].format(a=a, b=b)} AS BIGINT)", BIGINT)


@function("bit_count")
def bit_count(call: Call) -> Term:
    call.need(WHOLE, WHOLE)
    if call.literal(1) != "64":
        raise call.wrong()
    return Term(f"CAST(bit_count(CAST({call.first.sql} AS BIGINT)) AS BIGINT)", BIGINT)
