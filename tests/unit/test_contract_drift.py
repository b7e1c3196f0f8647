"""Drift: what has changed in a source, how bad it is, and what of it a contract can take up."""

from __future__ import annotations

from pathlib import Path

import pytest

import contracts
from contracts.amend import AmendError, accept
from contracts.draft import FoundColumn
from contracts.drift import Drift, compare
from lake.model import Column, Dataset

CONTRACT = """\
# Orders, as the shop takes them.
apiVersion: v3.1.0
kind: DataContract
id: urn:headwater:shop:orders
name: Orders
version: 1.4.2 # raised by hand
status: active
description: { purpose: One row for each order. }
team: { name: shop }
slaProperties: [{ property: freshness, value: 26, unit: h }, { property: retention, value: 5, unit: y }]
schema:
  - name: orders
    physicalType: table
    properties:
      - id: id
        name: id
        physicalType: int # grows
        classification: internal
        required: true
        primaryKey: true
        transformSourceObjects: [orders.id]
        description: The order's number.
      - id: total
        name: total
        physicalType: decimal(8,2)
        classification: internal
        transformSourceObjects: [orders.total]
        description: What it costs.
    # gates
    quality:
      - { name: some_rows, metric: rowCount, mustBeGreaterThan: 0 } # never none
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "contracts" / "shop" / "orders.odcs.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(CONTRACT)
    return path


def orders(path: Path) -> Dataset:
    return contracts.load("shop.orders", path.parents[2])


def kinds(drifts: list[Drift]) -> list[tuple[str, str, str]]:
    return [(each.column, each.kind, each.grade) for each in drifts]


def test_a_source_that_is_as_its_contract_says_has_no_drift(path: Path) -> None:
    assert compare(orders(path), {"ID": "smallint", "total": "decimal(6,2)"}) == []


def test_new_missing_and_changed_columns_are_told_with_their_class(path: Path) -> None:
    dataset = orders(path)
    assert kinds(compare(dataset, {"id": "bigint", "note": "string"})) == [
        ("id", "type changed", "additive"),
        ("total", "missing column", "breaking"),
        ("note", "new column", "additive"),
    ]
    assert kinds(compare(dataset, {"id": "string", "total": "decimal(10,2)"})) == [
        ("id", "type changed", "breaking"),
        ("total", "type changed", "additive"),
    ]
    assert kinds(compare(dataset, None)) == [("", "table gone", "breaking")]


@pytest.mark.parametrize(
    ("said", "found", "grade"),
    [
        ("string", "int", None),
        ("timestamp", "date", None),
        ("double", "decimal(10,2)", None),
        ("bigint", "decimal(10,0)", None),
        ("date", "timestamp", "breaking"),
        ("decimal(8,2)", "decimal(8,3)", "breaking"),
        ("decimal(38,2)", "decimal(38,0)", "breaking"),
        ("boolean", "int", "breaking"),
    ],
)
def test_a_type_drifts_where_the_contracts_cannot_hold_it(said: str, found: str, grade: str | None) -> None:
    dataset = Dataset("a.b", "a", "b", "silver", "1.0.0", "", (Column("x", said, "x"),), ("x",))
    assert [each.grade for each in compare(dataset, {"x": found})] == ([grade] if grade else [])


def test_text_that_a_contract_casts_on_purpose_is_no_drift(path: Path) -> None:
    found = {"id": "string", "total": "decimal(8,2)"}
    assert compare(orders(path), found, frozenset({"id"})) == []


def test_additive_drift_is_taken_up_and_all_else_stays_as_it_was_written(path: Path) -> None:
    found = [
        FoundColumn("id", "bigint"),
        FoundColumn("total", "decimal(8,2)"),
        FoundColumn("buyerMail", "string", False),
    ]
    drifts = compare(orders(path), {each.name.lower(): each.type for each in found})  # as the catalog has them
    path.write_text(accept(path, "contracts/shop/orders.odcs.yaml", "orders", drifts, found))
    made = orders(path)
    assert made.version == "1.5.0"
    assert [(each.name, each.source, each.type, each.required, each.classification) for each in made.columns] == [
        ("id", "id", "bigint", True, "internal"),
        ("total", "total", "decimal(8,2)", False, "internal"),
        ("buyer_mail", "buyerMail", "string", False, "pii"),
    ]
    assert compare(made, {each.name: each.type for each in found}) == []
    text = path.read_text()
    kept = [line for line in CONTRACT.splitlines() if "1.4.2" not in line and "physicalType: int" not in line]
    assert [line for line in text.splitlines() if line in kept] == kept
    assert "version: 1.5.0 # raised by hand" in text
    assert "classification: pii  # review" in text


def test_a_column_added_behind_one_that_was_widened_leaves_its_mark_in_its_line(path: Path) -> None:
    last = "        description: What it costs.\n"
    path.write_text(CONTRACT.replace("        physicalType: decimal(8,2)\n", last, 1).replace(
        f"[orders.total]\n{last}", "[orders.total]\n        physicalType: decimal(8,2)\n"
    ))  # fmt: skip
    found = [FoundColumn("id", "int"), FoundColumn("total", "decimal(9,2)"), FoundColumn("note", "string")]
    drifts = compare(orders(path), {each.name: each.type for each in found})
    text = accept(path, "contracts/shop/orders.odcs.yaml", "orders", drifts, found)
    assert '        physicalType: "decimal(9,2)"  # review\n      - id: note\n' in text


def test_breaking_drift_is_refused_with_what_to_do(path: Path) -> None:
    drifts = compare(orders(path), {"id": "int", "note": "string"})
    with pytest.raises(AmendError, match=r"'shop.orders': expected additive .* total is not there any more.*major"):
        accept(path, "contracts/shop/orders.odcs.yaml", "orders", drifts, [])
    assert path.read_text() == CONTRACT
