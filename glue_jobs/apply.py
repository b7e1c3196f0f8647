"""Apply contracts: make each dataset's tables, or bring them to a new version of its contract."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from glue_jobs import athena_views, projection, rulesets, views
from glue_jobs.aws import client
from glue_jobs.evolution import create, create_deleted, create_quarantine, evolve, existing, follow
from glue_jobs.failures import DatasetError
from glue_jobs.governance import close, govern, govern_views
from glue_jobs.major import change, refuse
from glue_jobs.work import Job, Task, open_job, work
from lake.catalog import CATALOG
from lake.evolution import Layout, compare
from lake.ledger import Lease, Outcome
from lake.parts import GOLD
from lake.tables import Table, stamp


def apply(task: Task) -> Outcome:
    """The dataset's tables are what its contract says, and the ledger knows for which version."""
    job, dataset = task.job, task.dataset
    with task.lease() as lease:
        held = existing(job.spark, task.table)
        if held is None:
            for statement in create(dataset, task.table, job.lake.location(dataset)):
                job.spark.sql(statement)
        else:
            grow(task, held)
        complete(task, lease)
    return task.succeeded()


def apply_major(task: Task) -> Outcome:
    """The same for a major version, which is applied by itself."""
    with task.lease() as lease:
        change(task, lease)
        complete(task, lease)
    return task.succeeded()


def complete(task: Task, lease: Lease) -> None:
    """What a table has beside it, once it is there; then the ledger knows that all of it is."""
    job, dataset = task.job, task.dataset
    if not dataset.is_made:
        location = job.lake.quarantine_location(dataset)
        job.spark.sql(create_quarantine(job.lake.quarantine(dataset), location, dataset))
    if dataset.deletes:
        job.spark.sql(create_deleted(job.lake.deleted(dataset), job.lake.deleted_location(dataset), dataset))
    if dataset.is_stream:
        projection.register(client("glue"), job.lake, dataset)
    rulesets.register(client("glue"), job.lake, dataset)
    govern(job.lake, dataset)  # before any row is in them
    job.ledger.set_applied(dataset.id, dataset.applied, lease.fence)


def grow(task: Task, held: Table) -> None:
    """What hurts no reader of the table, nor of the view of its old names."""
    job, dataset = task.job, task.dataset
    changes = compare(held.layout(dataset), Layout.of(dataset))
    refuse(job.lake, dataset, held, changes)
    if not dataset.is_made:  # first, since what is done to the table itself is not planned again
        follow(job.spark, job.lake.deleted(dataset), changes)
    evolve(job.spark, task.table, dataset, changes)
    if any(each.kind == "widen" for each in changes):
        now = existing(job.spark, task.table)
        assert now is not None  # it was there, and the lease is ours
        views.keep(job.lake.environment.databases[dataset.layer], dataset, now)


def unapplied(job: Job, datasets: Iterable[str]) -> list[str]:
    """Those whose tables were last made to follow another version of their contract, or none."""
    wanted = list(datasets)
    applied = job.ledger.all_applied(wanted)
    return [each for each in wanted if applied.get(each) != job.lake.dataset(each).applied]


def pending(job: Job) -> list[str]:
    """The planned datasets and models whose tables are not of their contract's version, or not there."""
    planned, there = (*job.plan.datasets, *job.plan.models), tables(job)
    behind = set(unapplied(job, planned))
    return [each for each in planned if each in behind or not there.issuperset(tables_of(job, each))]


def tables(job: Job) -> set[str]:
    """Every table of the lake: a few pages of the catalog, not a call for each dataset."""
    databases = [f"{CATALOG}.{job.lake.environment.databases[layer]}" for layer in ("silver", GOLD)]
    shown = {each: job.spark.sql(f"SHOW TABLES IN {each}").collect() for each in databases}
    found = {f"{database}.{row['tableName']}" for database, rows in shown.items() for row in rows}
    if any(job.lake.dataset(each).is_stream for each in job.plan.datasets):
        found |= {f"bronze.{each}" for each in projection.present(client("glue"), job.lake)}
    return found


def tables_of(job: Job, name: str) -> list[str]:
    dataset = job.lake.dataset(name)
    quarantine = [] if dataset.is_made else [job.lake.quarantine(dataset)]
    deleted = [job.lake.deleted(dataset)] if dataset.deletes else []
    bronze = [f"bronze.{each}" for each in dataset.bronze_tables]
    return [job.lake.table(dataset), *quarantine, *deleted, *bronze]


def major(job: Job, dataset: str, contract: str) -> Outcome:
    """One dataset's major version, if the contract deployed is the one that was looked at."""
    made = job.lake.dataset(dataset)
    run = str(job.run)
    job.ledger.start(run, job.run.pipeline, job.attempt)
    job.ledger.plan(run, job.attempt, [dataset], [])

    def act(task: Task) -> Outcome:
        if contract != stamp(made):
            raise DatasetError(
                f"The contract of {dataset}: expected the one deployed, {made.version}, and asked for is another.",
                f"Deploy first: `headwater deploy --env {job.lake.environment.name}`.",
            )
        return apply_major(task)

    [outcome] = work(job, "apply", [dataset], act)
    job.ledger.finish(run, outcome.status)
    return outcome


def main(argv: list[str]) -> None:
    job = open_job(argv)
    for service in ("glue", "lakeformation"):
        client(service)  # before the threads: boto3's default session must not make two at once
    close(job.lake)
    if "--major" not in argv:
        work(job, "apply", pending(job), apply)
        govern_views(job.lake, athena_views.publish(job.lake, (*job.plan.datasets, *job.plan.models)))
        return
    from awsglue.utils import getResolvedOptions  # only Glue, or its local stand-in, has it

    options = getResolvedOptions(argv, ["major", "contract"])
    outcome = major(job, options["major"], options["contract"])
    if outcome.status == "failed":
        sys.exit(f"{outcome.cause} {outcome.remedy}")
    govern_views(job.lake, athena_views.publish(job.lake, [options["major"]]))


if __name__ == "__main__":
    main(sys.argv)
