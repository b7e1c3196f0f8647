"""A drafted contract: it loads as it stands, and marks what a person has to look at."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

import contracts
from contracts.draft import LiveColumn, draft, lake_type
from lake.model import Dataset

NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1, max_size=20)
TYPES = st.sampled_from(
    ("integer", "character varying(20)", "numeric(8,2)", "numeric", "timestamp with time zone", "jsonb", "integer[]")
)
COLUMN = st.tuples(NAMES, TYPES, st.booleans(), st.booleans())
COLUMNS = st.lists(COLUMN, min_size=1, max_size=8, unique_by=lambda column: column[0])


def load(root: Path, text: str, dataset: str = "shop.orders") -> Dataset:
    source, _, name = dataset.partition(".")
    path = root / "contracts" / source / f"{name}.odcs.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return contracts.load(dataset, root)


def test_a_draft_says_what_the_database_knows(tmp_path: Path) -> None:
    columns: list[LiveColumn] = [
        ("orderId", "bigint", False, True),
        ("customer_email", "character varying(80)", False, False),
        ("total", "numeric(10,2)", True, False),
    ]
    made = load(tmp_path, draft("shop", "orders", columns))
    assert made.key == ("order_id",)
    assert made.source_object == "orders"
    found = [(each.name, each.source, each.type, each.required, each.classification) for each in made.columns]
    assert found == [
        ("order_id", "orderId", "bigint", True, "internal"),
        ("customer_email", "customer_email", "string", True, "pii"),
        ("total", "total", "decimal(10,2)", False, "internal"),
    ]


def test_a_draft_marks_every_guess_for_review() -> None:
    lines = draft("shop", "orders", [("id", "integer", False, False), ("shape", "polygon", True, False)]).splitlines()
    for guess in ("classification: internal", "primaryKey: true", 'physicalType: "string"'):
        assert any(guess in line and line.endswith("# review") for line in lines), guess


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(columns=COLUMNS)
def test_a_draft_of_any_table_loads_with_each_of_its_columns(tmp_path: Path, columns: list[LiveColumn]) -> None:
    made = load(tmp_path, draft("shop", "orders", columns))
    assert [column.source for column in made.columns] == [column[0] for column in columns]
    assert len({column.name for column in made.columns}) == len(columns)


@pytest.mark.parametrize(
    ("live", "lake"),
    [
        ("smallint", "int"),
        ("character varying(20)", "string"),
        ("timestamp(6) without time zone", "timestamp"),
        ("double precision", "double"),
        ("numeric(8,2)", "decimal(8,2)"),
        ("numeric(50,2)", None),
        ("text[]", None),
        ("bytea", None),
    ],
)
def test_types_of_the_source_become_types_of_the_lake(live: str, lake: str | None) -> None:
    assert lake_type(live) == lake
