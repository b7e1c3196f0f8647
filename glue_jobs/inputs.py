"""What models read: snapshots pinned by number, so that every model of a run sees the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pyspark.sql import DataFrame

from glue_jobs import iceberg
from glue_jobs.conform import parent_keys
from glue_jobs.failures import NotBuiltError
from glue_jobs.work import Job
from lake.model import Dataset, Reference
from lake.parts import GOLD

MADE_OF = "headwater.made_of"  # in a snapshot's summary: the model's contract and SQL, and the snapshots it read


class Inputs:
    """The snapshots that this run published; of tables that it did not work on, their published ones.

    Where another run has built gold of later ones meanwhile, all are the published ones: gold does not go back.
    """

    def __init__(self, job: Job, models: Sequence[Dataset]) -> None:
        self._job = job
        refined = [each for each in job.ledger.outcomes(str(job.run)) if each.step == "refine"]
        mine = {each.dataset: each.snapshot_to for each in refined if each.status == "succeeded"}
        heads = job.ledger.heads({name for model in models for name in needs(model)})
        published = {name: head.snapshot for name, head in heads.items()}
        passed = any(self._later(model, mine) for model in models)
        self._snapshots = mine | published if passed else published | mine

    def _later(self, model: Dataset, mine: Mapping[str, int | None]) -> bool:
        """Whether the gold that is published was made of a later snapshot than this run's."""
        spark, lake = self._job.spark, self._job.lake
        base = iceberg.head(spark, lake.table(model))
        said = "" if base is None else iceberg.summary(spark, lake.table(model), base).get(MADE_OF, "")
        for name, _, snapshot in (each.partition("@") for each in said.split()[1:]):
            if name in mine and snapshot.isdecimal() and int(snapshot) != mine[name]:
                table = lake.table(lake.dataset(name))
                if iceberg.order(spark, table, int(snapshot)) > iceberg.order(spark, table, mine[name]):
                    return True
        return False

    def pin(self, dataset: str, snapshot: int | None) -> None:
        """A table that this run has built: models after it read what will be published."""
        self._snapshots[dataset] = snapshot

    def show(self, model: Dataset) -> None:
        """A view for each input, by the name that the model's SQL uses."""
        for name in model.inputs:
            self.rows(name).createOrReplaceTempView(view(self._job.lake.dataset(name)))

    def parents(self, model: Dataset) -> dict[str, DataFrame]:
        """For each reference, the distinct keys of the table that it points to."""
        return {each.name: self._keys(each) for each in model.references}

    def said(self, model: Dataset) -> str:
        """The snapshots whose rows the model reads, for its own snapshot's summary."""
        return " ".join(f"{name}@{self._content(name)}" for name in sorted(needs(model)))

    def _content(self, name: str) -> int | None:
        """The snapshot that last changed the rows: after a compaction they are the same ones."""
        table = self._job.lake.table(self._job.lake.dataset(name))
        return iceberg.content(self._job.spark, table, self._snapshots.get(name))

    def _keys(self, reference: Reference) -> DataFrame:
        parent = as_made(self._job.lake.dataset(reference.dataset))
        return parent_keys(self.rows(reference.dataset), parent, reference, small=False)

    def rows(self, name: str) -> DataFrame:
        """What a dataset held at its snapshot."""
        if name not in self._snapshots:
            raise NotBuiltError(
                f"not built: {name}, which it reads, was never published.",
                f"Run the pipeline that loads {name}, then redrive the execution.",
            )
        dataset = self._job.lake.dataset(name)
        return iceberg.read(self._job.spark, self._job.lake.table(dataset), self._snapshots[name])


def needs(model: Dataset) -> set[str]:
    """The datasets that must be there before the model can be built."""
    return {*model.inputs, *(each.dataset for each in model.references)} - {model.id}


def view(dataset: Dataset) -> str:
    return f"{GOLD}_{dataset.name}" if dataset.layer == GOLD else dataset.table


def as_made(dataset: Dataset) -> Dataset:
    """The dataset whose rows come from a query that already uses the lake's names."""
    return replace(dataset, columns=tuple(replace(each, source=each.name) for each in dataset.columns))
