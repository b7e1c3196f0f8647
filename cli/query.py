"""`query`: SQL through Athena, on the laptop or on AWS."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.assumed import AsOption, seen_by
from cli.bi import TeamOption, UserOption, known_team, person
from cli.errors import CommandError
from cli.target import EnvOption, JsonOption, Target

if TYPE_CHECKING:
    from cli.athena import Result, Session

HISTORY = 20


def query(
    sql: Annotated[
        str, typer.Argument(help="SQL for Athena, - for standard input; tables of gold need no database.")
    ] = "",
    file: Annotated[Path | None, typer.Option("--file", "-f", help="A file of SQL; statements end with `;`.")] = None,
    as_of: Annotated[
        str,
        typer.Option(
            help='Read tables as they were: "2026-11-20 03:00" (UTC), a snapshot\'s number, or after a run, by its id.'
        ),
    ] = "",
    format: Annotated[str, typer.Option(help="table, csv, json or parquet.")] = "table",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The file for the rows.")] = None,
    watch: Annotated[float, typer.Option(min=0, help="Run again every so many seconds, until Ctrl-C.")] = 0,
    history: Annotated[bool, typer.Option("--history", help="List the workgroup's last queries instead.")] = False,
    as_: AsOption = "",
    team: TeamOption = "",
    user: UserOption = "",
    env: EnvOption = "local",
    json: JsonOption = False,
) -> None:
    """Run SQL through Athena and print its rows, what it scanned, and about what that costs on AWS."""
    from cli import results, statements

    form = results.chosen("json" if json else format, output)
    if history and form not in ("table", "json"):
        raise CommandError(f"The format '{form}': expected table or json with --history. Name one of them.")
    if history:
        _show_history(session(env, team, user, as_), form)
        return
    asked = statements.given(sql, file)
    if len(asked) > 1 and (output or as_of):
        option = "--output" if output else "--as-of"
        raise CommandError(f"The {len(asked)} statements: expected one with {option}. Run them one by one.")
    where = session(env, team, user, as_)
    _run(where, _in_lake(where, asked, as_of), watch, lambda result: results.show(result, form, output))


def _in_lake(where: Session, asked: list[str], as_of: str) -> list[str]:
    """The statements with the environment's databases, and the tables as they were."""
    from contracts.query_file import LAYERS, in_databases

    databases = {layer: where.lake.environment.database(layer) for layer in LAYERS}
    named = [in_databases(each, databases) for each in asked]
    return [_as_of(where.lake.own, each, as_of) for each in named] if as_of else named


def _run(where: Session, asked: list[str], watch: float, show: Callable[[Result], int]) -> None:
    for number, each in _repeated(asked, watch):
        try:
            result = where.run(each)
        except Exception as error:
            if len(asked) > 1:
                error.add_note(f"This was statement {number} of {len(asked)}.")
            raise
        tell(result, show(result))


def session(env: str, team: str, user: str, role: str = "") -> Session:
    from cli.athena import Session
    from cli.target import target

    lake = seen_by(target(env), role, user)
    if lake.assumed is None:
        return Session(lake, known_team(lake.environment, team), person(user) if user else "")
    own = lake.assumed.role.team
    if team and team != own:
        raise CommandError(f"The team '{team}': expected '{own}', which role {role} is of. Leave out --team.")
    return Session(lake, own, lake.assumed.user)


def fetch(lake: Target, sql: str) -> tuple[list[str], list[list[str | None]], dict[str, Any]]:
    """Column names, rows as Athena prints them, and the query's execution."""
    from cli.athena import Session

    result = Session(lake).run(sql)
    return [each.name for each in result.columns], list(result.rows()), result.execution


def tell(result: Result, rows: int) -> None:
    from cli.console import progress

    counted = "1 row" if rows == 1 else f"{rows:,} rows"
    progress.print(
        f"{counted}, {result.scanned:,} bytes scanned, {said(result.price)}, {result.seconds:.1f} s", style="dim"
    )


def said(price: float) -> str:
    """A price with digits that say something: most queries cost less than a cent."""
    if not price:
        return "no charge"
    return f"about ${price:,.2f}" if price >= 1 else f"about ${price:.5f}"


def _as_of(lake: Target, sql: str, moment: str) -> str:
    from cli.as_of import as_of
    from cli.console import progress

    rewritten = as_of(lake, sql, moment)
    progress.print(rewritten, style="dim", markup=False, soft_wrap=True)
    return rewritten


def _repeated(asked: list[str], seconds: float) -> Iterable[tuple[int, str]]:
    yield from enumerate(asked, 1)
    from cli.console import console

    try:
        while seconds:
            time.sleep(seconds)
            console.clear()  # of a terminal; elsewhere each answer follows the last
            yield from enumerate(asked, 1)
    except KeyboardInterrupt:
        return


def _show_history(where: Session, form: str) -> None:
    from cli.athena import price
    from cli.console import print_json, table

    athena = where.lake.client("athena")
    ids = athena.list_query_executions(WorkGroup=where.workgroup, MaxResults=HISTORY)["QueryExecutionIds"]
    found = athena.batch_get_query_execution(QueryExecutionIds=ids)["QueryExecutions"] if ids else []
    found.sort(key=lambda each: each["Status"]["SubmissionDateTime"], reverse=True)
    names = ("submitted", "state", "seconds", "bytes", "price", "sql", "id")
    rows = [
        (
            f"{each['Status']['SubmissionDateTime']:%Y-%m-%d %H:%M:%S}",
            each["Status"]["State"],
            each.get("Statistics", {}).get("TotalExecutionTimeInMillis", 0) / 1000,
            each.get("Statistics", {}).get("DataScannedInBytes", 0),
            price(each),
            " ".join(each["Query"].split()),
            each["QueryExecutionId"],
        )
        for each in found
    ]
    if form == "json":
        print_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    short = [(*row[:4], said(row[4]), row[5][:70], row[6]) for row in rows]
    table("", names, short)
