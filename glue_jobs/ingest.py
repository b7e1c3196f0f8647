"""Ingest: each planned dataset from its source into bronze, as it is."""

from __future__ import annotations

import sys
from math import ceil

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import ByteType, DataType, IntegerType, LongType, ShortType

from glue_jobs import bronze
from glue_jobs.apply import unapplied
from glue_jobs.aws import client
from glue_jobs.connection import Source, find_source
from glue_jobs.work import Job, Task, open_job, work
from lake.ledger import Load, Outcome
from lake.model import Dataset

INTEGRAL: tuple[type[DataType], ...] = (ByteType, ShortType, IntegerType, LongType)
MOST_CONNECTIONS = 16


def ingest(task: Task) -> Outcome:
    """The source's table in bronze, committed in the ledger and shown in the catalog."""
    # a retried start can start a job run twice, and two of them must not write one prefix
    with task.job.ledger.lease(f"bronze.{task.dataset.id}", task.run, attempt=task.job.attempt):
        return load(task)


def load(task: Task) -> Outcome:
    job, dataset = task.job, task.dataset
    held = job.ledger.load(dataset.id, task.run)
    if held is not None and held.attempt == job.attempt:  # committed by a job run that ended before it said so
        return task.succeeded(read=held.rows, inserted=held.rows, files=held.files)
    source = find_source(job.lake.environment.connections[dataset.source], client("glue"), client("secretsmanager"))
    rows = bronze.as_ingested(read(job.spark, source, dataset, job.lake.environment.rows_per_partition), task.run)
    prefix = job.lake.bronze_prefix(dataset, task.run, job.attempt)
    files, count = bronze.write(rows, prefix)
    job.ledger.commit_load(dataset.id, Load(task.run, job.attempt, tuple(files), count))
    show(task, rows, prefix)
    return task.succeeded(read=count, inserted=count, files=tuple(files))


def read(spark: SparkSession, source: Source, dataset: Dataset, rows_per_partition: int) -> DataFrame:
    """The whole table; a large one with a whole-number key over several connections."""
    table = source.quoted(spark, dataset.source_object)
    rows = source.read(spark, dbtable=table)
    column = split_column(rows, dataset)
    if column is None:
        return rows
    quoted = source.quoted(spark, column)
    query = f"(SELECT min({quoted}) AS low, max({quoted}) AS high, count(*) AS n FROM {table}) bounds"
    bounds = source.read(spark, dbtable=query).collect()[0]
    partitions = min(MOST_CONNECTIONS, ceil(bounds["n"] / rows_per_partition))
    if partitions < 2 or bounds["low"] is None:
        return rows
    span = {"lowerBound": str(bounds["low"]), "upperBound": str(bounds["high"])}
    return source.read(spark, dbtable=table, partitionColumn=column, numPartitions=str(partitions), **span)


def split_column(rows: DataFrame, dataset: Dataset) -> str | None:
    """The source's name of the key's first column, where it holds whole numbers."""
    names = {column.name: column.source for column in dataset.columns}
    first = names.get(dataset.key[0], "") if dataset.key else ""
    kinds = {each.name: each.dataType for each in rows.schema.fields}
    return first if isinstance(kinds.get(first), INTEGRAL) else None


def show(task: Task, rows: DataFrame, prefix: str) -> None:
    job, dataset = task.job, task.dataset
    location = prefix.split("logical=")[0]
    avro = bronze.avro_schema(job.spark, rows.schema)
    table = bronze.table_input(dataset.table, location, rows.schema, avro, f"{dataset.id} as it came")
    bronze.register(client("glue"), job.lake.environment.databases["bronze"], table, prefix)


def pending(job: Job) -> list[str]:
    """The planned datasets that this run has not loaded, less those whose tables could not be applied."""
    planned = job.plan.datasets
    # by what is applied now: the failure of an earlier attempt no longer holds once its contract was taken back
    left = {*unapplied(job, planned), *job.ledger.succeeded(str(job.run), "ingest")}
    return [each for each in planned if each not in left]


def main(argv: list[str]) -> None:
    job = open_job(argv)
    for service in ("glue", "secretsmanager"):
        client(service)  # before the threads: boto3's default session must not make two at once
    work(job, "ingest", pending(job), ingest)


if __name__ == "__main__":
    main(sys.argv)
