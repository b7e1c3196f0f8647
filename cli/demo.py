"""`demo`: the ticket lake from nothing to answers, then a run that fails and its redrive."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import CommandError
from cli.laptop import ColdOption, PortOption, ScaleOption
from cli.target import Target

if TYPE_CHECKING:
    from cli.execution import Ended

Part = Callable[[Target, dict[str, float]], None]

PIPELINE = "tickit"
VANISHING = "saas.category"


def demo(
    part: Annotated[
        str,
        typer.Argument(
            help="`tickets`: load and query. `failure`: break a source, mend it, redrive. `stream`: post events."
        ),
    ] = ("tickets"),
    port: PortOption = 4580,
    cold: ColdOption = False,
    scale: ScaleOption = 1.0,
) -> None:
    """Bring the lake up on this laptop, load the tickets, answer questions, load again and see that nothing changed."""
    parts: dict[str, Callable[[Target, dict[str, float]], None]] = {
        "tickets": _tickets,
        "failure": _failure,
        "stream": _stream,
    }
    if part not in parts:
        raise CommandError(f"The demo '{part}': expected one of {', '.join(parts)}.")
    from cli import laptop
    from cli.console import console, table
    from cli.target import target

    began = time.monotonic()
    console.print(
        "Bringing up the lake: the app that deploys to AWS, deployed to an endpoint on this laptop", style="bold"
    )
    phases = {**_setup_seconds(), **laptop.start(port, cold, scale)}
    parts[part](target("local"), phases)
    table("\nWhat took how long", ("phase", "seconds"), phases.items())
    console.print(f"Together {time.monotonic() - began + sum(_setup_seconds().values()):.1f} s.")


def _tickets(lake: Target, phases: dict[str, float]) -> None:
    from cli.console import console
    from cli.runs import show_outcomes

    console.print(f"\nLoading the pipeline '{PIPELINE}' through Step Functions", style="bold")
    with _timed(phases, "first run"):
        first = _run(lake)
    with _timed(phases, "three questions"):
        _questions(lake)
    show_outcomes(first.run, lake.ledger().outcomes(first.run))
    console.print("\nLoading again: the same sources, so nothing may change", style="bold")
    before = _published(lake)
    with _timed(phases, "second run"):
        second = _run(lake)
    _unchanged(lake, second.run, before)
    console.print(
        "\nThe lake stays up. Try next:\n"
        "  ./headwater demo failure                     a source table vanishes, comes back, and the run is redriven\n"
        f"  ./headwater explain {first.run}    what was loaded, what was refused and why\n"
        "  ./headwater query 'select * from dim_event order by revenue desc limit 5'\n"
        "  ./headwater status                           runs and published snapshots\n"
        "  ./headwater down                             end it all",
        soft_wrap=True,
    )


def _failure(lake: Target, phases: dict[str, float]) -> None:
    from cli import execution
    from cli.console import console, progress
    from cli.runs import follow, show_outcomes
    from local import laptop, source, tickit

    admin = source.server(laptop.STATE, VANISHING.split(".")[0])
    console.print(f"\nThe source table of '{VANISHING}' vanishes", style="bold")
    tickit.vanish(admin, VANISHING)
    try:
        with _timed(phases, "run that fails"):
            failed = follow(lake, PIPELINE)
    finally:
        tickit.restore(admin, VANISHING)
    if failed.status != "FAILED":
        raise CommandError(
            f"The run '{failed.run}' was {failed.status}: expected FAILED, since a source table is gone."
        )
    show_outcomes(failed.run, [each for each in lake.ledger().outcomes(failed.run) if each.status == "failed"])
    console.print("\nThe table is back; redrive works only what failed", style="bold")
    lake.client("stepfunctions").redrive_execution(executionArn=lake.execution(failed.run))
    with _timed(phases, "redrive"), progress.status("redrive"):
        ended = execution.follow(lake, failed.run, lambda state, took: progress.print(f"  {state:<44}{took:6.1f} s"))
    if ended.status != "SUCCEEDED":
        raise CommandError(f"The redrive of '{failed.run}' ended {ended.status}: {ended.cause}")
    console.print(f"The run {ended.run} {ended.status} on its second attempt.", style="green")


def _stream(lake: Target, phases: dict[str, float]) -> None:
    from cli.demo_stream import show

    show(lake, phases)


def _run(lake: Target) -> Ended:
    from cli.runs import follow

    ended = follow(lake, PIPELINE)
    if ended.status != "SUCCEEDED":
        raise CommandError(f"The run '{ended.run}' ended {ended.status}: {ended.cause or ended.error}")
    return ended


def _questions(lake: Target) -> None:
    """The named queries that the app deploys, as an analyst finds them in Athena's console."""
    from cli.console import console, table
    from cli.query import fetch

    athena = lake.client("athena")
    ids = athena.list_named_queries(WorkGroup=lake.environment.workgroup())["NamedQueryIds"]
    queries = [athena.get_named_query(NamedQueryId=each)["NamedQuery"] for each in ids]
    for query in sorted(queries, key=lambda each: str(each["Name"]))[:3]:
        columns, rows, _ = fetch(lake, query["QueryString"])
        console.print(f"\n{query['Description']}", style="bold")
        table("", columns, rows[:10])


def _published(lake: Target) -> dict[str, int | None]:
    import pipelines

    described = pipelines.load(PIPELINE)
    heads = lake.ledger().heads((*described.datasets, *described.models))
    return {dataset: head.snapshot for dataset, head in heads.items()}


def _unchanged(lake: Target, run: str, before: dict[str, int | None]) -> None:
    from cli.console import console
    from cli.runs import COUNTS

    moved = sorted(dataset for dataset, snapshot in _published(lake).items() if before.get(dataset) != snapshot)
    changed = ("inserted", "updated", "deleted")
    outcomes = [each for each in lake.ledger().outcomes(run) if each.step in ("refine", "model")]
    written = sum(getattr(each, count) for each in outcomes for count in COUNTS if count in changed)
    if moved or written:
        raise CommandError(
            f"The second run wrote {written} rows and moved {', '.join(moved)}: expected no change at all."
        )
    read = sum(each.read for each in outcomes)
    console.print(f"{read:,} rows read, none written, no new snapshot in {len(before)} tables.", style="green")


@contextmanager
def _timed(phases: dict[str, float], phase: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    phases[phase] = time.monotonic() - began


def _setup_seconds() -> dict[str, float]:
    """What the launcher took before Python ran, on first use."""
    seconds = os.environ.get("HEADWATER_SETUP_SECONDS")
    return {"install the locked packages": float(seconds)} if seconds else {}
