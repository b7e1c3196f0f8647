"""The model job: gold from pinned snapshots, published whole or not at all, and rolled forward after a crash."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from glue_jobs import iceberg, model, publication
from glue_jobs.publish import move, publish
from lake.ledger import Ledger
from tests.spark.conftest import mocked_ledger
from tests.spark.kept import Kept
from tests.spark.shop import SILVER, Shop

T1, T2 = ("2026-01-01 00:00:00", "2026-01-02 00:00:00")
FIRST = [("1", "1", "10.00", T1), ("2", "1", "5.00", T1), ("3", "2", "1.00", T1)]
SECOND = [("1", "1", "20.00", T2)]
GOLD = ("gold.totals", "gold.best")


@pytest.fixture(scope="module")
def first_run(with_customers: Kept, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    with mocked_ledger() as ledger:
        made = with_customers.again(ledger)
        assert [each.status for each in made.build(made.run(FIRST))] == ["succeeded", "succeeded"]
        return Kept(made, tmp_path_factory.mktemp("built"))


@pytest.fixture
def built(first_run: Kept, ledger: Ledger) -> Shop:
    """A shop of which a first run has published the gold."""
    return first_run.again(ledger)


def totals(shop: Shop) -> list[tuple[int, str]]:
    return [(customer, str(total)) for customer, total in shop.rows("gold.totals", "customer_id", "total")]


def heads(shop: Shop) -> list[int | None]:
    return [iceberg.head(shop.spark, shop.table(each)) for each in GOLD]


def test_gold_follows_silver_and_a_rerun_changes_nothing(built: Shop) -> None:
    assert totals(built) == [(1, "15.00"), (2, "1.00")]
    assert built.rows("gold.best", "customer_id", "name") == [(1, "customer 1")]
    before = built.snapshots()
    again = built.build(built.run(FIRST))
    assert [(each.unchanged, each.inserted) for each in again] == [(2, 0), (1, 0)]
    assert built.snapshots() == before


def test_rows_that_changed_or_vanished_follow(built: Shop) -> None:
    built.lake = built.with_contracts(totals={"sql": "SELECT customer_id, sum(amount) * 2 AS total FROM shop_orders "
                                                   "WHERE customer_id = 1 GROUP BY customer_id"})  # fmt: skip
    job = built.run(FIRST)
    outcome = built.build(job)[0]
    assert (outcome.read, outcome.updated, outcome.deleted) == (1, 1, 1)
    assert totals(built) == [(1, "30.00")]
    summary = dict(iceberg.load(built.spark, built.table("gold.totals")).currentSnapshot().summary())
    assert summary["headwater.run"] == str(job.run)
    assert summary["headwater.made_of"].endswith(f" shop.orders@{built.outcome(job).snapshot_to}")


def test_no_gold_is_published_when_one_model_fails(built: Shop) -> None:
    before = heads(built)
    impossible = {"name": "never", "metric": "row_count", "operator": ">", "threshold": 99}
    built.lake = built.with_contracts(best={"gates": [impossible]})
    job = built.run([*FIRST, ("4", "2", "50.00", T1)])
    failed, said = {each.dataset: each for each in built.build(job)}, "not published: gold.best failed"
    assert failed["gold.totals"].cause == said
    assert "'never' is 2, expected > 99" in failed["gold.best"].cause
    assert heads(built) == before
    assert built.ledger.intents() == []


def test_no_gold_is_built_when_a_dataset_failed(built: Shop) -> None:
    before = heads(built)
    job = built.run([("1", "1", "1", T1)] * 1 + [(str(n), "1", "1", T1) for n in range(2, 9)])
    assert {each.cause for each in built.build(job)} == {"not built: shop.orders failed"}
    assert heads(built) == before


def test_a_row_that_breaks_golds_contract_stops_it(stocked: Shop) -> None:
    stocked.lake = stocked.with_contracts(totals={"rules": [{"name": "at_least_5", "expression": "total >= 5"}]})
    outcome = stocked.build(stocked.run(FIRST))[0]
    assert outcome.status == "failed"
    assert "at_least_5" in outcome.cause
    assert heads(stocked) == [None, None]


def test_a_crash_between_two_tables_is_rolled_forward(built: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    job = built.run([*FIRST, ("4", "2", "50.00", T1)])
    calls: list[Any] = []

    def crash(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        publish(*arguments)

    monkeypatch.setattr(publication, "publish", crash)
    with pytest.raises(KeyboardInterrupt):
        built.build(job)
    monkeypatch.undo()
    assert len(built.ledger.intents()) == 1
    again = built.build(built.job(str(job.run), attempt=1, datasets=SILVER[1:]))
    assert [each.status for each in again] == ["succeeded", "succeeded"]
    assert [(each.inserted, each.updated) for each in again] == [(0, 0), (0, 0)]
    assert totals(built) == [(1, "15.00"), (2, "51.00")]
    assert built.rows("gold.best", "customer_id") == [(1,), (2,)]
    assert built.ledger.intents() == []
    assert [head.snapshot for head in built.ledger.heads(GOLD).values()] == heads(built)


def cut_short(shop: Shop, monkeypatch: pytest.MonkeyPatch, orders: list[Any]) -> None:
    """A run that dies when one of its two gold tables has moved."""
    calls: list[Any] = []

    def crash(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        move(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(publication, "move", crash)
        with pytest.raises(KeyboardInterrupt):
            shop.build(shop.run(orders))
    assert len(shop.ledger.intents()) == 1


def test_a_run_that_waited_for_one_that_was_cut_off_finishes_its_publication_first(
    built: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_short(built, monkeypatch, [*FIRST, ("4", "2", "50.00", T1)])
    waited = built.run([*FIRST, ("4", "2", "60.00", T2)])
    again = model.model(waited, model.pending(waited))  # it had rolled forward before the other wrote its intent
    assert [each.status for each in again] == ["succeeded", "succeeded"]
    assert totals(built) == [(1, "15.00"), (2, "61.00")]
    assert built.ledger.intents() == []
    assert [head.snapshot for head in built.ledger.heads(GOLD).values()] == heads(built)


def test_a_run_that_lost_its_tables_announces_no_publication(built: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    job = built.run([*FIRST, ("4", "2", "50.00", T1)])
    before = heads(built)
    monkeypatch.setattr(built.ledger, "_renew", lambda *_: False)
    outcomes = built.build(job)
    assert [each.status for each in outcomes] == ["failed", "failed"]
    assert all("lease" in each.cause for each in outcomes)
    assert built.ledger.intents() == []
    assert heads(built) == before


def cut_off(shop: Shop, moves: dict[str, str]) -> str:
    """An intent of an earlier run: tables that moved and tables that did not, which have gone elsewhere since."""
    run, built = "shop-20251231T0000-01", []
    for dataset in GOLD:
        main = iceberg.head(shop.spark, shop.table(dataset))
        to = main if moves[dataset] == "moved" else 1
        built.append({"table": shop.table(dataset), "dataset": dataset, "from": 2, "to": to})
    shop.ledger.intend(run, built)
    return run


def test_a_publication_of_which_no_table_moved_is_given_up_when_others_have_published(built: Shop) -> None:
    cut_off(built, {"gold.totals": "not moved", "gold.best": "not moved"})
    before = heads(built)
    assert [each.status for each in built.build(built.run(FIRST))] == ["succeeded", "succeeded"]
    assert built.ledger.intents() == []
    assert heads(built) == before


def test_a_publication_that_cannot_be_finished_says_which_command_settles_it(built: Shop) -> None:
    run = cut_off(built, {"gold.totals": "moved", "gold.best": "not moved"})
    for outcome in built.build(built.run(FIRST)):
        assert f"The publication of {run} was cut off" in outcome.cause
        assert "headwater ledger repair" in outcome.remedy
    assert [each.run for each in built.ledger.intents()] == [run]


def test_a_table_that_another_run_holds_fails_every_model_with_its_holder(
    built: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = cut_off(built, {"gold.totals": "moved", "gold.best": "moved"})
    job = built.run(FIRST)
    monkeypatch.setattr(job.lake, "environment", replace(job.lake.environment, lease_wait=0))
    with built.ledger.lease(built.table("gold.totals"), "shop-20250101T0000-01"):
        outcomes = built.build(job)
    assert [each.status for each in outcomes] == ["failed", "failed"]
    assert all("shop-20250101T0000-01 holds it" in each.cause for each in outcomes)
    assert [each.run for each in built.ledger.intents()] == [run]


def test_gold_follows_silver_in_a_run_of_an_earlier_time(built: Shop) -> None:
    backfill = built.run([*FIRST, ("4", "2", "50.00", T1)], job=built.job("shop-20251231T0000-01", datasets=SILVER[1:]))
    assert [each.superseded for each in built.build(backfill)] == [0, 0]
    assert totals(built) == [(1, "15.00"), (2, "51.00")]
    built.build(built.run([*FIRST, ("4", "2", "60.00", T2)]))
    assert totals(built) == [(1, "15.00"), (2, "61.00")]


def test_gold_does_not_go_back_when_an_earlier_run_is_the_last_to_build_it(stocked: Shop) -> None:
    first = stocked.run(FIRST)
    second = stocked.run([*FIRST, ("4", "2", "50.00", T1)])
    stocked.build(second)
    before = totals(stocked)
    assert {each.status for each in stocked.build(first)} == {"succeeded"}
    assert totals(stocked) == before == [(1, "15.00"), (2, "51.00")]
