"""Athena: moto keeps query executions but runs none, has no BatchGetQueryExecution and no paging of results, and makes
its statistics up. Here a query runs on DuckDB in a worker process with its caller's credentials, over the same catalog
and buckets, and its result lies in S3 as Athena writes it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moto.athena.models import athena_backends

from local.engines.athena_errors import QueryError
from local.engines.athena_prepared import Execute
from local.engines.duckdb_pool import CANCELLED, Job, Pool
from local.engines.trino_parser import TrinoParser
from local.own_calls import OWN_KEY
from local.services import (
    access_log,
    athena_catalogs,
    athena_managed,
    athena_prepared,
    athena_reuse,
    athena_tokens,
    athena_workgroups,
)
from local.services.athena_callers import Callers, NotReadError, caller
from local.services.athena_catalogs import LARGEST_LISTING, method
from local.services.athena_executions import FINAL, WRITES, Execution, Results, page
from local.services.athena_outputs import encryption, invalid, result_configuration
from local.services.athena_syntax import Syntax
from local.services.lakeformation_state import governed, principal_of_key
from local.services.paging import paged
from local.services.seams import add, patch

if TYPE_CHECKING:
    from local.endpoint import Endpoint

FIDELITY = (
    ("Athena", "query states, errors, result files, paging, statistics, cancel", "ours", "real"),
    ("Athena", ".metadata beside a result: in a format of our own", "ours", "simulated"),
    ("Athena", "byte limit of a workgroup: the query is stopped while it reads, without a result", "ours", "real"),
    ("Athena", "capacity reservations", "kept, without effect", "simulated"),
    ("Athena", "GetQueryRuntimeStatistics: times, bytes read, rows; no stages", "ours", "real"),
)
RESPONSE = "moto.athena.responses:AthenaResponse"
LARGEST_QUERY = 262_144
KEPT_EXECUTIONS = 5_000
LARGEST_PAGE = 1000
HELD_SECONDS = 0.8  # a client that polls sleeps a second between two questions, so the first waits for the answer


class Athena:
    """The calls that moto does not do whole, each taking moto's response object."""

    def __init__(self, pool: Pool, callers: Callers, syntax: Syntax, state: Path) -> None:
        self._pool, self._callers, self._syntax, self._state = pool, callers, syntax, state
        self._results = Results()

    def start_query_execution(self, response: Any) -> str:
        backend = backend_of(response)
        query, group = response._get_param("QueryString"), response._get_param("WorkGroup") or "primary"
        if not query or len(query.encode()) > LARGEST_QUERY:
            bound = f"less than or equal to {LARGEST_QUERY}" if query else "greater than or equal to 1"
            told = f"failed to satisfy constraint: Member must have length {bound}"
            raise invalid(f"1 validation error detected: Value at 'queryString' {told}")
        workgroup = backend.work_groups.get(group)
        if workgroup is None:
            raise invalid(f"WorkGroup {group} is not found.")
        if workgroup.state == "DISABLED":
            raise invalid(f"WorkGroup {group} is disabled.")
        parameters = response._get_param("ExecutionParameters") or []
        execution = Execution(
            query=query,
            statement=self._syntax.statement(query),
            context=response._get_param("QueryExecutionContext") or {},
            config=result_configuration(workgroup, response._get_param("ResultConfiguration") or {}, self._state),
            workgroup=workgroup,
            execution_parameters=parameters,
            caller=caller(response)["key"],
            governed=governed(caller(response)["key"], response.current_account, response.region),
            sql=query,
            parameters=parameters,
            reuse=athena_reuse.wanted(response),
        )
        self._start(execution, backend, response)
        return json.dumps({"QueryExecutionId": execution.id})

    def _start(self, execution: Execution, backend: Any, response: Any) -> None:
        plan, group = execution.statement.plan, execution.workgroup.name
        earlier = athena_reuse.earlier(execution, list(backend.executions.values()))
        backend.executions[execution.id] = execution
        forget(backend.executions)
        if earlier is not None:
            execution.reused = earlier
            execution.end({**earlier.outcome, "scanned": 0, "seconds": 0.0, "planning": 0.0})
            return
        try:
            athena_prepared.check(backend, group, plan)
            if isinstance(plan, Execute):
                prepared = athena_prepared.kept(backend)[group, plan.name]
                execution.sql, execution.statement = prepared.sql, self._syntax.statement(prepared.sql)
                execution.parameters = list(plan.parameters) or execution.execution_parameters
        except QueryError as error:
            execution.end({"state": "FAILED", "reason": str(error), "category": error.category})
            return

        key = caller(response)["key"]

        def end(outcome: dict[str, Any]) -> None:
            if outcome["state"] == "SUCCEEDED":
                athena_prepared.apply(backend, group, plan)
            if execution.governed is not None:
                reason = outcome.get("reason", "") if outcome["state"] == "FAILED" else ""
                access_log.read(key, execution.id, outcome.pop("accessed", ()), reason)
            execution.end(outcome)

        reads = execution.statement.verb == "select"
        execution.job = Job(request_of(execution, caller(response)), execution.begin, end, reads)
        self._pool.run(execution.job)

    def get_query_execution(self, response: Any) -> str:
        execution = found(response)
        execution.done.wait(HELD_SECONDS)
        return json.dumps({"QueryExecution": execution.described()})

    def batch_get_query_execution(self, response: Any) -> str:
        executions = backend_of(response).executions
        ids = response._get_param("QueryExecutionIds")
        unknown = {"ErrorCode": "INVALID_INPUT", "ErrorMessage": "QueryExecution was not found"}
        missing = [{"QueryExecutionId": each, **unknown} for each in ids if each not in executions]
        described = [executions[each].described() for each in ids if each in executions]
        return json.dumps({"QueryExecutions": described, "UnprocessedQueryExecutionIds": missing})

    def list_query_executions(self, response: Any) -> str:
        backend = backend_of(response)
        group = response._get_param("WorkGroup") or "primary"
        ids = [each.id for each in reversed(backend.executions.values()) if each.workgroup.name == group]
        return json.dumps(paged(response, "QueryExecutionIds", ids, LARGEST_LISTING))

    def stop_query_execution(self, response: Any) -> str:
        execution = found(response)
        job = execution.job
        if execution.state not in FINAL and job is not None and self._pool.cancel(job):
            execution.end(CANCELLED)
        return "{}"

    def get_query_results(self, response: Any) -> str:
        execution = found(response)
        size = int(response._get_param("MaxResults") or LARGEST_PAGE)
        if size > LARGEST_PAGE:
            raise invalid(f"MaxResults is more than maximum allowed length {LARGEST_PAGE}.")
        if execution.state in ("FAILED", "CANCELLED"):
            raise invalid(f"Query did not finish successfully. Final query state: {execution.state}")
        if execution.state != "SUCCEEDED":
            raise invalid(f"Query has not yet finished. Current state: {execution.state}")
        self._check_reader(execution, response)
        rows = self._results.rows(execution, lambda: self._read(execution.location, response))
        token = response._get_param("NextToken") or "0"
        if not token.isdecimal():
            raise invalid(f"Invalid pagination token: {token}")
        shown = page(rows, int(token), size)
        answer: dict[str, Any] = {
            "UpdateCount": execution.outcome.get("updated", 0),
            "ResultSet": {
                "Rows": shown["rows"],
                "ResultSetMetadata": {"ColumnInfo": execution.outcome["columns"]},
            },
        }
        if shown["next"]:
            answer["NextToken"] = shown["next"]
        return json.dumps(answer)

    def _check_reader(self, execution: Execution, response: Any) -> None:
        """Another session's result is for those who may read its file, even where we still hold its rows."""
        key = caller(response)["key"]
        reader = principal_of_key(key, response.current_account)
        if reader is not None and key != execution.caller and execution.statement.verb not in WRITES:
            self._read(execution.location, response)

    def _read(self, location: str, response: Any) -> str:
        if athena_managed.holds(location):
            return athena_managed.read(location)
        bucket, _, key = location.removeprefix("s3://").partition("/")
        try:
            return self._callers.read(bucket, key, response).decode()
        except NotReadError as error:
            raise invalid(f"Could not find results: {location} ({error})") from error

    def get_query_runtime_statistics(self, response: Any) -> str:
        execution = found(response)
        if execution.state not in FINAL:
            raise invalid(f"Query has not yet finished. Current state: {execution.state}")
        return json.dumps({"QueryRuntimeStatistics": execution.runtime_statistics()})


def request_of(execution: Execution, credentials: dict[str, Any]) -> dict[str, Any]:
    """What the worker process is told."""
    return {
        "id": execution.id,
        "sql": execution.sql,
        "folder": execution.folder,
        "database": execution.context.get("Database", "default").strip('`"').lower(),
        "parameters": execution.parameters,
        "limit": (execution.workgroup.configuration or {}).get("BytesScannedCutoffPerQuery"),
        "output": execution.location,
        "encryption": encryption(execution.config.get("EncryptionConfiguration") or {}),
        "credentials": credentials,
        "governed": execution.governed
        and {
            "principal": execution.governed,
            "key": credentials["key"],
            "account": execution.governed.split(":")[4],
            "credentials": {"key": OWN_KEY, "secret": "endpoint"},
        },
    }


def backend_of(response: Any) -> Any:
    """moto's backend, whose executions are ours."""
    return athena_backends[response.current_account][response.region]


def forget(executions: dict[str, Execution]) -> None:
    """The oldest that have ended, once there are many: clients start queries and never ask for them again."""
    while len(executions) > KEPT_EXECUTIONS:
        oldest = next(iter(executions.values()))
        if oldest.state not in FINAL:
            return
        del executions[oldest.id]


def found(response: Any) -> Execution:
    wanted = response._get_param("QueryExecutionId")
    execution: Execution | None = backend_of(response).executions.get(wanted)
    if execution is None:
        raise invalid(f"QueryExecution {wanted} was not found")
    return execution


def install(endpoint: Endpoint) -> None:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}
    pool = Pool(endpoint.children.start, endpoint.url, endpoint.region, {**ours, "AWS_EC2_METADATA_DISABLED": "true"})
    endpoint.on_stop(pool.close)
    parser = TrinoParser()
    endpoint.on_stop(parser.close)
    if endpoint.warm_up:
        endpoint.on_ready(parser.warm)
    callers = Callers(endpoint)
    athena = Athena(pool, callers, Syntax(parser), endpoint.state)
    for name in (
        "start_query_execution", "get_query_execution", "list_query_executions", "stop_query_execution",
        "get_query_results", "get_query_runtime_statistics",
    ):  # fmt: skip
        patch(f"{RESPONSE}.{name}", method(getattr(athena, name)))
    add(f"{RESPONSE}.batch_get_query_execution", method(athena.batch_get_query_execution))
    athena_catalogs.install(callers)
    athena_prepared.install()
    athena_tokens.install()
    athena_workgroups.install()
    if endpoint.warm_up:
        pool.warm_up()
