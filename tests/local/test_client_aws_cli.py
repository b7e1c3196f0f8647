"""The AWS CLI at the laptop: a query started, followed and read, S3 listed, the catalog shown, errors told."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.local.conftest import RunningEndpoint

AWS = Path(sys.executable).with_name("aws")
BUCKET, DATABASE = "asked-by-cli", "asked_by_cli"
OUTPUT = f"OutputLocation=s3://{BUCKET}/output/"


@dataclass(frozen=True)
class Terminal:
    """A terminal where the README's variables are set: `terminal.aws("s3", "ls")` is what is printed."""

    environment: dict[str, str]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([str(AWS), *words], env=self.environment, capture_output=True, text=True, timeout=120)

    def aws(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, sql: str) -> str:
        context = f"Database={DATABASE},Catalog=AwsDataCatalog"
        return self.aws(
            "athena", "start-query-execution", "--query-string", sql, "--query-execution-context", context,
            "--result-configuration", OUTPUT, "--query", "QueryExecutionId", "--output", "text",
        ).strip()  # fmt: skip

    def status(self, execution: str) -> dict[str, Any]:
        """A query that takes no time is over when its state is first asked for."""
        told = self.aws("athena", "get-query-execution", "--query-execution-id", execution, "--output", "json")
        status: dict[str, Any] = json.loads(told)["QueryExecution"]["Status"]
        return status if status["State"] not in ("QUEUED", "RUNNING") else self.status(execution)


@pytest.fixture(scope="module")
def terminal(endpoint: RunningEndpoint, tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    home = tmp_path_factory.mktemp("home")
    found = Terminal({**endpoint.environment, "HOME": str(home), "AWS_PAGER": "", "TZ": "UTC"})
    assert found.aws("s3", "mb", f"s3://{BUCKET}") == f"make_bucket: {BUCKET}\n"
    endpoint.client("glue").create_database(DatabaseInput={"Name": DATABASE})
    return found


def test_a_query_is_started_followed_and_its_results_read(terminal: Terminal) -> None:
    made = terminal.start("CREATE TABLE words AS SELECT * FROM (VALUES (1, 'a'), (2, NULL)) AS t (id, word)")
    assert terminal.status(made)["State"] == "SUCCEEDED"
    query = terminal.start("SELECT * FROM words ORDER BY id")
    assert terminal.status(query)["State"] == "SUCCEEDED"
    asked = ("athena", "get-query-results", "--query-execution-id", query, "--output")
    results = json.loads(terminal.aws(*asked, "json"))["ResultSet"]
    assert results["Rows"] == [
        {"Data": [{"VarCharValue": "id"}, {"VarCharValue": "word"}]},
        {"Data": [{"VarCharValue": "1"}, {"VarCharValue": "a"}]},
        {"Data": [{"VarCharValue": "2"}, {}]},
    ]
    assert [each["Type"] for each in results["ResultSetMetadata"]["ColumnInfo"]] == ["integer", "varchar"]
    text = terminal.aws(*asked, "text")
    assert text.splitlines()[-6:] == ["DATA\tid", "DATA\tword", "DATA\t1", "DATA\ta", "DATA\t2", "DATA\t"]
    assert "COLUMNINFO\tFalse\thive\tid\tid\tUNKNOWN\t10\t0\t\t\tinteger" in text.splitlines()
    assert terminal.aws("s3", "cp", f"s3://{BUCKET}/output/{query}.csv", "-") == '"id","word"\n"1","a"\n"2",\n'
    listed = terminal.aws("s3", "ls", f"s3://{BUCKET}/output/", "--recursive", "--summarize")
    sizes = {line.split()[3]: int(line.split()[2]) for line in listed.splitlines() if "output/" in line}
    assert sizes[f"output/{query}.csv"] == len('"id","word"\n"1","a"\n"2",\n')
    assert {f"output/{query}.csv.metadata", f"output/tables/{made}-manifest.csv"} < set(sizes)
    assert f"Total Objects: {len(sizes)}" in listed
    assert terminal.aws("s3", "ls", f"s3://{BUCKET}/").split() == ["PRE", "output/"]
    tables = ("glue", "get-tables", "--database-name", DATABASE, "--output", "text", "--query")
    assert terminal.aws(*tables, "TableList[].[Name,TableType]") == "words\tEXTERNAL_TABLE\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("glue", "get-tables", "--database-name", "nowhere"), "(EntityNotFoundException) when calling the GetTables"),
        (("s3", "ls", "s3://no-such-bucket-here"), "(NoSuchBucket) when calling the ListObjectsV2 operation"),
        (
            ("athena", "start-query-execution", "--query-string", "SELEC 1", "--result-configuration", OUTPUT),
            "(InvalidRequestException) when calling the StartQueryExecution operation: line 1:1: mismatched input",
        ),
    ],
    ids=["database", "bucket", "syntax"],
)
def test_what_cannot_be_is_told_and_ends_with_an_error(terminal: Terminal, words: tuple[str, ...], told: str) -> None:
    done = terminal.run(*words)
    assert (done.returncode > 0, told in done.stderr, done.stdout) == (True, True, "")


def test_a_query_that_fails_says_why(terminal: Terminal) -> None:
    status = terminal.status(terminal.start("SELECT 1 / 0"))
    assert (status["State"], status["StateChangeReason"]) == ("FAILED", "DIVISION_BY_ZERO: Division by zero")
