"""Work a job run's datasets side by side: each has its own outcome in the ledger, none stops its siblings."""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

from pyspark import inheritable_thread_target
from pyspark.sql import SparkSession

import lake.model
from glue_jobs.causes import explain
from glue_jobs.failures import DatasetError
from glue_jobs.session import open_session
from lake.ledger import Lease, Ledger, NotPlannedError, Outcome, Plan
from lake.model import Dataset, Lake
from lake.records import COUNTS, Mode, Step
from lake.runs import RunId

SIDE_BY_SIDE = 4
TRIES = 3

log = logging.getLogger("headwater")


@dataclass(frozen=True)
class Job:
    """A job run: the run and attempt that it works for, and what it works with."""

    spark: SparkSession
    lake: Lake
    ledger: Ledger
    run: RunId
    attempt: int

    @property
    def plan(self) -> Plan:
        plan = self.ledger.planned(str(self.run), self.attempt)
        if plan is None:
            raise NotPlannedError(
                f"The run '{self.run}': expected a plan in the ledger. Start it by its state machine."
            )
        return plan

    @property
    def mode(self) -> Mode:
        """How sources are read: a rerun reads as the run that it repeats did."""
        return self.ledger.reads_as(str(self.run))


@dataclass(frozen=True)
class Task:
    """One dataset's part in a job run; `work` turns it into an outcome."""

    job: Job
    step: Step
    dataset: Dataset

    @property
    def table(self) -> str:
        return self.job.lake.table(self.dataset)

    @property
    def run(self) -> str:
        return str(self.job.run)

    def lease(self) -> AbstractContextManager[Lease]:
        """The right to write this table; another run that is writing it is waited for, and said in the log."""

        def waiting(holder: str) -> None:
            log.info("%s %s waits for the lease of %s, held by %s", self.step, self.dataset.id, self.table, holder)

        wait = self.job.lake.environment.lease_wait
        return self.job.ledger.lease(self.table, self.run, wait=wait, attempt=self.job.attempt, waiting=waiting)

    def succeeded(self, **facts: Any) -> Outcome:
        return Outcome(self.run, self.job.attempt, self.step, self.dataset.id, "succeeded", **facts)

    def failed_by(self, error: Exception, seconds: float = 0.0) -> Outcome:
        """The outcome that an error leads to; of one that nobody foresaw the log says where it arose."""
        if not isinstance(error, DatasetError):
            # the places without the message, which may hold rows
            places = "".join(traceback.format_tb(error.__traceback__))
            log.error("%s %s %s\n%s", self.step, self.dataset.id, type(error).__name__, places)
        return self.failed(explain(error, self.dataset), seconds)

    def failed(self, failure: DatasetError, seconds: float = 0.0) -> Outcome:
        facts: Mapping[str, Any] = failure.facts
        said = {"cause": failure.cause, "remedy": failure.remedy, "seconds": seconds}
        return Outcome(self.run, self.job.attempt, self.step, self.dataset.id, "failed", **said, **facts)  # type: ignore[arg-type]


def open_job(argv: list[str]) -> Job:
    """The job run that Glue's arguments --run and --attempt describe."""
    from awsglue.utils import getResolvedOptions  # only Glue, or its local stand-in, has it

    logging.basicConfig(stream=sys.stdout, format="%(asctime)s %(message)s", force=True)
    log.setLevel(logging.INFO)
    options = getResolvedOptions(argv, ["run", "attempt"])
    compiled = lake.model.load()
    ledger, run, attempt = Ledger(compiled.environment.ledger), RunId.parse(options["run"]), int(options["attempt"])
    ledger.start(str(run), run.pipeline, attempt)  # a redrive may begin here: the run is running again
    return Job(open_session(compiled), compiled, ledger, run, attempt)


def work(job: Job, step: Step, datasets: Iterable[str], act: Callable[[Task], Outcome]) -> list[Outcome]:
    """Every dataset through `act`, some at a time; each outcome is in the ledger when its work ends."""
    tasks = [Task(job, step, job.lake.dataset(each)) for each in datasets]

    def settle(task: Task) -> Outcome:
        return conclude(attempt_often(task, act), job.ledger)

    return side_by_side(settle, tasks)


def side_by_side(act: Callable[[Task], Outcome], tasks: Iterable[Task]) -> list[Outcome]:
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        # inheritable: each keeps the job group by which a stopped job run is cancelled, in a copy of its own
        started = [pool.submit(inheritable_thread_target(act), task) for task in tasks]
        return [each.result() for each in started]


def attempt_often(task: Task, act: Callable[[Task], Outcome]) -> Outcome:
    """The outcome of `act`, tried again where its failure may pass; never an exception."""
    began = time.monotonic()
    for number in range(1, TRIES + 1):
        try:
            outcome = act(task)
        except Exception as error:  # one dataset's error must not stop its siblings; it becomes its outcome
            failure = explain(error, task.dataset)
            if not failure.transient or number == TRIES:
                return task.failed_by(error, time.monotonic() - began)
            log.info("%s %s: %s Trying again.", task.step, task.dataset.id, failure.cause)
            time.sleep(0.5 * 2**number)
        else:
            return replace(outcome, seconds=round(time.monotonic() - began, 3))
    raise AssertionError("the last try returns")


def conclude(outcome: Outcome, ledger: Ledger) -> Outcome:
    """The outcome, recorded and said in one line."""
    recorded = ledger.record(outcome)
    counts = " ".join(f"{name}={getattr(outcome, name)}" for name in COUNTS if getattr(outcome, name))
    said = f"{outcome.cause} {outcome.remedy}" if outcome.status == "failed" else counts
    log.info("%s %s %s in %.1f s %s", outcome.step, outcome.dataset, outcome.status, outcome.seconds, said)
    return recorded
