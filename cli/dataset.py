"""`dataset new`: a contract from a live table, ready to review."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cli.errors import CommandError
from cli.target import ROOT, EnvOption, Target

app = typer.Typer(help="Datasets and their contracts.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Datasets and their contracts."""


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="SOURCE.NAME: a source of the environment, a table of it.")],
    env: EnvOption = "local",
) -> None:
    """Write contracts/SOURCE/NAME.odcs.yaml from the live table, with guesses of what is personal marked for review."""
    from cli.console import console
    from cli.target import target
    from contracts.draft import draft

    lake = target(env)
    source, _, table = name.partition(".")
    known = sorted(lake.environment.sources)
    if not table or source not in known:
        raise CommandError(f"The dataset '{name}': expected SOURCE.NAME with SOURCE one of {', '.join(known)}.")
    path = ROOT / "contracts" / source / f"{table}.odcs.yaml"
    if path.exists():
        raise CommandError(f"The contract '{path.relative_to(ROOT)}' is there already. Edit it, or remove it first.")
    text = draft(source, table, _columns(lake, source, table))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    console.print(
        f"Wrote {path.relative_to(ROOT)}. Review its lines marked `# review`, then add '{name}' to a pipeline."
    )


def _columns(lake: Target, source: str, table: str) -> list[tuple[str, str, bool, bool]]:
    """Name, type, whether it may be null, whether it is in the primary key: of each column, in order."""
    import psycopg

    described = lake.environment.sources[source]
    secret = _secret(lake, source)
    with psycopg.connect(
        host=described.host,
        port=described.port,
        dbname=described.database,
        user=secret["username"],
        password=secret["password"],
        connect_timeout=10,
    ) as connection:
        rows = connection.execute(COLUMNS, (table,)).fetchall()
        if not rows:
            tables = [row[0] for row in connection.execute(TABLES).fetchall()]
            raise CommandError(f"The table '{table}' is not in source '{source}': expected one of {', '.join(tables)}.")
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def _secret(lake: Target, source: str) -> dict[str, Any]:
    import json

    found = lake.client("secretsmanager").get_secret_value(SecretId=lake.environment.secret(source))
    secret: dict[str, Any] = json.loads(found["SecretString"])
    return secret


COLUMNS = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, coalesce(a.attnum = ANY (i.indkey), false)
FROM pg_attribute a
LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
WHERE a.attrelid = to_regclass(quote_ident(%s)) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
"""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
