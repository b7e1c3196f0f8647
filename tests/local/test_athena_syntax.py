"""A text that is no statement is refused as it is sent, with the words and the place that Athena's engine tells."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from local.engines import jars, trino_parser
from tests.local.athena_statements import Analyst
from tests.local.conftest import RunningEndpoint

CASES = yaml.safe_load((Path(__file__).parent / "athena_syntax.yaml").read_text())


@pytest.fixture(scope="module")
def ann(endpoint: RunningEndpoint) -> Analyst:
    jars.pinned(trino_parser.FOLDER, trino_parser.JARS)
    analyst = Analyst(endpoint, "statement_syntax", "statement-syntax").prepare()
    refusal(analyst, "SELEC 1")  # from here on Trino's parser runs
    return analyst


def refusal(ann: Analyst, sql: str) -> str:
    with pytest.raises(ann.endpoint.client("athena").exceptions.InvalidRequestException) as caught:
        ann.start(sql)
    return str(caught.value.response["Error"]["Message"])


@pytest.mark.parametrize("case", [*CASES["trino"], *CASES["ours"]], ids=lambda case: case["sql"])
def test_a_wrong_statement_has_trinos_words_and_place(ann: Analyst, case: dict[str, str]) -> None:
    assert refusal(ann, case["sql"]) == case["told"]


def test_what_begins_no_statement_is_told_all_that_do(ann: Analyst) -> None:
    told = refusal(ann, "/* why */ SELEC 1")
    assert told.startswith("line 1:11: mismatched input 'SELEC'. Expecting: 'ALTER', 'ANALYZE', ")
    assert told.endswith(", 'TRUNCATE', 'UNLOAD', 'UPDATE', 'USE', 'WITH', <query>")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 AS a;  -- that is all; really",
        "SELECT ';' AS a",
        "(VALUES 1)\n;\n",
        """SELECT * FROM "awsdatacatalog"."information_schema"."tables" OFFSET 0 LIMIT 0""",
        "EXPLAIN SELECT 1 AS a",
    ],
)
def test_what_athena_takes_is_not_held_up(ann: Analyst, sql: str) -> None:
    ann.run(sql)


def test_many_brackets_do_not_stop_the_endpoint(ann: Analyst) -> None:
    assert refusal(ann, f"SELECT {'(' * 20}1").startswith("line 1:29: mismatched input '<EOF>'. Expecting: ")
    assert ann.rows(f"SELECT {'(' * 30}1{')' * 30}") == [["1"]]
