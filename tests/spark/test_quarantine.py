"""Quarantine: exactly the rows that broke a rule, until their source has mended or lost them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from glue_jobs import iceberg
from lake.ledger import Ledger, Outcome
from tests.spark.conftest import mocked_ledger
from tests.spark.kept import Kept
from tests.spark.shop import Shop

COLUMNS = (
    "id string, customer string, amount string, currency string, code string, begins string, ends string, at string"
)
CONTRACT: dict[str, Any] = {
    "columns": [
        {"name": "order_id", "type": "bigint", "source": "id", "required": True},
        {"name": "customer_id", "type": "bigint", "source": "customer"},
        {"name": "amount", "type": "decimal(8,2)", "source": "amount", "required": True},
        {"name": "currency", "type": "string", "source": "currency"},
        {"name": "code", "type": "string", "source": "code"},
        {"name": "begins_on", "type": "date", "source": "begins"},
        {"name": "ends_on", "type": "date", "source": "ends"},
        {"name": "changed_at", "type": "timestamp", "source": "at"},
    ],
    "rules": [
        {"name": "currency_valid", "expression": "currency IN ('EUR', 'USD')"},
        {"name": "code_valid", "expression": "code RLIKE '^[A-Z]{2}[0-9]{3}$'"},
        {"name": "ends_after_it_begins", "expression": "ends_on >= begins_on"},
    ],
    "gates": [],
}  # fmt: skip


@dataclass(frozen=True)
class Order:
    id: str
    customer: str | None = "1"
    amount: str | None = "10.00"
    currency: str | None = "EUR"
    code: str | None = "AB123"
    begins: str | None = "2026-01-01"
    ends: str | None = "2026-01-02"
    at: str | None = "2026-01-01 00:00:00"

    @property
    def row(self) -> tuple[str | None, ...]:
        return tuple(vars(self).values())


BROKEN: dict[str, dict[str, Any]] = {
    "type_begins_on": {"begins": "soon", "ends": None},
    "required_amount": {"amount": None},
    "currency_valid": {"currency": "GBP"},
    "code_valid": {"code": "AB12"},
    "ends_after_it_begins": {"ends": "2025-12-31"},
    "foreign_key_customer_id": {"customer": "9"},
    "type_amount": {"amount": "1000000.00"},  # more digits than the contract's decimal holds
}
EACH, WAYS = 10, 8


def good() -> list[Order]:
    return [Order(str(number)) for number in range(EACH * WAYS * 10)]


def bad_batch() -> list[Order]:
    """One row in ten is broken, in each of eight ways equally often; the eighth are rows that contradict each other."""
    rows = good()
    for way, change in enumerate(BROKEN.values()):
        for number in range(way * EACH, (way + 1) * EACH):
            rows[number] = replace(rows[number], **change)
    doubled = rows[-EACH // 2 :]
    return [*rows[: -EACH // 2], *doubled, *(replace(each, amount="11.00") for each in doubled)]


class Batches:
    """The shop, with orders that can break a rule in eight ways, or in seven without their customers."""

    def __init__(self, shop: Shop, parents: bool) -> None:
        self.shop, self.parents = shop, parents
        shop.lake = shop.with_contracts(orders=CONTRACT if parents else {**CONTRACT, "references": []})

    def load(self, orders: list[Order], columns: str = COLUMNS, more: tuple[str, ...] = (), **facts: str) -> Outcome:
        shop, job = self.shop, self.shop.job()
        shop.apply(job)
        if self.parents:
            shop.load(job, "shop.customers", [("1", "one")], "id string, name string")
        shop.load(job, "shop.orders", [(*each.row, *more) for each in orders], columns, **facts)
        shop.refine(job)
        return shop.outcome(job)

    def quarantine(self) -> Any:
        return self.shop.spark.table(self.shop.lake.quarantine(self.shop.lake.dataset("shop.orders")))

    def states(self) -> dict[str, int]:
        return dict(Counter(row["_state"] for row in self.quarantine().collect()))

    def snapshots(self) -> int:
        table = self.shop.lake.quarantine(self.shop.lake.dataset("shop.orders"))
        return len(list(iceberg.load(self.shop.spark, table).snapshots()))


@pytest.fixture(scope="module")
def applied_batches(spark: SparkSession, warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    with mocked_ledger() as ledger:
        made = Batches(Shop(spark, ledger, warehouse, name="batches"), parents=False).shop
        made.apply()
        return Kept(made, tmp_path_factory.mktemp("batches"))


@pytest.fixture
def batches(applied_batches: Kept, ledger: Ledger) -> Batches:
    return Batches(applied_batches.again(ledger), parents=False)


def test_of_a_bad_batch_the_good_rows_are_loaded_and_all_once_the_source_is_mended(new_shop: Shop) -> None:
    batches = Batches(new_shop, parents=True)
    outcome = batches.load(bad_batch())
    rows = len(bad_batch())
    assert (outcome.status, outcome.read, outcome.inserted) == ("succeeded", rows, rows - EACH * WAYS)
    assert outcome.rules == {rule: EACH for rule in (*BROKEN, "key_conflict")}
    refused = [row["_rules"] for row in batches.quarantine().collect()]
    assert Counter(rule for [rule] in refused) == Counter({rule: EACH for rule in (*BROKEN, "key_conflict")})

    again = batches.load(bad_batch())
    assert (again.inserted, again.updated, again.quarantined) == (0, 0, EACH * WAYS)
    assert batches.snapshots() == 1

    outcome = batches.load(good()[1:])  # mended, but for a row that the source no longer has
    assert (outcome.quarantined, outcome.inserted) == (0, 7 * EACH - 1 + EACH // 2)
    assert len(batches.shop.rows("shop.orders", "order_id")) == len(good()) - 1
    assert batches.states() == {"replayed": EACH * WAYS - 1, "dropped": 1}
    assert {row["_last_run"] for row in batches.quarantine().collect()} == {outcome.run}
    assert batches.snapshots() == 2


def test_a_row_is_refused_once_however_many_columns_its_source_adds(batches: Batches) -> None:
    broken = [Order("1", amount="x")]
    batches.load(broken)
    batches.load(broken, f"{COLUMNS}, colour string", ("red",))
    assert batches.states() == {"open": 1}
    assert batches.snapshots() == 1


def test_rows_that_are_still_refused_say_so_when_others_come_or_go(batches: Batches) -> None:
    still, mended = Order("1", amount="x"), Order("2", amount="x")
    first = batches.load([still, mended])
    later = batches.load([still, replace(mended, amount="1.00"), Order("3", code="?")])
    runs = {row["_raw"][-30:]: (row["_first_run"], row["_last_run"]) for row in batches.quarantine().collect()}
    assert sorted(runs.values()) == [(first.run, later.run), (first.run, later.run), (later.run, later.run)]
    assert batches.states() == {"open": 2, "replayed": 1}


def test_a_row_that_breaks_again_is_opened_again(batches: Batches) -> None:
    broken = [Order("1", amount="x")]
    for orders in (broken, [Order("1")], broken):
        batches.load(orders)
    assert batches.states() == {"open": 1, "replayed": 1}


def test_an_old_load_that_is_refined_again_opens_no_row_that_was_mended_since(batches: Batches) -> None:
    broken, then, since = Order("1", amount="x"), "2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00"
    batches.load([broken], began=then)
    batches.load([Order("1")], began=since)
    again = batches.load([broken, Order("2", amount="x")], began=then)
    assert again.quarantined == 2
    assert batches.states() == {"replayed": 1, "open": 1}


def test_a_row_that_is_changed_and_still_broken_is_open_as_it_is_now(batches: Batches) -> None:
    batches.load([Order("1", amount="x")])
    batches.load([Order("1", amount="y")])
    assert {row["_state"]: '"amount":"y"' in row["_raw"] for row in batches.quarantine().collect()} == {
        "dropped": False,
        "open": True,
    }
