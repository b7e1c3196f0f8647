"""`ledger repair`: what the run ledger says of each table, made true again by what the tables say of themselves."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from cli.errors import CommandError
from cli.target import EnvOption, JsonOption

app = typer.Typer(help="The run ledger.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """The run ledger."""


@app.command()
def repair(
    dataset: Annotated[list[str] | None, typer.Option(help="Only this dataset; may be said more than once.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what is different, and change nothing.")] = False,
    env: EnvOption = "local",
    json: JsonOption = False,
) -> None:
    """Rebuild heads and watermarks from the tables' snapshots, and settle publications that cannot be finished.

    No table is moved. A publication that can still be finished is left to the next run of its pipeline.
    """
    from cli.console import console, print_json, table
    from cli.repair import Repair
    from cli.target import target

    work = Repair(target(env), dry_run)
    wanted = dataset or work.lake.dataset_ids()
    found = [each for name in wanted for each in work.head(name)]
    found += [] if dataset else work.intents()
    if json:
        print_json([asdict(each) for each in found])
    elif found:
        rows: list[tuple[Any, ...]] = [(each.what, each.ledger, each.tables, each.done) for each in found]
        table("", ("of", "the ledger said", "the tables say", "done"), rows)
    else:
        console.print(f"The ledger is true of {len(wanted)} datasets.")
    if waiting := [each.what for each in found if not each.settled]:
        raise CommandError(f"Not repaired: {', '.join(waiting)}. The column 'done' says why, and what to do.")
