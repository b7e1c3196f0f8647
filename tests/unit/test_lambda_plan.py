"""The plan function: what an attempt works on, and which jobs that takes."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from lake.asked import ExecutionInputError
from lake.ledger import Ledger, Load, Outcome, RunNotFoundError
from lake.records import RunStatus
from lake.runs import RunIdError
from lambdas.plan import handler
from lambdas.plan.rerun import CannotRepeatError
from tests.unit.compiled_lake import DATASETS, ENVIRONMENT, LAKE
from tests.unit.functions import bare

RUN = "tickit-20261121T0000-01"
USERS, SALES, GOLD = (each["id"] for each in DATASETS)


@pytest.fixture(autouse=True)
def lake(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """Everything is applied and every table is there."""
    bare(handler, monkeypatch)
    glue, databases = boto3.client("glue"), ENVIRONMENT["databases"]
    for layer in ("silver", "gold"):
        glue.create_database(DatabaseInput={"Name": databases[layer]})
    for table in ("saas_users", "saas_users__quarantine", "ecommerce_sales", "ecommerce_sales__quarantine"):
        glue.create_table(DatabaseName=databases["silver"], TableInput={"Name": table})
    glue.create_table(DatabaseName=databases["gold"], TableInput={"Name": "sales_by_date"})
    [view] = LAKE.views()
    made = {"Name": view.name, "Parameters": {"headwater.hash": view.hash}}
    glue.create_table(DatabaseName=databases["gold"], TableInput=made)
    for dataset in DATASETS:
        ledger.set_applied(dataset["id"], dataset["hash"], fence=1)
    return ledger


def plan(attempt: int = 0, run: str = RUN, **asked: Any) -> dict[str, Any]:
    return handler.handle({"pipeline": "tickit", "run": run, "attempt": attempt, "input": asked}, None)


def refined(dataset: str, attempt: int = 0) -> Outcome:
    return Outcome(RUN, attempt, "refine", dataset, "succeeded")


def test_a_first_attempt_works_on_the_whole_pipeline(ledger: Ledger) -> None:
    steps = {"apply": False, "ingest": True, "refine": True, "mask": False, "model": True}
    assert plan() == {"run": RUN, "attempt": 0, **steps}
    planned, run = ledger.planned(RUN, 0), ledger.run(RUN)
    assert planned
    assert (planned.datasets, planned.models) == ((USERS, SALES), (GOLD,))
    assert run
    assert (run.status, run.pipeline) == ("running", "tickit")


def test_planning_the_same_attempt_again_changes_nothing(ledger: Ledger) -> None:
    first = plan()
    ledger.record(refined(USERS))
    assert plan() == first


@pytest.mark.parametrize("status", ["succeeded", "failed"])
def test_a_new_execution_with_the_name_of_a_run_that_ended_is_refused(status: RunStatus, ledger: Ledger) -> None:
    plan()
    ledger.finish(RUN, status)
    with pytest.raises(RunIdError, match=f"`./headwater rerun {RUN}`"):
        plan()


def test_a_redrive_works_on_what_has_not_succeeded(ledger: Ledger) -> None:
    plan()
    ledger.record(refined(USERS))
    ledger.record(Outcome(RUN, 0, "ingest", SALES, "failed", cause="No table."))
    assert plan(attempt=1)["refine"]
    planned, run = ledger.planned(RUN, 1), ledger.run(RUN)
    assert planned
    assert (planned.datasets, planned.models) == ((SALES,), (GOLD,))
    assert run
    assert run.attempt == 1


def test_a_redrive_with_models_left_works_on_them_alone(ledger: Ledger) -> None:
    plan()
    for dataset in (USERS, SALES):
        ledger.record(refined(dataset))
    answer = plan(attempt=1)
    assert (answer["ingest"], answer["refine"], answer["model"]) == (False, False, True)


def test_a_redrive_after_every_load_does_not_ingest_again(ledger: Ledger) -> None:
    plan()
    for dataset in (USERS, SALES):
        ledger.record(Outcome(RUN, 0, "ingest", dataset, "succeeded"))
    answer = plan(attempt=1)
    assert (answer["ingest"], answer["refine"]) == (False, True)


def test_a_redrive_whose_first_plan_failed_plans_the_whole(ledger: Ledger) -> None:
    plan(attempt=2)
    assert ledger.whole(RUN).datasets == (USERS, SALES)


def test_a_changed_contract_is_applied(ledger: Ledger) -> None:
    ledger.set_applied(SALES, "hash of another version", fence=1)
    assert plan()["apply"]


@pytest.mark.parametrize(
    ("layer", "table"), [("silver", "saas_users"), ("silver", "saas_users__quarantine"), ("gold", "sales_by_date")]
)
def test_a_table_that_is_not_there_is_made(layer: str, table: str) -> None:
    boto3.client("glue").delete_table(DatabaseName=ENVIRONMENT["databases"][layer], Name=table)
    assert plan()["apply"]


def test_an_unfinished_publication_of_this_pipeline_is_finished(ledger: Ledger) -> None:
    plan()
    for dataset in (USERS, SALES):
        ledger.record(refined(dataset))
    ledger.record(Outcome(RUN, 0, "model", GOLD, "succeeded"))
    ledger.intend("other-20261121T0000-01", [])
    assert not plan(attempt=1)["model"]
    ledger.intend("tickit-20261120T0000-01", [])
    assert plan(attempt=2)["model"]


def test_a_view_that_is_new_or_has_changed_is_applied_by_the_next_run() -> None:
    glue, gold = boto3.client("glue"), ENVIRONMENT["databases"]["gold"]
    assert not plan()["apply"]
    changed = {"Name": "sales_of_days", "Parameters": {"headwater.hash": "of what it was before"}}
    glue.update_table(DatabaseName=gold, TableInput=changed)
    assert plan(attempt=1)["apply"]
    glue.delete_table(DatabaseName=gold, Name="sales_of_days")
    assert plan(attempt=2)["apply"]
    assert not handler.views_behind(LAKE, [LAKE.dataset(GOLD)], {}), "what it reads is not there yet"


def test_a_thousand_tables_are_looked_up_by_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    class Paginator:
        asked = 0

        def get_paginator(self, operation: str) -> Paginator:
            assert operation == "get_tables"
            return self

        def paginate(self, **_: Any) -> list[dict[str, Any]]:
            self.asked += 1
            return [{"TableList": [{"Name": f"t{page}_{number}"} for number in range(100)]} for page in range(10)]

    glue = Paginator()
    monkeypatch.setattr(handler, "client", lambda service: glue)
    assert len(handler.tables_in(LAKE, with_bronze=False)) == 1000
    assert glue.asked == 2


@pytest.mark.parametrize("name", ["manual-test", "9f1c7a52-13f4-4f6e-b3ef-2e5d24bd1c2a", "other-20261121T0000-01"])
def test_an_execution_that_is_not_named_as_a_run_of_its_pipeline_is_refused(name: str, ledger: Ledger) -> None:
    with pytest.raises(RunIdError, match=rf"'{name}': expected .* tickit-20261121T0000-01"):
        plan(run=name)
    assert ledger.run(name) is None


AGAIN = "tickit-20261121T0000-02"


def loaded(ledger: Ledger, *datasets: str) -> None:
    """The first run has loaded these datasets, by its second attempt."""
    plan()
    for dataset in datasets:
        ledger.commit_load(dataset, Load(RUN, 1, (f"s3://b/{dataset}.avro",), 7, began="2026-11-22T03:00:00+00:00"))


def test_a_rerun_from_refine_works_on_the_loads_of_the_run_that_it_repeats(ledger: Ledger) -> None:
    loaded(ledger, USERS, SALES)
    for _ in range(2):  # the function may be called twice
        answer = plan(run=AGAIN, mode="rerun", repeats=RUN, first_step="refine")
    assert (answer["ingest"], answer["refine"], answer["model"]) == (False, True, True)
    load = ledger.load(USERS, AGAIN)
    assert load == Load(AGAIN, 0, (f"s3://b/{USERS}.avro",), 7, began="2026-11-22T03:00:00+00:00")
    assert ledger.succeeded(AGAIN, "ingest") == {USERS, SALES}
    run = ledger.run(AGAIN)
    assert run
    assert run.mode == "rerun"


def test_a_rerun_from_refine_needs_every_load(ledger: Ledger) -> None:
    loaded(ledger, USERS)
    with pytest.raises(CannotRepeatError, match=f"no load of {SALES}.*rerun {RUN} --from ingest"):
        plan(run=AGAIN, mode="rerun", repeats=RUN, first_step="refine")
    assert ledger.planned(AGAIN, 0) is None


def test_a_rerun_from_model_builds_gold_alone_and_only_of_whole_silver(ledger: Ledger) -> None:
    loaded(ledger, USERS, SALES)
    ledger.record(refined(USERS))
    with pytest.raises(CannotRepeatError, match=f"did not refine {SALES}"):
        plan(run=AGAIN, mode="rerun", repeats=RUN, first_step="model")
    ledger.record(refined(SALES))
    answer = plan(run=AGAIN, mode="rerun", repeats=RUN, first_step="model")
    assert (answer["ingest"], answer["refine"], answer["model"]) == (False, False, True)


def test_a_rerun_reads_its_sources_as_the_run_did_that_it_repeats(ledger: Ledger) -> None:
    first, second = "tickit-20260101T0000-01", "tickit-20260101T0000-02"
    plan(run=first, mode="backfill", datasets=[USERS])
    plan(run=second, mode="rerun", repeats=first)
    assert plan(attempt=1, run=second, mode="rerun", repeats=first)["ingest"]
    for attempt in (0, 1):
        planned = ledger.planned(second, attempt)
        assert planned
        assert (planned.mode, planned.repeats, planned.datasets) == ("rerun", first, (USERS,))
    assert ledger.reads_as(second) == "backfill"


def test_a_rerun_of_a_run_that_the_ledger_does_not_know_is_refused(ledger: Ledger) -> None:
    with pytest.raises(RunNotFoundError, match=f"'{RUN}': expected in the ledger"):
        plan(run=AGAIN, mode="rerun", repeats=RUN)


def test_an_input_that_is_refused_leaves_no_plan(ledger: Ledger) -> None:
    with pytest.raises(ExecutionInputError, match="The mode 'again'"):
        plan(mode="again")
    assert ledger.planned(RUN, 0) is None
