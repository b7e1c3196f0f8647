"""A drafted contract: it loads as it stands, and marks what a person has to look at."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import contracts
from contracts.draft import FoundColumn, draft, lake_type
from contracts.sensitivity import classification
from lake.model import Dataset

NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1, max_size=20)
TYPES = st.sampled_from(("int", "string", "decimal(8,2)", "decimal(38,18)", "timestamp", "array<string>", "binary"))
COLUMN = st.builds(FoundColumn, NAMES, TYPES, st.sampled_from((None, True, False)))
COLUMNS = st.lists(COLUMN, min_size=1, max_size=8, unique_by=lambda column: column.name)


def load(root: Path, text: str, dataset: str = "shop.orders") -> Dataset:
    source, _, name = dataset.partition(".")
    path = root / "contracts" / source / f"{name}.odcs.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return contracts.load(dataset, root)


def test_a_draft_says_what_the_source_knows(tmp_path: Path) -> None:
    columns = [
        FoundColumn("line", "int", False, 2),
        FoundColumn("orderId", "bigint", False, 1),
        FoundColumn("customer_email", "string", False),
        FoundColumn("total", "decimal(10,2)", True),
    ]
    made = load(tmp_path, draft("shop", "orders", "Orders", columns))
    assert made.key == ("order_id", "line")
    assert made.source_object == "Orders"
    found = [(each.name, each.source, each.type, each.required, each.classification) for each in made.columns]
    assert found == [
        ("line", "line", "int", True, "internal"),
        ("order_id", "orderId", "bigint", True, "internal"),
        ("customer_email", "customer_email", "string", True, "pii"),
        ("total", "total", "decimal(10,2)", False, "internal"),
    ]


def test_a_draft_marks_every_guess_for_review() -> None:
    columns = [FoundColumn("shape", "binary"), FoundColumn("order_id", "int")]
    lines = draft("shop", "orders", "orders", columns).splitlines()
    for guess in ("classification: internal", "primaryKey: true", 'physicalType: "string"', "loadMode, value: full"):
        assert any(guess in line and line.endswith("# review") for line in lines), guess


def test_without_a_known_key_the_column_that_is_named_like_one_is_guessed(tmp_path: Path) -> None:
    columns = [FoundColumn("placed", "date"), FoundColumn("orderid", "int")]
    assert load(tmp_path, draft("shop", "orders", "orders", columns)).key == ("orderid",)


@pytest.mark.parametrize(("nullable", "mode"), [(False, "incremental"), (True, "full"), (None, "full")])
def test_a_time_of_the_last_change_that_is_always_there_becomes_the_cursor(
    tmp_path: Path, nullable: bool | None, mode: str
) -> None:
    columns = [FoundColumn("id", "int", False, 1), FoundColumn("updatedAt", "timestamp", nullable)]
    made = load(tmp_path, draft("shop", "orders", "orders", columns))
    assert (made.load_mode, made.cursor, made.deletes) == (
        (mode, "updated_at", True) if mode == "incremental" else (mode, None, False)
    )


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(columns=COLUMNS)
def test_a_draft_of_any_table_loads_with_each_of_its_columns(tmp_path: Path, columns: list[FoundColumn]) -> None:
    made = load(tmp_path, draft("shop", "orders", "orders", columns))
    assert [column.source for column in made.columns] == [column.name for column in columns]
    assert len({column.name for column in made.columns}) == len(columns)


@pytest.mark.parametrize(
    ("found", "lake"),
    [
        ("smallint", "int"),
        ("varchar(20)", "string"),
        ("timestamp", "timestamp"),
        ("float", "double"),
        ("decimal(8,2)", "decimal(8,2)"),
        ("array<string>", None),
        ("struct<a:int>", None),
        ("binary", None),
    ],
)
def test_types_of_the_catalog_become_types_of_the_lake(found: str, lake: str | None) -> None:
    assert lake_type(found) == lake


@pytest.mark.parametrize(
    ("name", "values", "guess"),
    [
        ("contact", ["ann@example.com", None, "bob@example.org"], "pii"),
        ("contact", ["(664) 602-4412", "(201) 555-0100"], "pii"),
        ("day", ["1961-02-03", "1999-12-01", "1978-05-06"], "pii"),
        ("day", ["2026-01-01", "2026-01-02"], "internal"),
        ("amount", ["1.50", "22.00"], "internal"),
        ("lastName", [], "pii"),
        ("diagnosis_code", [], "phi"),
        ("quantity", [], "internal"),
    ],
)
def test_what_is_personal_is_guessed_by_name_and_by_values(name: str, values: list[str | None], guess: str) -> None:
    assert classification(name, values) == guess
