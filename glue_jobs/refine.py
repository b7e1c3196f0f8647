"""Refine bronze into silver: conform rows to their contract, keep the latest of each key, publish what was checked."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame, functions as F

from glue_jobs import gates, iceberg, quarantine
from glue_jobs.changes import INSERTED, QUARANTINED, STATUS, UPDATED, classify
from glue_jobs.conform import conform, parent_keys
from glue_jobs.counts import count_once, facts_of, metrics
from glue_jobs.failures import LoadMissingError
from glue_jobs.publish import publish, summary, write
from glue_jobs.session import size_for
from glue_jobs.work import Job, Task, open_job, work
from lake.ledger import Lease, Load, Outcome

SMALL_PARENT = 1_000_000  # rows whose keys are sent to every task rather than sorted


def refine(task: Task) -> Outcome:
    """The dataset's latest load in its silver table, or the reason why not."""
    with task.lease() as lease:
        base = iceberg.head(task.job.spark, task.table)
        wanted = F.col(STATUS).isin(INSERTED, UPDATED, QUARANTINED)
        kept, counted = count_once(classified(task, base), wanted, metrics(task.dataset))
        try:
            return settle(task, lease, base, kept, counted)
        finally:
            kept.unpersist()


def settle(task: Task, lease: Lease, base: int | None, kept: DataFrame, counted: Mapping[str, Any]) -> Outcome:
    """Quarantine first, so that a failed gate still shows why; then branch, gates, main."""
    job, dataset, facts = task.job, task.dataset, facts_of(counted)
    watermark = str(counted["watermark"] or job.run.logical.isoformat())
    if facts[QUARANTINED]:
        lease.check()
        rows = quarantine.refused(kept.where(F.col(STATUS) == QUARANTINED), dataset, task.run)
        quarantine.keep(job.spark, job.lake.quarantine(dataset), rows, summary(task, watermark))
    candidate = write(task, base, kept.where(F.col(STATUS) != QUARANTINED), facts, watermark)
    facts["snapshot_from"] = base
    gates.audit(task, candidate, facts)
    publish(task, lease, candidate, watermark)
    return task.succeeded(**facts, snapshot_to=candidate.snapshot)


def classified(task: Task, base: int | None) -> DataFrame:
    job, dataset = task.job, task.dataset
    load = job.ledger.load(dataset.id, task.run)
    if load is None:
        raise LoadMissingError(
            f"There is no load of {dataset.id} by {task.run}.", "Redrive the execution from its ingest."
        )
    rows = conform(bronze(job, load), dataset, job.run.logical, parents(task))
    held = None if base is None else iceberg.read(job.spark, task.table, base)
    return classify(rows, held, dataset.key)


def parents(task: Task) -> dict[str, DataFrame]:
    """For each reference, the keys that its parent's latest load holds."""
    job, found = task.job, {}
    for reference in task.dataset.references:
        load = job.ledger.latest_load(reference.dataset)
        if load is None:
            raise LoadMissingError(
                f"{task.dataset.id} refers to {reference.dataset}, of which nothing was ever loaded.",
                f"See why {reference.dataset} was not ingested, then redrive the execution.",
            )
        parent = job.lake.dataset(reference.dataset)
        found[reference.name] = parent_keys(bronze(job, load), parent, reference, load.rows <= SMALL_PARENT)
    return found


def bronze(job: Job, load: Load) -> DataFrame:
    return job.spark.read.format("avro").load(list(load.files))


def pending(job: Job) -> list[str]:
    """The planned datasets that this run has loaded and not yet refined."""
    ready = job.ledger.succeeded(str(job.run), "ingest") - job.ledger.succeeded(str(job.run), "refine")
    return [each for each in job.plan.datasets if each in ready]


def refine_all(job: Job) -> list[Outcome]:
    datasets = pending(job)
    loads = [job.ledger.load(each, str(job.run)) for each in datasets]
    size_for(job.spark, max((load.rows for load in loads if load), default=0))
    return work(job, "refine", datasets, refine)


def main(argv: list[str]) -> None:
    refine_all(open_job(argv))


if __name__ == "__main__":
    main(sys.argv)
