"""`bi TOOL`: a ready connection file for Tableau, DBeaver or SQLAlchemy, and the IAM policy that it needs."""

from __future__ import annotations

import getpass
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import CommandError
from cli.target import EnvOption

if TYPE_CHECKING:
    from config import Environment

UserOption = Annotated[
    str, typer.Option("--user", envvar="HEADWATER_USER", help="FIRST.LAST: whose folder of results it is.")
]
TeamOption = Annotated[str, typer.Option("--team", help="A team of the environment; the first, if none is named.")]
USER = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def bi(
    tool: Annotated[str, typer.Argument(help="tableau, dbeaver or sqlalchemy.")],
    env: EnvOption = "local",
    team: TeamOption = "",
    user: UserOption = "",
    output: Annotated[Path, typer.Option(help="Folder for the files.")] = Path("."),
) -> None:
    """Write a connection file for the Athena JDBC 3.x driver or PyAthena, and the smallest IAM policy for it."""
    from cli import bi_files
    from cli.console import console
    from cli.target import target

    if tool not in bi_files.TOOLS:
        raise CommandError(f"The tool '{tool}': expected one of {', '.join(bi_files.TOOLS)}. Name one of them.")
    if env == "local":
        from local.laptop import USER as laptop_user

        lake = target(env)
        environment, url = lake.environment, lake.endpoint_url
        keys: tuple[str, str] | None = (laptop_user.access_key, laptop_user.secret_key)
    else:
        import config

        environment, url, keys = config.load(env), None, None
    team = known_team(environment, team)
    connection = bi_files.Connection(environment, team, person(user or getpass.getuser().lower()), url, keys)
    try:
        output.mkdir(parents=True, exist_ok=True)
        for name, text in bi_files.files(tool, connection).items():
            path = output / name
            path.write_text(text, encoding="utf-8")
            console.print(f"Wrote {path}", soft_wrap=True)
    except OSError as error:
        raise CommandError(f"The folder '{output}': expected one that can be written: {error.strerror}.") from error
    console.print(f"Results go to {connection.output}. The steps are in docs/bi.md.", soft_wrap=True)


def known_team(environment: Environment, team: str) -> str:
    names = list(environment.teams)
    if team and team not in names:
        raise CommandError(
            f"The team '{team}': expected one of {', '.join(names)}. Name one of them, or add it to"
            f" config/{environment.name}.yaml."
        )
    return team or names[0]


def person(user: str) -> str:
    """A name that can be a folder, as the principal tag `user` says it."""
    if not USER.fullmatch(user):
        raise CommandError(
            f"The user '{user}': expected FIRST.LAST in lower-case letters, digits and any of .-_"
            " as the principal tag `user` has it. Give it with --user."
        )
    return user
