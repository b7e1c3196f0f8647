"""Hive's buckets: which file of a bucketed table a row goes to, by the hash of its columns."""

from __future__ import annotations

from collections.abc import Sequence

from local.engines.athena_errors import RefusedError
from local.engines.athena_types import INTEGERS, Type

WORD, POSITIVE = 2**32, 2**31  # hashes are Java's int
BYTE = "CAST('0x' || substr(hex(encode({sql})), 2 * i + 1, 2) AS INTEGER)::HUGEINT"
BYTES = f"list_transform(range(octet_length(encode({{sql}}))), lambda i: {BYTE})"


def bucket(columns: Sequence[tuple[str, Type]], count: int) -> str:
    """DuckDB's SQL for the number of the bucket."""
    total = "0::HUGEINT"
    for sql, type_ in columns:
        total = wrapped(f"(31 * {total} + {hashed(sql, type_)})")
    return f"CAST(({total} % {POSITIVE}) % {count} AS INTEGER)"


def hashed(sql: str, type_: Type) -> str:
    """What Hive's ObjectInspectorUtils.hashCode makes of a value; NULL has 0."""
    if type_.name == "bigint":
        low = wrapped(f"{sql}::HUGEINT")
        high = wrapped(f"(({sql}::HUGEINT - {low}) // {WORD})")
        found = f"xor({low}::UBIGINT, {high}::UBIGINT)::HUGEINT"
    elif type_.name in INTEGERS or type_.name == "boolean":
        found = f"{sql}::INTEGER::HUGEINT"
    elif type_.name == "date":
        found = f"date_diff('day', DATE '1970-01-01', {sql})::HUGEINT"
    elif type_.name == "varchar":
        # each byte is signed in Java
        signed = f"list_transform({BYTES.format(sql=sql)}, lambda b: CASE WHEN b > 127 THEN b - 256 ELSE b END)"
        found = f"list_reduce(list_prepend(0::HUGEINT, {signed}), lambda h, b: {wrapped('(31 * h + b)')})"
    else:
        raise RefusedError(f"A bucket by a column of type {type_}", "Use whole numbers, texts, dates or booleans.")
    return f"coalesce({found}, 0)"


def wrapped(sql: str) -> str:
    """A number modulo 2**32, as Java's int overflows."""
    return f"(({sql} % {WORD} + {WORD}) % {WORD})"
