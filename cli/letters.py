"""Dead letters of streams: records that the consumer refused, and batches that the event source mapping gave up on."""

from __future__ import annotations

import contextlib
import json
import time
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cli.errors import CommandError
from config.stream import noun
from lake import arrivals

if TYPE_CHECKING:
    from cli.target import Target
    from lake.model import Dataset

UNDELIVERED = "undelivered"
AT_ONCE = 16
REQUEST_RECORDS, REQUEST_BYTES = 500, 4 * 2**20
TRIES, WAIT_SECONDS = 8, 0.1


@dataclass(frozen=True)
class Record:
    """A record as it came, with when it did."""

    key: str
    data: bytes
    arrived: datetime


@dataclass(frozen=True)
class Letter:
    """An object of dead letters: one record with the rules that it broke, or the records of a batch."""

    place: str
    dataset: str
    rules: tuple[str, ...]
    reason: str
    shard: str
    sequence: str
    records: tuple[Record, ...]


class Letters:
    """The dead letters of one dataset in one environment."""

    def __init__(self, at: Target, dataset: Dataset) -> None:
        self.dataset = dataset
        self._stream = at.environment.resource(noun(dataset.id))
        self._bucket = at.environment.bucket("bronze")
        self._s3, self._kinesis = at.client("s3"), at.client("kinesis")

    def found(self, since: datetime) -> list[Letter]:
        """Those that arrived since then and were not replayed, oldest first."""
        prefix = arrivals.dead_letters(self.dataset)
        refused = [place for place, _ in self._listed(prefix, StartAfter=f"{prefix}{since:%Y/%m/%d}")]
        given_up = [place for place, changed in self._listed(arrivals.GIVEN_UP) if changed >= since]
        with ThreadPoolExecutor(AT_ONCE) as readers:
            letters = list(readers.map(self._read, [*refused, *given_up]))
        ours = [
            each for each in letters if each and each.dataset == self.dataset.id and each.records[-1].arrived >= since
        ]
        return sorted(ours, key=lambda each: (each.records[0].arrived, each.shard, each.sequence.zfill(56)))

    def replay(self, letters: Sequence[Letter]) -> None:
        """Put their records on the stream again, then the objects aside, so that nothing is replayed a second time."""
        for group in _groups(letters):
            self._send([record for letter in group for record in letter.records])
            with ThreadPoolExecutor(AT_ONCE) as movers:
                list(movers.map(self._put_aside, group))

    def _listed(self, prefix: str, **given: str) -> Iterator[tuple[str, datetime]]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix, **given)
        return ((item["Key"], item["LastModified"]) for page in pages for item in page.get("Contents", []))

    def _read(self, place: str) -> Letter | None:
        """None where another replay has just put it aside."""
        try:
            body = self._s3.get_object(Bucket=self._bucket, Key=place)["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            return None
        try:
            return self._told(place, json.loads(body))
        except (ValueError, TypeError, KeyError):
            raise CommandError(
                f"The object 's3://{self._bucket}/{place}': expected a dead letter as the consumer or Lambda writes it."
                " Move it elsewhere, then run the command again."
            ) from None

    def _told(self, place: str, document: dict[str, Any]) -> Letter:
        if place.startswith(arrivals.GIVEN_UP):
            return self._batch(place, document)
        told = arrivals.DeadLetter(**document)
        record = Record(told.partition_key, b64decode(told.data), datetime.fromisoformat(told.arrived_at))
        return Letter(place, told.dataset, tuple(told.rules), told.reason, told.shard, told.sequence, (record,))

    def _batch(self, place: str, document: dict[str, Any]) -> Letter:
        """What Lambda writes of a batch: the whole event, as a text, is its payload."""
        if "KinesisBatchInfo" not in document:  # of another kind of source
            return Letter(place, "", (UNDELIVERED,), "", "", "", ())
        info, context = document["KinesisBatchInfo"], document["requestContext"]
        ours = info["streamArn"].rpartition("/")[2] == self._stream
        records = [
            Record(
                record["kinesis"]["partitionKey"],
                b64decode(record["kinesis"]["data"]),
                datetime.fromtimestamp(record["kinesis"]["approximateArrivalTimestamp"], UTC),
            )
            for record in json.loads(document["payload"])["Records"]
        ]
        error = (document.get("responseContext") or {}).get("functionError")
        reason = f"Lambda gave the batch up: {context['condition']}{f', {error}' if error else ''}."
        return Letter(
            place,
            self.dataset.id if ours else "",
            (UNDELIVERED,),
            reason,
            info["shardId"],
            info["startSequenceNumber"],
            tuple(records),
        )

    def _send(self, records: Sequence[Record]) -> None:
        for request in _requests(records):
            left = [{"Data": record.data, "PartitionKey": record.key} for record in request]
            for attempt in range(TRIES):
                answer = self._kinesis.put_records(StreamName=self._stream, Records=left)
                left = [
                    record
                    for record, told in zip(left, answer["Records"], strict=True)
                    if told.get("ErrorCode") is not None
                ]
                if not left:
                    break
                time.sleep(WAIT_SECONDS * 2**attempt)
            else:
                raise CommandError(
                    f"The stream '{self._stream}' did not take {len(left)} records in {TRIES} tries: expected fewer at"
                    " once. Run the command again: what it took is put aside or counts once in silver."
                )

    def _put_aside(self, letter: Letter) -> None:
        source = {"Bucket": self._bucket, "Key": letter.place}
        with contextlib.suppress(self._s3.exceptions.NoSuchKey):  # another replay was faster
            self._s3.copy_object(Bucket=self._bucket, Key=self._aside(letter.place), CopySource=source)
        self._s3.delete_object(Bucket=self._bucket, Key=letter.place)

    def _aside(self, place: str) -> str:
        aside = f"{self.dataset.folder.rstrip('/')}__replayed/"
        return f"{aside}{place.removeprefix(arrivals.dead_letters(self.dataset))}"


def sound(dataset: Dataset, letters: Iterable[Letter]) -> list[Letter]:
    """Those whose record keeps the contract as it is here now, and batches, which are for the consumer to look at."""
    from lambdas.consume.reading import Reader

    reader = Reader(dataset)

    def keeps(letter: Letter) -> bool:
        if letter.rules == (UNDELIVERED,):
            return True
        try:
            reader.read(b64encode(letter.records[0].data).decode(), datetime.now(UTC))
        except Exception:  # the consumer too makes a dead letter of whatever it fails on
            return False
        return True

    return [letter for letter in letters if keeps(letter)]


def _groups(letters: Iterable[Letter]) -> Iterator[list[Letter]]:
    """Letters of about one request together, so that few are sent twice when the command is cut off."""
    group: list[Letter] = []
    for letter in letters:
        group.append(letter)
        if sum(len(each.records) for each in group) >= REQUEST_RECORDS:
            yield group
            group = []
    if group:
        yield group


def _requests(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Records by what one request may hold."""
    request: list[Record] = []
    size = 0
    for record in records:
        if request and (len(request) == REQUEST_RECORDS or size + len(record.data) > REQUEST_BYTES):
            yield request
            request, size = [], 0
        request.append(record)
        size += len(record.data) + len(record.key)
    if request:
        yield request
