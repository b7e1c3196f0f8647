"""`preview`: the first rows and the schema of any object, on the laptop or on AWS."""

from __future__ import annotations

import io
from typing import Annotated

import typer

from cli.errors import CommandError
from cli.target import EnvOption, JsonOption

BUFFER = 64 * 1024


def preview(
    object: Annotated[str, typer.Argument(help="s3://BUCKET/KEY: Avro, Parquet, JSON or CSV, gzipped or not.")],
    rows: Annotated[int, typer.Option(min=0, max=10_000, help="How many rows.")] = 10,
    env: EnvOption = "local",
    json: JsonOption = False,
) -> None:
    """Show the first rows of an object and what its columns are; no more of it is fetched than that takes."""
    from cli.console import console, print_json, progress, table
    from cli.preview_formats import PreviewError, read, shown
    from cli.s3_object import S3Object
    from cli.target import target

    source = S3Object(target(env).client("s3"), object)
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
    table("", ("column", "type"), found.columns)
    console.print()
    table("", [name for name, _ in found.columns], [[shown(cell) for cell in row] for row in found.rows])
    progress.print(f"{found.format}; {source.fetched:,} of {source.size:,} bytes fetched", style="dim", markup=False)
