"""`maintain`: compact tables, expire their snapshots, remove orphans, and show what they weighed before and after."""

from __future__ import annotations

import json as json_
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.errors import CommandError
from cli.target import EnvOption, JsonOption, Target

if TYPE_CHECKING:
    from lake.ledger import Outcome

WEIGHTS = {"files": "files", "deletes": "delete files", "bytes": "bytes", "snapshots": "snapshots"}


def maintain(
    dataset: Annotated[str | None, typer.Argument(help="A dataset such as saas.users; without it, all.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what there is to do.")] = False,
    budget: Annotated[float | None, typer.Option(help="Minutes; config says how many at most.", min=0.1)] = None,
    env: EnvOption = "local",
    json: JsonOption = False,
) -> None:
    """Maintain the lake's tables through Step Functions and wait for the end; exits 1 when one failed."""
    from cli import execution
    from cli.console import print_json, progress
    from cli.target import target

    lake = target(env)
    run = start(lake, asked(dataset, dry_run, budget))
    progress.print(f"  {run}", style="bold")
    with progress.status("Maintain"):
        ended = execution.follow(lake, run)
    outcomes = lake.ledger().outcomes(run)
    if json:
        print_json({**asdict(ended), "outcomes": [asdict(outcome) for outcome in outcomes]})
    else:
        show(run, outcomes)
    if ended.status != "SUCCEEDED":
        raise CommandError(f"The run '{run}' {ended.status}: {ended.cause or ended.error}")


def asked(dataset: str | None, dry_run: bool, budget: float | None) -> dict[str, Any]:
    """The execution's input; what is not said is left out."""
    if dataset is not None:
        import contracts

        contracts.load(dataset)  # refuses a name that no contract has, in a sentence
    said = {"datasets": [dataset] if dataset else [], "dry_run": dry_run, "budget_minutes": budget}
    return {name: value for name, value in said.items() if value}


def start(lake: Target, given: dict[str, Any]) -> str:
    """Start maintenance; its run id is made of the time."""
    from lake.runs import MAINTENANCE, RunId

    states = lake.client("stepfunctions")
    run = RunId(MAINTENANCE, datetime.now(UTC).replace(second=0, microsecond=0))
    while True:
        try:
            states.start_execution(
                stateMachineArn=lake.state_machine(MAINTENANCE), name=str(run), input=json_.dumps(given)
            )
        except states.exceptions.ExecutionAlreadyExists:
            run = run.next()
        except states.exceptions.StateMachineDoesNotExist as error:
            name = lake.environment.name
            raise CommandError(
                f"Maintenance is not deployed to '{name}'. Deploy it: `./headwater deploy --env {name}`."
            ) from error
        else:
            return str(run)


def show(run: str, outcomes: Iterable[Outcome]) -> None:
    from cli.console import console, table

    latest = {each.dataset: each for each in outcomes}.values()
    table(f"\n{run}", ("table", *WEIGHTS.values(), "done"), _rows(latest))
    for each in latest:
        if each.status == "failed":
            console.print(f"\n{each.dataset} failed: {each.cause}", style="red", markup=False)
            console.print(f"  {each.remedy}", markup=False)
        elif each.note:
            console.print(f"{each.dataset}: {each.note}", markup=False, soft_wrap=True)


def _rows(outcomes: Iterable[Outcome]) -> Iterator[list[Any]]:
    for each in outcomes:
        for told in each.tables:
            done = ", ".join(f"{count:,} {what}" for what, count in told["done"].items() if count)
            yield [told["table"], *(_change(told["before"][name], told["after"][name]) for name in WEIGHTS), done]


def _change(before: int, after: int) -> str:
    return f"{before:,}" if before == after else f"{before:,} -> {after:,}"
