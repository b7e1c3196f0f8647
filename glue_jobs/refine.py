"""Refine bronze into silver: conform rows to their contract, keep the latest of each key, publish what was checked."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pyspark.sql import DataFrame, functions as F

from glue_jobs import gates, iceberg, pruning, quarantine, suppression, tombstones
from glue_jobs.basis import Basis, basis, keys
from glue_jobs.changes import DELETED, INSERTED, QUARANTINED, STATUS, SUPERSEDED, UPDATED, classify
from glue_jobs.conform import SOURCE, conform
from glue_jobs.counts import count_once, facts_of, metrics
from glue_jobs.failures import RowsMissingError
from glue_jobs.parents import parents
from glue_jobs.publish import COUNTS, WATERMARK, Candidate, publish, record, summary, write
from glue_jobs.session import size_for
from glue_jobs.watermarks import advanced, version_of
from glue_jobs.windows import backwards, instant
from glue_jobs.work import Job, Task, open_job, work
from lake.ledger import Lease, Outcome

CHANGES = (INSERTED, UPDATED, DELETED)


def refine(task: Task) -> Outcome:
    """The dataset's load in its silver table, or the reason why not."""
    with task.lease() as lease:
        found = basis(task)
        published = iceberg.snapshot_of(task.job.spark, task.table, task.run, found.began)
        if published is not None:
            return as_published(task, lease, found, published)
        wanted = F.col(STATUS).isin(*CHANGES, QUARANTINED)
        observed = [*metrics(), *pruning.metrics(task.dataset)]
        kept, counted = count_once(classified(task, found), wanted, observed)
        try:
            return settle(task, lease, found, kept, counted)
        finally:
            kept.unpersist()


def classified(task: Task, found: Basis) -> DataFrame:
    job, dataset = task.job, task.dataset
    logical = version_of(job.run.logical, found.head, found.late)
    rows = conform(found.bronze(), dataset, logical, parents(task))
    kept = {each.name: f"{SOURCE}{each.source}" for each in dataset.columns}  # an id that no cast takes is one too
    there = {name: given if given in rows.columns else name for name, given in kept.items()}
    theirs = suppression.theirs(job, dataset, there)
    if theirs is None:
        return classify(rows, found.held(), dataset.key, found.known())
    # who is forgotten came again: their rows are accounted for, and end here
    judged = classify(rows.where(~theirs), found.held(), dataset.key, found.known())
    gone = rows.where(theirs).withColumn(STATUS, F.lit(SUPERSEDED))
    return judged.unionByName(gone.select(*(each for each in gone.columns if each in judged.columns)), True)


def settle(task: Task, lease: Lease, found: Basis, kept: DataFrame, counted: Mapping[str, Any]) -> Outcome:
    """Quarantine and tombstones first, so that a failed gate still shows why; then branch, gates, main."""
    job, dataset, facts = task.job, task.dataset, facts_of(counted)
    require_all(task, found, facts["read"])
    require_forwards(task, found)
    watermark = advanced(dataset, job.mode, job.run.logical, found.load, found.head, counted["newest"])
    if facts[QUARANTINED]:
        lease.check()
        rows = quarantine.refused(kept.where(F.col(STATUS) == QUARANTINED), dataset, task.run)
        quarantine.keep(job.spark, job.lake.quarantine(dataset), rows, summary(task, watermark), late=found.late)
    if facts[DELETED]:
        lease.check()
        tombstones.keep(task, kept.where(F.col(STATUS) == DELETED), found.load, summary(task, watermark))
    facts["snapshot_from"] = found.base
    changes = kept.where(F.col(STATUS).isin(*CHANGES))
    candidate = write(
        task, found.base, changes, facts, watermark, found.facts, bounds=pruning.condition(dataset, counted)
    )
    gates.audit(task, candidate, facts)
    publish(task, lease, candidate, found.watermark(watermark, candidate.moves), found.facts)
    reconcile(task, lease, found, kept)
    return task.succeeded(**facts, snapshot_to=candidate.snapshot)


def require_all(task: Task, found: Basis, read: int) -> None:
    """Raises where rows of the load are missing, or came twice: what ingest counted is what refine accounts for."""
    if read != found.load.rows:
        raise RowsMissingError(
            f"Of {task.dataset.id}: {read} rows were read of a load of {found.load.rows}. Nothing was published.",
            "See whether a file of the load was lost or changed, or load the dataset again by a new run.",
        )


def require_forwards(task: Task, found: Basis) -> None:
    """Raises where nothing came of rows that the source still has, and should have come by what the table says of them.

    Ingest tells this of other datasets by where the source ends; here its last rows may have been deleted.
    """
    dataset, head = task.dataset, found.head
    if found.load.rows or not found.load.keys or found.late or found.base is None or not (head and head.watermark):
        return
    low = instant(head.watermark) - timedelta(hours=dataset.lookback_hours)
    expected = iceberg.read(task.job.spark, task.table, found.base).where(F.col("_version") >= F.lit(low))
    if expected.join(found.source_keys(found.load), list(dataset.key), "left_semi").isEmpty():
        return
    how = f"rows from {low.isoformat()} on were loaded before, are still there, and now lie before it"
    raise backwards(dataset, how)


def reconcile(task: Task, lease: Lease, found: Basis, rows: DataFrame) -> None:
    """Once what is valid is published: closes the rows in quarantine that the newest and whole load does not refuse."""
    if found.load.complete and not found.late:
        lease.check()
        table, refused = task.job.lake.quarantine(task.dataset), rows.where(F.col(STATUS) == QUARANTINED)
        present = keys(found.bronze(), task.dataset)
        quarantine.close(task.job.spark, table, task.dataset, task.run, refused, present)


def as_published(task: Task, lease: Lease, found: Basis, snapshot: int) -> Outcome:
    """What an attempt published that ended before it said so, as the snapshot itself tells it."""
    spark, dataset = task.job.spark, task.dataset
    said = iceberg.summary(spark, task.table, snapshot)
    facts: dict[str, Any] = json.loads(said[COUNTS])
    if dataset.gates:
        rows = iceberg.read(spark, task.table, snapshot)
        facts["gates"] = tuple(gates.check(rows, dataset.gates, f"candidate_{dataset.table}"))
    if iceberg.content(spark, task.table, found.base) == snapshot:  # past it, the head is a later run's to say
        record(task, lease, Candidate(task.table, found.base, found.base), said[WATERMARK], found.facts)
        reconcile(task, lease, found, classified(task, found))
    return task.succeeded(**facts, snapshot_to=snapshot)


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
