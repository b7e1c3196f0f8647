"""Build a gold table on a branch: the model's SELECT, held to its contract, compared with what is there."""

from __future__ import annotations

from pyspark.sql import DataFrame, functions as F

from glue_jobs import gates, iceberg
from glue_jobs.changes import DELETED, INSERTED, QUARANTINED, STATUS, UPDATED, Known, classify
from glue_jobs.conform import conform
from glue_jobs.counts import count_once, facts_of, metrics
from glue_jobs.failures import DatasetError, GateFailedError
from glue_jobs.inputs import Inputs, as_made
from glue_jobs.publish import Candidate, write
from glue_jobs.work import Task
from lake.ledger import Outcome

MADE_OF = "headwater.made_of"  # in a snapshot's summary: the model's contract and SQL, and the snapshots it read


class Build:
    """The gold of one job run; `candidates` holds, by dataset, what passed its gates."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self.candidates: dict[str, Candidate] = {}

    def __call__(self, task: Task) -> Outcome:
        """The model's rows on a branch, checked; publishing waits for the other models."""
        spark, dataset = task.job.spark, task.dataset
        base = iceberg.head(spark, task.table)
        made_of = f"{dataset.hash} {self._inputs.said(dataset)}"
        if base is not None and iceberg.summary(spark, task.table, base).get(MADE_OF) == made_of:
            return self._as_it_is(task, base)
        wanted = F.col(STATUS).isin(INSERTED, UPDATED, DELETED)
        kept, counted = count_once(self._judged(task, base), wanted, metrics(dataset))
        try:
            facts = {**facts_of(counted), "snapshot_from": base}
            _require_clean(task, facts)
            watermark = task.job.run.logical.isoformat()
            candidate = write(task, base, kept, facts, watermark, {"made_of": made_of})
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
        spark, dataset, logical = task.job.spark, task.dataset, task.job.run.logical
        self._inputs.show(dataset)
        rows = spark.sql(str(dataset.sql))
        if missing := [column.name for column in dataset.columns if column.name not in rows.columns]:
            raise DatasetError(
                f"The model {dataset.id} gives no column '{missing[0]}', which its contract has.",
                f"Correct models/{dataset.name}.sql or the contract, then redrive the execution.",
            )
        conformed = conform(rows, as_made(dataset), logical, self._inputs.parents(dataset))
        held = None if base is None else iceberg.read(spark, task.table, base)
        # what a later run has written is not this one's to delete
        known = Known(deletes=F.col("_version") <= F.lit(int(logical.timestamp())).cast("timestamp"))
        return classify(conformed, held, dataset.key, known)


def _require_clean(task: Task, facts: dict[str, object]) -> None:
    """Gold has no quarantine: a row that breaks a rule is an error in the model."""
    if facts[QUARANTINED]:
        raise GateFailedError(
            f"The model {task.dataset.id} gives {facts[QUARANTINED]} rows that break {facts['rules']}.",
            f"Correct models/{task.dataset.name}.sql or its contract, then redrive the execution.",
            facts,
        )
