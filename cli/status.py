"""`runs` and `status`: what ran, what is running, and what readers of each dataset see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.runs import COUNTS
from cli.target import EnvOption, JsonOption, Target

if TYPE_CHECKING:
    from lake.ledger import Head, Held, Outcome, Run


def runs(
    pipeline: Annotated[
        str | None, typer.Argument(help="A file of pipelines/, maintain or forget; without it, every pipeline.")
    ] = None,
    limit: Annotated[int, typer.Option(help="How many runs of each pipeline.", min=1, max=1000)] = 20,
    env: EnvOption = "local",
    json: JsonOption = False,
) -> None:
    """The latest runs: over which interval, in which mode, how they stand, and how many rows they moved."""
    import pipelines
    from cli.console import print_json, table
    from cli.target import target
    from lake.runs import ERASURE, MAINTENANCE

    lake = target(env)
    if pipeline and pipeline not in (MAINTENANCE, ERASURE):
        pipelines.load(pipeline, lake.root)  # refuses a name that no file has, in a sentence
    names = [pipeline] if pipeline else pipelines.names(lake.root)
    found = [_told(lake, run) for name in names for run in lake.ledger().runs(name, limit)]
    if json:
        print_json(found)
        return
    columns = ("run", "mode", "logical", "status", "attempts", "seconds", *COUNTS)
    table("", columns, [[each[name] for name in columns] for each in found])


def status(env: EnvOption = "local", json: JsonOption = False) -> None:
    """What is running, what is written now, and for each dataset what readers see and how old it is."""
    import pipelines
    from cli.console import console, print_json, table
    from cli.target import target

    target_ = target(env)
    ledger, lake = target_.ledger(), target_.lake()
    known = pipelines.load_all(target_.root)
    latest = [run for name in known for run in ledger.runs(name, limit=5)]
    datasets = dict.fromkeys(each for one in known.values() for each in (*one.datasets, *one.models))
    heads = ledger.heads(datasets)
    tables = {lake.table(lake.dataset(each)): each for each in datasets}
    held = {tables[table]: holder for table, holder in ledger.holders(tables).items()}
    unfinished = [each.run for each in ledger.intents()]
    if json:
        told = {dataset: asdict(head) for dataset, head in heads.items()}
        leases = {dataset: asdict(each) for dataset, each in held.items()}
        found = {"runs": [asdict(run) for run in latest], "datasets": told, "leases": leases, "unfinished": unfinished}
        print_json(found)
        return
    rows = [
        (each.run, each.mode, each.status, each.attempt + 1, f"{each.started_at:%Y-%m-%d %H:%M:%S}", _seconds(each))
        for each in latest
    ]
    table("Runs", ("run", "mode", "status", "attempts", "started (UTC)", "seconds"), rows)
    table(
        "\nPublished",
        ("dataset", "load mode", "by run", "at (UTC)", "watermark", "behind h", "written by"),
        [_published(lake.dataset(each).load_mode, each, heads.get(each), held.get(each)) for each in sorted(datasets)],
    )
    for run in unfinished:
        console.print(f"\nThe publication of {run} is unfinished: redrive it, or see `headwater ledger repair`.")


def _published(mode: str, dataset: str, head: Head | None, held: Held | None) -> tuple[Any, ...]:
    writer = f"{held.owner} until {held.until:%H:%M:%S}" if held else ""
    if head is None:
        return (dataset, mode, "never", "", "", None, writer)
    return (dataset, mode, head.run, f"{head.at:%Y-%m-%d %H:%M:%S}", head.watermark, _hours(head), writer)


def _hours(head: Head) -> float:
    """How far what readers see lies behind now: by its cursor's watermark, else by when it was published."""
    seen = moment(head.watermark) if head.cursor else None
    seen = seen or head.at
    return (datetime.now(UTC) - seen).total_seconds() / 3600


def moment(text: str) -> datetime | None:
    """A watermark as a time; None where its cursor counts something else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _told(lake: Target, run: Run) -> dict[str, Any]:
    from lake.runs import RunId

    counts = _counts(lake.ledger().outcomes(run.run))
    logical = f"{RunId.parse(run.run).logical:%Y-%m-%d %H:%M}"
    facts = {"run": run.run, "mode": run.mode, "logical": logical, "status": run.status}
    return {**facts, "attempts": run.attempt + 1, "seconds": _seconds(run), **counts}


def _counts(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Rows of all datasets together, each by its latest refinement; gold's rows are made of them and not added."""
    latest = {each.dataset: each for each in outcomes if each.step == "refine"}
    return {name: sum(getattr(each, name) for each in latest.values()) for name in COUNTS}


def _seconds(run: Run) -> float | None:
    return (run.finished_at - run.started_at).total_seconds() if run.finished_at else None
