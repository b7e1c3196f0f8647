"""Mask: beside each silver table whose contract has masks, the table that others may see, under its own lease."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from pyspark.sql import DataFrame

from glue_jobs import iceberg
from glue_jobs.apply import unapplied
from glue_jobs.aws import client
from glue_jobs.build import Build, version
from glue_jobs.failures import DatasetError
from glue_jobs.inputs import MADE_OF, Inputs
from glue_jobs.masking import masked
from glue_jobs.publish import publish
from glue_jobs.work import Job, Task, open_job, work
from lake.ledger import Outcome
from lake.masking import MASKING_KEY

OTHER_KEY = "replay"  # the mode of a run that may change every hash


@dataclass(frozen=True)
class Key:
    """The key of the hashes; the names of the secret and of this version of it may be told."""

    name: str
    version: str
    secret: bytes = field(repr=False)


def find_key(job: Job) -> Key:
    name = job.lake.environment.resources[MASKING_KEY]
    found = client("secretsmanager").get_secret_value(SecretId=name)
    return Key(name, found["VersionId"], found["SecretString"].encode())


def mask(task: Task, key: Key) -> Outcome:
    """The masked table as of what the dataset holds, or the reason why not."""
    with task.lease() as lease:
        require_same_key(task, key)
        inputs = Inputs(task.job, [task.dataset])

        def rows(task: Task) -> DataFrame:
            return masked(inputs.rows(task.dataset.masked_of), task.dataset, key.secret)

        build = Build(inputs, rows, f"key@{key.version}")
        outcome = build(task)
        publish(task, lease, build.candidates[task.dataset.id], version(task).isoformat())
        return outcome


def require_same_key(task: Task, key: Key) -> None:
    """Raises where the key was changed: old hashes and new would join no more, and nobody would be told."""
    spark = task.job.spark
    base = iceberg.head(spark, task.table)
    said = "" if base is None else iceberg.summary(spark, task.table, base).get(MADE_OF, "")
    before = next((each.partition("@")[2] for each in said.split() if each.startswith("key@")), key.version)
    if before == key.version or task.job.mode == OTHER_KEY:
        return
    raise DatasetError(
        f"The secret {key.name} is of version {key.version}, and {task.dataset.id} was made with {before}.",
        f"Make {before} its AWSCURRENT again, then redrive the execution. Where every hash may change, start"
        f' state machine {task.job.run.pipeline} with the input {{"mode": "replay"}}.',
    )


def pending(job: Job) -> list[str]:
    """The planned masked tables that this run has not made, less those that could not be applied."""
    planned = [each for each in job.plan.models if job.lake.dataset(each).masked_of]
    left = {*unapplied(job, planned), *job.ledger.succeeded(str(job.run), "mask")}
    return [each for each in planned if each not in left]


def mask_all(job: Job) -> list[Outcome]:
    datasets = pending(job)
    if not datasets:
        return []
    key = find_key(job)
    return work(job, "mask", datasets, lambda task: mask(task, key))


def main(argv: list[str]) -> None:
    mask_all(open_job(argv))


if __name__ == "__main__":
    main(sys.argv)
