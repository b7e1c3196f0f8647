"""Ingest: each planned dataset from its source into bronze, as it is: all of it, or what is new."""

from __future__ import annotations

import sys
from dataclasses import replace

from pyspark.sql import DataFrame, Observation, functions as F
from pyspark.sql.types import StructType

from glue_jobs import bronze, events, suppression
from glue_jobs.apply import unapplied
from glue_jobs.aws import client
from glue_jobs.conform import quoted
from glue_jobs.connection import find_source
from glue_jobs.failures import BronzeMissingError
from glue_jobs.reading import Reading
from glue_jobs.windows import Window, window
from glue_jobs.work import Job, Task, open_job, work
from lake.items import utc_now
from lake.ledger import Load, Outcome
from lake.parts import Dataset


def ingest(task: Task) -> Outcome:
    """The source's rows in bronze, committed in the ledger and shown in the catalog."""
    # a retried start can start a job run twice, and two of them must not write one prefix; runs have each their own
    with task.job.ledger.lease(f"bronze.{task.dataset.id}.{task.run}", task.run, attempt=task.job.attempt):
        task.job.ledger.note_names(task.dataset)
        return load(task)


def load(task: Task) -> Outcome:
    job, dataset = task.job, task.dataset
    held = job.ledger.load(dataset.id, task.run)
    whole_again = job.mode == "backfill" and dataset.load_mode == "full"
    if held is None or held.attempt != job.attempt:
        held = adopted(task) if whole_again else events.take(task) if dataset.is_stream else from_source(task)
    elif (
        not whole_again and not dataset.is_stream
    ):  # committed by a try that ended before it said so, maybe before the catalog showed it
        show(task, bronze.stored(job.spark, held.files).schema)
    return task.succeeded(read=held.rows, inserted=held.rows, files=held.files)


def adopted(task: Task) -> Load:
    """The bronze of this date, which counts as this run's: a full source shows only what it holds now."""
    job, dataset = task.job, task.dataset
    found = job.ledger.loads(dataset.id, 1, job.run.logical_text)
    if not found:
        raise BronzeMissingError(
            f"There is no bronze of {job.run.logical:%Y-%m-%d %H:%M} of {dataset.id}.",
            "Its source shows only what it holds now, so only times that were loaded can be loaded again.",
        )
    return job.ledger.commit_load(dataset.id, replace(found[0], run=task.run, attempt=job.attempt))


def from_source(task: Task) -> Load:
    """What this run reads of the source's table, in bronze."""
    job, dataset = task.job, task.dataset
    source = find_source(job.lake.environment.connections[dataset.source], client("glue"), client("secretsmanager"))
    part, began = Reading(job.spark, source, dataset, window_of(task)), utc_now()
    prefix = job.lake.bronze_prefix(dataset, task.run, job.attempt)
    per_partition, keys = job.lake.environment.rows_per_partition, list[str]()
    if dataset.deletes and part.window and job.mode != "backfill":
        every = Reading(job.spark, source, dataset, None).rows(per_partition, part.key_columns)
        every = suppression.kept(job, dataset, every, names_in(every, dataset))
        keys, _ = bronze.write(bronze.storable(every), job.lake.keys_prefix(dataset, task.run, job.attempt))
    read, cursors = part.rows(per_partition), Observation(f"cursors {prefix}")
    if part.window:
        read = read.observe(cursors, F.count(F.col(quoted(part.cursor[0]))).alias("rows"))
    rows = bronze.as_ingested(suppression.kept(job, dataset, read, names_in(read, dataset)), task.run)
    files, count = bronze.write(rows, prefix)
    if part.window and not cursors.get["rows"]:
        part.refuse_backwards()
    complete = part.window is None
    made = Load(task.run, job.attempt, tuple(files), count, complete, tuple(keys), began.isoformat())
    job.ledger.commit_load(dataset.id, made)
    show(task, rows.schema)
    return made


def names_in(rows: DataFrame, dataset: Dataset) -> dict[str, str]:
    """What the source calls the lake's columns, of those that it gave."""
    return {each.name: each.source for each in dataset.columns if each.source in rows.columns}


def window_of(task: Task) -> Window | None:
    job, dataset, mode = task.job, task.dataset, task.job.mode
    interval = job.lake.pipeline(job.run.pipeline).interval_hours if mode == "backfill" else 0
    return window(dataset, mode, job.ledger.head(dataset.id), job.run.logical, interval)


def show(task: Task, schema: StructType) -> None:
    """The catalog's table of bronze has this attempt's load as a partition."""
    job, dataset = task.job, task.dataset
    prefix = job.lake.bronze_prefix(dataset, task.run, job.attempt)
    avro = bronze.avro_schema(job.spark, schema)
    table = bronze.table_input(dataset, prefix.split("logical=")[0], schema, avro)
    bronze.register(client("glue"), job.lake.environment.databases["bronze"], table, prefix)


def pending(job: Job) -> list[str]:
    """The planned datasets that this run has not loaded, less those whose tables could not be applied."""
    planned = job.plan.datasets
    # by what is applied now: the failure of an earlier attempt no longer holds once its contract was taken back
    left = {*unapplied(job, planned), *job.ledger.succeeded(str(job.run), "ingest")}
    return [each for each in planned if each not in left]


def main(argv: list[str]) -> None:
    job = open_job(argv)
    for service in ("glue", "s3", "secretsmanager"):
        client(service)  # before the threads: boto3's default session must not make two at once
    work(job, "ingest", pending(job), ingest)


if __name__ == "__main__":
    main(sys.argv)
