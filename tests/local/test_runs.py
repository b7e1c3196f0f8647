"""Runs that can be trusted: whatever is killed, stopped, repeated, raced or comes late, the tables end the same."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psutil
import pytest
from typer.testing import CliRunner

import pipelines
from cli import backfill
from cli.__main__ import app
from cli.repair import Repair
from lake.runs import RunId
from tests.local import accidents
from tests.local.reader import contents, reading
from tests.local.small_lake import DATASET, MODELS, PIPELINE, SETTLED, SILVER, SmallLake, small_lake

AT_WORK = ("STARTING", "RUNNING", "STOPPING")
STEPS = ("apply", "ingest", "refine", "model")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallLake]:
    with small_lake(tmp_path_factory.mktemp("runs")) as up:
        up.orders(1, 30, "n", "timestamp '2026-10-01' + n * interval '1 hour'")
        yield up


def source(lake: SmallLake) -> frozenset[tuple[Any, ...]]:
    with lake.source("saas") as connection:
        rows = connection.execute("SELECT order_id, customer, amount, changed_at AT TIME ZONE 'UTC' FROM orders")
        return frozenset(rows.fetchall())


def silver(lake: SmallLake) -> frozenset[tuple[Any, ...]]:
    return contents(lake.catalog().load_table((lake.environment.database("silver"), SILVER)))


def kill_at(steps: tuple[str, ...], lake: SmallLake, program: str) -> str:
    """One run whose Spark process is killed once in each of these steps, and redriven each time; its id."""
    run = lake.start()
    for step in steps:
        job_run = accidents.at_work(lake, run, step)
        accidents.process(job_run, program).kill()
        assert lake.wait(run).status == "FAILED", step
        lake.client("stepfunctions").redrive_execution(executionArn=lake.target.execution(run))
    assert lake.wait(run).status == "SUCCEEDED"
    return run


def assert_true(lake: SmallLake) -> None:
    """Silver is the source, gold is what the source says, and nothing is left behind."""
    assert silver(lake) == source(lake)
    for name, model in MODELS.items():
        table = lake.catalog().load_table((lake.environment.database("gold"), name))
        with lake.source("saas") as connection:
            expected = connection.execute(model.replace("saas_orders", "orders")).fetchall()
        assert contents(table) == frozenset(expected), name
    assert lake.settled() == SETTLED


def assert_as_undisturbed(lake: SmallLake) -> None:
    """Besides, all of the source again is nothing new to any table, by versions and hashes too.

    Asked after the first accident and after the last, since it sees what any accident before it left.
    """
    assert_true(lake)
    before = lake.snapshots()
    run = lake.start(mode="replay")
    assert lake.wait(run).status == "SUCCEEDED"
    refined = lake.outcomes(run, "refine")[DATASET]
    assert (refined.read, refined.unchanged) == (len(source(lake)),) * 2
    assert lake.snapshots() == before


def test_a_process_killed_at_each_step_changes_nothing_and_no_reader_sees_more_than_before_and_after(
    lake: SmallLake,
) -> None:
    with reading(lake) as reader:
        run = kill_at(STEPS, lake, "python")
    assert [len(each) for each in reader.seen.values()] == [2, 2, 2], "empty, then whole"
    assert reader.unexplained == []
    found = lake.target.ledger().run(run)
    assert found
    assert (found.status, found.attempt) == ("succeeded", 4)
    assert_as_undisturbed(lake)


def test_an_execution_stopped_in_each_state_is_finished_by_redrives(lake: SmallLake) -> None:
    lake.orders(1, 20, "n * 10", "timestamp '2026-10-11' + n * interval '1 hour'")
    forget_what_was_applied(lake)
    with reading(lake) as reader:
        with accidents.hanging(lake, "plan"):
            run = lake.start()
            accidents.entered(lake, run, "Plan", 1)
            accidents.stop(lake, run)
        redrive(lake, run)
        accidents.entered(lake, run, "Apply", 1)  # its lease is held too short a time to wait for
        accidents.stop(lake, run)
        for step in STEPS[1:]:
            redrive(lake, run)
            accidents.at_work(lake, run, step)
            accidents.stop(lake, run)
        with accidents.hanging(lake, "conclude"):
            redrive(lake, run)
            accidents.entered(lake, run, "Conclude", 1)
            accidents.stop(lake, run)
        redrive(lake, run)
        assert lake.wait(run).status == "SUCCEEDED"
    assert [len(each) for each in reader.seen.values()] == [2, 2, 2], "before, then after"
    assert reader.unexplained == []
    assert_true(lake)


def test_a_failed_gate_shows_readers_nothing_of_it(lake: SmallLake) -> None:
    with reading(lake) as reader:
        lake.orders(2000, 4000, "n", "timestamp '2026-10-12'")
        failed = lake.wait(lake.start())
        assert failed.status == "FAILED"
        assert "not_too_many" in failed.cause
        lake.sql("DELETE FROM orders WHERE order_id >= 2000")
        lake.orders(5, 12, "n * 100", "timestamp '2026-10-13'")
        assert lake.wait(lake.start()).status == "SUCCEEDED"
    assert [len(each) for each in reader.seen.values()] == [2, 2, 2]
    assert_true(lake)


def test_gold_tables_differ_in_run_for_a_moment_only(lake: SmallLake, capsys: pytest.CaptureFixture[str]) -> None:
    moved = []
    for name in ("totals", "largest"):
        table = lake.catalog().load_table((lake.environment.database("gold"), name))
        moved.append(table.metadata.snapshot_log[-1].timestamp_ms)
    window = (max(moved) - min(moved)) / 1000
    with capsys.disabled():
        print(f"\ngold tables of one run were published {window:.3f} s apart")
    assert window < 10


def test_three_concurrent_executions_lose_and_double_no_row(lake: SmallLake) -> None:
    runs = []
    for number in range(3):
        lake.orders(100 + 10 * number, 115 + 10 * number, f"n + {number}", f"timestamp '2026-10-14 0{number}:00'")
        runs.append(lake.start())
        loaded = partial(lake.target.ledger().load, DATASET, runs[-1])
        accidents.until(loaded, "its load")  # each has rows that the one before has not
    assert [lake.wait(run).status for run in runs] == ["SUCCEEDED"] * 3
    loads = lake.target.ledger().loads(DATASET, 3)
    assert {each.run for each in loads} == set(runs), "loads of one day are all kept"
    assert_true(lake)


def test_a_job_run_that_was_declared_dead_and_goes_on_reaches_no_reader(lake: SmallLake) -> None:
    for number in range(5):  # one that had published before it was suspended shows nothing
        if "ran out and went to" in goes_on_late(lake, number):
            return
    pytest.skip("On so busy a machine each job run had published before it could be suspended; none reached a reader.")


def written(lake: SmallLake, run: str, job_run: str) -> bool | None:
    """Whether a run has branches, which its gates read before they are published; or is over, and they were missed."""
    table = lake.catalog().load_table((lake.environment.database("silver"), SILVER))
    branches = any(each.startswith(RunId.parse(run).branches) for each in table.metadata.refs)
    return branches or job_state(lake, "refine", job_run) not in AT_WORK or None


def goes_on_late(lake: SmallLake, number: int) -> str:
    """The log of a refine that is suspended at work and goes on after a redrive has done it; readers see no change."""
    lake.orders(40, 60, f"n + {number}", f"timestamp '2026-10-15 0{number}:00'")
    with accidents.hanging(lake, "plan"):
        run = lake.start()
        accidents.entered(lake, run, "Plan", 1)
        accidents.stop(lake, run)
    accidents.until(partial(lake.target.ledger().planned, run, 0), "the plan, which nobody waits for any more")
    ended(lake, "ingest", start_job(lake, "ingest", run))
    zombie = start_job(lake, "refine", run)
    late = accidents.process(zombie, "python")  # looked for first: the search takes as long as the work
    accidents.until(partial(written, lake, run, zombie), "a branch to be published")
    with contextlib.suppress(psutil.NoSuchProcess):
        late.suspend()
    redrive(lake, run)
    assert lake.wait(run).status == "SUCCEEDED"
    before = lake.snapshots()
    with contextlib.suppress(psutil.NoSuchProcess):
        late.resume()
    ended(lake, "refine", zombie)
    assert lake.snapshots() == before
    assert_true(lake)
    return log(lake, zombie)


def test_a_backfill_in_parallel_is_the_source_and_goes_on_where_it_stopped(lake: SmallLake) -> None:
    lake.orders(200, 202, "n", "timestamp '2026-09-01' + (n - 200) * interval '1 day'")  # late: behind the watermark
    described = pipelines.load(PIPELINE, lake.target.root)
    wanted = backfill.intervals(described, "2026-09-01", "2026-09-03", datetime.now(UTC))
    assert len(wanted) == 3
    first = backfill.load(lake.target, described, wanted[:1], 2, [], again=False)
    rest = backfill.load(lake.target, described, wanted, 3, [], again=False)
    assert [each.status for each in (*first, *rest)] == ["SUCCEEDED", "loaded before", "SUCCEEDED", "SUCCEEDED"]
    assert_true(lake)


def test_a_rerun_goes_from_the_step_that_is_asked(lake: SmallLake) -> None:
    repeated = lake.target.ledger().runs(PIPELINE)[0].run
    for step, states in (("refine", ["Refine", "Model"]), ("model", ["Model"])):
        run = lake.start(logical=RunId.parse(repeated).logical, mode="rerun", repeats=repeated, first_step=step)
        assert lake.wait(run).status == "SUCCEEDED"
        assert jobs_of(lake, run) == states
    assert_true(lake)


def test_a_wrong_input_typed_in_the_console_fails_with_a_sentence(lake: SmallLake) -> None:
    states, machine = lake.client("stepfunctions"), lake.target.state_machine(PIPELINE)
    for name, given, sentence in (
        ("try", {}, "The run id 'try': expected PIPELINE-YYYYMMDDTHHMM-NN"),
        ("tickit-20260101T0000-01", {"mode": "again"}, "The mode 'again': expected one of run, backfill"),
        ("tickit-20260101T0000-02", {"mode": "rerun", "repeats": "tickit-20260101T0000-09"}, "expected in the ledger"),
    ):
        arn = states.start_execution(stateMachineArn=machine, name=name, input=json.dumps(given))["executionArn"]
        found = accidents.until(lambda arn=arn: failed(states, arn), name)  # type: ignore[misc]
        assert sentence in found["cause"]


def test_the_ledger_is_rebuilt_from_the_tables(lake: SmallLake) -> None:
    ledger, dynamodb = lake.target.ledger(), lake.client("dynamodb")
    before = ledger.heads([DATASET, "gold.totals"])
    key = {"pk": {"S": f"DATASET#{DATASET}"}, "sk": {"S": "HEAD"}}
    dynamodb.delete_item(TableName=lake.environment.resource("ledger"), Key=key)
    ledger.intend("tickit-20260101T0000-01", [{"table": "lake.x.y", "dataset": "gold.y", "from": 1, "to": 2}])
    assert [each.done for each in Repair(lake.target, dry_run=True).head(DATASET)] == ["nothing: a dry run"]
    assert ledger.head(DATASET) is None
    repair = Repair(lake.target, dry_run=False)
    assert [each.ledger for each in repair.head(DATASET)] == ["nothing"]
    assert [each.what for each in repair.intents()] == ["publication of tickit-20260101T0000-01"]
    after = ledger.heads([DATASET, "gold.totals"])
    assert [(each.snapshot, each.watermark, each.cursor) for each in after.values()] == [
        (each.snapshot, each.watermark, each.cursor) for each in before.values()
    ]
    assert [*repair.head(DATASET), *repair.head("gold.totals"), *repair.intents()] == []
    assert_as_undisturbed(lake)


def test_commands_say_what_ran_what_was_loaded_and_what_readers_see(
    lake: SmallLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.target.target", lambda env: lake.target)

    def told(*words: str) -> Any:
        answer = CliRunner().invoke(app, [*words, "--json"])
        assert answer.exit_code == 0, answer.output
        return json.loads(answer.stdout)

    runs = told("runs", PIPELINE, "--limit", "100")
    assert {each["mode"] for each in runs} == {"run", "replay", "backfill", "rerun"}
    killed = next(each for each in runs if each["attempts"] == 5)
    assert (killed["status"], killed["read"], killed["inserted"]) == ("succeeded", 30, 30)
    explained = told("explain", DATASET, "--loads", "100")
    refused = next(each for each in explained["loads"] if each["outcome"] and each["outcome"]["status"] == "failed")
    assert "not_too_many" in refused["outcome"]["cause"]
    now = told("status")
    assert now["datasets"][DATASET]["watermark"] == explained["head"]["watermark"]
    assert (now["leases"], now["unfinished"]) == ({}, [])
    assert told("ledger", "repair") == []
    for words in (("runs",), ("status",), ("explain", DATASET), ("explain", killed["run"]), ("ledger", "repair")):
        assert CliRunner().invoke(app, list(words)).exit_code == 0, words
    sentence = str(CliRunner().invoke(app, ["redrive", killed["run"]]).exception)
    assert f"headwater rerun {killed['run']}" in sentence


def redrive(lake: SmallLake, run: str) -> None:
    lake.client("stepfunctions").redrive_execution(executionArn=lake.target.execution(run))


def forget_what_was_applied(lake: SmallLake) -> None:
    """So that the next run applies contracts, as after a change of them."""
    key = {"pk": {"S": f"DATASET#{DATASET}"}, "sk": {"S": "APPLIED"}}
    lake.client("dynamodb").delete_item(TableName=lake.environment.resource("ledger"), Key=key)


def start_job(lake: SmallLake, step: str, run: str) -> str:
    """A job run of the first attempt that no execution knows of."""
    given = {"--run": run, "--attempt": "0"}
    job = lake.environment.resource(step)
    return str(lake.client("glue").start_job_run(JobName=job, Arguments=given)["JobRunId"])


def ended(lake: SmallLake, step: str, job_run: str) -> None:
    accidents.until(lambda: job_state(lake, step, job_run) not in AT_WORK or None, f"the end of {job_run}")


def job_state(lake: SmallLake, step: str, job_run: str) -> str:
    found = lake.client("glue").get_job_run(JobName=lake.environment.resource(step), RunId=job_run)
    return str(found["JobRun"]["JobRunState"])


def log(lake: SmallLake, job_run: str) -> str:
    group = f"{lake.environment.job_log_groups}/output"
    pages = (
        lake.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group, logStreamNames=[job_run])
    )
    return " ".join(event["message"] for page in pages for event in page["events"])


def jobs_of(lake: SmallLake, run: str) -> list[str]:
    """The states of an execution that ran a job."""
    events = lake.client("stepfunctions").get_execution_history(executionArn=lake.target.execution(run))["events"]
    named = [each["stateEnteredEventDetails"]["name"] for each in events if "stateEnteredEventDetails" in each]
    return [each for each in named if each.lower() in STEPS]


def failed(states: Any, arn: str) -> dict[str, Any] | None:
    found: dict[str, Any] = states.describe_execution(executionArn=arn)
    return found if found["status"] == "FAILED" else None
