"""`query`: where its SQL comes from, what it writes, what it says of cost, and how it is stopped."""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

import cli.target
import config
from cli import athena, statements
from cli.__main__ import app
from cli.errors import said
from cli.target import Target
from tests.unit.query_client import COLUMNS, ROWS, Answers


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    found = Answers(COLUMNS, ROWS)
    monkeypatch.setattr(cli.target, "target", lambda env: Target(config.load("dev"), None))
    monkeypatch.setattr(Target, "client", lambda *_: found)
    monkeypatch.delenv("HEADWATER_USER", raising=False)
    return found


def ask(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["query", *arguments], input=stdin)


def asked(answers: Answers) -> list[str]:
    return [each["QueryString"] for each in answers.asked]


def test_sql_comes_from_an_argument_a_file_or_standard_input(answers: Answers, tmp_path: Path) -> None:
    file = tmp_path / "a.sql"
    file.write_text("\ufeff-- first\nSELECT ';' AS a; -- done\nSELECT 2;\n;\n")
    ask("SELECT 1;")
    ask("--file", str(file))
    ask("-", stdin="SELECT 3")
    ask(stdin="SELECT 4")
    assert asked(answers) == ["SELECT 1", "-- first\nSELECT ';' AS a", "-- done\nSELECT 2", "SELECT 3", "SELECT 4"]


@pytest.mark.parametrize(
    ("arguments", "stdin", "says"),
    [
        (["SELECT 1", "--file", "x.sql"], None, "The SQL comes twice"),
        (["--file", "nowhere.sql"], None, "The file 'nowhere.sql': expected one that can be read"),
        ([], b"\xff\x00", "The SQL on standard input: expected SQL in UTF-8. Save it as such."),
        (["--history", "--format", "csv"], None, "The format 'csv': expected table or json with --history."),
        (["SELECT 1", "-o", "no/x.csv"], None, "The file 'no/x.csv': expected a file's name in a folder that is there"),
        (["SELECT 1", "-o", "/", "--format", "csv"], None, "The file '/': expected a file's name in a folder that is"),
        ([], " -- nothing\n;", "No SQL was given: expected an argument, --file FILE, or SQL on standard input."),
        (["SELECT 1", "--format", "excel"], None, "The format 'excel': expected one of table, csv, json, parquet."),
        (["SELECT 1; SELECT 2", "--output", "x", "--format", "csv"], None, "The 2 statements: expected one with --out"),
        (["SELECT 1", "--output", "x"], None, "The format 'table': expected csv, json or parquet in a file."),
        (
            ["SELECT 1", "--team", "sales"],
            None,
            "The team 'sales': expected one of analysts, engineers, clinicians, clinics.",
        ),
        (["SELECT 1", "--user", "Ann Lee"], None, "The user 'Ann Lee': expected FIRST.LAST"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(
    answers: Answers, arguments: list[str], stdin: str | bytes | None, says: str
) -> None:
    assert says in str(ask(*arguments, stdin=stdin).exception)
    assert not answers.asked


def test_a_file_that_cannot_be_written_is_said_in_a_sentence(answers: Answers) -> None:
    told = ask("SELECT 1", "--output", "/dev/full", "--format", "csv")
    assert str(told.exception) == "The file '/dev/full': expected one that can be written: No space left on device."


def test_a_files_ending_says_its_format(answers: Answers, tmp_path: Path) -> None:
    ask("SELECT 1", "-o", str(tmp_path / "rows.CSV"))
    ask("SELECT 1", "-o", str(tmp_path / "rows.parquet"))
    assert (tmp_path / "rows.CSV").read_text().startswith('"id","name"')
    assert pq.read_table(tmp_path / "rows.parquet").num_rows == 3


@pytest.mark.parametrize("form", ["json", "parquet"])
def test_columns_of_one_name_are_refused_where_one_would_be_lost(
    monkeypatch: pytest.MonkeyPatch, answers: Answers, form: str
) -> None:
    twice = Answers([COLUMNS[0], COLUMNS[0]], [["1", "2"]])
    monkeypatch.setattr(Target, "client", lambda *_: twice)
    assert ask("SELECT 1", "--format", "csv").stdout == '"id","id"\n"1","2"\n'
    assert "The columns 'id' come twice" in str(ask("SELECT 1", "--format", form).exception)


def test_a_large_table_is_printed_while_it_is_fetched(monkeypatch: pytest.MonkeyPatch, answers: Answers) -> None:
    many = Answers(COLUMNS[:1], [[str(number)] for number in range(1_001)])
    monkeypatch.setattr(Target, "client", lambda *_: many)
    told = ask("SELECT 1")
    assert told.stdout.split() == ["id", *map(str, range(1_000)), "id", "1000"]
    assert "1,001 rows" in told.stderr


def test_of_several_statements_the_one_that_failed_is_told(answers: Answers) -> None:
    answers.states = ["SUCCEEDED", "FAILED"]
    failure = ask("SELECT 1; SELECT 2; SELECT 3").exception
    assert isinstance(failure, Exception)
    assert str(said(failure)).splitlines()[1] == "This was statement 2 of 3."


def test_a_file_of_queries_runs_as_it_is(answers: Answers) -> None:
    ask("--file", "queries/best_sellers.sql")
    ask("SELECT '$$', '$gold' FROM ${silver}.saas_users")
    assert "FROM headwater_dev_gold.dim_seller" in asked(answers)[0]
    assert asked(answers)[1] == "SELECT '$$', '$gold' FROM headwater_dev_silver.saas_users"


def test_csv_tells_null_from_an_empty_text(answers: Answers) -> None:
    lines = ask("SELECT 1", "--format", "csv").stdout
    assert lines.startswith('"id","name","price","share","sold","day","at","raw","tags"\n"1","a ""b""\n,","12.50",')
    assert '\n"2","","-0.01",' in lines
    assert lines.endswith("\n,,,,,,,,\n")


def test_json_has_numbers_and_truths_as_such(answers: Answers) -> None:
    rows = json.loads(ask("SELECT 1", "--format", "json").stdout)
    assert [(row["id"], row["price"], row["share"], row["sold"]) for row in rows] == [
        (1, "12.50", 0.5, True),
        (2, "-0.01", "NaN", False),
        (None, None, None, None),
    ]


def test_parquet_has_athenas_types(answers: Answers, tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    ask("SELECT 1", "--format", "parquet", "--output", str(file))
    first, second, nulls = pq.read_table(file).to_pylist()
    assert (first["id"], first["price"], first["day"]) == (1, Decimal("12.50"), date(2026, 11, 20))
    assert first["at"] == datetime(2026, 11, 20, 2, tzinfo=UTC)
    assert (first["raw"], second["raw"], first["tags"]) == (b"hi", b"", "[a, b]")
    assert second["at"] == datetime(2026, 11, 20, 3, 0, 0, 123000, tzinfo=UTC)
    assert set(nulls.values()) == {None}


def test_a_result_without_rows_is_still_a_file_of_its_format(
    monkeypatch: pytest.MonkeyPatch, answers: Answers, tmp_path: Path
) -> None:
    none = Answers(COLUMNS, [])
    monkeypatch.setattr(Target, "client", lambda *_: none)
    for form in ("csv", "json", "parquet"):
        assert ask("SELECT 1", "--format", form, "--output", str(tmp_path / form)).exit_code == 0
    assert (tmp_path / "json").read_text() == "[]\n"
    assert (tmp_path / "csv").read_text().count("\n") == 1
    assert pq.read_table(tmp_path / "parquet").num_rows == 0


def test_bytes_price_and_time_are_told_beside_the_rows(answers: Answers) -> None:
    told = ask("SELECT 1", "--format", "csv")
    assert "3 rows, 2,199,023,255,552 bytes scanned, about $10.00, 1.5 s" in told.stderr
    assert "bytes scanned" not in told.stdout


@pytest.mark.parametrize(
    ("execution", "dollars"),
    [
        ({"Statistics": {"DataScannedInBytes": 1024**4}}, 5.0),
        ({"Statistics": {"DataScannedInBytes": 1}}, 10 * 1024**2 * 5 / 1024**4),  # ten megabytes at least
        ({"Statistics": {"DataScannedInBytes": 0}, "StatementType": "DDL"}, 0.0),
        ({"Statistics": {"DataScannedInBytes": 1024**4}, "Status": {"State": "FAILED"}}, 0.0),
        ({"Statistics": {"DataScannedInBytes": 1024**4}, "Status": {"State": "CANCELLED"}}, 5.0),
        ({"Statistics": {"ResultReuseInformation": {"ReusedPreviousResult": True}}}, 0.0),
    ],
)
def test_the_price_follows_what_aws_charges_for(execution: dict[str, object], dollars: float) -> None:
    assert athena.price(execution) == pytest.approx(dollars)


def test_a_person_queries_in_a_team_and_keeps_results_in_the_own_folder(answers: Answers) -> None:
    ask("SELECT 1", "--team", "engineers", "--user", "ann.lee")
    ask("SELECT 1")
    first, second = answers.asked
    bucket = config.load("dev").bucket("results")
    assert first["WorkGroup"] == "headwater-dev-engineers"
    assert first["ResultConfiguration"] == {"OutputLocation": f"s3://{bucket}/athena/ann.lee/"}
    assert second["WorkGroup"] == "headwater-dev-analysts"
    assert "ResultConfiguration" not in second


def test_the_history_is_the_workgroups_newest_first(answers: Answers) -> None:
    for sql in ("SELECT 1", "SELECT\n 2"):
        ask(sql)
    found = json.loads(ask("--history", "--json").stdout)
    assert [each["sql"] for each in found] == ["SELECT 2", "SELECT 1"]
    assert found[0]["price"] == pytest.approx(10.0)
    assert "about $10.00" in ask("--history").stdout


def test_watch_asks_again_until_it_is_stopped(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(time, "sleep", nap)
    assert ask("SELECT 1", "--watch", "7").exit_code == 0
    assert (naps, len(answers.asked)) == ([7, 7, 7], 3)


def test_who_leaves_early_stops_the_query(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(_: float) -> None:
        raise KeyboardInterrupt

    answers.states = ["RUNNING"]
    monkeypatch.setattr(time, "sleep", leave)
    ask("SELECT 1")
    assert answers.stopped == ["q1"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SELECT 1", ["SELECT 1"]),
        ("SELECT ';'; SELECT \";\" -- ;\n;", ["SELECT ';'", 'SELECT ";" -- ;']),
        ("SELECT 1 /* ; */ ; -- end", ["SELECT 1 /* ; */"]),
        ("SELECT 'open", ["SELECT 'open"]),  # Athena says what is wrong with it
        (";;", []),
    ],
)
def test_statements_end_at_semicolons_that_are_in_no_text_or_comment(text: str, found: list[str]) -> None:
    assert statements.split(text) == found
