"""`quarantine list`, `show`, `replay`: which rows were refused and why, and how they come in once they are mended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.errors import CommandError
from cli.target import EnvOption, JsonOption

if TYPE_CHECKING:
    from lake.model import Dataset, Lake

STATES = ("open", "replayed", "dropped")
COLUMNS = ("dataset", "rule", "state", "rows", "first run", "last run")

app = typer.Typer(help="Rows that were refused: which, why, and how they come in.", no_args_is_help=True)
DatasetArgument = Annotated[str, typer.Argument(help="SOURCE.NAME, such as ecommerce.sales.")]
RunOption = Annotated[str, typer.Option("--run", help="Only rows that this run was the first or the last to refuse.")]


@app.command("list")
def list_(
    dataset: Annotated[str, typer.Argument(help="SOURCE.NAME; all of them, when left out.")] = "",
    run: RunOption = "",
    state: Annotated[str, typer.Option("--state", help="Only rows that are open, replayed or dropped.")] = "",
    env: EnvOption = "local",
    json: JsonOption = False,
) -> None:
    """How many rows broke which rule, by dataset; a row that broke two rules counts for both."""
    from cli.console import print_json, progress, table
    from cli.refused import counts
    from cli.target import target

    if state and state not in STATES:
        raise CommandError(f"The state '{state}': expected one of {', '.join(STATES)}.")
    at = target(env)
    lake = at.lake()
    every = (lake.dataset(each) for each in lake.dataset_ids())
    wanted = [_loaded(lake, dataset)] if dataset else [each for each in every if each.layer != "gold"]
    rows = counts(at, wanted, run=run, state=state)
    if json:
        print_json([dict(zip((each.replace(" ", "_") for each in COLUMNS), row, strict=True)) for row in rows])
    elif rows:
        table("", COLUMNS, rows)
    else:
        progress.print(f"There is no row{_such(dataset, run=run, state=state)} in quarantine.")


@app.command()
def show(
    dataset: DatasetArgument,
    rule: Annotated[str, typer.Option("--rule", help="Only rows that broke this rule.")] = "",
    run: RunOption = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many rows, the last refused first.")] = 10,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show what is classed pii or phi, too.")] = False,
    env: EnvOption = "local",
    json: JsonOption = False,
) -> None:
    """The open rows of a dataset, or all that a run refused, as they came, with the rules that they broke."""
    from cli.console import print_json, progress
    from cli.expectations import expectations
    from cli.refused import masked, refused
    from cli.target import target

    at = target(env)
    known = _loaded(at.lake(), dataset)
    expected = expectations(known)
    rows = refused(at, known, rule=rule, run=run, limit=limit)
    for row in rows:
        row["row"] = row["row"] if reveal else masked(row["row"], known)
        row["rules"] = {each: expected.get(each, "what the contract no longer says") for each in row["rules"]}
    if json:
        print_json(rows)
        return
    for row in rows:
        _print(row)
    if not rows:
        progress.print(f"There is no open row{_such(dataset, rule=rule, run=run)} in quarantine.")


@app.command()
def replay(dataset: DatasetArgument, env: EnvOption = "local", json: JsonOption = False) -> None:
    """Load the whole dataset again, once its source is mended, and say what became of its rows in quarantine."""
    from cli.console import print_json, progress
    from cli.refused import counts, states
    from cli.runs import conclude, follow
    from cli.target import target

    at = target(env)
    lake = at.lake()
    known = _loaded(lake, dataset)
    if not counts(at, [known], state="open"):
        progress.print(f"There is no open row of {dataset} in quarantine, and so nothing to replay.")
        if json:
            print_json({"run": None, "outcomes": []})
        return
    ended = follow(at, _pipeline(lake, dataset), mode="replay", datasets=(dataset,))
    conclude(at, ended, json)
    became = states(at, known, ended.run)
    told = ", ".join(f"{became.get(each, 0)} {each}" for each in ("replayed", "dropped"))
    progress.print(f"Of the rows of {dataset} in quarantine: {told}, {became.get('open', 0)} still open.")


def _loaded(lake: Lake, dataset: str) -> Dataset:
    """The dataset, if it is one whose rows can be refused."""
    known = lake.dataset(dataset)
    if known.layer == "gold":
        raise CommandError(
            f"The dataset '{dataset}' is built, not loaded: expected one of a source. See {', '.join(known.inputs)}."
        )
    return known


def _pipeline(lake: Lake, dataset: str) -> str:
    """The pipeline that loads the dataset; of several the first, since each loads it in the same way."""
    found = [each.name for each in lake.pipelines() if dataset in each.datasets]
    if not found:
        raise CommandError(f"The dataset '{dataset}': expected among the datasets of a pipeline. Add it to one.")
    return found[0]


def _print(row: dict[str, Any]) -> None:
    from cli.console import console

    told = f"\n{row['state']}: first refused by {row['first_run']}"
    told += f", last by {row['last_run']}" if row["state"] == "open" else f", {row['state']} by {row['last_run']}"
    console.print(told, style="bold", markup=False)
    for rule, expected in row["rules"].items():
        console.print(f"  {rule}: expected {expected}", style="red", markup=False, soft_wrap=True)
    for name, value in row["row"].items():
        console.print(f"    {name}: {'(none)' if value is None else value}", markup=False, soft_wrap=True)


def _such(dataset: str, **asked: str) -> str:
    of = f" of {dataset}" if dataset else ""
    return of + "".join(f" with {name} '{value}'" for name, value in asked.items() if value)
