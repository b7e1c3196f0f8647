"""A query execution and its result, as Athena's API shows them."""

from __future__ import annotations

import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from local.engines.athena_results import read_csv
from local.engines.athena_sql import Statement
from local.engines.duckdb_pool import Job
from local.services import athena_managed

WRITES = ("insert", "update", "delete", "merge", "unload", "create_table_as_select")  # whose results are no rows
FINAL = ("SUCCEEDED", "FAILED", "CANCELLED")
KEPT_RESULTS = 4
ENGINE = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}
ERROR_TYPES = {1: 401, 2: 1006}  # by category: an internal error, a user's
Rows = list[list[str | None]]


@dataclass(eq=False)
class Execution:
    """One query: what was asked, and how far it is. `workgroup` is moto's."""

    query: str
    statement: Statement
    context: dict[str, str]
    config: dict[str, Any]
    workgroup: Any
    execution_parameters: list[str]
    caller: str = ""
    governed: str | None = None  # the principal, where Lake Formation has a say
    sql: str = ""  # of a prepared statement, in the place of the query
    parameters: list[str] = field(default_factory=list)
    reuse: dict[str, Any] = field(default_factory=lambda: {"Enabled": False})
    reused: Execution | None = None
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = "QUEUED"
    submitted: float = field(default_factory=time.time)
    began: float | None = None
    ended: float | None = None
    outcome: dict[str, Any] = field(default_factory=dict)
    done: threading.Event = field(default_factory=threading.Event)
    job: Job | None = None

    @property
    def location(self) -> str:
        if self.reused is not None:
            return self.reused.location
        if self.statement.verb == "create_table_as_select":
            return f"{self.folder}/tables/{self.id}"
        if self.statement.verb in ("insert", "unload"):
            return f"{self.folder}/{self.id}"
        return f"{self.folder}/{self.id}{'.txt' if self.in_lines else '.csv'}"

    @property
    def in_lines(self) -> bool:
        """Whether the result is lines of text, not rows."""
        return self.statement.verb not in ("select", *WRITES)

    @property
    def folder(self) -> str:
        return str(self.config["OutputLocation"]).rstrip("/")

    def begin(self) -> None:
        self.state, self.began = "RUNNING", time.time()

    def end(self, outcome: dict[str, Any]) -> None:
        if not self.done.is_set():
            self.outcome, self.state, self.ended = outcome, outcome["state"], time.time()
            self.statement = replace(self.statement, tree=None, plan=None)  # many that nobody asks for again are kept
            self.job = None
            self.done.set()

    def described(self) -> dict[str, Any]:
        """What GetQueryExecution answers."""
        found = {
            "QueryExecutionId": self.id,
            "Query": self.query,
            "StatementType": self.statement.type,
            "SubstatementType": self.statement.subtype,
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": self.reuse},
            "QueryExecutionContext": self.context,
            "Status": self._status(),
            "Statistics": self._statistics(),
            "WorkGroup": self.workgroup.name,
            "EngineVersion": ENGINE,
        }
        if athena_managed.holds(self.folder):
            found["ManagedQueryResultsConfiguration"] = {"Enabled": True}
        else:
            found["ResultConfiguration"] = {**self.config, "OutputLocation": self.location}
        if self.execution_parameters:
            found["ExecutionParameters"] = self.execution_parameters
        return found

    def runtime_statistics(self) -> dict[str, Any]:
        """What GetQueryRuntimeStatistics answers."""
        found = self._statistics()
        times = {name: value for name, value in found.items() if name.endswith("TimeInMillis")}
        rows = {"InputBytes": found["DataScannedInBytes"], "OutputRows": self.outcome.get("rows", 0)}
        return {"Timeline": times, "Rows": rows}

    def _status(self) -> dict[str, Any]:
        status: dict[str, Any] = {"State": self.state, "SubmissionDateTime": self.submitted}
        if self.ended is not None:
            status["CompletionDateTime"] = self.ended
        if reason := self.outcome.get("reason"):
            status["StateChangeReason"] = reason
        if self.state == "FAILED":
            category = self.outcome["category"]
            status["AthenaError"] = {
                "ErrorCategory": category,
                "ErrorType": ERROR_TYPES[category],
                "Retryable": False,
                "ErrorMessage": reason,
            }
        return status

    def _statistics(self) -> dict[str, Any]:
        now = self.ended or time.time()
        total = now - self.submitted
        queued = (self.began or now) - self.submitted
        engine = self.outcome.get("seconds", total - queued)
        manifest = None if athena_managed.holds(self.folder) else self.outcome.get("manifest")
        return {
            **({"DataManifestLocation": manifest} if manifest else {}),
            "EngineExecutionTimeInMillis": millis(engine),
            "DataScannedInBytes": self.outcome.get("scanned", 0),
            "TotalExecutionTimeInMillis": millis(total),
            "QueryQueueTimeInMillis": millis(queued),
            "ServicePreProcessingTimeInMillis": 0,
            "QueryPlanningTimeInMillis": millis(self.outcome.get("planning", 0.0)),
            "ServiceProcessingTimeInMillis": millis(total - queued - engine),
            "ResultReuseInformation": {"ReusedPreviousResult": self.reused is not None},
        }


def millis(seconds: float) -> int:
    return max(0, round(seconds * 1000))


class Results:
    """The rows of results, read from their files; those of the last few queries are kept, since clients page."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Rows] = OrderedDict()
        self._lock = threading.Lock()

    def rows(self, execution: Execution, read: Callable[[], str]) -> Rows:
        """The header first where the statement has one."""
        with self._lock:
            if execution.id in self._kept:
                self._kept.move_to_end(execution.id)
                return self._kept[execution.id]
        if execution.statement.verb in WRITES:
            return []
        text = read()
        if execution.in_lines:
            rows: Rows = [[line] for line in text.split("\n")] if execution.outcome["rows"] else []
        else:
            rows = read_csv(text, len(execution.outcome["columns"]))
        with self._lock:
            self._kept[execution.id] = rows
            while len(self._kept) > KEPT_RESULTS:
                self._kept.popitem(last=False)
        return rows


def page(rows: Rows, start: int, size: int) -> dict[str, Any]:
    """The rows from `start` on as GetQueryResults shows them, and where the next page begins."""
    shown = [
        {"Data": [{} if value is None else {"VarCharValue": value} for value in row]}
        for row in rows[start : start + size]
    ]
    return {"rows": shown, "next": str(start + size) if start + size < len(rows) else None}
