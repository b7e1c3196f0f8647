"""`preview`: the first rows and the schema of any object, on the laptop or on AWS."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Annotated

import typer

from cli.assumed import AsOption, seen_by
from cli.bi import UserOption
from cli.errors import CommandError
from cli.target import EnvOption, JsonOption

if TYPE_CHECKING:
    from cli.preview_formats import Preview

BUFFER = 64 * 1024
BESIDE_EACH_OTHER = 10  # columns that a terminal is wide enough for
ROWS_ACROSS = 3


def preview(
    object: Annotated[str, typer.Argument(help="s3://BUCKET/KEY: Avro, Parquet, JSON or CSV, gzipped or not.")],
    rows: Annotated[int, typer.Option(min=0, max=10_000, help="How many rows.")] = 10,
    as_: AsOption = "",
    user: UserOption = "",
    env: EnvOption = "local",
    json: JsonOption = False,
) -> None:
    """Show the first rows of an object and what its columns are; no more of it is fetched than that takes."""
    from cli.console import print_json, progress
    from cli.preview_formats import PreviewError, read
    from cli.s3_object import S3Object
    from cli.target import target

    source = S3Object(seen_by(target(env), as_, user).client("s3"), object)
    if not source.size:
        raise CommandError(f"The object '{object}' is empty: expected Avro, Parquet, JSON or CSV.")
    try:
        found = read(io.BufferedReader(source, BUFFER), rows)
    except PreviewError as error:
        raise CommandError(f"The object '{object}': expected Avro, Parquet, JSON or CSV, but {error}.") from error
    if json:
        names = [name for name, _ in found.columns]
        schema = [{"name": name, "type": kind} for name, kind in found.columns]
        print_json(
            {
                "format": found.format,
                "schema": schema,
                "rows": [dict(zip(names, row, strict=True)) for row in found.rows],
            }
        )
        return
    _show(found)
    progress.print(f"{found.format}; {source.fetched:,} of {source.size:,} bytes fetched", style="dim", markup=False)


def _show(found: Preview) -> None:
    """Columns and rows as two tables; of many columns as one, whose lines they are, with as many rows as fit."""
    from cli.console import console, table
    from cli.preview_formats import shown

    rows = [[shown(cell) for cell in row] for row in found.rows]
    if len(found.columns) > BESIDE_EACH_OTHER:
        some = rows[:ROWS_ACROSS]
        header = ("column", "type", *(f"row {number}" for number in range(1, len(some) + 1)))
        table("", header, [(*each, *(row[place] for row in some)) for place, each in enumerate(found.columns)])
        return
    table("", ("column", "type"), found.columns)
    console.print()
    table("", [name for name, _ in found.columns], rows)
