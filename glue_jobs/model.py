"""Model gold: each model's SELECT over what this run published; all of the run's gold is published, or none."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from graphlib import TopologicalSorter

from glue_jobs.apply import unapplied
from glue_jobs.build import Build
from glue_jobs.causes import explain
from glue_jobs.failures import NotBuiltError
from glue_jobs.inputs import Inputs, needs
from glue_jobs.publication import publish_all, roll_forward
from glue_jobs.work import Job, Task, attempt_often, conclude, open_job, side_by_side
from lake.ledger import LeaseHeldError, Outcome


def model(job: Job, models: Sequence[str]) -> list[Outcome]:
    """The outcome of each model: all published, or none and each with its reason."""
    tasks = [Task(job, "model", job.lake.dataset(each)) for each in models]
    # a model whose table could not be applied has failed already, and its cause is in that outcome
    failed = [*job.ledger.remaining(str(job.run)).datasets, *unapplied(job, models)]
    outcomes = list(refused(tasks, failed)) if failed else build(job, tasks)
    return [conclude(each, job.ledger) for each in outcomes]


def refused(tasks: Sequence[Task], failed: Collection[str]) -> Iterator[Outcome]:
    """Gold stays as it was unless every dataset of the run is there, and every table of its own."""
    reason = NotBuiltError(f"not built: {', '.join(failed)} failed", "Cure that, then redrive the execution.")
    yield from (task.failed(reason) for task in tasks if task.dataset.id not in failed)


def build(job: Job, tasks: Sequence[Task]) -> list[Outcome]:
    """Build each on a branch, those that others read first; publish if all of them passed their gates."""
    with ExitStack() as stack:
        try:  # in order of name: two runs that want the same tables cannot wait for each other
            leases = {task.table: stack.enter_context(task.lease()) for task in sorted(tasks, key=lambda t: t.table)}
            roll_forward(job, leases)  # again: who was waited for may have been cut off
        except LeaseHeldError as error:
            return [task.failed(explain(error, task.dataset)) for task in tasks]
        run = Build(Inputs(job, [task.dataset for task in tasks]))
        outcomes: list[Outcome] = []
        for level in levels(tasks):
            outcomes += side_by_side(lambda task: attempt_often(task, run), level)
        failed = [each.dataset for each in outcomes if each.status == "failed"]
        if not failed:
            publish_all(job, [(task, leases[task.table], run.candidates[task.dataset.id]) for task in tasks])
            return outcomes
    reason = NotBuiltError(f"not published: {', '.join(failed)} failed", "Cure that, then redrive the execution.")
    told = {each.dataset: each for each in outcomes if each.status == "failed"}
    return [told.get(task.dataset.id) or task.failed(reason) for task in tasks]


def levels(tasks: Sequence[Task]) -> Iterator[list[Task]]:
    """The models in groups: each reads only what groups before it make."""
    known = {task.dataset.id: task for task in tasks}
    order = TopologicalSorter({name: known.keys() & needs(task.dataset) for name, task in known.items()})
    order.prepare()
    while order.is_active():
        ready = order.get_ready()
        yield [known[name] for name in ready]
        order.done(*ready)


def pending(job: Job) -> list[str]:
    """The planned models that this run has not published; masked tables have a job of their own."""
    built = job.ledger.succeeded(str(job.run), "model")
    return [each for each in job.plan.models if each not in built and not job.lake.dataset(each).masked_of]


def model_all(job: Job) -> list[Outcome]:
    """The outcome of every planned model, whatever befalls the publication as a whole."""
    models = pending(job)
    try:
        roll_forward(job)
        return model(job, models)
    except Exception as error:  # no single model's work could catch it
        if not models:  # then no outcome tells it
            raise
        failed = [Task(job, "model", job.lake.dataset(each)).failed_by(error) for each in pending(job)]
        return [conclude(each, job.ledger) for each in failed]


def main(argv: list[str]) -> None:
    model_all(open_job(argv))


if __name__ == "__main__":
    main(sys.argv)
