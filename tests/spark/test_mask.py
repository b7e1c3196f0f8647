"""The mask job: what others may see of a dataset, and what of the rest can still be found out."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from glue_jobs import apply, iceberg, mask
from glue_jobs.masking import masked
from glue_jobs.work import Job, work
from lake.ledger import Ledger, Outcome
from lake.parts import Column, Dataset, Mask
from tests.spark.conftest import mocked_ledger
from tests.spark.kept import Kept
from tests.spark.shop import CUSTOMERS, ORDERS, Shop

KEY = mask.Key("masking", "v1", b"a secret of the test")
DOMAIN = "shop_customers.customer_id"
JOINED = {"how": "hash", "domain": DOMAIN}
TIMES = ("2026-01-01 00:00:00", "2026-01-02 00:00:00")


def hashed(value: object, domain: str = DOMAIN, key: bytes = KEY.secret) -> str:
    return hmac.new(key, f"{domain}\0{value}".encode(), hashlib.sha256).hexdigest()


def columns(fields: dict[str, Any], masks: dict[str, Any]) -> dict[str, Any]:
    return {"columns": [{**each, "mask": masks.get(each["name"])} for each in fields["columns"]]}


@pytest.fixture(scope="module")
def first_run(with_customers: Kept, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    with mocked_ledger() as ledger:
        made = with_masks(with_customers.again(ledger))
        make(made, made.run(ROWS))
        return Kept(made, tmp_path_factory.mktemp("masked"))


@pytest.fixture
def masked_shop(first_run: Kept, ledger: Ledger) -> Shop:
    """A shop of which a first run has made the masked tables."""
    return first_run.again(ledger)


def with_masks(shop: Shop) -> Shop:
    """Customers without their names, orders that join with them and hide their own number."""
    orders = columns(ORDERS, {"order_id": {"how": "hash", "domain": "shop.orders/order_id"}, "customer_id": JOINED,
                              "amount": {"how": "truncate", "to": 10},
                              "changed_at": {"how": "generalise", "to": "month"}})  # fmt: skip
    groups = "SELECT count(*) AS n FROM {table} GROUP BY customer_id"
    group = {"name": "smallest_group", "metric": "sql", "operator": ">=", "threshold": 2, "severity": "warn",
             "expression": f"SELECT coalesce(min(n), 2) FROM ({groups})"}  # fmt: skip
    customers = columns(CUSTOMERS, {"customer_id": JOINED, "name": {"how": "omit"}})
    shop.lake = shop.with_contracts(customers=customers, orders={**orders, "masked_gates": [group]})
    return shop


def make(shop: Shop, job: Job, key: mask.Key = KEY) -> dict[str, Outcome]:
    done = work(job, "mask", mask.pending(job), lambda task: mask.mask(task, key))
    return {each.dataset: each for each in done}


def shown(shop: Shop, name: str) -> DataFrame:
    return shop.spark.table(shop.table(f"shop.{name}__masked"))


ROWS = [("1", "1", "11.50", TIMES[0]), ("2", "1", "5.00", TIMES[0]), ("3", "2", "27.00", TIMES[1])]


def test_a_masked_table_shows_what_its_contract_says_and_no_more(masked_shop: Shop) -> None:
    told = masked_shop.ledger.outcomes(f"shop-20260101T{masked_shop.number:02}00-01")
    done = {each.dataset: each for each in told if each.step == "mask"}
    assert [each.inserted for each in done.values()] == [2, 3]
    found = masked_shop.rows("shop.orders__masked", "customer_id", "amount", "changed_at")
    month = datetime(2026, 1, 1, tzinfo=UTC)
    assert Counter((who, float(amount), at.astimezone(UTC)) for who, amount, at in found) == Counter(
        [(hashed(1), 10.0, month), (hashed(1), 0.0, month), (hashed(2), 20.0, month)]
    )
    assert shown(masked_shop, "customers").columns == ["customer_id", "_version", "_hash", "_run"]
    assert done["shop.orders__masked"].gates[0]["value"] == 1
    assert not done["shop.orders__masked"].gates[0]["passed"]


def test_masked_tables_join_where_the_contract_says_so_and_nowhere_else(masked_shop: Shop) -> None:
    orders, customers = (shown(masked_shop, each) for each in ("orders", "customers"))
    assert orders.join(customers, "customer_id").count() == 3
    both = {row["order_id"] for row in orders.collect()} & {row["customer_id"] for row in customers.collect()}
    assert not both  # orders and customers are numbered alike


def test_without_the_key_no_known_id_is_found_again(masked_shop: Shop) -> None:
    """Nor by the row's hash and version, which in silver are made of what is hidden here."""
    rows = shown(masked_shop, "orders").collect()
    held = {str(value) for row in rows for value in row}
    guesses = {made for n in range(100) for made in (str(n), hashlib.sha256(str(n).encode()).hexdigest(),
               hashed(n, key=b""), hashed(n, "shop.orders/order_id", b""))}  # fmt: skip
    assert not held & guesses
    silver = masked_shop.spark.table(masked_shop.table("shop.orders")).collect()
    assert not held & {row["_hash"] for row in silver}
    assert not {row["_version"] for row in rows} & {row["changed_at"] for row in silver}


def test_how_often_a_hash_comes_is_still_seen(masked_shop: Shop) -> None:
    """What no hash prevents: who knows that one customer alone ordered twice knows which hash is theirs."""
    counted = Counter(who for (who,) in masked_shop.rows("shop.orders__masked", "customer_id"))
    assert counted.most_common(1) == [(hashed(1), 2)]


def test_a_run_that_changes_nothing_writes_nothing_and_one_that_does_writes_that(masked_shop: Shop) -> None:
    table = masked_shop.table("shop.orders__masked")
    before = iceberg.head(masked_shop.spark, table)
    again = make(masked_shop, masked_shop.run(ROWS))
    assert (again["shop.orders__masked"].unchanged, iceberg.head(masked_shop.spark, table)) == (3, before)
    changed = [("1", "1", "12.00", TIMES[1]), ("2", "1", "99.00", TIMES[1])]
    last = make(masked_shop, masked_shop.run(changed))["shop.orders__masked"]
    assert (last.updated, last.unchanged) == (1, 2)  # 12.00 is shown as 11.50 was
    assert masked_shop.ledger.head("shop.orders__masked").snapshot == iceberg.head(masked_shop.spark, table)  # type: ignore[union-attr]


def test_another_key_is_refused_until_somebody_asks_for_it(masked_shop: Shop) -> None:
    outcome = make(masked_shop, masked_shop.run(ROWS), mask.Key("masking", "v2", b"another"))["shop.orders__masked"]
    assert outcome.status == "failed"
    assert "was made with v1" in outcome.cause
    assert "another" not in outcome.cause + outcome.remedy


def test_no_plan_and_no_error_shows_the_key(spark: SparkSession, capfd: pytest.CaptureFixture[str]) -> None:
    rows = masked(spark.createDataFrame([("a",)], "name string"), dataset(("name", "string", Mask("hash"))), KEY.secret)
    rows.explain("extended")
    assert KEY.secret.decode() not in capfd.readouterr().out
    assert KEY.secret.decode() not in repr(KEY)


def test_a_mask_is_what_it_is_called(spark: SparkSession) -> None:
    fields = [(f"c{n}", type_, Mask(how, to=to)) for n, (type_, _, how, to, _) in enumerate(CASES)]
    rows = spark.createDataFrame([tuple(value for _, value, *_ in CASES)], ", ".join(f"{n} {t}" for n, t, _ in fields))
    [found] = masked(rows, dataset(*fields), KEY.secret).collect()
    assert {each: found[name] for each, (name, *_) in zip(CASES, fields, strict=True)} == {
        each: each[-1] for each in CASES
    }


CASES: list[tuple[Any, ...]] = [  # a type, a value, its mask and what is seen of it
    ("string", "(664) 602-4412", "truncate", 5, "(664)"),
    ("bigint", -7, "truncate", 5, -10),
    ("double", 7.5, "truncate", 5, 5.0),
    ("date", date(1987, 6, 5), "generalise", "decade", date(1980, 1, 1)),
    ("date", date(1987, 6, 5), "generalise", "year", date(1987, 1, 1)),
    ("date", date(1987, 6, 5), "generalise", "month", date(1987, 6, 1)),
    ("string", "02139", "generalise", "postal", "021**"),
    ("string", "02", "generalise", "postal", "02"),
    ("int", 3, "null", None, None),
    ("string", None, "hash", None, None),
]


def dataset(*fields: tuple[str, str, Mask]) -> Dataset:
    made = tuple(Column(name, type_, mask=each) for name, type_, each in fields)
    return Dataset("shop.x__masked", "shop", "x__masked", "silver", "1.0.0", "", made, (fields[0][0],))


def test_masked_tables_are_made_from_the_contract(shop: Shop) -> None:
    job = with_masks(shop).job()
    assert "shop.orders__masked" in apply.pending(job)
    shop.apply(job)
    assert apply.pending(job) == []
    told = {each.name: each.dataType.simpleString() for each in shown(shop, "orders").schema}
    assert told["order_id"] == told["customer_id"] == "string"
    assert told["amount"] == "decimal(8,2)"
    assert not shop.spark.catalog.tableExists(f"{shop.table('shop.orders__masked')}__quarantine")
