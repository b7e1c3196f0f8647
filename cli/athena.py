"""One statement through Athena's API: its rows as they come, what it scanned, and about what that costs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cli.errors import CommandError
from cli.target import Target

POLL_SECONDS = 0.2
TERABYTE = 1024**4
USD_PER_TERABYTE = 5.0  # in most regions
LEAST_BYTES = 10 * 1024**2  # what the shortest query is charged for

Row = list[str | None]


@dataclass(frozen=True)
class Column:
    """A column of a result, in Athena's type."""

    name: str
    type: str


@dataclass(frozen=True)
class Session:
    """Where statements run: a lake, a team's workgroup, a person's folder of results, a database."""

    lake: Target
    team: str = ""
    user: str = ""
    layer: str = "gold"

    @property
    def workgroup(self) -> str:
        return self.lake.environment.workgroup(self.team)

    def run(self, sql: str) -> Result:
        """The result of a statement that succeeded; leaving early, as by Ctrl-C, stops it."""
        athena = self.lake.client("athena")
        asked: dict[str, Any] = {
            "QueryString": sql,
            "QueryExecutionContext": {"Database": self.lake.environment.database(self.layer)},
            "WorkGroup": self.workgroup,
        }
        if self.user:
            from cli.bi_files import output_location

            place = output_location(self.lake.environment, self.user)
            asked["ResultConfiguration"] = {"OutputLocation": place}
        query = athena.start_query_execution(**asked)["QueryExecutionId"]
        try:
            return Result(athena, _wait(athena, query))
        except KeyboardInterrupt:
            athena.stop_query_execution(QueryExecutionId=query)
            raise


class Result:
    """A statement that succeeded: `columns` and `rows()`."""

    def __init__(self, athena: Any, execution: dict[str, Any]) -> None:
        self.execution = execution
        identity = execution.get("QueryExecutionId", "")
        self._pages = iter(athena.get_paginator("get_query_results").paginate(QueryExecutionId=identity))
        self._first: dict[str, Any] = next(self._pages, {})
        info = self._first.get("ResultSet", {}).get("ResultSetMetadata", {}).get("ColumnInfo", [])
        self.columns = [Column(each["Name"], _type(each)) for each in info]

    def rows(self) -> Iterator[Row]:
        """Each row as Athena prints it, page after page; they come once."""
        header: Row = [each.name for each in self.columns]
        for number, page in enumerate(self._all_pages()):
            for place, row in enumerate(page.get("ResultSet", {}).get("Rows", [])):
                cells = _cells(row["Data"], len(header))
                if number or place or cells != header:  # SELECT, unlike SHOW, has its header as first row
                    yield cells

    def _all_pages(self) -> Iterator[dict[str, Any]]:
        yield self._first
        yield from self._pages

    @property
    def scanned(self) -> int:
        return int(self.execution.get("Statistics", {}).get("DataScannedInBytes", 0))

    @property
    def seconds(self) -> float:
        return float(self.execution.get("Statistics", {}).get("TotalExecutionTimeInMillis", 0)) / 1000

    @property
    def price(self) -> float:
        return price(self.execution)


def price(execution: dict[str, Any]) -> float:
    """About what AWS asks for a query in US dollars: nothing for DDL, failures and results that are used again."""
    statistics = execution.get("Statistics", {})
    reused = statistics.get("ResultReuseInformation", {}).get("ReusedPreviousResult", False)
    free = execution.get("StatementType", "DML") != "DML" or reused
    if free or execution.get("Status", {}).get("State", "SUCCEEDED") == "FAILED":
        return 0.0
    return max(int(statistics.get("DataScannedInBytes", 0)), LEAST_BYTES) * USD_PER_TERABYTE / TERABYTE


def _wait(athena: Any, query: str) -> dict[str, Any]:
    while True:
        execution: dict[str, Any] = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
        state = execution["Status"]["State"]
        if state == "SUCCEEDED":
            return execution
        if state in ("FAILED", "CANCELLED"):
            reason = execution["Status"].get("StateChangeReason", "no reason given")
            raise CommandError(f"Athena answered {state}: {reason}")
        time.sleep(POLL_SECONDS)


def _cells(data: list[dict[str, str]], width: int) -> Row:
    """A row's values; DESCRIBE has a whole line in one of them, its columns apart by tabs and padded."""
    cells = [cell.get("VarCharValue") for cell in data]
    if len(cells) < width:
        cells = [part.strip() for part in (cells[0] or "" if cells else "").split("\t")]
    return [*cells, *[None] * (width - len(cells))][:width]


def _type(info: dict[str, Any]) -> str:
    said = str(info.get("Type", "varchar"))
    return f"decimal({info['Precision']},{info['Scale']})" if said == "decimal" else said
