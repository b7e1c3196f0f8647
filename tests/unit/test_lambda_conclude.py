"""The conclude function: green, red or again."""

from __future__ import annotations

import pytest

from lake.ledger import Ledger, NotPlannedError, Outcome
from lambdas.conclude import handler
from tests.unit.functions import bare

RUN, USERS, SALES, GOLD = "tickit-20261121T0000-01", "saas.users", "ecommerce.sales", "gold.sales_by_date"


@pytest.fixture(autouse=True)
def planned(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    bare(handler, monkeypatch)
    ledger.start(RUN, "tickit")
    ledger.plan(RUN, 0, [USERS, SALES], [GOLD])
    ledger.record(Outcome(RUN, 0, "refine", USERS, "succeeded"))
    return ledger


def conclude(attempt: int = 0) -> dict[str, bool]:
    return handler.handle({"run": RUN, "attempt": attempt}, None)


def status(ledger: Ledger) -> str:
    run = ledger.run(RUN)
    assert run
    return run.status


def succeed(ledger: Ledger, attempt: int = 0) -> None:
    ledger.record(Outcome(RUN, attempt, "refine", SALES, "succeeded"))
    ledger.record(Outcome(RUN, attempt, "model", GOLD, "succeeded"))


def fail(ledger: Ledger, attempt: int = 0) -> None:
    ledger.record(Outcome(RUN, attempt, "ingest", SALES, "failed", cause='Table "sales" does not exist.'))
    ledger.record(Outcome(RUN, attempt, "model", GOLD, "failed", cause=f"not built: {SALES} failed"))


def test_a_run_in_which_all_succeeded_has_succeeded(ledger: Ledger) -> None:
    succeed(ledger)
    assert conclude() == {"again": False}
    assert status(ledger) == "succeeded"


def test_a_failed_run_names_every_dataset_with_step_and_cause(ledger: Ledger) -> None:
    fail(ledger)
    with pytest.raises(handler.DatasetsFailedError) as raised:
        conclude()
    assert str(raised.value) == (
        f'2 failed in {RUN}: ecommerce.sales (ingest: Table "sales" does not exist.),'
        " gold.sales_by_date (model: not built: ecommerce.sales failed)"
    )
    assert status(ledger) == "failed"


def test_a_dataset_without_an_outcome_has_failed(ledger: Ledger) -> None:
    with pytest.raises(handler.DatasetsFailedError, match=r"ecommerce.sales \(no outcome"):
        conclude()


def test_a_redrive_is_planned_again_and_then_judged(ledger: Ledger) -> None:
    fail(ledger)
    assert conclude(attempt=1) == {"again": True}
    ledger.plan(RUN, 1, [SALES], [GOLD])
    fail(ledger, attempt=1)
    with pytest.raises(handler.DatasetsFailedError):
        conclude(attempt=1)
    assert conclude(attempt=2) == {"again": True}
    ledger.plan(RUN, 2, [SALES], [GOLD])
    succeed(ledger, attempt=2)
    assert conclude(attempt=2) == {"again": False}
    assert status(ledger) == "succeeded"


def test_a_redrive_of_the_state_that_failed_needs_no_new_plan_where_it_mended_all(ledger: Ledger) -> None:
    succeed(ledger, attempt=1)
    assert conclude(attempt=1) == {"again": False}
    run = ledger.run(RUN)
    assert run
    assert (run.status, run.attempt) == ("succeeded", 1)


def test_a_thousand_failures_fit_into_a_cause(ledger: Ledger) -> None:
    run = "tickit-20261122T0000-01"
    ledger.start(run, "tickit")
    ledger.plan(run, 0, [f"saas.table_{number}" for number in range(1000)], [])
    with pytest.raises(handler.DatasetsFailedError, match=r"^1000 failed .* and 975 more$") as raised:
        handler.handle({"run": run, "attempt": 0}, None)
    assert len(str(raised.value)) < 32_768


def test_a_run_that_was_never_planned_is_an_error() -> None:
    with pytest.raises(NotPlannedError, match="Redrive it from Plan"):
        handler.handle({"run": "tickit-20261123T0000-01", "attempt": 0}, None)
