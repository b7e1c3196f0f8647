"""Build a gold table on a branch: the model's SELECT, held to its contract, compared with what is there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pyspark.sql import DataFrame, functions as F

from glue_jobs import gates, iceberg
from glue_jobs.changes import DELETED, INSERTED, QUARANTINED, STATUS, UPDATED, Known, classify
from glue_jobs.conform import conform
from glue_jobs.counts import count_once, facts_of, metrics
from glue_jobs.failures import DatasetError, GateFailedError
from glue_jobs.inputs import MADE_OF, Inputs, as_made
from glue_jobs.publish import Candidate, write
from glue_jobs.watermarks import version_of
from glue_jobs.work import Task
from lake.ledger import Outcome


class Build:
    """What one job run makes of other tables; `candidates` holds, by dataset, what passed its gates.

    `rows` are those of its SQL unless told otherwise, and `said` is what else they depend on.
    """

    def __init__(
        self, inputs: Inputs, rows: Callable[[Task], DataFrame] | None = None, said: str | None = None
    ) -> None:
        self._inputs = inputs
        self._rows = rows or self._selected
        self._said = "" if said is None else f" {said}"
        self.candidates: dict[str, Candidate] = {}

    def __call__(self, task: Task) -> Outcome:
        """The model's rows on a branch, checked; publishing waits for the other models."""
        spark, dataset = task.job.spark, task.dataset
        base = iceberg.head(spark, task.table)
        made_of = f"{dataset.hash} {self._inputs.said(dataset)}{self._said}"
        if base is not None and iceberg.summary(spark, task.table, base).get(MADE_OF) == made_of:
            return self._as_it_is(task, base)
        wanted = F.col(STATUS).isin(INSERTED, UPDATED, DELETED, QUARANTINED)
        kept, counted = count_once(self._judged(task, base), wanted, metrics())
        try:
            facts = {**facts_of(counted), "snapshot_from": base}
            _require_clean(task, facts)
            candidate = write(task, base, kept, facts, version(task).isoformat(), {"made_of": made_of})
        finally:
            kept.unpersist()
        gates.audit(task, candidate, facts)
        self.candidates[dataset.id] = candidate
        self._inputs.pin(dataset.id, candidate.snapshot)
        return task.succeeded(**facts, snapshot_to=candidate.snapshot)

    def _as_it_is(self, task: Task, base: int) -> Outcome:
        """The same SELECT over the same snapshots gives the same rows, so they are not even read."""
        told = iceberg.summary(task.job.spark, task.table, base)
        rows = int(told["total-records"]) - int(told.get("total-position-deletes", 0))
        self.candidates[task.dataset.id] = Candidate(task.table, base, base)
        self._inputs.pin(task.dataset.id, base)
        return task.succeeded(unchanged=rows, snapshot_from=base, snapshot_to=base)

    def _judged(self, task: Task, base: int | None) -> DataFrame:
        spark, dataset = task.job.spark, task.dataset
        conformed = conform(self._rows(task), as_made(dataset), version(task), self._inputs.parents(dataset))
        held = None if base is None else iceberg.read(spark, task.table, base)
        return classify(conformed, held, dataset.key, Known(deletes=F.lit(True)))

    def _selected(self, task: Task) -> DataFrame:
        dataset = task.dataset
        self._inputs.show(dataset)
        rows = task.job.spark.sql(str(dataset.sql))
        if missing := [column.name for column in dataset.columns if column.name not in rows.columns]:
            raise DatasetError(
                f"The model {dataset.id} gives no column '{missing[0]}', which its contract has.",
                f"Correct models/{dataset.name}.sql or the contract, then redrive the execution.",
            )
        return rows


def version(task: Task) -> datetime:
    """Of the rows that are built now: they follow those that are there, also in a run of an earlier time."""
    return version_of(task.job.run.logical, task.job.ledger.head(task.dataset.id))


def _require_clean(task: Task, facts: dict[str, object]) -> None:
    """Gold has no quarantine: a row that breaks a rule is an error in the model."""
    if facts[QUARANTINED]:
        raise GateFailedError(
            f"The model {task.dataset.id} gives {facts[QUARANTINED]} rows that break {facts['rules']}.",
            f"Correct models/{task.dataset.name}.sql or its contract, then redrive the execution.",
            facts,
        )
