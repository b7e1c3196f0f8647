"""What came of a load beside what had to: silver's rows and the dead letters, compared as sets, not only counted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any, get_args, get_type_hints

import duckdb
import pyarrow as pa

from local.clinic import Load
from local.clinic.events import Event

AT_ONCE, CHUNK, SHOWN = 16, 100_000, 3
TYPES = {str: pa.string(), int: pa.int32(), date: pa.date32(), datetime: pa.timestamp("us", "UTC")}
SCHEMA = pa.schema(
    [(name, TYPES[(get_args(hint) or (hint,))[0]]) for name, hint in get_type_hints(Event).items()]  # of `str | None`
)


@dataclass(frozen=True)
class Difference:
    """How many are not there, are there without having been sent so, or are there twice, with some of their ids."""

    missing: int
    unexpected: int
    examples: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected)


def silver(loads: Sequence[Load], found: pa.Table) -> Difference:
    """Rows of silver that differ in any column of the contract, are missing, doubled or too many."""
    with duckdb.connect() as connection:
        connection.register("expected", table(event for load in loads for event in load.expected()))
        connection.register("found", found.select(list(Event._fields)).cast(SCHEMA))
        missing = _ids(connection, "expected", "found")
        unexpected = _ids(connection, "found", "expected")
    return Difference(len(missing), len(unexpected), tuple(sorted({*missing[:SHOWN], *unexpected[:SHOWN]})))


def dead_letters(loads: Sequence[Load], found: Mapping[tuple[str, str], int]) -> Difference:
    """Dead letters by partition key and rule: each malformed record once, and no other."""
    expected = Counter((record.key, kind.rule) for load in loads for record, kind in load.malformed_records())
    missing, unexpected = expected - Counter(found), Counter(found) - expected
    examples = (f"{key} {rule}" for key, rule in (*islice(missing, SHOWN), *islice(unexpected, SHOWN)))
    return Difference(missing.total(), unexpected.total(), tuple(examples))


def letters(s3: Any, bucket: str, prefix: str) -> Counter[tuple[str, str]]:
    """The dead letters that lie in bronze: how many there are of each partition key and rule."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    with ThreadPoolExecutor(AT_ONCE) as readers:
        bodies = readers.map(lambda key: json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()), keys)
        return Counter((body["partition_key"], rule) for body in bodies for rule in body["rules"])


def _ids(connection: duckdb.DuckDBPyConnection, left: str, right: str) -> list[str]:
    query = f"SELECT event_id FROM (SELECT * FROM {left} EXCEPT ALL SELECT * FROM {right}) ORDER BY 1"
    return [str(row[0]) for row in connection.execute(query).fetchall()]


def table(events: Iterable[Event]) -> pa.Table:
    return pa.Table.from_batches(_batches(iter(events)), SCHEMA)


def _batches(events: Iterator[Event]) -> Iterator[pa.RecordBatch]:
    while chunk := list(islice(events, CHUNK)):
        columns = zip(zip(*chunk, strict=True), SCHEMA, strict=True)
        yield pa.record_batch([pa.array(values, field.type) for values, field in columns], SCHEMA)
