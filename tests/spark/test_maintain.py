"""Maintenance: tables keep their rows, lose their small files and their past, and nobody at work is disturbed."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from glue_jobs import apply, compaction, expiry, iceberg, maintain, refine
from glue_jobs.evolution import create_deleted
from glue_jobs.inputs import Inputs
from glue_jobs.work import Job, work
from lake.environment import Maintenance
from lake.ledger import Ledger, Outcome
from lake.runs import RunId
from tests.spark.conftest import mocked_ledger
from tests.spark.kept import Kept
from tests.spark.shop import ORDER_COLUMNS, Shop

ORDERS, TOTALS = "shop.orders", "gold.totals"
COLUMNS = ("order_id", "amount", "_run", "_version")


def order(number: int, amount: str, day: int) -> tuple[str, str, str, str]:
    return (str(number), "1", amount, f"2026-01-{day:02} 00:00:00")


def keep(shop: Shop, **settings: int) -> None:
    environment = shop.lake.environment
    shop.lake.__dict__["environment"] = replace(environment, maintenance=replace(Maintenance(), **settings))


def maintained(shop: Shop, number: int, attempt: int = 0, **asked: object) -> Outcome:
    """What a run of maintenance says of the orders."""
    job = Job(
        shop.spark,
        shop.lake,
        shop.ledger,
        RunId.parse(f"maintain-20260101T{number // 10:02}00-{number % 10:02}"),
        attempt,
    )
    given = maintain.read({"datasets": [ORDERS], **asked}, shop.lake)
    [outcome] = maintain.maintain_all(job, given)
    return outcome


def load(shop: Shop, *orders: tuple[str, str, str, str]) -> Outcome:
    """Orders from bronze to silver, as a run of their own."""
    job = shop.job()
    shop.load(job, ORDERS, orders, ORDER_COLUMNS)
    [outcome] = work(job, "refine", [ORDERS], refine.refine)
    return outcome


@pytest.fixture(scope="module")
def changed(spark: SparkSession, warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    with mocked_ledger() as ledger:
        made = Shop(spark, ledger, warehouse, name="maintained")
        contract = {"partition_by": ["days(changed_at)"], "sort_by": ["order_id"], "references": [], "gates": []}
        made.with_contracts(orders=contract)
        work(made.job(), "apply", [ORDERS, TOTALS], apply.apply)
        for amount in ("0.50", "1.00"):
            load(made, order(1, amount, 1), order(2, amount, 1), order(3, amount, 2))
        return Kept(made, tmp_path_factory.mktemp("changed"))


@pytest.fixture
def orders(changed: Kept, ledger: Ledger) -> Shop:
    """In daily partitions, sorted, and every one of them changed since it came."""
    shop = changed.again(ledger)
    keep(shop)
    return shop


def test_compaction_folds_deletes_and_keeps_rows_and_the_head_follows(orders: Shop) -> None:
    rows, head = orders.rows(ORDERS, *COLUMNS), orders.ledger.head(ORDERS)
    assert iceberg.weigh(orders.spark, orders.table(ORDERS))["deletes"] > 0
    outcome = maintained(orders, 11)
    [told] = [each for each in outcome.tables if each["table"].endswith("shop_orders")]
    assert (outcome.note, told["after"]["files"], told["after"]["deletes"]) == ("", 2, 0)
    assert orders.rows(ORDERS, *COLUMNS) == rows
    now, main = orders.ledger.head(ORDERS), iceberg.head(orders.spark, orders.table(ORDERS))
    assert head is not None
    assert main != head.snapshot
    assert now == replace(head, snapshot=main)
    said = [iceberg.summary(orders.spark, orders.table(ORDERS), each) for each in (main, head.snapshot) if each]
    assert all(said[0][name] == said[1][name] for name in said[1] if name.startswith("headwater."))
    assert said[0]["headwater.maintenance"] == "maintain-20260101T0100-01"


def test_a_rerun_after_maintenance_is_still_a_no_op(orders: Shop) -> None:
    maintained(orders, 221)
    before = iceberg.weigh(orders.spark, orders.table(ORDERS))
    same = [(str(number), "1", str(amount), str(at)[:19]) for number, amount, _, at in orders.rows(ORDERS, *COLUMNS)]
    outcome = load(orders, *same)
    assert (outcome.status, outcome.unchanged, outcome.inserted + outcome.updated) == ("succeeded", len(same), 0)
    assert iceberg.weigh(orders.spark, orders.table(ORDERS)) == before


def test_gold_is_not_rebuilt_because_its_input_was_compacted(orders: Shop) -> None:
    inputs, best = Inputs(orders.job(), [orders.lake.dataset(TOTALS)]), orders.lake.dataset(TOTALS)
    maintained(orders, 31)
    assert Inputs(orders.job(), [best]).said(best) == inputs.said(best)


def test_a_table_that_another_run_is_writing_is_left_alone_and_said_so(orders: Shop) -> None:
    before = iceberg.weigh(orders.spark, orders.table(ORDERS))
    with orders.ledger.lease(orders.table(ORDERS), "shop-20260101T2300-01", attempt=0):
        outcome = maintained(orders, 41)
    assert "shop-20260101T2300-01" in outcome.note
    assert iceberg.weigh(orders.spark, orders.table(ORDERS)) == before


def test_a_load_at_the_same_time_loses_nothing(orders: Shop) -> None:
    before = {row[0]: str(row[1]) for row in orders.rows(ORDERS, *COLUMNS)}
    with ThreadPoolExecutor(2) as pool:
        upkeep = pool.submit(maintained, orders, 51)
        loaded = pool.submit(load, orders, order(1, "4.00", 3), order(4, "4.00", 3))
        assert {upkeep.result().status, loaded.result().status} == {"succeeded"}
    head = orders.ledger.head(ORDERS)
    assert {row[0]: str(row[1]) for row in orders.rows(ORDERS, *COLUMNS)} == {**before, 1: "4.00", 4: "4.00"}
    assert head is not None
    assert head.snapshot == iceberg.head(orders.spark, orders.table(ORDERS))


def test_maintenance_that_is_killed_between_commit_and_ledger_is_redriven(
    orders: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = orders.rows(ORDERS, *COLUMNS)
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "move_head", lambda *_: (_ for _ in ()).throw(KeyError("killed")))
        assert maintained(orders, 61).status == "failed"
    table = orders.table(ORDERS)
    assert orders.ledger.head(ORDERS).snapshot != iceberg.head(orders.spark, table)  # type: ignore[union-attr]
    assert maintained(orders, 61, attempt=1).status == "succeeded"
    assert orders.ledger.head(ORDERS).snapshot == iceberg.head(orders.spark, table)  # type: ignore[union-attr]
    assert (orders.rows(ORDERS, *COLUMNS), orders.ledger.remaining("maintain-20260101T0600-01").datasets) == (rows, ())


def test_expiry_keeps_what_is_main_what_a_branch_ends_in_and_what_was_main_of_late(orders: Shop) -> None:
    table = orders.table(ORDERS)
    kept = iceberg.new_branch(orders.spark, table, "run_shop_kept")
    branched = iceberg.head(orders.spark, table, kept)
    load(orders, order(1, "5.00", 1))
    before = {int(each.snapshotId()) for each in iceberg.load(orders.spark, table).snapshots()}
    maintained(orders, 71)
    assert before <= {int(each.snapshotId()) for each in iceberg.load(orders.spark, table).snapshots()}
    keep(orders, snapshot_days=0)
    maintained(orders, 72)
    left = {int(each.snapshotId()) for each in iceberg.load(orders.spark, table).snapshots()}
    refs = {int(ref.snapshotId()) for ref in dict(iceberg.load(orders.spark, table).refs()).values()}
    assert left == refs
    assert branched in left
    assert iceberg.read(orders.spark, table, branched).count() >= 3


def test_orphans_go_and_files_of_the_table_its_neighbour_and_the_young_stay(orders: Shop) -> None:
    data = Path(orders.lake.location(orders.lake.dataset(ORDERS)).removeprefix("file:")) / "data"
    neighbour = data.parent.parent / "shop_orders__quarantine" / "data"
    neighbour.mkdir(parents=True, exist_ok=True)
    orphan, young, other = data / "orphan.parquet", data / "young.parquet", neighbour / "other.parquet"
    for file in (orphan, young, other):
        file.write_bytes(b"PAR1")
    long_ago = time.time() - 10 * 86400
    for file in [each for each in data.rglob("*.parquet") if each != young] + [other]:
        os.utime(file, (long_ago, long_ago))
    rows = orders.rows(ORDERS, *COLUMNS)
    told = expiry.orphans(orders.spark, orders.table(ORDERS), datetime.now(UTC) - timedelta(days=3), delete=False)
    assert (told, orphan.exists()) == (1, True)
    expiry.orphans(orders.spark, orders.table(ORDERS), datetime.now(UTC) - timedelta(days=3), delete=True)
    assert [each.exists() for each in (orphan, young, other)] == [False, True, True]
    assert orders.rows(ORDERS, *COLUMNS) == rows


def test_a_dry_run_changes_nothing_and_says_what_there_is_to_do(orders: Shop) -> None:
    before = iceberg.weigh(orders.spark, orders.table(ORDERS))
    outcome = maintained(orders, 91, dry_run=True)
    assert iceberg.weigh(orders.spark, orders.table(ORDERS)) == before
    assert "dry run" in outcome.note
    assert outcome.tables[0]["done"]["rewritten"] > 0


def test_a_load_writes_one_sorted_file_for_each_partition_however_many_tasks_it_has(orders: Shop) -> None:
    spark, table = orders.spark, orders.table(ORDERS)
    many = {"spark.sql.shuffle.partitions": "8", "spark.sql.adaptive.coalescePartitions.enabled": "false"}
    before = {name: str(spark.conf.get(name)) for name in many}
    for name, value in many.items():
        spark.conf.set(name, value)
    try:
        load(orders, *(order(number, "77.00", 1 + number % 2) for number in (*range(60, 100), 2, 3)))
    finally:
        for name, value in before.items():
            spark.conf.set(name, value)
    found = iceberg.load(spark, table)
    appended = found.currentSnapshot()
    merged = found.snapshot(appended.parentId())
    assert [int(dict(each.summary())["added-data-files"]) for each in (appended, merged)] == [2, 2]
    newest = [str(each.location()) for each in appended.addedDataFiles(found.io())]
    numbers = [row["order_id"] for row in spark.read.parquet(newest[0]).select("order_id").collect()]
    assert numbers == sorted(numbers)


def test_manifests_that_a_scan_would_have_to_open_are_rewritten(orders: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    table, rows = orders.table(ORDERS), orders.rows(ORDERS, *COLUMNS)
    monkeypatch.setattr(compaction, "MANIFESTS", 1)
    outcome = maintained(orders, 9)
    main = iceberg.head(orders.spark, table)
    assert outcome.tables[0]["done"]["manifests"] > 1
    assert orders.rows(ORDERS, *COLUMNS) == rows
    assert orders.ledger.head(ORDERS).snapshot == main  # type: ignore[union-attr]
    assert iceberg.summary(orders.spark, table, main or 0)["headwater.maintenance"] == outcome.run


def test_tombstones_go_when_no_load_can_meet_them_any_more(orders: Shop) -> None:
    table, spark = orders.lake.deleted(orders.lake.dataset(ORDERS)), orders.spark
    place = orders.lake.deleted_location(orders.lake.dataset(ORDERS))
    spark.sql(create_deleted(table, place, orders.lake.dataset(ORDERS)))
    now = datetime.now(UTC)
    for days, number in ((1, 501), (40, 502)):
        at = (now - timedelta(days=days)).isoformat()
        spark.sql(f"INSERT INTO {table} VALUES ({number}, timestamp'2026-01-01', timestamp'{at}', 'r')")
    maintained(orders, 10)
    assert [row["order_id"] for row in spark.table(table).collect()] == [501]


def test_partitions_of_every_layout_that_a_table_has_had_are_compacted(spark: SparkSession) -> None:
    table = "lake.maintained_silver.laid_out_anew"
    spark.sql(f"CREATE TABLE {table} (id INT, at TIMESTAMP) USING iceberg PARTITIONED BY (days(at))")
    for number in (1, 2):
        spark.sql(f"INSERT INTO {table} VALUES ({number}, timestamp'2026-01-01')")
    spark.sql(f"ALTER TABLE {table} REPLACE PARTITION FIELD days(at) WITH months(at)")
    for number in (3, 4):
        spark.sql(f"INSERT INTO {table} VALUES ({number}, timestamp'2026-02-01')")
    for bite in compaction.bites(spark, table, datetime.now(UTC) + timedelta(days=1)):
        compaction.compact(spark, table, bite, {})
    assert iceberg.weigh(spark, table)["files"] == 2
    assert sorted(row["id"] for row in spark.table(table).collect()) == [1, 2, 3, 4]
