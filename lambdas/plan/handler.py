"""Plan an attempt of a run: which datasets and models it is to work on, and which jobs that takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import boto3

from lake.asked import Asked, read
from lake.items import utc_now
from lake.ledger import Intent, Ledger, Plan, Run
from lake.model import Dataset, Lake, Pipeline, load
from lake.runs import RunId, RunIdError
from lake.views import HASH
from lambdas.plan.rerun import adopt, datasets_of

BRONZE = "bronze"  # whose tables are called as silver's are

client = cache(boto3.client)  # one for each service and warm container


def run_of(execution: str, pipeline: str) -> RunId:
    """The run that an execution's name says; it must be one of this pipeline."""
    run = RunId.parse(execution)
    if run.pipeline != pipeline:
        raise RunIdError(
            f"The execution name '{execution}': expected a run id of pipeline '{pipeline}', such as"
            f" {pipeline}-{run.logical_text}-01. Start it with `./headwater run {pipeline}`."
        )
    return run


def refuse_ended(run: Run | None, attempt: int) -> None:
    """A new execution of an old name would find everything done: Step Functions forgets names after 90 days."""
    if run is not None and attempt == 0 and run.status != "running":
        raise RunIdError(
            f"The execution name '{run.run}': expected one of a new run, and this one ended at {run.finished_at}."
            f" Do it again with `./headwater rerun {run.run}`."
        )


def plan(ledger: Ledger, run: RunId, attempt: int, asked: Asked, pipeline: Pipeline) -> Plan:
    """All that is asked the first time; after that, what of it has not succeeded in this run."""
    how = {"mode": asked.mode, "repeats": asked.repeats, "first_step": asked.first_step}
    if ledger.planned(str(run), attempt) is not None:
        remaining = ledger.remaining(str(run))
        return ledger.plan(str(run), attempt, remaining.datasets, remaining.models, **how)
    datasets = asked.datasets or pipeline.datasets
    if asked.mode == "rerun":
        datasets = datasets_of(ledger, asked, pipeline)
    if asked.first_step == "refine":
        adopt(ledger, asked, run, attempt, datasets)
    return ledger.plan(str(run), attempt, datasets, pipeline.models, **how)


def must_apply(datasets: Iterable[Dataset], applied: dict[str, str], tables: Iterable[str]) -> bool:
    """Whether a contract has changed since it was applied, or a table of one is not there."""
    return any(
        applied.get(dataset.id) != dataset.applied or any(name not in tables for name in tables_of(dataset))
        for dataset in datasets
    )


def views_behind(lake: Lake, datasets: Iterable[Dataset], tables: Mapping[str, str]) -> bool:
    """Whether a view that reads one of these is not what queries/ says, and all that it reads is there."""
    worked_on = {each.id for each in datasets}
    return any(
        tables.get(view.name) != view.hash
        for view in lake.views()
        if worked_on & set(view.inputs) and all(lake.dataset(each).table in tables for each in view.inputs)
    )


def tables_of(dataset: Dataset) -> tuple[str, ...]:
    deleted = (dataset.deleted_table,) if dataset.deletes else ()
    beside = (*deleted, *(f"{BRONZE}.{each}" for each in dataset.bronze_tables))
    return (dataset.table,) if dataset.is_made else (dataset.table, dataset.quarantine_table, *beside)


def unfinished(intents: Iterable[Intent], pipeline: str) -> bool:
    """Whether a publication of this pipeline's gold stopped half-way: its model job rolls it forward."""
    return any(RunId.parse(intent.run).pipeline == pipeline for intent in intents)


def tables_in(lake: Lake, *, with_bronze: bool) -> dict[str, str]:
    """Every table of the lake, with what a view was made from: a few pages, not a call for each dataset."""
    pages = client("glue").get_paginator("get_tables")
    layers = {"silver": "", "gold": ""} | ({BRONZE: f"{BRONZE}."} if with_bronze else {})
    return {
        before + table["Name"]: table.get("Parameters", {}).get(HASH, "")
        for layer, before in layers.items()
        for page in pages.paginate(DatabaseName=lake.environment.databases[layer])
        for table in page["TableList"]
    }


def handle(event: dict[str, Any], context: object) -> dict[str, Any]:
    """{"pipeline", "run", "attempt", "input"} in, the last as the execution was given it; which jobs to run out."""
    lake = load()
    pipeline, attempt = lake.pipeline(event["pipeline"]), int(event["attempt"])
    run = run_of(event["run"], pipeline.name)
    asked = read(event["input"], run, lake, utc_now())
    ledger = Ledger(lake.environment.ledger, client("dynamodb"))
    refuse_ended(ledger.run(str(run)), attempt)
    ledger.start(str(run), pipeline.name, attempt, asked.mode)
    planned = plan(ledger, run, attempt, asked, pipeline)
    work = [lake.dataset(each) for each in (*planned.datasets, *planned.models)]
    there = tables_in(lake, with_bronze=any(each.bronze_tables for each in work))
    return {
        "run": str(run),
        "attempt": attempt,
        "apply": must_apply(work, ledger.all_applied(each.id for each in work), there)
        or views_behind(lake, work, there),
        "ingest": not ledger.succeeded(str(run), "ingest").issuperset(planned.datasets),
        "refine": bool(planned.datasets),
        "mask": any(lake.dataset(each).masked_of for each in planned.models),
        "model": any(not lake.dataset(each).masked_of for each in planned.models)
        or unfinished(ledger.intents(), pipeline.name),
    }
