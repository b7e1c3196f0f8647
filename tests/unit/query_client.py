"""An Athena that answers with given rows, and remembers what it was asked."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

COLUMNS: list[dict[str, Any]] = [
    {"Name": "id", "Type": "bigint"},
    {"Name": "name", "Type": "varchar"},
    {"Name": "price", "Type": "decimal", "Precision": 8, "Scale": 2},
    {"Name": "share", "Type": "double"},
    {"Name": "sold", "Type": "boolean"},
    {"Name": "day", "Type": "date"},
    {"Name": "at", "Type": "timestamp with time zone"},
    {"Name": "raw", "Type": "varbinary"},
    {"Name": "tags", "Type": "array"},
]
ROWS: list[list[str | None]] = [
    ["1", 'a "b"\n,', "12.50", "0.5", "true", "2026-11-20", "2026-11-20 03:00:00.000 Europe/Berlin", "68 69", "[a, b]"],
    ["2", "", "-0.01", "NaN", "false", "1969-12-31", "2026-11-20 03:00:00.123 UTC", "", "[]"],
    [None] * 9,
]


class Answers:
    """As much of a client of Athena as commands use."""

    def __init__(self, columns: list[dict[str, Any]], rows: list[list[str | None]], **execution: Any) -> None:
        self.asked: list[dict[str, Any]] = []
        self.stopped: list[str] = []
        self.states = ["SUCCEEDED"]
        self._columns, self._rows, self._execution = columns, rows, execution

    def start_query_execution(self, **asked: Any) -> dict[str, str]:
        self.asked.append(asked)
        return {"QueryExecutionId": f"q{len(self.asked)}"}

    def get_query_execution(self, **asked: Any) -> dict[str, Any]:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"QueryExecution": self._described(asked["QueryExecutionId"], state)}

    def stop_query_execution(self, **asked: Any) -> None:
        self.stopped.append(asked["QueryExecutionId"])

    def list_query_executions(self, **_: Any) -> dict[str, list[str]]:
        return {"QueryExecutionIds": [f"q{number}" for number in range(1, len(self.asked) + 1)]}

    def batch_get_query_execution(self, **asked: Any) -> dict[str, Any]:
        return {"QueryExecutions": [self._described(each, "SUCCEEDED") for each in asked["QueryExecutionIds"]]}

    def _described(self, query: str, state: str) -> dict[str, Any]:
        return {
            "QueryExecutionId": query,
            "Query": self.asked[int(query[1:]) - 1]["QueryString"],
            "StatementType": "DML",
            "Status": {"State": state, "SubmissionDateTime": datetime(2026, 11, 21, int(query[1:]), tzinfo=UTC)},
            "Statistics": {"DataScannedInBytes": 2 * 1024**4, "TotalExecutionTimeInMillis": 1500},
            **self._execution,
        }

    def get_paginator(self, _: str) -> Any:
        header = [[str(each["Name"]) for each in self._columns]]
        pages = [self._page([*header, *self._rows[:1]]), self._page(self._rows[1:])]
        return SimpleNamespace(paginate=lambda **_: pages)

    def _page(self, rows: list[Any]) -> dict[str, Any]:
        data = [{"Data": [{} if cell is None else {"VarCharValue": cell} for cell in row]} for row in rows]
        return {"ResultSet": {"ResultSetMetadata": {"ColumnInfo": self._columns}, "Rows": data}}
