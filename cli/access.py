"""`access list`, `diff`, `explain`: who sees what, what changed of that, and why; `opt-in`, `close` after a deploy."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from cli.target import EnvOption, JsonOption

app = typer.Typer(help="Access: who sees which columns and rows, from contracts and config.", no_args_is_help=True)


@app.command(name="list")
def list_(
    role: Annotated[str, typer.Option(help="One role of the environment's file alone.")] = "",
    env: EnvOption = "local",
    json: JsonOption = False,
) -> None:
    """Who sees which columns and rows of which table; a layer of which a role sees everything is one line."""
    from cli.console import console, print_json, table
    from cli.rights import rights
    from cli.sights import folded

    known = rights(env)
    found = list(known.sights(role))
    if json:
        print_json([asdict(each) for each in found])
    elif not found:
        console.print(f"No table is shown to {role or 'any role'}: `access explain` says why.", markup=False)
    else:
        table(f"Access in {env}", ("role", "table", "columns", "rows"), folded(found, known.tables))


@app.command()
def diff(
    revision: Annotated[str, typer.Argument(help="A git revision.")],
    other: Annotated[str | None, typer.Argument(help="Another; without it, the files as they are here.")] = None,
    env: EnvOption = "local",
    json: JsonOption = False,
) -> None:
    """What is seen anew (+) and no more (-), between two commits."""
    from cli.console import console, print_json, table
    from cli.rights import at_revision, changes, rights
    from cli.sights import changed

    with TemporaryDirectory() as old, TemporaryDirectory() as new:
        before = at_revision(env, revision, Path(old))
        after = at_revision(env, other, Path(new)) if other else rights(env)
        found = changes(before, after)
    if json:
        print_json([{"change": mark, **asdict(each)} for mark, each in found])
    elif rows := list(changed(found, before.tables, after.tables)):
        table(f"Access in {env} since {revision}", ("", "role", "table", "columns", "rows"), rows)
    else:
        console.print("Nobody sees more or less.")


@app.command()
def explain(
    role: Annotated[str, typer.Argument(help="A role of the environment's file.")],
    place: Annotated[
        str,
        typer.Argument(metavar="TABLE[.COLUMN]", help="Such as saas_users.email."),
    ],
    env: EnvOption = "local",
    json: JsonOption = False,
) -> None:
    """Why a role sees a table or column, or does not: class, grant and filter, each with the line that says it."""
    from cli import reasons
    from cli.console import console, print_json
    from cli.rights import rights

    seen, why = reasons.explain(rights(env), role, place)
    if json:
        print_json({"role": role, "place": place, "seen": seen, "why": why})
        return
    console.print(f"{place} is {'seen' if seen else 'not seen'} by {role}.", markup=False, soft_wrap=True)
    for each in why:
        console.print(f"  {each}", markup=False, soft_wrap=True)


@app.command(name="opt-in")
def opt_in(env: EnvOption = "local", json: JsonOption = False) -> None:
    """In mode hybrid: let Lake Formation decide for the roles, and no more for roles that are gone; else for none.

    After a deploy that changes roles or the mode, as data lake administrator.
    """
    from cli import opt_ins
    from cli.console import console, print_json, table
    from cli.target import target

    done = opt_ins.align(target(env))
    if json:
        print_json([{"change": mark, **asdict(each)} for mark, each in done])
    elif done:
        rows = ((mark, each.principal.rpartition("/")[2], each.database, each.what) for mark, each in done)
        table(f"Opted in to Lake Formation (+) and out (-) in {env}", ("", "role", "database", "what"), rows)
    else:
        console.print("Who is opted in is whom the environment's mode and roles say.")


@app.command()
def close(env: EnvOption = "local", json: JsonOption = False) -> None:
    """After a change of mode, roles or classes: hide now what the next run would, and remove filters left over.

    As data lake administrator, with the contracts and config that are deployed.
    """
    from cli import closing
    from cli.console import console, print_json, table
    from cli.target import target

    done = closing.close(target(env))
    if json:
        print_json([{"change": change, "place": place} for change, place in done])
    elif done:
        table(f"Closed in {env}", ("what", "where"), done)
    else:
        console.print("Nobody sees what they are not to, and no filter is left over.")
