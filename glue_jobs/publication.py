"""Publish all of a run's gold or none: what is to move is written down first, so that a crash is rolled forward."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any

from glue_jobs import iceberg
from glue_jobs.build import version
from glue_jobs.failures import MainMovedError, PublicationCutOffError
from glue_jobs.publish import WATERMARK, Candidate, move, publish
from glue_jobs.work import Job, Task
from lake.ledger import Intent, Lease
from lake.model import UnknownDatasetError
from lake.runs import RunId

Built = tuple[Task, Lease, Candidate]


def publish_all(job: Job, built: Sequence[Built]) -> None:
    """Every candidate to main; once the intent is written, a later attempt finishes what this one begins."""
    moves = [
        {"table": each.table, "dataset": task.dataset.id, "from": each.base, "to": each.snapshot}
        for task, _, each in built
        if each.moves
    ]
    if moves:
        for _, lease, _ in built:
            lease.check()
        job.ledger.intend(str(job.run), moves)
    for task, lease, each in built:  # nothing but this between the tables: until the last has moved, they differ
        move(task, lease, each.base, each.snapshot)
    for task, lease, candidate in built:
        publish(task, lease, candidate, version(task).isoformat())
    if moves:
        job.ledger.settle(str(job.run))


def roll_forward(job: Job, held: Mapping[str, Lease] | None = None) -> None:
    """Finishes the publications that other runs of this pipeline, or attempts of this run, began and did not end.

    `held` are the leases that the caller has already, by table.
    """
    for intent in job.ledger.intents():
        if RunId.parse(intent.run).pipeline != job.run.pipeline:
            continue
        try:
            finish(job, intent, held or {})
        except (MainMovedError, UnknownDatasetError) as error:
            raise PublicationCutOffError(
                f"The publication of {intent.run} was cut off, and cannot be finished: {error}",
                "Settle it with `./headwater ledger repair`, which moves no table, then redrive the execution.",
            ) from error


def finish(job: Job, intent: Intent, held: Mapping[str, Lease]) -> None:
    """The tables that have not moved are moved; where none has, and one went elsewhere since, none is any more."""
    tasks = [(Task(job, "model", job.lake.dataset(each["dataset"])), each) for each in intent.moves]
    if superseded(job, tasks):
        job.ledger.settle(intent.run)
        return
    for task, each in tasks:
        with nullcontext(held[task.table]) if task.table in held else task.lease() as lease:
            move(task, lease, each["from"], each["to"])
            if iceberg.head(job.spark, task.table) == each["to"]:  # past it, the head is a later run's to say
                watermark = iceberg.summary(job.spark, task.table, each["to"])[WATERMARK]
                job.ledger.publish_head(task.dataset.id, each["to"], intent.run, watermark, lease.fence)
    job.ledger.settle(intent.run)


def superseded(job: Job, moves: Sequence[tuple[Task, Mapping[str, Any]]]) -> bool:
    """Whether no table of a publication ever moved, and another run has published one of them since."""
    spark = job.spark
    if any(iceberg.published(spark, task.table, each["to"]) for task, each in moves):
        return False
    return any(iceberg.head(spark, task.table) != each["from"] for task, each in moves)
