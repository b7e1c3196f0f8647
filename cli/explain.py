"""`explain`: what a run did to each dataset; or what a dataset was loaded with and when, and why rows are missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from cli.runs import COUNTS, known, show_outcomes
from cli.target import EnvOption, JsonOption, Target

if TYPE_CHECKING:
    from lake.ledger import Head, Load, Outcome

WHY = {
    "quarantined": "broke a rule: `headwater quarantine list {dataset}` shows rows, rules and runs",
    "superseded": "an older version, or the same row twice: the latest by key is in the table",
    "deleted": "the source no longer has the key",
}


@dataclass(frozen=True)
class Done:
    """A load, which gold has none of, and what it came to, if it came to that."""

    load: Load | None
    outcome: Outcome | None


def explain(
    name: Annotated[str, typer.Argument(help="A run id such as tickit-20261121T0000-01, or a dataset: saas.users.")],
    loads: Annotated[int, typer.Option(help="Of a dataset: how many of its latest loads.", min=1)] = 10,
    env: EnvOption = "local",
    json: JsonOption = False,
) -> None:
    """What a run loaded, refused and why; or when a dataset was loaded, by which runs, and why rows are missing."""
    from cli.target import target

    lake = target(env)
    if "." in name:
        _dataset(lake, name, loads, json)
    else:
        _run(lake, name, json)


def _run(lake: Target, name: str, json: bool) -> None:
    from cli.console import console, print_json

    known(lake, name)
    found, outcomes = lake.ledger().run(name), lake.ledger().outcomes(name)
    assert found is not None  # known
    if json:
        print_json({"run": asdict(found), "outcomes": [asdict(outcome) for outcome in outcomes]})
        return
    show_outcomes(name, outcomes)
    if found.status == "failed":
        console.print(
            "\nWhen the cause is mended, redrive the execution: it works only what failed.\n"
            f"  ./headwater redrive {name} --env {lake.environment.name}",
            soft_wrap=True,
        )


def _dataset(lake: Target, dataset: str, limit: int, json: bool) -> None:
    from cli.console import print_json

    described = lake.lake().dataset(dataset)  # one that no contract describes is refused in a sentence
    head = lake.ledger().head(dataset)
    done = list(_built(lake, dataset, limit) if described.sql is not None else _refined(lake, dataset, limit))
    if json:
        loads = [{"load": each.load, "outcome": each.outcome} for each in done]
        plain = [{name: asdict(value) if value else None for name, value in each.items()} for each in loads]
        print_json({"dataset": dataset, "head": asdict(head) if head else None, "loads": plain})
        return
    _show_loads(dataset, done)
    _show_missing(dataset, [each.outcome for each in done if each.outcome])
    _show_head(head)


def _refined(lake: Target, dataset: str, limit: int) -> Iterator[Done]:
    """Each load with what refining it came to: its latest outcome in the run that loaded it."""
    ledger = lake.ledger()
    for load in ledger.loads(dataset, limit):
        found = _of(ledger.outcomes(load.run), dataset, "refine")
        yield Done(load, next((each for each in reversed(found) if each.attempt >= load.attempt), None))


def _built(lake: Target, model: str, limit: int) -> Iterator[Done]:
    """Each time a gold table was built, by the latest runs of its pipelines."""
    import pipelines

    ledger = lake.ledger()
    names = [each.name for each in pipelines.load_all(lake.root).values() if model in each.models]
    for run in (run for name in names for run in ledger.runs(name, limit)):
        yield from (Done(None, each) for each in _of(ledger.outcomes(run.run), model, "model"))


def _of(outcomes: Sequence[Outcome], dataset: str, step: str) -> list[Outcome]:
    return [each for each in outcomes if (each.dataset, each.step) == (dataset, step)]


def _show_loads(dataset: str, done: Sequence[Done]) -> None:
    from cli.console import table

    columns = ("run", "attempt", "read of the source", "status", *COUNTS, "at (UTC)")
    table(dataset, columns, [_row(each.load, each.outcome) for each in done])


def _row(load: Load | None, outcome: Outcome | None) -> tuple[object, ...]:
    run, attempt = (load.run, load.attempt) if load else (outcome.run, outcome.attempt) if outcome else ("", 0)
    read = f"{'all' if load.complete else 'a part'} {load.began[:19].replace('T', ' ')}" if load else ""
    counts = [getattr(outcome, each) if outcome else None for each in COUNTS]
    at = outcome.at[:19].replace("T", " ") if outcome else ""
    return (run, attempt, read, outcome.status if outcome else "not refined", *counts, at)


def _show_missing(dataset: str, outcomes: Sequence[Outcome]) -> None:
    """Why rows that were read are not in the table."""
    from cli.console import console, table

    for count, why in WHY.items():
        if total := sum(getattr(each, count) for each in outcomes):
            console.print(f"{count}: {total:,} in these runs: {why.format(dataset=dataset)}.", markup=False)
    broken = [(each.run, rule, rows) for each in outcomes for rule, rows in each.rules.items()]
    if broken:
        table("\nQuarantined, by the rule that was broken", ("run", "rule", "rows"), broken)
    for each in outcomes:
        if each.status == "failed":
            console.print(f"\n{each.run} failed in {each.step}: {each.cause}\n  {each.remedy}", markup=False)


def _show_head(head: Head | None) -> None:
    from cli.console import console

    if head is None:
        console.print("\nNothing of it was ever published.")
        return
    until = f", up to {head.watermark}" if head.watermark else ""
    console.print(f"\nReaders see snapshot {head.snapshot} by {head.run} of {head.at:%Y-%m-%d %H:%M:%S}{until}.")
