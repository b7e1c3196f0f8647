"""What commands print, and how they start runs and read the past."""

from __future__ import annotations

import io
import json
import threading
import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from rich.console import Console
from typer.testing import CliRunner

import config
from cli import as_of, backfill, console, execution, refused
from cli.__main__ import app
from cli.backfill import Interval
from cli.bench import benchmarks
from cli.errors import CommandError
from cli.query import fetch
from cli.repair import Repair
from cli.runs import show_outcomes
from cli.target import Target
from contracts.revision import NoRevisionError
from lake.ledger import Ledger, Outcome
from lake.runs import RunId
from tests.unit.ledger_table import create_ledger_table


@pytest.fixture
def target(aws: None) -> Target:
    """An environment of AWS, with a ledger."""
    found = Target(config.load("dev"), None)
    create_ledger_table(found.client("dynamodb"), found.environment.resource("ledger"))
    return found


def test_a_table_shows_values_in_square_brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(console, "console", Console(file=shown, width=80))
    console.table("", ("rules",), [("[required_email, unique]",), ("[/b]",)])
    assert "[required_email, unique]" in shown.getvalue()
    assert "[/b]" in shown.getvalue()


def test_a_run_that_step_functions_has_forgotten_keeps_its_id(target: Target) -> None:
    """It forgets executions after 90 days; under the old id Plan would find everything done."""
    old = RunId("tickit", datetime(2026, 1, 1, tzinfo=UTC))
    ledger: Ledger = target.ledger()
    ledger.start(str(old), "tickit")
    assert execution.free(target, old) == old.next()


def test_clients_are_made_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3's default session is not for several threads at once, and a backfill has several."""
    making, most = [0], [0]

    def client(*_: Any, **__: Any) -> None:
        making[0] += 1
        most[0] = max(most[0], making[0])
        time.sleep(0.01)
        making[0] -= 1

    monkeypatch.setattr(boto3, "client", client)
    target = Target(config.load("dev"), None)
    threads = [threading.Thread(target=target.client, args=("glue",)) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert most == [1]


def test_a_table_that_may_not_be_read_is_a_sentence(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    def load_table(name: str) -> None:
        raise PermissionError(f"When reading {name}: AWS Error ACCESS_DENIED")

    monkeypatch.setattr("cli.repair.open_catalog", lambda _: SimpleNamespace(load_table=load_table))
    with pytest.raises(CommandError, match=r"ACCESS_DENIED.*Look whether you may read"):
        list(Repair(target, dry_run=True).head("saas.users"))


def past(sql: str) -> str:
    glue = SimpleNamespace(get_table=lambda **_: {"Table": {"Parameters": {"table_type": "ICEBERG"}}})
    lake: Any = SimpleNamespace(environment=config.load("dev"), client=lambda _: glue)
    return as_of.as_of(lake, sql, "7")


def test_a_table_is_read_as_it_was_inside_a_query_that_is_named_after_it() -> None:
    told = past("WITH sales AS (SELECT * FROM sales) SELECT * FROM sales")
    assert told == "WITH sales AS (SELECT * FROM sales FOR VERSION AS OF 7) SELECT * FROM sales"
    told = past("WITH a AS (SELECT 1 AS x), b AS (SELECT x FROM a) SELECT (SELECT max(x) FROM a) FROM b, sales AS s")
    assert told.endswith("SELECT (SELECT max(x) FROM a) FROM b, sales FOR VERSION AS OF 7 AS s")


def test_a_table_function_has_no_past() -> None:
    with pytest.raises(CommandError, match="expected tables"):
        past("SELECT * FROM TABLE(sequence(1, 3))")


def test_a_failed_backfill_prints_one_document(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.target.target", lambda env: target)
    monkeypatch.setattr(backfill, "load", lambda *_: [Interval("2026-01-01 00:00", "tickit-1", "FAILED", "Why.")])
    told = CliRunner().invoke(app, ["backfill", "tickit", "--from", "2026-01-01", "--to", "2026-01-01", "--json"])
    assert [each["cause"] for each in json.loads(told.stdout)] == ["Why."]
    assert isinstance(told.exception, CommandError)


def test_a_check_without_git_prints_one_document(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(*_: Any) -> None:
        raise NoRevisionError("No git.")

    monkeypatch.setattr("contracts.revision.find", find)
    told = CliRunner().invoke(app, ["contract", "check", "--json"])
    assert json.loads(told.stdout) == {"against": None, "contracts": [], "problems": []}


def test_a_replay_of_nothing_prints_one_document(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.target.target", lambda env: target)
    monkeypatch.setattr("cli.refused.counts", lambda *_, **__: [])
    told = CliRunner().invoke(app, ["quarantine", "replay", "ecommerce.sales", "--json"])
    assert json.loads(told.stdout)["outcomes"] == []


def test_an_option_that_a_benchmark_does_not_know_is_refused() -> None:
    told = CliRunner().invoke(app, ["bench", "files", "--events", "5"])
    assert str(told.exception).startswith("The option --events of benchmark 'files': expected only of `stream`.")


def test_the_help_of_bench_names_every_benchmark() -> None:
    said = CliRunner().invoke(app, ["bench", "--help"]).output
    assert all(each in said for each in benchmarks())
    assert "folder_lake" not in benchmarks()
    assert {"backfill", "checks"} <= set(benchmarks())


def test_the_lines_of_describe_are_shown_by_their_columns(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """Athena answers each with all its columns in one value, apart by tabs, and padded."""
    info = [{"Name": name} for name in ("col_name", "data_type", "comment")]
    lines = [{"Data": [{"VarCharValue": line}]} for line in ("id      \tbigint    \tThe key.", "# Partition", "\t\t")]
    page = {"ResultSet": {"ResultSetMetadata": {"ColumnInfo": info}, "Rows": lines}}
    athena = SimpleNamespace(
        start_query_execution=lambda **_: {"QueryExecutionId": "q"},
        get_query_execution=lambda **_: {"QueryExecution": {"Status": {"State": "SUCCEEDED"}}},
        get_paginator=lambda _: SimpleNamespace(paginate=lambda **_: [page]),
    )
    monkeypatch.setattr(Target, "client", lambda *_: athena)
    columns, rows, _ = fetch(target, "DESCRIBE users")
    assert columns == ["col_name", "data_type", "comment"]
    assert rows == [["id", "bigint", "The key."], ["# Partition", None, None], ["", "", ""]]


def test_a_run_that_loaded_nothing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(console, "console", Console(file=shown, width=120))
    show_outcomes("crm-20261120T0000-02", [])
    show_outcomes(
        "contract-20261121T1246-01", [Outcome("contract-20261121T1246-01", 0, "apply", "saas.users", "succeeded")]
    )
    assert "crm-20261120T0000-02: no dataset was loaded, and no gold table built." in shown.getvalue()
    assert "  saas.users: apply succeeded" in shown.getvalue()


def test_a_row_in_quarantine_keeps_every_digit(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = '{"price": -12345678901234567890.10}'
    monkeypatch.setattr(refused, "_tables", lambda _: {"ecommerce_sales__quarantine"})
    monkeypatch.setattr(refused, "fetch", lambda *_: ([], [[raw, "r", "open", "a", "a"]], {}))
    [row] = refused.refused(target, target.lake().dataset("ecommerce.sales"), rule="", run="", limit=1)
    assert row["row"]["price"] == "-12345678901234567890.10"


def test_a_port_that_cannot_be_is_refused_before_anything_is_started() -> None:
    told = CliRunner().invoke(app, ["up", "--port", "70000"])
    assert told.exit_code == 2
    assert "65535" in told.output
