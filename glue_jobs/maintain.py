"""Maintain the lake's tables within a budget of time: compact, expire snapshots, clean up behind dead writers."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from threading import Lock
from typing import Any

from glue_jobs import iceberg
from glue_jobs.upkeep import NotNowError, Upkeep
from glue_jobs.work import SIDE_BY_SIDE, Job, Task, open_job, work
from lake.ledger import Outcome
from lake.model import Lake
from lake.runs import MAINTENANCE


class MaintenanceInputError(ValueError):
    """An execution's input that asks for what cannot be done."""


@dataclass(frozen=True)
class Asked:
    """The execution's input: datasets, none named meaning all, minutes, and whether only to say what would be done."""

    datasets: tuple[str, ...]
    budget_minutes: float
    dry_run: bool


@dataclass
class Budget:
    """Minutes for the run, of which each dataset may take its share of what is left."""

    deadline: float
    waiting: int
    _lock: Lock = field(default_factory=Lock)

    def share(self) -> float | None:
        """The moment at which the next dataset has to end; None once the time is used up."""
        now = time.monotonic()
        with self._lock:
            rounds = max(1, ceil(self.waiting / SIDE_BY_SIDE))
            self.waiting -= 1
        return None if now >= self.deadline else now + (self.deadline - now) / rounds


def read(given: Any, lake: Lake) -> Asked:
    known = ("datasets", "budget_minutes", "dry_run")
    if not isinstance(given, Mapping) or set(given) - set(known):
        raise MaintenanceInputError(
            f"The input '{json.dumps(given)[:100]}': expected a JSON object of {', '.join(known)}, all optional."
            " Correct it, or start it with `./headwater maintain`."
        )
    minutes = given.get("budget_minutes", lake.environment.maintenance.budget_minutes)
    most = lake.environment.maintenance.budget_minutes
    if isinstance(minutes, bool) or not isinstance(minutes, int | float) or not 0 < minutes <= most:
        raise MaintenanceInputError(
            f"The budget_minutes '{minutes}': expected more than 0 and at most {most}, the environment's"
            " maintenance.budget_minutes. Ask for less, or raise it there."
        )
    datasets = tuple(lake.dataset(each).id for each in given.get("datasets", ())) or tuple(lake.dataset_ids())
    return Asked(datasets, minutes, bool(given.get("dry_run", False)))


def plan(job: Job, asked: Asked) -> None:
    """All that is asked the first time; in a redrive, what has not succeeded."""
    run = str(job.run)
    job.ledger.start(run, MAINTENANCE, job.attempt)
    again = job.ledger.planned(run, job.attempt) is not None
    job.ledger.plan(run, job.attempt, job.ledger.remaining(run).datasets if again else asked.datasets, ())


def pending(job: Job) -> list[str]:
    """The planned datasets that this run has not maintained, those whose turn was longest ago first."""
    done = job.ledger.succeeded(str(job.run), "maintain")
    left = [each for each in job.plan.datasets if each not in done]
    last = job.ledger.all_maintained(left)
    return sorted(left, key=lambda each: last.get(each, ""))


def maintain_all(job: Job, asked: Asked) -> list[Outcome]:
    plan(job, asked)
    datasets = pending(job)
    budget = Budget(time.monotonic() + 60 * asked.budget_minutes, len(datasets))
    return work(job, "maintain", datasets, lambda task: maintain(task, budget.share(), asked.dry_run))


def maintain(task: Task, deadline: float | None, dry_run: bool) -> Outcome:
    """What the dataset's tables weighed before and after, what was done, and what was left for which reason."""
    if deadline is None:
        return task.succeeded(note="not begun: out of time; the next run begins with it")
    upkeep, spark = Upkeep(task, deadline, dry_run), task.job.spark
    before, note = upkeep.weights(), "dry run: nothing was changed" if dry_run else ""
    first = iceberg.head(spark, task.table) if task.table in before else None
    try:
        upkeep.run()
    except NotNowError as reason:
        note = str(reason)
    if not note:
        task.job.ledger.set_maintained(task.dataset.id)
    after = upkeep.weights()
    tables = tuple(
        {
            "table": name.partition(".")[2],
            "before": before[name],
            "after": after[name],
            "done": dict(upkeep.done.get(name, {})),
        }
        for name in before
    )
    last = iceberg.head(spark, task.table) if task.table in before else None
    return task.succeeded(tables=tables, note=note, snapshot_from=first, snapshot_to=last)


def main(argv: list[str]) -> None:
    from awsglue.utils import getResolvedOptions  # only Glue, or its local stand-in, has it

    job = open_job(argv)
    given = json.loads(getResolvedOptions(argv, ["asked"])["asked"])
    maintain_all(job, read(given, job.lake))


if __name__ == "__main__":
    main(sys.argv)
