"""Forget a subject: first their rows wherever they came in, then what is left of them in tables made of those."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from glue_jobs import erasure, iceberg, objects, suppression
from glue_jobs.aws import client
from glue_jobs.failures import DatasetError
from glue_jobs.forgetting import Bronze
from glue_jobs.upkeep import MAINTENANCE
from glue_jobs.work import Job, Task, open_job, work
from lake.certificate import REQUESTS, certificate, key_of, request_key, summed
from lake.ledger import Lease, Outcome
from lake.lifecycle import stores_beside
from lake.runs import ERASURE
from lake.subjects import canonical, digest, holders, made_from, root_of


@dataclass
class Erasure:
    """Who is to be forgotten, as the request says that the state machine's input does not hold."""

    job: Job
    subject: str = field(repr=False)
    root: str
    dry_run: bool

    @cached_property
    def digest(self) -> str:
        return digest(suppression.secret(self.job), self.root, self.subject)

    @cached_property
    def holders(self) -> dict[str, tuple[str, ...]]:
        return holders(self.job.lake, self.root)

    @cached_property
    def made(self) -> list[str]:
        """The tables made of those that were ever published."""
        names = made_from(self.job.lake, self.holders)
        published = self.job.ledger.heads(names)
        return [each for each in names if each in published]

    def rows(self, task: Task) -> Outcome:
        """The subject's rows out of bronze, silver and what lies beside it."""
        job, dataset, columns = self.job, task.dataset, self.holders[task.dataset.id]
        with task.lease() as lease:
            require_settled(task)
            came = Bronze(job, dataset, columns, self.subject, dry_run=self.dry_run).erase()
            lines = [done(f"bronze.{dataset.table}", came)]
            for table in tables(task):
                lease.check()
                found = {"rows": erasure.count(job, dataset, table, columns)}
                if not self.dry_run:
                    erasure.delete(job, dataset, table, columns)
                    found |= erasure.scrub(job.spark, table, summary(task, table))
                lines.append(done(table.partition(".")[2], found))
            if not self.dry_run:
                follow(task, lease)
        return task.succeeded(tables=tuple(lines))

    def remains(self, task: Task) -> Outcome:
        """What a table made anew still holds of before; it was built without the subject's rows."""
        with task.lease() as lease:
            require_settled(task)
            found = erasure.scrub(task.job.spark, task.table, summary(task, task.table))
            follow(task, lease)
        return task.succeeded(tables=(done(task.table.partition(".")[2], found),))

    def late(self, name: str) -> dict[str, Any]:
        """What a run that was under way has brought to bronze since, and a stream."""
        task = Task(self.job, "forget", self.job.lake.dataset(name))
        with task.lease():
            came = Bronze(self.job, task.dataset, self.holders[name], self.subject, dry_run=False).erase()
        return done(f"bronze.{task.dataset.table}", came)


def done(table: str, counts: Mapping[str, int]) -> dict[str, Any]:
    """An erasure's line in the outcome of a dataset."""
    return {"table": table, "before": {}, "after": {}, "done": dict(counts)}


def tables(task: Task) -> list[str]:
    job, dataset = task.job, task.dataset
    every = (task.table, job.lake.quarantine(dataset), job.lake.deleted(dataset))
    return [each for each in every if job.spark.catalog.tableExists(each)]


def summary(task: Task, table: str) -> dict[str, str]:
    """What main says of its rows, so that the ledger can be repaired from what takes its place."""
    spark = task.job.spark
    main = iceberg.head(spark, table)
    if main is None:
        return {}
    every: list[dict[str, str]] = []
    each = iceberg.load(spark, table).currentSnapshot()
    while each is not None:  # a DELETE says nothing of itself
        every.append({str(name): str(value) for name, value in dict(each.summary()).items() if "headwater." in name})
        parent = each.parentId()
        each = None if every[-1] or parent is None else iceberg.load(spark, table).snapshot(parent)
    return {**every[-1], MAINTENANCE: task.run, iceberg.CONTENT: str(iceberg.content(spark, table, main))}


def follow(task: Task, lease: Lease) -> None:
    """The ledger's head at main, which is all that is left."""
    main, head = iceberg.head(task.job.spark, task.table), task.job.ledger.head(task.dataset.id)
    if head is not None and main is not None and main != head.snapshot:
        lease.check()
        task.job.ledger.move_head(task.dataset.id, main, lease.fence)


def require_settled(task: Task) -> None:
    """Raises where a publication of the table is unfinished, which would need a snapshot that goes away here."""
    for each in task.job.ledger.intents():
        if any(move["dataset"] == task.dataset.id for move in each.moves):
            raise DatasetError(
                f"The publication of {task.dataset.id} by {each.run} is unfinished.",
                "Redrive that run, or start its pipeline again; then redrive this execution.",
            )


def read(job: Job) -> Erasure:
    """The request, which lies encrypted in scratch until the end."""
    asked = json.loads(objects.read(job.lake.environment.buckets["scratch"], request_key(str(job.run))))
    root = root_of(job.lake, asked["dataset"])
    return Erasure(job, canonical(root, asked["subject"]), root.id, bool(asked["dry_run"]))


def forget_rows(erasure_: Erasure) -> list[Outcome]:
    """From the moment that the list names the subject nobody lets their rows in any more; then those that are in go."""
    job, run = erasure_.job, str(erasure_.job.run)
    job.ledger.start(run, ERASURE, job.attempt)
    if not erasure_.dry_run:
        job.ledger.forget(erasure_.root, erasure_.digest, run)
    again = job.ledger.planned(run, job.attempt) is not None
    names = job.ledger.remaining(run).datasets if again else tuple(erasure_.holders)
    made = () if erasure_.dry_run else job.ledger.remaining(run).models if again else tuple(erasure_.made)
    job.ledger.plan(run, job.attempt, names, made)
    erasure.name_subject(job.spark, erasure_.subject)
    outcomes = work(job, "forget", names, erasure_.rows)
    if erasure_.dry_run and all(each.status == "succeeded" for each in outcomes):
        withdraw(erasure_)
    return outcomes


def forget_remains(erasure_: Erasure) -> Mapping[str, Any] | None:
    """Scrubs what was made anew, looks once more for what came meanwhile, and writes the certificate.

    There is none where anything has failed: the request stays for the redrive, and Conclude says what it was.
    """
    job, run = erasure_.job, str(erasure_.job.run)
    erasure.name_subject(job.spark, erasure_.subject)
    whole, ledger = job.ledger.whole(run), job.ledger
    anew = (ledger.succeeded(run, "mask") | ledger.succeeded(run, "model")) - ledger.succeeded(run, "forget")
    work(job, "forget", [each for each in whole.models if each in anew], erasure_.remains)
    if not ledger.succeeded(run, "forget").issuperset((*whole.datasets, *whole.models)):
        return None
    late = [erasure_.late(each) for each in erasure_.holders]
    stores = summed([*told(job), *late])
    made = certificate(run, erasure_.root, erasure_.digest, stores, stores_beside(job.lake), job.lake.environment)
    write(job, made)
    withdraw(erasure_)
    return made


def withdraw(erasure_: Erasure) -> None:
    """Deletes the request, and those for the same subject whose runs were cut off."""
    job, bucket = erasure_.job, erasure_.job.lake.environment.buckets["scratch"]
    asked = {key: json.loads(objects.read(bucket, key)) for key in objects.keys(bucket, REQUESTS)}
    theirs = [key for key, each in asked.items() if each["subject"] == erasure_.subject]
    for key in {*theirs, request_key(str(job.run))}:
        client("s3").delete_object(Bucket=bucket, Key=key)


def told(job: Job) -> list[Mapping[str, Any]]:
    """What the outcomes of all attempts say was done to each table."""
    found = (each for each in job.ledger.outcomes(str(job.run)) if each.step == "forget")
    return [line for outcome in found for line in outcome.tables]


def write(job: Job, made: Mapping[str, Any]) -> None:
    buckets, run = job.lake.environment.buckets, str(job.run)
    body = json.dumps(made, indent=2).encode()
    client("s3").put_object(Bucket=buckets["logs"], Key=key_of(run), Body=body, ContentType="application/json")


def main(argv: list[str]) -> None:
    from awsglue.utils import getResolvedOptions  # only Glue, or its local stand-in, has it

    job = open_job(argv)
    part = getResolvedOptions(argv, ["part"])["part"]
    for service in ("s3", "secretsmanager"):
        client(service)  # before the threads: boto3's default session must not make two at once
    asked = read(job)
    if part == "rows":
        forget_rows(asked)
    else:
        forget_remains(asked)


if __name__ == "__main__":
    main(sys.argv)
