"""dbt-athena at the laptop, as an analyst runs it: two builds with a change between them, a failing test, docs."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.local import dbt_environment
from tests.local.athena_statements import Analyst, Rows
from tests.local.conftest import RunningEndpoint

SILVER, BUILT, BUCKET = "client_dbt_silver", "client_dbt", "client-dbt"
FAILING = "there_are_three_orders"
ORDERS = f"""
CREATE TABLE orders WITH (table_type = 'ICEBERG', is_external = false, location = 's3://{BUCKET}/silver/orders/') AS
SELECT * FROM (VALUES
  (1, 1, CAST(10.50 AS decimal(8,2)), CAST('paid' AS varchar), DATE '2026-01-01',
   CAST(TIMESTAMP '2026-01-01 08:00:00' AS timestamp(6))),
  (2, 2, 20.00, 'open', DATE '2026-01-02', TIMESTAMP '2026-01-02 08:00:00'),
  (3, 1, 5.25, 'paid', DATE '2026-01-02', TIMESTAMP '2026-01-02 09:00:00')
) t(order_id, customer_id, amount, status, day, changed_at)
"""
CUSTOMERS = f"""
CREATE TABLE customers WITH (table_type = 'ICEBERG', is_external = false, location = 's3://{BUCKET}/silver/customers/')
AS SELECT * FROM (VALUES (1, CAST('Ann' AS varchar), CAST('AT' AS varchar)), (2, 'Bo', 'CI'))
  t(customer_id, name, country)
"""
CHANGES = (
    "UPDATE orders SET status = 'paid', changed_at = TIMESTAMP '2026-01-03 08:00:00' WHERE order_id = 2",
    "INSERT INTO orders VALUES (4, 2, 1.00, 'open', DATE '2026-01-02', TIMESTAMP '2026-01-03 09:00:00')",
    "UPDATE customers SET name = 'Anna' WHERE customer_id = 1",
)


@dataclass(frozen=True)
class Project:
    """The project in a folder of its own: `run("build")`; `rows(sql)` of what it built, `results` of each build."""

    folder: Path
    program: Path
    built: Analyst
    results: list[dict[str, dict[str, Any]]] = field(default_factory=list)

    def run(self, *arguments: str, fails: bool = False) -> dict[str, dict[str, Any]]:
        """A command of dbt's, and its results by their names."""
        told = subprocess.run(
            [self.program, "--no-use-colors", *arguments],
            cwd=self.folder,
            env={**self.built.endpoint.environment, "DBT_PROFILES_DIR": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode == (1 if fails else 0), told.stdout
        results = json.loads((self.folder / "target" / "run_results.json").read_text())["results"]
        return {each["unique_id"].split(".")[2]: each for each in results}

    def rows(self, sql: str) -> Rows:
        return self.built.rows(sql)


@pytest.fixture(scope="module")
def silver(endpoint: RunningEndpoint) -> Analyst:
    analyst = Analyst(endpoint, SILVER, BUCKET).prepare()
    for sql in (ORDERS, CUSTOMERS):
        analyst.run(sql)
    return analyst


@pytest.fixture(scope="module")
def project(silver: Analyst, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project after its first build, a change in silver, and its second."""
    folder = tmp_path_factory.mktemp("dbt") / "project"
    shutil.copytree(dbt_environment.FOLDER / "project", folder)
    found = Project(folder, dbt_environment.dbt(), Analyst(silver.endpoint, BUILT, BUCKET))
    found.results.append(found.run("build"))
    for sql in CHANGES:
        silver.run(sql)
    found.results.append(found.run("build", fails=True))
    return found


def test_each_node_is_built_and_the_test_that_does_not_hold_fails(project: Project) -> None:
    first, second = project.results
    assert {each["status"] for each in first.values()} == {"success", "pass"}
    assert len(first) == 20
    failed = {name: each for name, each in second.items() if each["status"] not in ("success", "pass")}
    assert {name: (each["status"], each["failures"]) for name, each in failed.items()} == {FAILING: ("fail", 1)}
    assert len(second) == len(first)


def test_a_seed_has_its_quotes_its_nulls_and_its_types(project: Project) -> None:
    assert project.rows("SELECT * FROM countries ORDER BY code") == [
        ["AT", "Austria", "1995-01-01", "1.50"],
        ["CI", "Côte d'Ivoire, the", "2002-07-09", "0.25"],
        ["XX", None, None, None],
    ]


def test_a_view_and_the_tables_over_it_are_of_today(project: Project) -> None:
    assert project.rows("SELECT order_id FROM paid_orders ORDER BY 1") == [["1"], ["2"], ["3"]]
    assert project.rows("SELECT * FROM sales_by_day ORDER BY day") == [
        ["1", "10.50", "2026-01-01"],
        ["2", "25.25", "2026-01-02"],
    ]
    assert project.rows("SELECT * FROM customer_totals ORDER BY customer_id") == [
        ["1", "Anna", "Austria", "15.75"],
        ["2", "Bo", "Côte d'Ivoire, the", "20.00"],
    ]


def test_a_merge_changes_the_rows_that_are_there_and_adds_the_new(project: Project) -> None:
    assert project.rows("SELECT order_id, status, changed_at FROM latest_orders ORDER BY 1") == [
        ["1", "paid", "2026-01-01 08:00:00.000000"],
        ["2", "paid", "2026-01-03 08:00:00.000000"],
        ["3", "paid", "2026-01-02 09:00:00.000000"],
        ["4", "open", "2026-01-03 09:00:00.000000"],
    ]


def test_insert_overwrite_replaces_the_partitions_of_its_rows_alone(project: Project) -> None:
    assert project.rows("SELECT order_id, day FROM orders_of_days ORDER BY 1") == [
        ["1", "2026-01-01"],
        ["2", "2026-01-02"],
        ["3", "2026-01-02"],
        ["4", "2026-01-02"],
    ]


def test_a_snapshot_keeps_what_was(project: Project) -> None:
    versions = "SELECT customer_id, name, dbt_valid_to IS NULL FROM customers_history ORDER BY 1, dbt_valid_from"
    assert project.rows(versions) == [["1", "Ann", "false"], ["1", "Anna", "true"], ["2", "Bo", "true"]]
    changed = "SELECT status, dbt_valid_to FROM orders_history WHERE order_id = 2 ORDER BY dbt_valid_from"
    assert project.rows(changed) == [["open", "2026-01-03 08:00:00.000"], ["paid", None]]


def test_descriptions_reach_the_catalog(project: Project) -> None:
    for table, description in (
        ("customer_totals", "What each customer has paid"),
        ("sales_by_day", "What was sold on each day"),
        ("paid_orders", "Orders that were paid"),
    ):
        assert project.built.table(table)["Description"] == description
    columns = {each["Name"]: each for each in project.built.table("customer_totals")["StorageDescriptor"]["Columns"]}
    assert columns["customer_id"]["Comment"] == "The customer's number"


def test_nothing_of_its_own_is_left_over(project: Project) -> None:
    assert not [name for name in project.built.names() if "__dbt" in name or "__ha" in name or "__bkp" in name]


def test_docs_tell_the_columns_and_their_types(project: Project) -> None:
    project.run("docs", "generate")
    catalog = json.loads((project.folder / "target" / "catalog.json").read_text())
    assert not catalog["errors"]
    totals = catalog["nodes"]["model.orders.customer_totals"]
    assert totals["metadata"]["comment"] == "What each customer has paid"
    assert {name: each["type"] for name, each in totals["columns"].items()} == {
        "customer_id": "int",
        "name": "string",
        "country": "string",
        "amount": "decimal(38,2)",
    }
    assert set(catalog["sources"]) == {"source.orders.silver.customers", "source.orders.silver.orders"}
