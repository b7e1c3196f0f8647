"""`shell`: lines that a person types, what is completed, and errors that do not end it."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from typer.testing import CliRunner, Result

import cli.target
import config
from cli.__main__ import app
from cli.completion import LakeCatalog, SqlCompleter
from cli.target import Target
from tests.unit.query_client import Answers

GOLD, SILVER = "headwater_dev_gold", "headwater_dev_silver"
SANDBOXES = [f"headwater_dev_sandbox_{team}" for team in ("analysts", "engineers", "clinicians", "clinics")]


@pytest.fixture
def catalog(aws: None) -> LakeCatalog:
    glue = boto3.client("glue")
    for database, tables in {
        GOLD: {"dim_event": ["event_id", "event_name"], "dim_seller": ["seller_id"]},
        SILVER: {"saas_users": ["user_id", "email"]},
    }.items():
        glue.create_database(DatabaseInput={"Name": database})
        for name, columns in tables.items():
            described = [{"Name": each, "Type": "int", "Comment": f"The {each}."} for each in columns]
            glue.create_table(
                DatabaseName=database, TableInput={"Name": name, "StorageDescriptor": {"Columns": described}}
            )
    for name in ("headwater_dev_bronze", "headwater_dev_discovered", *SANDBOXES):
        glue.create_database(DatabaseInput={"Name": name})
    return LakeCatalog(Target(config.load("dev"), None))


def completed(catalog: LakeCatalog, before: str, after: str = "") -> list[str]:
    document = Document(before + after, len(before))
    return [each.text for each in SqlCompleter(catalog).get_completions(document, CompleteEvent())]


def test_a_table_is_completed_where_a_table_stands(catalog: LakeCatalog) -> None:
    assert completed(catalog, "SELECT * FROM dim") == ["dim_event", "dim_seller"]
    assert completed(catalog, "SELECT * FROM headwater_dev_s") == [f"{SILVER}.", *(f"{each}." for each in SANDBOXES)]
    assert completed(catalog, f"SELECT * FROM {SILVER}.s") == [f"{SILVER}.saas_users"]


def test_a_column_is_completed_from_the_tables_that_the_statement_names(catalog: LakeCatalog) -> None:
    assert completed(catalog, "SELECT event_", " FROM dim_event") == ["event_id", "event_name"]
    assert completed(catalog, "SELECT e.event_n", " FROM dim_event AS e") == ["e.event_name"]
    assert completed(catalog, f"SELECT u.e FROM {SILVER}.saas_users u WHERE u.em") == ["u.email"]
    assert completed(catalog, "SELECT nothing_") == []


def test_words_of_the_language_are_completed_as_they_are_typed(catalog: LakeCatalog) -> None:
    assert "SELECT" in completed(catalog, "SEL")
    assert "select" in completed(catalog, "sel")


@pytest.fixture
def answers(catalog: LakeCatalog, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Answers:
    found, client = Answers([{"Name": "n", "Type": "bigint"}], [["7"]]), Target.client
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(cli.target, "target", lambda env: Target(config.load("dev"), None))
    monkeypatch.setattr(Target, "client", lambda self, service: found if service == "athena" else client(self, service))
    return found


def typed(text: str) -> Result:
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text(text)
        return CliRunner().invoke(app, ["shell", "--env", "dev"])


def test_a_statement_of_several_lines_ends_with_its_semicolon(answers: Answers) -> None:
    told = typed("SELECT\n7\nAS n;\n\\q\n")
    assert told.exit_code == 0, told.output
    assert [each["QueryString"] for each in answers.asked] == ["SELECT\n7\nAS n"]
    assert "7" in told.stdout


def test_an_error_is_told_and_the_shell_goes_on(answers: Answers) -> None:
    answers.states = ["FAILED", "SUCCEEDED"]
    told = typed("SELECT 1;\nSELECT 2;\nexit\n")
    assert "Athena answered FAILED" in told.stderr
    assert len(answers.asked) == 2


def test_tables_and_columns_are_listed_and_the_format_is_chosen(answers: Answers) -> None:
    told = typed("\\d\n\\d dim_event\n\\d nowhere\n\\f csv\n\\f excel\nSELECT 7;\n\\q\n")
    assert "dim_seller" in told.stdout
    assert "The event_name." in told.stdout
    assert "The table 'nowhere' is not there." in told.stderr
    assert "The format 'excel': expected one of table, csv, json." in told.stderr
    assert '"n"\n"7"\n' in told.stdout


def test_help_is_told_and_not_taken_for_the_beginning_of_a_statement(answers: Answers) -> None:
    told = typed("help\n?\nexit\n")
    assert told.stdout.count("Tab completes") == 3
    assert not answers.asked


def test_the_end_of_the_input_leaves(answers: Answers) -> None:
    assert typed("\x04").exit_code == 0
