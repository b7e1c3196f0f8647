"""Contracts, as the datasets that they make."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import contracts
from contracts.contract import GOLD
from lake.masking import with_masked
from lake.model import Dataset
from lake.roles import SENSITIVE
from tests.unit.lake_root import SALES, USERS, change, shipped


@pytest.fixture(scope="module")
def datasets() -> dict[str, Dataset]:
    return contracts.load_all()


def test_every_dataset_of_the_lake_has_a_contract(datasets: dict[str, Dataset]) -> None:
    silver = {f"saas.{name}" for name in ("users", "venue", "category", "event")}
    silver |= {f"ecommerce.{name}" for name in ("date", "listing", "sales")}
    silver |= {f"crm.{name}" for name in ("customers", "campaigns", "responses")}
    silver |= {"clinic.immunizations"}
    gold = {f"gold.{name}" for name in ("sales_by_category", "sales_by_date", "dim_seller", "dim_event")}
    gold |= {"gold.doses_by_vaccine_site_week", "gold.coverage_by_cohort"}
    assert set(datasets) == silver | gold


def test_what_tells_of_a_patient_s_health_is_phi(datasets: dict[str, Dataset]) -> None:
    columns = [(each.id, column) for each in datasets.values() for column in each.columns]
    assert {(dataset, column.name) for dataset, column in columns if column.classification == "phi"} == {
        ("clinic.immunizations", name)
        for name in ("patient_id", "birth_date", "vaccine_code", "dose_number", "administered_at")
    }


def test_what_tells_of_a_person_is_pii(datasets: dict[str, Dataset]) -> None:
    columns = [(each.id, column) for each in datasets.values() for column in each.columns]
    personal = {(dataset, column.name) for dataset, column in columns if column.classification == "pii"}
    assert personal == {
        *(("saas.users", name) for name in ("first_name", "last_name", "email", "phone")),
        *(("crm.customers", name) for name in ("first_name", "last_name", "email", "born_on", "credit_limit", "notes")),
        ("crm.responses", "response_text"),
        ("clinic.immunizations", "clinician_id"),
        *(("gold.dim_seller", name) for name in ("first_name", "last_name")),
        *((f"gold.{table}", name) for table in ("sales_by_category", "sales_by_date") for name in ("seller", "buyer")),
    }


def test_a_dataset_has_its_contracts_key_types_and_source_columns(datasets: dict[str, Dataset]) -> None:
    sales = datasets["ecommerce.sales"]
    assert (sales.key, sales.source_object, sales.layer) == (("sale_id",), "sales", "silver")
    paid = next(column for column in sales.columns if column.name == "price_paid")
    assert (paid.type, paid.source, paid.required) == ("decimal(8,2)", "pricepaid", True)


def test_a_rule_by_values_or_pattern_becomes_sql(datasets: dict[str, Dataset]) -> None:
    rules = {rule.name: rule.expression for each in datasets.values() for rule in each.rules}
    assert rules["category_group_known"] == "category_group IN ('Sports', 'Shows', 'Concerts')"
    assert rules["username_pattern"] == "username RLIKE '^[A-Z0-9]{8}$'"


def test_foreign_keys_reach_across_sources(datasets: dict[str, Dataset]) -> None:
    found = {each.name: (each.dataset, each.parent_columns) for each in datasets["saas.event"].references}
    assert found["foreign_key_date_id"] == ("ecommerce.date", ("date_id",))


def test_every_gate_of_a_whole_dataset_says_how_bad_it_is(datasets: dict[str, Dataset]) -> None:
    gates = {gate.name: gate for gate in datasets["ecommerce.sales"].gates}
    assert (gates["some_rows"].operator, gates["some_rows"].threshold, gates["some_rows"].severity) == (">", 0, "error")
    assert gates["sold_in_the_future"].severity == "warn"
    assert "{table}" in gates["sold_in_the_future"].expression


def test_gold_knows_its_inputs_and_its_partitions(datasets: dict[str, Dataset]) -> None:
    table = datasets["gold.sales_by_date"]
    assert table.layer == GOLD
    assert table.partition_by == ("year", "month")
    assert set(table.inputs) == {"ecommerce.sales", "ecommerce.date", "saas.users", "saas.event", "saas.category"}


def test_how_a_dataset_is_loaded_follows_from_its_contract(tmp_path: Path, datasets: dict[str, Dataset]) -> None:
    assert (datasets["saas.users"].load_mode, datasets["saas.users"].deletes) == ("full", False)
    root = shipped(tmp_path)
    more = (("cursor", "sold_at"), ("lookback", "2 d"), ("deletes", "compare_keys"))
    said = "".join(f"\n  - {{ property: {name}, value: {value} }}" for name, value in more)
    change(root, SALES, "full }", f"incremental }}{said}")
    sales = contracts.load("ecommerce.sales", root)
    assert (sales.load_mode, sales.cursor, sales.lookback_hours, sales.deletes) == ("incremental", "sold_at", 48, True)


def test_one_dataset_loads_the_same_alone_as_among_all(datasets: dict[str, Dataset]) -> None:
    for dataset in ("saas.users", "ecommerce.sales", "gold.dim_event"):
        assert contracts.load(dataset) == datasets[dataset]


def test_the_hash_follows_what_tables_and_jobs_depend_on(tmp_path: Path, datasets: dict[str, Dataset]) -> None:
    root = shipped(tmp_path)
    change(root, USERS, "customer-data", "someone-else")
    assert contracts.load("saas.users", root).hash == datasets["saas.users"].hash
    change(root, USERS, "name: city", "name: town")
    assert contracts.load("saas.users", root).hash != datasets["saas.users"].hash


def test_a_warning_counts_rows_where_an_error_keeps_them_out(tmp_path: Path) -> None:
    root = shipped(tmp_path)
    change(root, SALES, "implementation: price_paid > 0", "severity: warning\n        implementation: price_paid > 0")
    sales = contracts.load("ecommerce.sales", root)
    assert "price_paid_positive" not in [rule.name for rule in sales.rules]
    gate = next(gate for gate in sales.gates if gate.name == "price_paid_positive")
    assert (gate.metric, gate.operator, gate.threshold, gate.severity) == ("sql", "=", 0, "warn")
    assert gate.expression == "SELECT count(*) FROM {table} WHERE NOT (price_paid > 0)"


def test_a_key_of_several_columns_has_an_order(tmp_path: Path) -> None:
    root = shipped(tmp_path)
    position, line = "primaryKey: true\n        primaryKeyPosition: ", "transformSourceObjects: [users.username]"
    change(root, USERS, "primaryKey: true", f"{position}2")
    change(root, USERS, line, f"{position}1\n        {line}")
    assert contracts.load("saas.users", root).key == ("username", "user_id")


def test_a_pattern_reaches_sql_with_its_backslashes_and_quotes(tmp_path: Path) -> None:
    root = shipped(tmp_path)
    change(root, USERS, '"^[A-Z]{2}$"', r"""'^\d''$'""")
    rules = {rule.name: rule.expression for rule in contracts.load("saas.users", root).rules}
    assert rules["state_pattern"] == r"state RLIKE '^\\d\'$'"


def test_no_table_is_partitioned_by_what_tells_of_a_person_nor_is_a_masked_one(datasets: dict[str, Dataset]) -> None:
    for each in with_masked(datasets).values():
        private = {column.name for column in each.columns if column.classification in SENSITIVE}
        assert not private & set(re.findall(r"\w+", " ".join(each.partition_by))), each.id
