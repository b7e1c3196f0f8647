"""A batch of records, told apart into lines of bronze and dead letters: the same bytes however often it is handed in.

So a line does not say when it was written: the object's own date does.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from zlib_ng import zlib_ng

from lake.arrivals import ARRIVED_AT, SEQUENCE, SHARD, DeadLetter, dead_letter_key, object_key
from lake.model import Dataset
from lambdas.consume.reading import Reader, RefusedError

Record = dict[str, Any]  # as Lambda hands it in

LEVEL = 5  # of gzip: as small as the standard library's at 6
GZIP = 16 + zlib_ng.MAX_WBITS
LOG = logging.getLogger("consume")  # the handler's, by its service


@dataclass
class Batch:
    """What a batch holds; each dead letter by its object's key, and how many broke each rule."""

    lines: list[bytes] = field(default_factory=list)
    letters: dict[str, bytes] = field(default_factory=dict)
    broken: Counter[str] = field(default_factory=Counter)


def told_apart(records: Sequence[Record], dataset: Dataset, reader: Reader) -> Batch:
    """The whole batch, all of one shard: nothing that is in one record keeps another from its place."""
    batch, read, shard = Batch(), reader.read, shard_of(records[0])
    line = batch.lines.append
    told, arrived, own = -1.0, datetime.min, ""
    for record in records:
        kinesis = record["kinesis"]
        if told != kinesis["approximateArrivalTimestamp"]:
            told, arrived = kinesis["approximateArrivalTimestamp"], arrival(record)
            own = f',"{ARRIVED_AT}":"{stamp(arrived)}","{SHARD}":"{shard}","{SEQUENCE}":"'
        try:
            raw = read(kinesis["data"], arrived)
        except Exception as error:
            refused = error if isinstance(error, RefusedError) else crashed(error)
            key = dead_letter_key(dataset, arrived, shard, kinesis["sequenceNumber"])
            batch.letters[key] = letter(dataset, refused, record, arrived)
            batch.broken.update(refused.rules)
        else:
            line(raw[:-1] + f'{own}{kinesis["sequenceNumber"]}"}}\n'.encode())
    return batch


def batch_key(records: Sequence[Record], dataset: Dataset) -> str:
    """Where the lines of the batch lie: named after all its records, so that no rule's change moves them."""
    first, last = records[0], records[-1]["kinesis"]["sequenceNumber"]
    return object_key(dataset, arrival(first), shard_of(first), first["kinesis"]["sequenceNumber"], last)


def compressed(lines: list[bytes]) -> bytes:
    """As gzip, whose header holds no time."""
    return zlib_ng.compress(b"".join(lines), LEVEL, GZIP)


def crashed(error: Exception) -> RefusedError:
    """A fault of ours, not of the record: its message may hold what the record holds, so only its place is told."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    kind = type(error).__name__
    LOG.error("A record fails the consumer with %s in %s, line %s", kind, where.name, where.lineno)
    return RefusedError(["consumer_error"], f"The consumer fails on it with {kind}: its log says where.")


def letter(dataset: Dataset, refused: RefusedError, record: Record, arrived: datetime) -> bytes:
    kinesis = record["kinesis"]
    told = DeadLetter(
        dataset=dataset.id,
        rules=refused.rules,
        reason=str(refused),
        shard=shard_of(record),
        sequence=kinesis["sequenceNumber"],
        partition_key=kinesis["partitionKey"],
        arrived_at=stamp(arrived),
        data=kinesis["data"],
    )
    return json.dumps(told._asdict()).encode()


def shard_of(record: Record) -> str:
    return str(record["eventID"]).partition(":")[0]


def arrival(record: Record) -> datetime:
    return datetime.fromtimestamp(record["kinesis"]["approximateArrivalTimestamp"], UTC)


def stamp(moment: datetime) -> str:
    return f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
