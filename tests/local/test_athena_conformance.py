"""The conformance set: each statement of tests/local/athena answers as Athena's documentation says, or is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from local.engines import athena_failures, athena_macros, athena_results, athena_sql
from local.engines.athena_errors import QueryError
from local.engines.athena_scope import Table, TableColumn
from local.engines.athena_types import REAL, VARCHAR
from local.engines.duckdb_worker import check_types
from tests.local.conftest import RunningEndpoint

FILES = ("basics", "collections", "json", "numbers", "queries", "sources", "texts", "times")
CASES: list[tuple[str, list[Any]]] = [
    (name, case)
    for file in FILES
    for name, cases in yaml.safe_load((Path(__file__).parent / "athena" / f"{file}.yaml").read_text()).items()
    for case in cases
]
# headings of cases that are no names of the list
QUERIES = {"Select", "Set", "Cte", "Join", "Unnest", "Group"}
SAMPLES = Table("db", "samples", (TableColumn("r", REAL), TableColumn("s", VARCHAR)))
ENOUGH = 300
SAMPLED = 30  # one statement in so many goes through the API too, for what a worker and a result file do to it


class Samples:
    """A catalog with one small table."""

    def table(self, database: str, name: str) -> Table | None:
        return SAMPLES if (database, name) == ("db", "samples") else None

    def has_database(self, name: str) -> bool:
        return name == "db"


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        athena_macros.prepare(opened)
        yield opened


def answer(connection: duckdb.DuckDBPyConnection, statement: str) -> list[Any]:
    """The columns and the rows as Athena would print them, or the error's text."""
    try:
        tree = athena_sql.read(statement).tree
        assert tree is not None
        translation = athena_sql.translate(tree, Samples(), "db", [])
        for scan in translation.scans:
            values = "VALUES (1.5::FLOAT, 'a'), (NULL, NULL)"
            connection.execute(f"CREATE OR REPLACE TEMP VIEW {scan.view} AS SELECT * FROM ({values}) v(c1, c2)")
        query = translation.query
        rows = connection.execute(query.sql).fetchall()
        check_types(connection.description, translation)
    except QueryError as error:
        return [str(error)]
    except duckdb.Error as error:
        return [str(athena_failures.told(error))]
    columns = ", ".join(f"{name} {type_}" for name, type_ in zip(query.names, query.types, strict=True))
    return [columns, *athena_results.printed(rows, query.types)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}: {case[1][0]}")
def test_a_statement_answers_as_athena_does(connection: duckdb.DuckDBPyConnection, case: tuple[str, list[Any]]) -> None:
    statement, *expected = case[1]
    found = answer(connection, statement)
    if len(found) == len(expected) == 1 and not expected[0].startswith("_col0 "):
        kind, _, text = expected[0].partition(": ")
        assert found[0].partition(":")[0] == kind
        assert text in found[0]
    else:
        assert found == expected


def test_the_list_and_the_cases_have_the_same_names() -> None:
    assert athena_sql.allowed() == {name for name, _ in CASES} - QUERIES


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= ENOUGH


def test_statements_answer_so_through_the_api_too(endpoint: RunningEndpoint) -> None:
    endpoint.client("s3").create_bucket(Bucket="conformance-results")
    athena = endpoint.client("athena")
    # of statements that fail some are no SQL for Athena, and are refused as they are sent
    cases = [case for _, case in CASES[::SAMPLED] if "samples" not in case[0] and len(case) > 2]
    started = [
        athena.start_query_execution(
            QueryString=statement, ResultConfiguration={"OutputLocation": "s3://conformance-results/"}
        )["QueryExecutionId"]
        for statement, *_ in cases
    ]
    for (statement, *expected), query in zip(cases, started, strict=True):
        assert finished(athena, query)["State"] == "SUCCEEDED", statement
        rows = athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
        assert [[value.get("VarCharValue") for value in row["Data"]] for row in rows[1:]] == expected[1:], statement


def finished(athena: Any, query: str) -> dict[str, Any]:
    while True:  # the laptop answers when the query has ended, or after a while
        status = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        if status["State"] not in ("QUEUED", "RUNNING"):
            return dict(status)
