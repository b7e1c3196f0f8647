"""The sources' generator: TICKIT's sizes, and faults that are exactly the ones it says."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from decimal import ROUND_HALF_UP, Decimal

import pytest

from local import tickit
from local.tickit.faults import CONFLICT, DUPLICATES

SCALE = 0.02
Row = dict[str, str | None]
REQUIRED = {
    "saas.users": {
        "userid": "user_id",
        "username": "username",
        "firstname": "first_name",
        "lastname": "last_name",
        "email": "email",
    },
    "saas.venue": {"venueid": "venue_id", "venuename": "venue_name"},
    "saas.event": {"eventid": "event_id", "eventname": "event_name", "starttime": "starts_at"},
    "ecommerce.sales": {"salesid": "sale_id", "saletime": "sold_at", "commission": "commission"},
}
REFERENCES = {
    "saas.event": {
        "venueid": ("venue_id", "saas.venue"),
        "catid": ("category_id", "saas.category"),
        "dateid": ("date_id", "ecommerce.date"),
    },
    "ecommerce.listing": {
        "sellerid": ("seller_id", "saas.users"),
        "eventid": ("event_id", "saas.event"),
        "dateid": ("date_id", "ecommerce.date"),
    },
    "ecommerce.sales": {
        "listid": ("listing_id", "ecommerce.listing"),
        "sellerid": ("seller_id", "saas.users"),
        "buyerid": ("buyer_id", "saas.users"),
        "eventid": ("event_id", "saas.event"),
        "dateid": ("date_id", "ecommerce.date"),
    },
}


@pytest.fixture(scope="module")
def datasets() -> dict[str, tickit.Dataset]:
    return tickit.generate(SCALE)


def rows(dataset: tickit.Dataset) -> list[Row]:
    names = list(dataset.table)
    return [dict(zip(names, values, strict=True)) for values in zip(*dataset.table.values(), strict=True)]


def trimmed(value: str | None) -> bool:
    return value is None or value == value.strip()


def broken(name: str, row: Row, keys: dict[str, set[str | None]]) -> list[str]:
    """The rules of the contracts, said once more in Python."""
    found = [f"required_{lake}" for source, lake in REQUIRED.get(name, {}).items() if row[source] is None]
    found += [
        f"foreign_key_{lake}" for source, (lake, to) in REFERENCES.get(name, {}).items() if row[source] not in keys[to]
    ]
    checks: dict[str, bool] = {}
    if name == "saas.users":
        checks["username_pattern"] = bool(re.fullmatch("[A-Z0-9]{8}", str(row["username"])))
        checks["email_pattern"] = row["email"] is None or bool(re.fullmatch("[^@ ]+@[^@ ]+[.][^@ .]+", row["email"]))
        checks["phone_pattern"] = bool(re.fullmatch(r"[(]\d{3}[)] \d{3}-\d{4}", str(row["phone"])))
        checks["state_pattern"] = bool(re.fullmatch("[A-Z]{2}", str(row["state"])))
        checks["names_trimmed"] = trimmed(row["firstname"]) and trimmed(row["lastname"])
    if name in ("saas.venue", "saas.event"):
        noun = name.removeprefix("saas.")
        checks[f"{noun}_name_trimmed"] = trimmed(row[f"{noun}name"])
    if name == "ecommerce.date":
        checks["type_month"] = str(row["month"]).isdigit()
        if checks["type_month"]:
            day = datetime.date.fromisoformat(str(row["caldate"]))
            checks["fits"] = (row["month"], row["qtr"], row["year"]) == (
                str(day.month),
                str((day.month + 2) // 3),
                str(day.year),
            )
            checks["week_in_year"] = 1 <= int(str(row["week"])) <= 53
    if name == "ecommerce.listing":
        price, tickets = Decimal(str(row["priceperticket"])), int(str(row["numtickets"]))
        checks["total_price_adds_up"] = Decimal(str(row["totalprice"])) == price * tickets
        checks["num_tickets_positive"], checks["price_per_ticket_positive"] = tickets > 0, price > 0
    if name == "ecommerce.sales":
        paid = Decimal(str(row["pricepaid"]))
        fifteen = (paid * Decimal("0.15")).quantize(Decimal("0.01"), ROUND_HALF_UP)
        checks["commission_is_15_percent"] = Decimal(str(row["commission"])) == fifteen
        checks["quantity_positive"], checks["price_paid_positive"] = int(str(row["qtysold"])) > 0, paid > 0
    return found + [rule for rule, held in checks.items() if not held]


def test_the_tables_have_tickits_published_sizes() -> None:
    assert {name: len(dataset) for name, dataset in tickit.generate().items()} == {
        "saas.users": 49_990,
        "saas.venue": 202,
        "saas.category": 11,
        "saas.event": 8_798,
        "ecommerce.date": 365,
        "ecommerce.listing": 192_497,
        "ecommerce.sales": 172_456,
    }


def test_the_same_rows_come_every_time(datasets: dict[str, tickit.Dataset]) -> None:
    assert tickit.generate(SCALE) == datasets


def test_a_smaller_scale_keeps_the_faults(datasets: dict[str, tickit.Dataset]) -> None:
    small, whole = tickit.expected(SCALE), tickit.expected()
    assert {name: len(dataset) for name, dataset in datasets.items()} == {n: e.read for n, e in small.items()}
    assert [(e.superseded, e.quarantined) for e in small.values()] == [
        (e.superseded, e.quarantined) for e in whole.values()
    ]


def test_a_scale_that_cannot_hold_the_faults_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'0\.001'"):
        tickit.generate(0.001)


@pytest.mark.parametrize("name", tickit.SIZES)
def test_each_faulty_row_breaks_exactly_the_rule_that_is_said(name: str, datasets: dict[str, tickit.Dataset]) -> None:
    dataset = datasets[name]
    parents = {other: {key for key in next(iter(d.table.values()))} for other, d in datasets.items()}
    key = next(iter(dataset.table))
    found: dict[str, list[str | None]] = {}
    for row in rows(dataset):
        rules = broken(name, row, parents)
        assert len(rules) <= 1, row
        for rule in rules:
            found.setdefault(rule, []).append(row[key])
    said = {rule: keys for rule, keys in dataset.faulty.items() if rule not in (CONFLICT, DUPLICATES)}
    assert {rule: sorted(map(str, keys)) for rule, keys in found.items()} == {r: sorted(k) for r, k in said.items()}
    assert {rule: len(keys) for rule, keys in found.items()} == {
        rule: count for rule, count in tickit.expected(SCALE)[name].quarantined.items() if rule != CONFLICT
    }


@pytest.mark.parametrize("name", tickit.SIZES)
def test_a_key_is_there_twice_only_as_a_duplicate_or_a_conflict(name: str, datasets: dict[str, tickit.Dataset]) -> None:
    dataset = datasets[name]
    key = next(iter(dataset.table))
    copies: dict[str, list[Row]] = {}
    for row in rows(dataset):
        copies.setdefault(str(row[key]), []).append(row)
    twice = {k: found for k, found in copies.items() if len(found) > 1}
    same = {k for k, (first, second) in twice.items() if first == second}
    assert same == set(dataset.faulty.get(DUPLICATES, []))
    assert set(twice) - same == set(dataset.faulty.get(CONFLICT, []))
    wanted = tickit.expected(SCALE)[name]
    assert (len(same), 2 * len(set(twice) - same)) == (wanted.superseded, wanted.quarantined.get(CONFLICT, 0))


def test_every_fault_has_a_row_of_its_own(datasets: dict[str, tickit.Dataset]) -> None:
    for dataset in datasets.values():
        uses = Counter(key for keys in dataset.faulty.values() for key in keys)
        assert all(count == 1 for count in uses.values())
