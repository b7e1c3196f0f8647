"""`contract check` and `contract apply`: what changed in contracts, and a major version brought to its table."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import CommandError
from cli.target import ROOT, EnvOption, JsonOption

if TYPE_CHECKING:
    from cli.major import Prepared
    from config.positions import Problem
    from contracts.versions import Difference

app = typer.Typer(help="Contracts: what changed in them, and what that means for their tables.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Contracts: what changed in them, and what that means for their tables."""


@app.command()
def check(
    against: Annotated[
        str | None, typer.Option(help="A git revision; else where this branch left origin/main, else HEAD.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """List what changed in contracts and what it would break; exits 1 for what readers would feel unannounced."""
    from cli.console import console, print_json, progress
    from contracts import versions
    from contracts.revision import NoRevisionError, find

    problems = _problems()
    try:
        revision = find(ROOT, against)
    except NoRevisionError as error:
        if against is not None or problems:
            raise CommandError("\n".join([str(error), *map(str, problems)])) from error
        progress.print(str(error), markup=False, soft_wrap=True)
        if json:
            print_json({"against": None, "contracts": [], "problems": []})
        return
    found, unread = versions.differences(revision)
    problems += [each for each in unread if each not in problems]
    problems += [problem for each in found for problem in versions.refused(each)]
    if json:
        print_json({"against": revision.name, "contracts": [_plain(each) for each in found],
                    "problems": [asdict(each) for each in problems]})  # fmt: skip
    else:
        console.print(f"Compared with {revision.name}", soft_wrap=True)
        _show(found)
    if problems:
        raise CommandError("\n".join(["the contracts are refused:", *map(str, problems)]))


@app.command()
def apply(
    dataset: Annotated[str, typer.Argument(help="SOURCE.NAME, or gold.NAME: a dataset that has a contract.")],
    env: EnvOption = "local",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: JsonOption = False,
) -> None:
    """Bring a dataset's table to a new major version of its contract; the old names stay readable in a view."""
    from cli import major
    from cli.console import console, print_json
    from cli.target import target

    lake = target(env)
    prepared = major.prepare(lake, dataset)
    if not prepared.statements and not prepared.view:
        if json:
            print_json({**prepared.told(), "outcome": None})
        else:
            console.print(f"The table of {dataset} is as version {prepared.dataset.version} says: nothing to apply.")
        return
    if not json:
        _show_plan(prepared)
    if not yes:
        typer.confirm(f"Apply this to {env}?", abort=True, err=True)
    outcome = major.run(lake, prepared)
    if json:
        print_json({**prepared.told(), "outcome": asdict(outcome)})
    if outcome.status == "failed":
        raise CommandError(f"{outcome.cause} {outcome.remedy}")
    if not json:
        _show_done(prepared)


def _problems() -> list[Problem]:
    """What is wrong with contracts, with the queries that read their tables, or with roles beside them."""
    import config
    import contracts
    from config.positions import FileError
    from contracts import governance, queries

    try:
        datasets = contracts.load_all(ROOT)
        queries.load_all(ROOT, datasets, {layer: layer for layer in config.DATABASES})
    except FileError as error:
        return list(error.problems)
    found: dict[Problem, None] = {}
    for name in config.names():
        try:
            found |= dict.fromkeys(governance.problems(config.load(name), datasets, ROOT))
        except FileError as error:
            found |= dict.fromkeys(error.problems)
    return list(found)


def _plain(each: Difference) -> dict[str, object]:
    changes = [
        {
            "change": str(change),
            "grade": change.grade,
            "breaks": [f"{file}:{line}" for file, line in each.breaks(change)],
        }
        for change in each.changes
    ]
    return {
        "dataset": each.id,
        "from": each.versions[0],
        "to": each.versions[1],
        "changes": changes,
        "rules": each.rules,
    }


def _show(found: list[Difference]) -> None:
    from cli.console import console, table

    for each in found:
        title = f"\n{each.id} {each.versions[0]} -> {each.versions[1]}"
        rows = [
            (change.grade, str(change), ", ".join(f"{file}:{line}" for file, line in each.breaks(change)))
            for change in each.changes
        ] + [("rule", rule, "") for rule in each.rules]
        if rows:
            table(title, ("grade", "change", "read by"), rows)
        elif each.old is None:
            console.print(f"{title}: new")
        else:
            console.print(f"{title}: nothing of its table or rules")
    if not found:
        console.print("No contract has changed.")


def _show_plan(prepared: Prepared) -> None:
    from cli.console import console, table

    console.print(f"\n{prepared.dataset.id} {prepared.version} -> {prepared.dataset.version}")
    for statement in prepared.statements:
        console.print(f"  {statement}", markup=False, soft_wrap=True)
    if prepared.view:
        console.print(f"  VIEW {prepared.view} with the names of version {prepared.version}", soft_wrap=True)
    if prepared.readers:
        console.print("\nIts readers", style="bold")
        table("", ("what", "name"), prepared.readers)
    else:
        console.print("No model, contract or view of the lake reads it.")


def _show_done(prepared: Prepared) -> None:
    from cli.console import console

    if prepared.view:
        console.print(f"Done. Until the next major version, the old names are in {prepared.view}.", soft_wrap=True)
    else:
        console.print("Done.")
    for pipeline in prepared.pipelines:
        console.print(f"The next run of '{pipeline}' loads by the new names and builds its gold again.")
