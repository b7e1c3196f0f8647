"""`query`: SQL through Athena, on the laptop or on AWS."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from cli.errors import CommandError
from cli.target import EnvOption, JsonOption, Target


def query(
    sql: Annotated[
        str, typer.Argument(help="One SELECT, SHOW or DESCRIBE in Athena's SQL; tables of gold need no database.")
    ],
    as_of: Annotated[
        str,
        typer.Option(
            help='Read tables as they were: "2026-11-20 03:00" (UTC), a snapshot\'s number, or after a run, by its id.'
        ),
    ] = "",
    env: EnvOption = "local",
    json: JsonOption = False,
) -> None:
    """Run SQL through Athena and print its rows."""
    from cli.console import print_json, progress, table
    from cli.target import target

    lake = target(env)
    if as_of:
        from cli.as_of import as_of as rewritten

        sql = rewritten(lake, sql, as_of)
        progress.print(sql, style="dim", markup=False)
    columns, rows, execution = fetch(lake, sql)
    if json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
        return
    table("", columns, rows)
    statistics = execution["Statistics"]
    progress.print(
        f"{len(rows):,} rows, {statistics.get('DataScannedInBytes', 0):,} bytes scanned, "
        f"{statistics.get('TotalExecutionTimeInMillis', 0) / 1000:.1f} s",
        style="dim",
    )


def fetch(lake: Target, sql: str) -> tuple[list[str], list[list[str | None]], dict[str, Any]]:
    """Column names, rows as Athena prints them, and the query's execution."""
    athena = lake.client("athena")
    started = athena.start_query_execution(
        QueryString=sql,
        QueryExecutionContext={"Database": lake.environment.database("gold")},
        WorkGroup=lake.environment.resource("analysts"),
    )
    execution = _wait(athena, started["QueryExecutionId"])
    columns: list[str] = []
    rows: list[list[str | None]] = []
    for page in athena.get_paginator("get_query_results").paginate(QueryExecutionId=started["QueryExecutionId"]):
        columns = [column["Name"] for column in page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
        rows += [_cells(row["Data"], len(columns)) for row in page["ResultSet"]["Rows"]]
    if rows and rows[0] == columns:  # SELECT, unlike SHOW, has its header as first row
        rows = rows[1:]
    return columns, rows, execution


def _cells(data: list[dict[str, str]], width: int) -> list[str | None]:
    """A row's values; DESCRIBE has a whole line in one of them, its columns apart by tabs and padded."""
    cells = [cell.get("VarCharValue") for cell in data]
    if len(cells) < width:
        cells = [part.strip() for part in (cells[0] or "" if cells else "").split("\t")]
    return [*cells, *[None] * (width - len(cells))][:width]


def _wait(athena: Any, query_id: str) -> dict[str, Any]:
    while True:
        execution: dict[str, Any] = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        state = execution["Status"]["State"]
        if state == "SUCCEEDED":
            return execution
        if state in ("FAILED", "CANCELLED"):
            raise CommandError(
                f"Athena answered {state}: {execution['Status'].get('StateChangeReason', 'no reason given')}"
            )
        time.sleep(0.2)
