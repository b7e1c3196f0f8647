"""Apply contracts: make each dataset's tables, or bring them to a new version of its contract."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from pyspark.sql import SparkSession

from glue_jobs import iceberg
from glue_jobs.evolution import Existing, changes, create_quarantine, fields_of
from glue_jobs.work import Job, Task, open_job, work
from lake.catalog import CATALOG
from lake.ledger import Outcome
from lake.parts import GOLD


def existing(spark: SparkSession, table: str) -> Existing | None:
    """The table as it is now, if it is."""
    if not spark.catalog.tableExists(table):
        return None
    properties = {str(name): str(value) for name, value in iceberg.load(spark, table).properties().items()}
    return Existing(fields_of(spark.table(table).schema), properties)


def apply(task: Task) -> Outcome:
    """The dataset's tables are what its contract says, and the ledger knows for which version."""
    job, dataset = task.job, task.dataset
    with task.lease() as lease:
        statements = changes(existing(job.spark, task.table), dataset, task.table, job.lake.location(dataset))
        if dataset.layer != GOLD:
            location = job.lake.quarantine_location(dataset)
            statements.append(create_quarantine(job.lake.quarantine(dataset), location, dataset))
        for statement in statements:
            job.spark.sql(statement)
        job.ledger.set_applied(dataset.id, dataset.hash, lease.fence)
    return task.succeeded()


def unapplied(job: Job, datasets: Iterable[str]) -> list[str]:
    """Those whose tables were last made to follow another version of their contract, or none."""
    wanted = list(datasets)
    applied = job.ledger.all_applied(wanted)
    return [each for each in wanted if applied.get(each) != job.lake.dataset(each).hash]


def pending(job: Job) -> list[str]:
    """The planned datasets and models whose tables are not of their contract's version, or not there."""
    planned, there = (*job.plan.datasets, *job.plan.models), tables(job)
    behind = set(unapplied(job, planned))
    return [each for each in planned if each in behind or not there.issuperset(tables_of(job, each))]


def tables(job: Job) -> set[str]:
    """Every table of the lake: a few pages of the catalog, not a call for each dataset."""
    databases = [f"{CATALOG}.{job.lake.environment.databases[layer]}" for layer in ("silver", GOLD)]
    shown = {each: job.spark.sql(f"SHOW TABLES IN {each}").collect() for each in databases}
    return {f"{database}.{row['tableName']}" for database, rows in shown.items() for row in rows}


def tables_of(job: Job, name: str) -> list[str]:
    dataset = job.lake.dataset(name)
    quarantine = [] if dataset.layer == GOLD else [job.lake.quarantine(dataset)]
    return [job.lake.table(dataset), *quarantine]


def main(argv: list[str]) -> None:
    job = open_job(argv)
    work(job, "apply", pending(job), apply)


if __name__ == "__main__":
    main(sys.argv)
