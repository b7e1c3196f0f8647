# ruff: noqa: E501  (a case reads best in one line)
"""A gold table shows no more than what it is made of, unless its contract says why and how few it may tell of."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlglot import exp, parse_one
from sqlglot.optimizer.qualify import qualify

import contracts
from contracts.contract import ContractError
from contracts.lineage import Lineage, Made
from tests.unit.lake_root import USERS, change, shipped

SELLER, DOSES = "contracts/gold/dim_seller.odcs.yaml", "contracts/gold/doses_by_vaccine_site_week.odcs.yaml"
SELLER_SQL, DOSES_SQL = "models/dim_seller.sql", "models/doses_by_vaccine_site_week.sql"
PARTS = ("smallestGroup: 5", "counts: patients", "columns: [vaccine_code, site_id, week, doses, patients]")
TABLES = {
    "people": ("id", "city", "illness"),
    "visits": ("visit", "person", "note"),
}


def refusal(root: Path, dataset: str) -> list[str]:
    with pytest.raises(ContractError) as error:
        contracts.load(dataset, root)
    return str(error.value).splitlines()


@pytest.mark.parametrize(
    ("file", "old", "new", "where", "says"),
    [
        (SELLER, "classification: pii", "classification: internal", SELLER, "properties[first_name].classification: 'internal': expected pii for first_name: it is made of saas_users.first_name (models/dim_seller.sql:27)."),
        (SELLER, "classification: pii", "classification: phi", SELLER, "'phi': expected pii for first_name: it is made of saas_users.first_name"),
        (SELLER_SQL, "    u.city,", "    concat(u.city, u.phone) AS city,", SELLER, "'internal': expected pii for city: it is made of saas_users.phone (models/dim_seller.sql:29)."),
        (SELLER_SQL, "OR sold.seller_id IS NOT NULL", "OR u.email LIKE 'a%'", SELLER, "properties[seller_id].classification: 'internal': expected pii for seller_id: its rows are chosen, joined or grouped by saas_users.email (models/dim_seller.sql:42)."),
        (USERS, "classification: internal", "classification: pii", SELLER, "properties[seller_id].classification: 'internal': expected pii for seller_id: it is made of saas_users.user_id"),
        (DOSES, "week, doses,", "week,", DOSES, "'internal': expected phi for doses: its rows are chosen, joined or grouped by clinic_immunizations."),
        (DOSES, "week, doses,", "week, dose,", DOSES, "'dose': expected a column of gold.doses_by_vaccine_site_week. Did you mean 'doses'?"),
        (DOSES, "      counts: patients\n      smallestGroup: 5\n", "", DOSES, "expected `counts` and `smallestGroup`: its rows tell of groups, and a group of one is a person."),
        (DOSES, "      counts: patients\n", "", DOSES, "'counts': expected here, and missing: the column that counts the people whom a row tells of."),
        (DOSES, "counts: patients", "counts: doses", DOSES, "'doses': expected a column that is count(…) of people, by clinic_immunizations.patient_id: many rows may be one person's. Write patients."),
        (DOSES_SQL, "count(DISTINCT patient_id) AS", "count(*) + 1 AS", DOSES, "'patients': expected a column that is count(…) of people"),
        (DOSES, "because: It counts", "because: # It counts", DOSES, "expected a sentence that says why it may be seen"),
        (SELLER, "  - { property: loadMode, value: full }", "  - { property: loadMode, value: full }\n  - { property: declassified, value: { because: It has been so for many years. } }", SELLER, "expected columns, or an input with row filters that the table does not have. Remove `declassified`."),
        (SELLER, "  - { property: loadMode, value: full }", "  - { property: loadMode, value: full }\n  - { property: declassified, value: { because: It has been so for many years., columns: [city] } }", SELLER, "'city': expected a column whose class is lower than that of a column that it is made of. Remove it."),
        (SELLER, "  - { property: loadMode, value: full }", "  - { property: loadMode, value: full }\n  - { property: declassified, value: { because: short } }", SELLER, "'short': expected a sentence that says why it may be seen"),
    ],
)  # fmt: skip
def test_what_tells_more_than_its_class_is_refused_with_file_and_line(
    tmp_path: Path, file: str, old: str, new: str, where: str, says: str
) -> None:
    root = shipped(tmp_path)
    line = change(root, file, old, new)
    name = where.rpartition("/")[2].partition(".")[0]
    told = refusal(root, f"gold.{name}")
    found = [each for each in told if says in each]
    assert found, told
    assert found[0].startswith(f"{where}:")
    if file == where:
        assert abs(int(found[0].split(":")[1]) - line) <= 45


def test_a_table_without_the_row_filters_of_its_inputs_says_why(tmp_path: Path) -> None:
    root = shipped(tmp_path)
    change(root, USERS, "  - { property: subjectId", "  - { property: rowFilters, value: [{ name: state, column: state }] }\n  - { property: subjectId")  # fmt: skip
    [told] = refusal(root, "gold.dim_seller")
    assert told.startswith(f"{SELLER}:")
    assert "'dim_seller': expected the row filter 'state' of saas.users, whose rows it shows to everybody." in told
    custom = "  - { property: loadMode, value: full }"
    line = "\n  - { property: rowFilters, value: [{ name: state, column: state }] }"
    change(root, SELLER, custom, custom + line)
    assert contracts.load("gold.dim_seller", root).row_filters
    change(root, SELLER, "column: state }", "column: state, columns: [city] }")
    [told] = refusal(root, "gold.dim_seller")
    assert "expected the row filter 'state' of saas.users" in told
    because = "because: Sellers have agreed to be shown., counts: sales, smallestGroup: 2"
    change(root, SELLER, line.replace("state }", "state, columns: [city] }"), f"\n  - {{ property: declassified, value: {{ {because} }} }}")  # fmt: skip
    told = "\n".join(refusal(root, "gold.dim_seller"))  # sales are coalesce(count(*), 0), and nobody's number
    assert "expected a column that is count(…) of people, by saas_users.user_id" in told


def test_cells_that_an_input_hides_matter_where_they_are_read(tmp_path: Path) -> None:
    root = shipped(tmp_path)
    change(root, USERS, "  - { property: subjectId", "  - { property: rowFilters, value: [{ name: state, column: state, columns: [email] }] }\n  - { property: subjectId")  # fmt: skip
    assert contracts.load("gold.dim_seller", root)
    change(root, USERS, "columns: [email]", "columns: [first_name]")
    assert "expected the row filter 'state'" in refusal(root, "gold.dim_seller")[0]


def test_a_declassified_table_has_a_gate_on_its_smallest_group() -> None:
    for dataset, counts in (("doses_by_vaccine_site_week", "patients"), ("coverage_by_cohort", "begun")):
        gate = contracts.load(f"gold.{dataset}").gates[-1]
        assert (gate.name, gate.columns, gate.operator, gate.threshold) == ("smallest_group", (counts,), ">=", 5)
        assert gate.severity == "error"


@pytest.mark.parametrize(
    ("sql", "values", "rows"),
    [
        ("SELECT city AS c FROM people", "city", ""),
        ("SELECT p.* FROM people p", "id", ""),
        ("SELECT c FROM (SELECT upper(illness) AS c FROM people) x", "illness", ""),
        ("SELECT city AS c FROM people WHERE illness = 'flu'", "city", "illness"),
        ("SELECT city AS c FROM people WHERE EXISTS (SELECT 1 FROM visits v WHERE v.person = people.id AND v.note = 'x')", "city", "id note person"),
        ("SELECT visit AS c FROM visits WHERE person IN (SELECT id FROM people WHERE illness = 'flu')", "visit", "id illness person"),
        ("SELECT v.visit AS c FROM visits v JOIN people p ON p.illness = v.note", "visit", "illness note"),
        ("SELECT visit AS c FROM visits CROSS JOIN (SELECT 1 FROM people WHERE illness = 'flu') f", "visit", "illness"),
        ("SELECT count(*) AS c, city FROM people GROUP BY city", "", "city"),
        ("SELECT count(*) AS c FROM (SELECT DISTINCT illness FROM people) x", "", "illness"),
        ("SELECT count(*) AS c FROM people GROUP BY city HAVING max(illness) = 'flu'", "", "city illness"),
        ("SELECT city AS c FROM people ORDER BY illness LIMIT 1", "city", "illness"),
        ("SELECT city AS c FROM people ORDER BY illness", "city", ""),
        ("SELECT row_number() OVER (PARTITION BY illness ORDER BY id) AS c FROM people", "id illness", ""),
        ("SELECT city AS c FROM people QUALIFY row_number() OVER (ORDER BY illness) = 1", "city", "illness"),
        ("SELECT city AS c FROM people UNION ALL SELECT note FROM visits", "city note", ""),
        ("SELECT city AS c, id FROM people EXCEPT SELECT note, visit FROM visits", "city note", "city id note visit"),
        ("SELECT (SELECT max(note) FROM visits WHERE person = people.id) AS c FROM people", "id note person", "id person"),
        ("WITH sick AS (SELECT id FROM people WHERE illness = 'flu') SELECT count(*) AS c FROM sick", "", "illness"),
        ("SELECT c FROM people LATERAL VIEW explode(split(illness, ',')) t AS c", "city id illness note person visit", "illness"),
        ("SELECT visit AS c FROM visits WHERE EXISTS (SELECT 1 FROM (SELECT id FROM people WHERE illness = 'flu') s)", "visit", "id illness"),
        ("WITH sick AS (SELECT id FROM people WHERE illness = 'flu') SELECT (SELECT count(*) FROM sick) AS c FROM visits", "", "illness"),
        ("SELECT visit AS c FROM visits JOIN (SELECT illness AS note FROM people) p USING (note)", "visit", "illness note"),
        ("SELECT count(*) OVER w AS c FROM people WINDOW w AS (PARTITION BY illness)", "", "illness"),
        ("SELECT city AS c, illness AS i FROM people ORDER BY i LIMIT 1", "city", "illness"),
        ("SELECT city, count(*) AS c FROM people GROUP BY ALL", "city", ""),
        ("SELECT count(*) AS c, illness FROM people GROUP BY ALL", "", "illness"),
        ("SELECT count(*) FILTER (WHERE illness = 'flu') AS c FROM people", "illness", ""),
        ("SELECT visit AS c FROM visits LEFT ANTI JOIN people ON person = id", "visit", "id person"),
    ],
)  # fmt: skip
def test_a_column_is_made_of_its_values_and_of_what_chooses_its_rows(sql: str, values: str, rows: str) -> None:
    made = next(iter(made_of(sql).values()))
    assert " ".join(sorted(column for _, column in made.values)) == values
    assert " ".join(sorted(column for _, column in made.rows)) == rows


@pytest.mark.parametrize(
    "sql",
    [
        "WITH RECURSIVE r AS (SELECT id FROM people UNION ALL SELECT id FROM r) SELECT id AS c FROM r",
        "SELECT visit AS c FROM visits NATURAL JOIN people",
        "SELECT city AS c FROM people PIVOT (count(id) FOR illness IN ('flu'))",
    ],
)
def test_what_cannot_be_followed_is_made_of_everything(sql: str) -> None:
    assert len(made_of(sql)["c"].values) == 6


def made_of(sql: str) -> dict[str, Made]:
    schema: dict[str, object] = {table: dict.fromkeys(columns, "string") for table, columns in TABLES.items()}
    query = qualify(parse_one(sql, dialect="spark"), schema=schema, dialect="spark")
    assert isinstance(query, exp.Query)
    return Lineage(query, TABLES).columns()
