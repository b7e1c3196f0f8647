"""The refine job: from bronze to silver and quarantine, on real Spark and Iceberg."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import Mock

import pytest

from glue_jobs import iceberg, work
from lake.gates import not_met, told
from tests.spark.shop import ORDER_COLUMNS, Shop

T1, T2, T3 = ("2026-01-01 00:00:00", "2026-01-02 00:00:00", "2026-01-03 00:00:00")


def test_rows_arrive_typed_and_the_counts_add_up(stocked: Shop) -> None:
    job = stocked.run([("1", "1", "10.00", T1), ("2", None, "20.50", T1), ("3", "2", "x", T1), ("4", "9", "1", T1)])
    outcome = stocked.outcome(job)
    assert (outcome.status, outcome.cause) == ("succeeded", "")
    assert (outcome.read, outcome.inserted, outcome.quarantined) == (4, 2, 2)
    assert outcome.rules == {"type_amount": 1, "foreign_key_customer_id": 1}
    assert [(n, str(a)) for n, a in stocked.rows("shop.orders", "order_id", "amount")] == [(1, "10.00"), (2, "20.50")]
    assert [rules for _, rules in stocked.quarantined()] == [["foreign_key_customer_id"], ["type_amount"]]
    head = stocked.ledger.head("shop.orders")
    assert head is not None
    assert head.snapshot == iceberg.head(stocked.spark, stocked.table("shop.orders")) == outcome.snapshot_to
    assert head.watermark == "2026-01-01T00:00:00+00:00"


def test_a_rerun_makes_no_snapshot(stocked: Shop) -> None:
    orders = [("1", "1", "10.00", T1), ("2", "1", "-1", T1)]
    stocked.run(orders)
    before = stocked.snapshots()
    again = stocked.outcome(stocked.run(orders))
    assert (again.unchanged, again.quarantined, again.inserted) == (1, 1, 0)
    assert stocked.snapshots() == before


def test_versions_go_only_forward(stocked: Shop) -> None:
    stocked.run([("1", "1", "2.00", T2), ("2", "1", "2.00", T2)])
    outcome = stocked.outcome(stocked.run([("1", "1", "1.00", T1), ("2", "1", "3.00", T3)]))
    assert (outcome.superseded, outcome.updated) == (1, 1)
    assert [str(amount) for _, amount in stocked.rows("shop.orders", "order_id", "amount")] == ["2.00", "3.00"]


def test_a_snapshot_says_whose_it_is(stocked: Shop) -> None:
    for amount in ("1.00", "2.00"):  # an insert, then an update
        job = stocked.run([("1", "1", amount, T1)])
        summary = dict(iceberg.load(stocked.spark, stocked.table("shop.orders")).currentSnapshot().summary())
        assert summary["headwater.run"] == str(job.run)
        assert (summary["headwater.attempt"], summary["headwater.dataset"]) == ("0", "shop.orders")
        assert summary["headwater.watermark"] == "2026-01-01T00:00:00+00:00"


def test_a_gate_that_fails_leaves_main_and_keeps_the_quarantine(stocked: Shop) -> None:
    stocked.run([("1", "1", "1.00", T1)])
    before = iceberg.head(stocked.spark, stocked.table("shop.orders"))
    job = stocked.run([(str(n), "1", "1.00", T2) for n in range(6)] + [("7", "1", "0", T2)])
    outcome = stocked.outcome(job)
    assert outcome.status == "failed"
    assert "'not_too_many' is 6, expected <= 5" in outcome.cause
    assert iceberg.head(stocked.spark, stocked.table("shop.orders")) == before
    assert [rules for _, rules in stocked.quarantined()] == [["amount_positive"]]
    head = stocked.ledger.head("shop.orders")
    assert head is not None
    assert head.snapshot == before


def test_a_warning_does_not_stop_publication(stocked: Shop) -> None:
    outcome = stocked.outcome(stocked.run([("1", "1", "2000.00", T1)]))
    assert outcome.status == "succeeded"
    assert [told(each) for each in not_met(outcome.gates, "warn")] == ["'cheap' is 2000.0, expected <= 1000"]


def test_a_quarantined_parent_does_not_orphan_its_children(shop: Shop) -> None:
    job = shop.job()
    shop.apply(job)
    shop.load(job, "shop.customers", [("1", None)], "id string, name string")
    shop.load(job, "shop.orders", [("1", "1", "1.00", T1)], "id string, customer string, amount string, changed string")
    shop.refine(job)
    assert shop.outcome(job, "shop.customers").quarantined == 1
    assert shop.outcome(job).inserted == 1


def test_a_parent_that_was_never_loaded_fails_the_child_only(shop: Shop) -> None:
    job = shop.job()
    shop.apply(job)
    shop.load(job, "shop.orders", [("1", "1", "1.00", T1)], "id string, customer string, amount string, changed string")
    shop.refine(job)
    assert "shop.customers, of which nothing was ever loaded" in shop.outcome(job).cause


def test_an_increment_is_not_the_whole_parent(shop: Shop) -> None:
    names = "id string, name string"
    shop.with_contracts(customers={"load_mode": "incremental"})
    first = shop.job()
    shop.apply(first)
    shop.load(first, "shop.customers", [("1", "one"), ("2", None)], names)  # 2 goes into quarantine
    shop.refine(first)
    job = shop.job()
    shop.load(job, "shop.customers", [("3", "three")], names, complete=False)
    shop.load(job, "shop.orders", [(each, each, "1.00", T1) for each in "1234"], ORDER_COLUMNS)
    shop.refine(job)
    assert shop.outcome(job, "shop.customers").inserted == 1
    assert shop.rows("shop.orders", "order_id") == [(1,), (2,), (3,)]
    assert shop.outcome(job).rules == {"foreign_key_customer_id": 1}


def test_an_attempt_that_ended_between_publishing_and_saying_so_is_told_as_it_was(
    stocked: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(stocked.ledger, "publish_head", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            stocked.run([("1", "1", "1.00", T1), ("2", "1", "-1", T1)])
    assert stocked.ledger.head("shop.orders") is None
    job = stocked.job(f"shop-20260101T{stocked.number:02}00-01", attempt=1)
    stocked.refine(job)
    outcome = stocked.outcome(job)
    assert (outcome.read, outcome.inserted, outcome.quarantined) == (2, 1, 1)
    assert outcome.rules == {"amount_positive": 1}
    assert [each["name"] for each in outcome.gates] == ["not_too_many", "key_is_unique", "cheap"]
    head = stocked.ledger.head("shop.orders")
    assert head is not None
    assert (head.snapshot, head.run, head.watermark) == (outcome.snapshot_to, str(job.run), "2026-01-01T00:00:00+00:00")


def test_what_was_read_earlier_does_not_win_over_a_publication_that_the_ledger_was_not_told_of(
    stocked: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    early, late = stocked.job(), stocked.job()
    stocked.apply(early)
    for job, amount, began in ((early, "1.00", T1), (late, "2.00", T2)):
        stocked.load(job, "shop.orders", [("1", "1", amount, T1)], ORDER_COLUMNS, began=f"{began}+00:00")
    with monkeypatch.context() as patch:
        patch.setattr(stocked.ledger, "publish_head", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            stocked.refine(late)
    assert stocked.ledger.head("shop.orders") is None
    stocked.refine(early)
    assert (stocked.outcome(early).updated, stocked.outcome(early).superseded) == (0, 1)
    assert [str(amount) for (amount,) in stocked.rows("shop.orders", "amount")] == ["2.00"]


def test_of_two_readings_without_a_cursor_the_later_one_wins_whatever_their_runs_are_called(shop: Shop) -> None:
    first, last = shop.job(), shop.job()
    shop.apply(first)
    for job, name, began in ((first, "read last", T2), (last, "read first", T1)):
        shop.load(job, "shop.customers", [("1", name)], "id string, name string", began=f"{began}+00:00")
        shop.refine(job)
    assert shop.rows("shop.customers", "name") == [("read last",)]
    assert shop.outcome(last, "shop.customers").superseded == 1


def test_a_load_that_is_not_read_whole_is_not_published(shop: Shop) -> None:
    job = shop.job()
    shop.apply(job)
    shop.load(job, "shop.customers", [("1", "Ann"), ("2", "Bob")], "id string, name string")
    load = shop.ledger.load("shop.customers", str(job.run))
    assert load is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shop.ledger, "load", lambda *_: replace(load, rows=3))
        patch.setattr(work, "TRIES", 1)
        shop.refine(job)
    outcome = shop.outcome(job, "shop.customers")
    assert outcome.status == "failed"
    assert "Of shop.customers: 2 rows were read of a load of 3" in outcome.cause
    assert shop.ledger.head("shop.customers") is None


def test_a_source_column_that_is_gone_is_named(shop: Shop) -> None:
    job = shop.job()
    shop.apply(job)
    shop.load(job, "shop.customers", [("1",)], "id string")
    shop.refine(job)
    cause = shop.outcome(job, "shop.customers").cause
    assert cause == 'Column "name" of table "customers" does not exist in source "shop".'


def test_no_attempt_writes_on_a_branch_of_an_earlier_one(shop: Shop) -> None:
    job = shop.job()
    shop.apply(job)
    table = shop.table("shop.customers")
    names = [iceberg.new_branch(shop.spark, table, job.run.branch(0)) for _ in range(3)]
    assert len(set(names)) == 3
    assert names[0] == job.run.branch(0)
