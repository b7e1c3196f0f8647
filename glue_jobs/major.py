"""A major version of a contract: refused at the head of a run, applied by itself under the table's lease."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pyspark.sql import SparkSession

from glue_jobs import iceberg, views
from glue_jobs.evolution import evolve, existing, follow
from glue_jobs.failures import ContractAheadError, ContractBreaksTableError, DatasetError
from glue_jobs.views import Previous
from glue_jobs.work import Task
from lake.evolution import ADDITIVE, IMPOSSIBLE, MAJOR, Change, Layout, compare, major, statements
from lake.ledger import Lease
from lake.model import Dataset, Lake
from lake.tables import Table

TAKE_BACK = "Take the change back and deploy"


def refuse(lake: Lake, dataset: Dataset, held: Table, changes: Sequence[Change]) -> None:
    """Raises unless no reader feels the changes and the contract is of the table's major version."""
    version, wanted = held.version(dataset), dataset.version
    breaking = [each for each in changes if each.grade != ADDITIVE]
    if major(wanted) > major(version):
        raise ContractAheadError(
            f"The contract of {dataset.id} is version {wanted}, a major version ahead of its table, which follows"
            f" {version}.",
            f"Run `headwater contract apply {dataset.id} --env {lake.environment.name}`, then redrive the execution.",
        )
    if not breaking:
        return
    impossible = next((each for each in breaking if each.grade == IMPOSSIBLE), None)
    if impossible is not None:
        raise ContractBreaksTableError(_broken(dataset, impossible), f"{TAKE_BACK}. {impossible.remedy}")
    would = read_by(lake, dataset, breaking)
    raise ContractBreaksTableError(
        f"{_broken(dataset, breaking[0])}{f' It would break {would}.' if would else ''}",
        f"{TAKE_BACK}; or make it version {major(version) + 1}.0.0 of the contract, deploy, and run"
        f" `headwater contract apply {dataset.id} --env {lake.environment.name}`.",
    )


def read_by(lake: Lake, dataset: Dataset, changes: Iterable[Change]) -> str:
    """The lake's own readers: models that name what changes, datasets whose references do."""
    names = {each.name for each in changes}
    words = re.compile(rf"\b({'|'.join(map(re.escape, sorted(names)))})\b")
    found = []
    for each in map(lake.dataset, lake.dataset_ids()):
        referring = (reference for reference in each.references if reference.dataset == dataset.id)
        if (dataset.id in each.inputs and words.search(each.sql or "")) or any(
            names.intersection(reference.parent_columns) for reference in referring
        ):
            found.append(each.id)
    return ", ".join(found)


def change(task: Task, lease: Lease) -> None:
    """The table by the names of its contract's major version, and a view by those of the one before.

    Done again, it finishes what was begun: the table remembers the version before it in the same commit.
    """
    job, dataset = task.job, task.dataset
    held = existing(job.spark, task.table)
    if held is None:
        raise DatasetError(f"There is no table of {dataset.id} yet.", "The next run of its pipeline makes it.")
    changes = compare(held.layout(dataset), Layout.of(dataset))
    previous = _checked(dataset, held, changes)
    require_no_nulls(job.spark, task.table, dataset, changes)
    lease.check()
    if previous:
        job.ledger.set_version(dataset.id, dataset.version, task.run, statements(task.table, changes))
    if not dataset.is_made:  # first, since what is done to the table itself is not planned again
        follow(job.spark, job.lake.deleted(dataset), changes)
    evolve(job.spark, task.table, dataset, changes, previous.remembered() if previous else None)
    now, database = existing(job.spark, task.table), job.lake.environment.databases[dataset.layer]
    assert now is not None  # it was there, and the lease is ours
    lease.check()
    views.keep(database, dataset, now)
    views.remove_older(database, dataset, now)


def _checked(dataset: Dataset, held: Table, changes: Sequence[Change]) -> Previous | None:
    """The version before, if this is a new major one; raises where the changes cannot be made under this version."""
    version, wanted = held.version(dataset), dataset.version
    for each in changes:
        if each.grade == IMPOSSIBLE:
            raise ContractBreaksTableError(_broken(dataset, each), f"{TAKE_BACK}. {each.remedy}")
        if each.grade == MAJOR and major(wanted) <= major(version):
            raise ContractBreaksTableError(
                _broken(dataset, each), f"Make it version {major(version) + 1}.0.0 of the contract, and deploy."
            )
    if major(wanted) < major(version):
        raise ContractBreaksTableError(
            f"The table of {dataset.id} follows version {version}, the contract deployed is the older {wanted}.",
            "Deploy the newer contract, or one with a higher version.",
        )
    return Previous(version, held.fields) if major(wanted) > major(version) else None


def require_no_nulls(spark: SparkSession, table: str, dataset: Dataset, changes: Iterable[Change]) -> None:
    """A column becomes required only where every row has it: on main, and on each branch that may become main."""
    names = [each.name for each in changes if each.kind == "require"]
    if not names:
        return
    lacking = " OR ".join(f"`{name}` IS NULL" for name in names)
    for branch in iceberg.open_branches(spark, table):
        count = spark.read.option("branch", branch).table(table).where(lacking).count()
        if count:
            where = "" if branch == iceberg.MAIN else f" on branch {branch}, which is not published yet"
            told = f"{', '.join(names)} of {dataset.id}: expected a value in every row"
            raise ContractBreaksTableError(
                f"{told}, and {count} rows have none{where}.",
                "Load values for them, or leave the column optional.",
            )


def _broken(dataset: Dataset, change: Change) -> str:
    if not change.name:
        return f"The contract of {dataset.id} would change {change}."
    old, new = change.old or "no column", change.new or "no column"
    if change.kind == "rename":
        new = f"the name '{change.new}'"
        old = f"the name '{change.old}'"
    cause = f"The column '{change.name}' of {dataset.id}: the table has {old}, the contract asks for {new}"
    return f"{cause}, which could hurt a reader."
