"""A subject's rows in bronze: the loads of a source, whose files are rewritten under their names and counted anew."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from pyspark.sql import DataFrame, functions as F
from pyspark.sql.types import BinaryType

from glue_jobs import bronze, objects
from glue_jobs.aws import client
from glue_jobs.conform import quoted
from glue_jobs.erasure import any_of, whose
from glue_jobs.work import Job
from lake.model import Dataset
from lake.subjects import Mark

AVRO = ".avro"
MOST = 100_000  # loads of a dataset that the ledger may remember


@dataclass
class Bronze:
    """The bronze of one dataset, looked through for one subject; what is found goes unless it is a `dry_run`.

    `nameless` counts what has no id by any name that it ever had, so that nobody can tell whose it is.
    """

    job: Job
    dataset: Dataset
    marks: tuple[Mark, ...]
    subject: str = field(repr=False)
    dry_run: bool
    nameless: Counter[str] = field(default_factory=Counter)

    @property
    def bucket(self) -> str:
        return self.job.lake.environment.buckets["bronze"]

    @property
    def folder(self) -> str:
        return self.dataset.folder.rstrip("/")

    def erase(self) -> dict[str, int]:
        """How many rows and objects were the subject's, and how many versions were deleted with them."""
        done = self.take_out()
        if not self.dry_run:
            done["versions"] = objects.delete_past(self.bucket, f"{self.folder}/")
            done["versions"] += objects.delete_past(self.bucket, f"{self.folder}__")
        return dict(done)

    def take_out(self) -> Counter[str]:
        raise NotImplementedError


class Loads(Bronze):
    """Those of a table of a source, each in a folder by itself, since its columns may have had other names then."""

    def take_out(self) -> Counter[str]:
        done: Counter[str] = Counter()
        inside_key = tuple(each for each in self.marks if each.column in self.dataset.key)
        for prefix, marks in ((f"{self.folder}/", self.marks), (f"{self.folder}__keys/", inside_key)):
            folders: dict[str, list[str]] = {}
            for key in objects.keys(self.bucket, prefix) if marks else ():
                if key.endswith(AVRO):
                    folders.setdefault(key.rpartition("/")[0], []).append(key)
            for folder, files in folders.items():
                done += self._load(folder, files, marks)
        return done

    def _load(self, folder: str, files: list[str], marks: tuple[Mark, ...]) -> Counter[str]:
        rows = bronze.stored(self.job.spark, [self.job.lake.bronze_object(key) for key in files])
        named = values(rows, marks)
        if len(named) < len(marks):
            self.nameless["loads"] += 1
        if not named:
            return Counter()
        theirs = rows.withColumn("_file", F.input_file_name()).join(whose(self.job.spark), any_of(named), "left_semi")
        found = {objects.place(row["_file"])[1]: row["count"] for row in theirs.groupBy("_file").count().collect()}
        if found and not self.dry_run:
            self._recount(f"{self.job.lake.bronze_object(folder)}/", rows.count() - sum(found.values()))
            for key in found:
                self._replace(key, marks)
        return Counter(rows=sum(found.values()), objects=len(found))

    def _recount(self, prefix: str, rows: int) -> None:
        """Before the files change: whoever comes after a crash finds what is left of them, and says the same."""
        for load in self.job.ledger.loads(self.dataset.id, MOST):
            if any(each.startswith(prefix) for each in load.files):
                self.job.ledger.recount(self.dataset.id, load, rows)

    def _replace(self, key: str, marks: tuple[Mark, ...]) -> None:
        """One object in place of the other: by way of scratch, where nothing of the subject comes."""
        job, scratch = self.job, self.job.lake.environment.buckets["scratch"]
        prefix = f"glue/forget/{job.run}-{job.attempt}/{key}/"
        rows = bronze.stored(job.spark, [job.lake.bronze_object(key)])
        others = rows.join(whose(job.spark), any_of(values(rows, marks)), "left_anti")
        others.coalesce(1).write.format("avro").mode("overwrite").save(f"s3://{scratch}/{prefix}")
        [made] = [each for each in objects.keys(scratch, prefix) if each.endswith(AVRO)]
        s3 = client("s3")
        s3.copy_object(Bucket=self.bucket, Key=key, CopySource={"Bucket": scratch, "Key": made})
        for each in objects.keys(scratch, prefix):
            s3.delete_object(Bucket=scratch, Key=each)


def values(rows: DataFrame, marks: tuple[Mark, ...]) -> dict[Mark, str]:
    """For each mark that the rows have, its value as SQL; bytes as the hex digits by which the lake reads them."""
    there = {bronze.source_name(each.name): each for each in rows.schema.fields}
    named = {mark: there[name] for mark in marks if (name := mark.name_in(there))}
    quotes = {mark: (quoted(each.name), isinstance(each.dataType, BinaryType)) for mark, each in named.items()}
    return {mark: f"hex({name})" if is_bytes else name for mark, (name, is_bytes) in quotes.items()}
