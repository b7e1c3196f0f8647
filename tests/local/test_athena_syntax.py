"""A text that is no statement is refused as it is sent, with the words and the place that Athena's engine tells."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from moto.core.exceptions import JsonRESTError

from local.engines import jars, trino_parser
from local.engines.trino_parser import TrinoParser
from local.services.athena_syntax import Syntax
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


def test_without_trinos_parser_a_syntax_error_still_has_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> list[Path]:
        raise jars.JarsNotFoundError("No network.")

    monkeypatch.setattr(jars, "pinned", missing)
    with pytest.raises(JsonRESTError, match="line 1:15: mismatched input"):
        Syntax(TrinoParser()).statement("SELECT * FROM (")


def test_a_parser_that_has_ended_is_started_again() -> None:
    parser = TrinoParser()
    try:
        for column in (15, 16):
            assert parser.refusal(f"SELECT {'1' * (column - 8)} 1").startswith(f"line 1:{column + 1}: ")  # type: ignore[union-attr]
            assert parser._process is not None
            parser._process.kill()
            parser._process.wait()
        assert parser.refusal_now("SELECT 1, FROM t") is None
    finally:
        parser.close()


def test_a_file_that_is_not_the_expected_one_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jar").write_text("something else")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(jars, "CENTRAL", tmp_path.as_uri())
    with pytest.raises(jars.JarsNotFoundError, match="is not the file that is expected"):
        jars.pinned("parser", {"a.jar": "0" * 64})
    with pytest.raises(jars.JarsNotFoundError, match="could not be fetched"):
        jars.pinned("parser", {"b.jar": "0" * 64})
    assert not list((tmp_path / "cache" / "headwater").glob("*/*"))
