"""A subject's events in bronze: objects of a stream without their lines, and dead letters that tell of them deleted."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from glue_jobs import objects
from glue_jobs.aws import client
from glue_jobs.bronze_erasure import MOST, Bronze
from glue_jobs.events import AT_ONCE
from lake import arrivals
from lake.records import Load
from lake.subjects import WHOLE, Mark, as_id

T = TypeVar("T")


@dataclass(frozen=True)
class Count:
    """What the lines of an object are: the subject's, others', and of those the ones without any id."""

    theirs: int
    others: int
    nameless: int


class Events(Bronze):
    """Those of a stream, each a line of text that calls the id as the contract of its time did."""

    def take_out(self) -> Counter[str]:
        keys = [each for each in objects.keys(self.bucket, f"{self.folder}/") if arrivals.arrived(each, self.dataset)]
        counted = dict(zip(keys, self._of_each(self._count, keys), strict=True))
        self.nameless["events"] += sum(each.nameless for each in counted.values())
        hit = [key for key, each in counted.items() if each.theirs]
        if hit and not self.dry_run:
            self._recount(hit, {key: each.others for key, each in counted.items()})
            for key in hit:
                lines = (line for line in self._lines(key) if not self._theirs(line))
                client("s3").put_object(Bucket=self.bucket, Key=key, Body=gzip.compress(b"".join(lines), mtime=0))
        return Counter(rows=sum(each.theirs for each in counted.values()), objects=len(hit)) + self._letters()

    def _of_each(self, look: Callable[[str], T], keys: Sequence[str]) -> list[T]:
        """What each object shows: of thousands no more is kept than that."""
        client("s3")  # before the threads
        with ThreadPoolExecutor(AT_ONCE) as readers:
            return list(readers.map(look, keys))

    def _lines(self, key: str) -> list[bytes]:
        return gzip.decompress(objects.read(self.bucket, key)).splitlines(keepends=True)

    def _count(self, key: str) -> Count:
        told = [self._tells(line) for line in self._lines(key)]
        theirs = sum(self.subject in each for each in told)
        return Count(theirs, len(told) - theirs, sum(not each for each in told))

    def _recount(self, hit: Iterable[str], lines: dict[str, int]) -> None:
        for load in self.job.ledger.loads(self.dataset.id, MOST):
            taken = self._manifest(load)
            if not set(taken).isdisjoint(hit):
                self.job.ledger.recount(self.dataset.id, load, sum(lines.get(each, 0) for each in taken))

    def _manifest(self, load: Load) -> list[str]:
        try:
            taken: list[str] = json.loads(objects.read(self.bucket, load.files[0]))
        except client("s3").exceptions.NoSuchKey:  # it expires with the objects that it lists
            return []
        return taken

    def _theirs(self, line: bytes) -> bool:
        return self.subject in self._tells(line)

    def _tells(self, line: bytes) -> set[str]:
        """The ids that an event has at its marks."""
        return ids(as_sent(line), self.marks)  # the consumer wrote it, so it is an object

    def _letters(self) -> Counter[str]:
        """Dead letters are one object each; what none can read as an event goes where it has the id in it."""
        keys = list(objects.keys(self.bucket, arrivals.dead_letters(self.dataset)))
        theirs = [key for key, hit in zip(keys, self._of_each(self._letter, keys), strict=True) if hit]
        for key in () if self.dry_run else theirs:
            client("s3").delete_object(Bucket=self.bucket, Key=key)
        return Counter(letters=len(theirs))

    def _letter(self, key: str) -> bool:
        letter = json.loads(objects.read(self.bucket, key))
        text = base64.b64decode(letter["data"])
        kinds = {each.kind for each in self.marks}
        if any(as_id(kind, letter["partition_key"]) == self.subject for kind in kinds):
            return True
        try:
            record = as_sent(text)
        except ValueError:
            return any(mentions(text, self.subject, kind) for kind in kinds)
        told = ids(record, self.marks) if isinstance(record, dict) else set()
        # what is wrong with it may be the name of the field
        return self.subject in (told or {as_id(kind, each) for each in leaves(record) for kind in kinds})


def as_sent(text: bytes) -> Any:
    """A JSON document whose numbers are the texts that came, as the lake reads them."""
    return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)


def ids(event: dict[str, Any], marks: Iterable[Mark]) -> set[str]:
    """What it has at the marks, by whichever of their names."""
    named = {mark: name for mark in marks if (name := mark.name_in(event))}
    found = (as_id(mark.kind, each) for mark, name in named.items() for each in leaves(event[name]))
    return {each for each in found if each}


def leaves(value: Any) -> Iterator[str]:
    """Every value of a JSON document, as text; what is null is none."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from leaves(each)
    elif value is not None:
        yield str(value).strip(" ")


def mentions(text: bytes, subject: str, kind: str) -> bool:
    """Whether bytes that are no JSON have the id in them; of a whole number, not as a part of a longer one."""
    if kind not in WHOLE:
        return subject.encode() in text
    numbers = re.findall(rb"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", text)
    return subject in {as_id(kind, each.decode()) for each in numbers}
