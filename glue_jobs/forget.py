"""Forget a subject: first their rows wherever they came in, then what is left of them in tables made of those."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from glue_jobs import erasure, objects
from glue_jobs.aws import client
from glue_jobs.subject import Erasure
from glue_jobs.unknown_stores import unknown_stores
from glue_jobs.work import Job, open_job, work
from lake.certificate import REQUESTS, certificate, key_of, request_key, summed
from lake.ledger import Outcome
from lake.retained_stores import stores_beside
from lake.runs import ERASURE
from lake.subjects import canonical, root_of


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
    every = erasure_.holders if erasure_.dry_run else (*erasure_.holders, *erasure_.refused)
    names = job.ledger.remaining(run).datasets if again else tuple(every)
    made = () if erasure_.dry_run else job.ledger.remaining(run).models if again else tuple(erasure_.made)
    job.ledger.plan(run, job.attempt, names, made)
    erasure.name_subject(job.spark, erasure_.subject)
    outcomes = work(job, "forget", names, erasure_.first)
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
    beside = [*unknown_stores(job), *stores_beside(job.lake, erasure_.holders)]
    made = certificate(run, erasure_.root, erasure_.digest, stores, beside, job.lake.environment)
    write(job, made)
    withdraw(erasure_)
    return made


def withdraw(erasure_: Erasure) -> None:
    """Deletes the request; an erasure that is done, also those for the same subject whose runs were cut off."""
    job, bucket = erasure_.job, erasure_.job.lake.environment.buckets["scratch"]
    same = {"subject": erasure_.subject, "dataset": erasure_.root}
    theirs = [key for key, each in requests(bucket) if same.items() <= each.items()]
    for key in {request_key(str(job.run)), *(() if erasure_.dry_run else theirs)}:
        client("s3").delete_object(Bucket=bucket, Key=key)


def requests(bucket: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each that is there; an erasure that runs at the same time may delete its own."""
    for key in objects.keys(bucket, REQUESTS):
        with suppress(client("s3").exceptions.NoSuchKey):
            yield key, json.loads(objects.read(bucket, key))


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
