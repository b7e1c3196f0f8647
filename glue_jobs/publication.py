"""Publish all of a run's gold or none: what is to move is written down first, so that a crash is rolled forward."""

from __future__ import annotations

from collections.abc import Sequence

from glue_jobs import iceberg
from glue_jobs.publish import Candidate, move, publish
from glue_jobs.work import Job, Task
from lake.ledger import Lease
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
        job.ledger.intend(str(job.run), moves)
    for task, lease, each in built:  # nothing but this between the tables: until the last has moved, they differ
        move(task, lease, each.base, each.snapshot)
    for task, lease, candidate in built:
        publish(task, lease, candidate, job.run.logical.isoformat())
    if moves:
        job.ledger.settle(str(job.run))


def roll_forward(job: Job) -> None:
    """Finishes the publications that earlier runs of this pipeline, or attempts of this run, began and did not end."""
    for intent in job.ledger.intents():
        run = RunId.parse(intent.run)
        if run.pipeline != job.run.pipeline:
            continue
        for each in intent.moves:
            task = Task(job, "model", job.lake.dataset(each["dataset"]))
            with task.lease() as lease:
                move(task, lease, each["from"], each["to"])
                if iceberg.head(job.spark, task.table) == each["to"]:  # past it, the head is a later run's to say
                    watermark = run.logical.isoformat()
                    job.ledger.publish_head(task.dataset.id, each["to"], intent.run, watermark, lease.fence)
        job.ledger.settle(intent.run)
