"""A dataset's major version: looked at on this machine, applied by the apply job under the table's lease."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cli.errors import CommandError
from cli.target import Target
from lake.evolution import IMPOSSIBLE, MAJOR, Change, Layout, compare, major, statements
from lake.ledger import Outcome
from lake.masking import with_masked
from lake.model import Dataset
from lake.runs import RunId
from lake.tables import Table, from_metadata, stamp

PIPELINE = "contract"  # what the run ids of contract apply begin with
POLL_SECONDS = 1.0
OVER = ("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR", "EXPIRED")


@dataclass(frozen=True)
class Prepared:
    """What applying would do: the statements, the view of old names, and who reads the table."""

    dataset: Dataset
    version: str  # that the table follows
    statements: list[str]
    view: str  # none where the major version stays
    readers: list[tuple[str, str]]
    pipelines: list[str]

    def told(self) -> dict[str, Any]:
        return {"dataset": self.dataset.id, "from": self.version, "to": self.dataset.version,
                "statements": self.statements, "view": self.view, "readers": self.readers}  # fmt: skip


def prepare(lake: Target, name: str) -> Prepared:
    """The plan; raises where the change cannot be, or something still names what would go."""
    import contracts
    import pipelines

    datasets = with_masked(contracts.load_all(lake.root))
    dataset = datasets.get(name) or contracts.load(name, lake.root)
    database = lake.environment.database(dataset.layer)
    table = _table(lake, database, dataset)
    changes = compare(table.layout(dataset), Layout.of(dataset))
    version = table.version(dataset)
    _refuse(dataset, version, changes)
    views = _views(lake, dataset)
    _refuse_named(lake.root, dataset, changes, views)
    ahead = major(dataset.version) > major(version)
    readers = [("model", each.id) for each in datasets.values() if name in each.inputs]
    readers += [("reference", each.id) for each in datasets.values() if any(r.dataset == name for r in each.references)]
    return Prepared(
        dataset,
        version,
        statements(f"{database}.{dataset.table}", changes),
        f"{database}.{dataset.table}__v{major(version)}" if ahead else "",
        [*readers, *(("view", view) for view in views)],
        [
            each.name
            for each in pipelines.load_all(lake.root).values()
            if (dataset.masked_of or name) in (*each.datasets, *each.models)
        ],
    )


def run(lake: Target, prepared: Prepared) -> Outcome:
    """What the apply job made of it."""
    glue, job = lake.client("glue"), lake.environment.resource("apply")
    run, attempt = _next(glue, job, prepared.dataset.id)
    arguments = {"--run": str(run), "--attempt": str(attempt), "--major": prepared.dataset.id,
                 "--contract": stamp(prepared.dataset)}  # fmt: skip
    started = glue.start_job_run(JobName=job, Arguments=arguments)["JobRunId"]
    while (ended := glue.get_job_run(JobName=job, RunId=started)["JobRun"])["JobRunState"] not in OVER:
        time.sleep(POLL_SECONDS)
    for outcome in lake.ledger().outcomes(str(run)):
        if outcome.attempt == attempt:
            return outcome
    told = ended.get("ErrorMessage", "it said nothing")
    raise CommandError(f"The job run '{started}' of {job} ended {ended['JobRunState']}: {told}. Apply it again.")


def _next(glue: Any, job: str, dataset: str) -> tuple[RunId, int]:
    """A run of its own; after one that did not come to its end, its next attempt, which may take over its lease."""
    pages = glue.get_paginator("get_job_runs").paginate(JobName=job)
    majors = [each for page in pages for each in page["JobRuns"] if "--major" in each.get("Arguments", {})]
    mine = [each for each in majors if each["Arguments"]["--major"] == dataset]
    mine.sort(key=lambda each: str(each["StartedOn"]))
    if not mine or mine[-1]["JobRunState"] == "SUCCEEDED":
        run = RunId(PIPELINE, datetime.now(UTC).replace(second=0, microsecond=0))
        taken = {each["Arguments"]["--run"] for each in majors}
        while str(run) in taken:
            run = run.next()
        return run, 0
    arguments = mine[-1]["Arguments"]
    if mine[-1]["JobRunState"] not in OVER:
        raise CommandError(
            f"The run '{arguments['--run']}' is applying '{dataset}' now: expected one at a time. Wait for its end."
        )
    return RunId.parse(arguments["--run"]), int(arguments["--attempt"]) + 1


def _table(lake: Target, database: str, dataset: Dataset) -> Table:
    glue = lake.client("glue")
    try:
        held = glue.get_table(DatabaseName=database, Name=dataset.table)["Table"]
    except glue.exceptions.EntityNotFoundException as error:
        told = f"The table of '{dataset.id}': expected in {database}, and there is none."
        raise CommandError(f"{told} The next run of its pipeline makes it.") from error
    bucket, _, key = held["Parameters"]["metadata_location"].removeprefix("s3://").partition("/")
    return from_metadata(json.load(lake.client("s3").get_object(Bucket=bucket, Key=key)["Body"]))


def _refuse(dataset: Dataset, version: str, changes: list[Change]) -> None:
    for each in changes:
        if each.grade == IMPOSSIBLE:
            raise CommandError(f"The contract of '{dataset.id}' cannot {each}. {each.remedy}")
        if each.grade == MAJOR and major(dataset.version) <= major(version):
            raise CommandError(
                f"The contract of '{dataset.id}' would {each} in version {dataset.version}, and its table follows"
                f" {version}: expected a new major version. Make it {major(version) + 1}.0.0, and deploy."
            )


def _refuse_named(root: Path, dataset: Dataset, changes: list[Change], views: dict[str, str]) -> None:
    """Models and references are checked with their contracts; queries and views of the catalog here."""
    from contracts.readers import names, readers, takes_all

    kept = {each.name for each in dataset.columns}
    found = []
    for change in (each for each in changes if each.takes_name and each.name not in kept):
        found += [f"{file}:{line} names '{change.name}'" for file, line in readers(root, dataset, change.name)]
        found += [f"view {view} names '{change.name}'" for view, sql in views.items()
                  if names(sql, dataset.table, change.name, "athena")]  # fmt: skip
        found += [f"view {view} takes every column, and so '{change.name}'" for view, sql in views.items()
                  if takes_all(sql, dataset.table, "athena")]  # fmt: skip
    if found:
        told = "\n  ".join(dict.fromkeys(found))
        raise CommandError(f"These would break; change them first, then apply '{dataset.id}' again:\n  {told}")


def _views(lake: Target, dataset: Dataset) -> dict[str, str]:
    """The SQL of each view of the lake's databases that reads the table, but for our own.

    Those of old names follow the table, and those of queries/, whose files are checked, are written anew after it.
    """
    found, ours = {}, f"{dataset.table}__v"
    of_files = {path.stem for path in (lake.root / "queries").glob("*.sql")}
    for layer in ("silver", "gold"):
        database = lake.environment.database(layer)
        for page in lake.client("glue").get_paginator("get_tables").paginate(DatabaseName=database):
            for each in page["TableList"]:
                text = each.get("ViewOriginalText") or ""
                if each.get("TableType") == "VIRTUAL_VIEW" and text.startswith("/* Presto View: ") \
                        and not each["Name"].startswith(ours) and each["Name"] not in of_files:  # fmt: skip
                    encoded = text.removeprefix("/* Presto View: ").removesuffix(" */")
                    sql = json.loads(base64.b64decode(encoded))["originalSql"]
                    if dataset.table in sql:
                        found[f"{database}.{each['Name']}"] = sql
    return found
