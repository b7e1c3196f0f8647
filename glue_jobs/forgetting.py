"""Take a subject's rows out of bronze: files are rewritten under their names, and their loads recounted."""

from __future__ import annotations

import base64
import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from pyspark.sql import DataFrame, functions as F

from glue_jobs import bronze, objects
from glue_jobs.aws import client
from glue_jobs.erasure import any_of, whose
from glue_jobs.events import AT_ONCE
from glue_jobs.work import Job
from lake import arrivals
from lake.model import Dataset
from lake.records import Load

AVRO = ".avro"
T = TypeVar("T")
MOST = 100_000  # loads of a dataset that the ledger may remember


class Bronze:
    """The bronze of one dataset, for one subject; what is found is taken out unless it is a `dry_run`."""

    def __init__(self, job: Job, dataset: Dataset, columns: tuple[str, ...], subject: str, *, dry_run: bool) -> None:
        self._job, self._dataset, self._columns = job, dataset, columns
        self._subject, self._dry_run = subject, dry_run
        self._bucket = job.lake.environment.buckets["bronze"]
        self._folder = dataset.folder.rstrip("/")
        self._sources = {each.name: each.source for each in dataset.columns}

    def erase(self) -> dict[str, int]:
        """How many rows and objects were the subject's, and how many versions were deleted with them."""
        done = self._events() if self._dataset.is_stream else self._loads()
        if not self._dry_run:
            done["versions"] = objects.delete_past(self._bucket, f"{self._folder}/")
            done["versions"] += objects.delete_past(self._bucket, f"{self._folder}__")
        return dict(done)

    def _loads(self) -> Counter[str]:
        """Each load's folder by itself, since its source may have had other columns then."""
        done: Counter[str] = Counter()
        for prefix in (f"{self._folder}/", f"{self._folder}__keys/"):
            folders: dict[str, list[str]] = {}
            for key in objects.keys(self._bucket, prefix):
                if key.endswith(AVRO):
                    folders.setdefault(key.rpartition("/")[0], []).append(key)
            for folder, files in folders.items():
                done += self._load(folder, files)
        return done

    def _load(self, folder: str, files: list[str]) -> Counter[str]:
        paths = [self._job.lake.bronze_object(key) for key in files]
        rows = bronze.stored(self._job.spark, paths)
        theirs = self._theirs(rows.withColumn("_file", F.input_file_name()))
        if theirs is None:
            return Counter()
        found = {objects.place(row["_file"])[1]: row["count"] for row in theirs.groupBy("_file").count().collect()}
        if found and not self._dry_run:
            self._recount(f"{self._job.lake.bronze_object(folder)}/", rows.count() - sum(found.values()))
            for key in found:
                self._replace(key)
        return Counter(rows=sum(found.values()), objects=len(found))

    def _theirs(self, rows: DataFrame, how: str = "left_semi") -> DataFrame | None:
        """The subject's rows, or with left_anti all others; None of a file without such a column."""
        named = {each: bronze.avro_name(self._sources[each]) for each in self._columns}
        present = {each: name for each, name in named.items() if name in rows.columns}
        if not present:
            return None
        return rows.join(whose(rows.sparkSession), any_of(self._dataset, self._columns, present), how)

    def _recount(self, prefix: str, rows: int) -> None:
        """Before the files change: whoever comes after a crash finds what is left of them, and says the same."""
        for load in self._job.ledger.loads(self._dataset.id, MOST):
            if any(each.startswith(prefix) for each in load.files):
                self._job.ledger.recount(self._dataset.id, load, rows)

    def _replace(self, key: str) -> None:
        """One object in place of the other: by way of scratch, where nothing of the subject comes."""
        job, scratch = self._job, self._job.lake.environment.buckets["scratch"]
        prefix = f"glue/forget/{job.run}-{job.attempt}/{key}/"
        others = self._theirs(bronze.stored(job.spark, [job.lake.bronze_object(key)]), "left_anti")
        assert others is not None  # the file was found by its rows
        others.coalesce(1).write.format("avro").mode("overwrite").save(f"s3://{scratch}/{prefix}")
        [made] = [each for each in objects.keys(scratch, prefix) if each.endswith(AVRO)]
        s3 = client("s3")
        s3.copy_object(Bucket=self._bucket, Key=key, CopySource={"Bucket": scratch, "Key": made})
        for each in objects.keys(scratch, prefix):
            s3.delete_object(Bucket=scratch, Key=each)

    def _events(self) -> Counter[str]:
        keys = [
            each for each in objects.keys(self._bucket, f"{self._folder}/") if arrivals.arrived(each, self._dataset)
        ]
        counted = dict(zip(keys, self._of_each(self._count, keys), strict=True))
        hit = [key for key, (_, theirs) in counted.items() if theirs]
        if hit and not self._dry_run:
            self._recount_events(hit, {key: others for key, (others, _) in counted.items()})
            for key in hit:
                body = gzip.compress(b"".join(self._others(self._lines(key))), mtime=0)
                client("s3").put_object(Bucket=self._bucket, Key=key, Body=body)
        return Counter(rows=sum(theirs for _, theirs in counted.values()), objects=len(hit)) + self._letters()

    def _of_each(self, look: Callable[[str], T], keys: Sequence[str]) -> list[T]:
        """What each object shows: of thousands no more is kept than that."""
        client("s3")  # before the threads
        with ThreadPoolExecutor(AT_ONCE) as readers:
            return list(readers.map(look, keys))

    def _lines(self, key: str) -> list[bytes]:
        return gzip.decompress(objects.read(self._bucket, key)).splitlines(keepends=True)

    def _others(self, lines: Iterable[bytes]) -> list[bytes]:
        return [line for line in lines if not self._tells_of(line)]

    def _count(self, key: str) -> tuple[int, int]:
        """How many lines of an object stay, and how many do not."""
        lines = self._lines(key)
        others = len(self._others(lines))
        return others, len(lines) - others

    def _recount_events(self, hit: Iterable[str], lines: dict[str, int]) -> None:
        for load in self._job.ledger.loads(self._dataset.id, MOST):
            taken = self._manifest(load)
            if not set(taken).isdisjoint(hit):
                self._job.ledger.recount(self._dataset.id, load, sum(lines.get(each, 0) for each in taken))

    def _manifest(self, load: Load) -> list[str]:
        try:
            taken: list[str] = json.loads(objects.read(self._bucket, load.files[0]))
        except client("s3").exceptions.NoSuchKey:  # it expires with the objects that it lists
            return []
        return taken

    def _letters(self) -> Counter[str]:
        """Dead letters are one object each; what none can read as an event goes where it has the id in it."""
        keys = list(objects.keys(self._bucket, arrivals.dead_letters(self._dataset)))
        theirs = [key for key, hit in zip(keys, self._of_each(self._letter, keys), strict=True) if hit]
        for key in () if self._dry_run else theirs:
            client("s3").delete_object(Bucket=self._bucket, Key=key)
        return Counter(letters=len(theirs))

    def _letter(self, key: str) -> bool:
        letter = json.loads(objects.read(self._bucket, key))
        text = base64.b64decode(letter["data"])
        if letter["partition_key"] == self._subject:
            return True
        try:
            return self._subject in leaves(json.loads(text))  # what is wrong with it may be the name of the field
        except ValueError:
            return self._subject.encode() in text

    def _tells_of(self, text: bytes) -> bool:
        if self._subject.encode() not in text and b"\\" not in text:  # an escape may be any character
            return False
        event: dict[str, Any] = json.loads(text)  # the consumer wrote it
        return any(str(event.get(self._sources[each], "")).strip(" ") == self._subject for each in self._columns)


def leaves(value: Any) -> Iterator[str]:
    """Every value of a JSON document, as text."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from leaves(each)
    else:
        yield str(value).strip(" ")
