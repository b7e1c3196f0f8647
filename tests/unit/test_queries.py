# ruff: noqa: E501  (a case reads best in one line)
"""queries/: what a person reads when a view or a named query does not fit the contracts."""

from __future__ import annotations

from pathlib import Path

import pytest

import config
import contracts
from contracts import queries
from contracts.query_file import QueryFileError
from lake.views import View

DATASETS = contracts.load_all()
DATABASES = {layer: config.load("dev").database(layer) for layer in config.DATABASES}
VIEW = "-- What was sold\nCREATE OR REPLACE VIEW ${gold}.sold AS\n"


def load(root: Path, text: str, name: str = "sold") -> queries.Queries:
    (root / "queries").mkdir(exist_ok=True)
    (root / "queries" / f"{name}.sql").write_text(text)
    return queries.load_all(root, DATASETS, DATABASES)


def view(root: Path, select: str) -> View:
    (made,) = load(root, VIEW + select).views
    return made


def refusal(root: Path, text: str, name: str = "sold") -> str:
    with pytest.raises(QueryFileError) as caught:
        load(root, text, name)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("-- A\nSELECT a\nFROM ${gold}.sales_by_dat", "queries/sold.sql:3: 'gold.sales_by_dat': expected a table of gold that a contract makes. Did you mean 'sales_by_date'?"),
        ("-- A\nSELECT\n  year,\n  comission\nFROM ${gold}.sales_by_date", "queries/sold.sql:4: 'comission': expected a column of the tables that are read. Did you mean 'commission'?"),
        ("-- A\nSELECT s.yeer\nFROM ${gold}.sales_by_date AS s", "queries/sold.sql:2: 'yeer': expected a column of the tables that are read. Did you mean 'year'?"),
        ("-- A\n-- B\n\nSELECT year,\nx.buyer FROM (SELECT year FROM ${gold}.sales_by_date) AS x", "queries/sold.sql:5: 'buyer': expected a column of the tables that are read. Select it in the subquery that it is taken from."),
        ("-- A\nSELECT year FROM sales_by_date", "queries/sold.sql:2: 'sales_by_date': expected a table of silver or gold. Write the layer: ${silver}.SOURCE_NAME or ${gold}.NAME."),
        ("-- A\nSELECT year\nFROM ${gould}.sales_by_date", "queries/sold.sql:3: '${gould}': expected ${silver} or ${gold}."),
        ("-- A\nSELECT year FROM ${gold}.sales_by_date\nWHERE (year = 1", "queries/sold.sql:3: 'sold': expected Athena's SQL (Expecting )). Mend the SQL."),
        ("-- A\nDROP TABLE ${gold}.sales_by_date", "queries/sold.sql:2: 'sold': expected one SELECT, or CREATE OR REPLACE VIEW"),
        ("-- A\nSELECT 1; SELECT 2", "queries/sold.sql:2: 'sold': expected one SELECT"),
        ("SELECT year FROM ${gold}.sales_by_date", "queries/sold.sql:1: 'SELECT year FROM ${gold}.sales_by_date': expected a first line `-- what the query answers`."),
        ("", "queries/sold.sql:1: '': expected a first line"),
        (VIEW + "SELECT\n  year,\n  year + 1 AS next\nFROM ${gold}.sales_by_date", "queries/sold.sql:5: 'next': expected a column, a count, or CAST(… AS a type): a view keeps the types of its columns."),
        (VIEW + "SELECT sum(price_paid) AS paid FROM ${gold}.sales_by_date", "queries/sold.sql:3: 'paid': expected a column, a count, or CAST"),
        (VIEW + "SELECT year,\n count(*)\nFROM ${gold}.sales_by_date GROUP BY year", "queries/sold.sql:4: 'COUNT(*)': expected a column with a name. Write AS and a name."),
        (VIEW + "SELECT year, CAST(month AS bigint) AS year FROM ${gold}.sales_by_date", "queries/sold.sql:3: 'year': expected each column of a view once."),
        (VIEW + "SELECT\n  site_id\nFROM (SELECT site_id FROM ${silver}.clinic_immunizations) AS i", "queries/sold.sql:5: 'silver.clinic_immunizations': expected a table without row filters: Lake Formation does not hold them in a view. Make a gold table of it"),
        (VIEW.replace("sold AS", "soled AS") + "SELECT year FROM ${gold}.sales_by_date", "queries/sold.sql:1: 'gold.soled': expected the view 'gold.sold', after the file. Write ${gold}.sold, or rename the file."),
        (VIEW.replace("gold", "silver") + "SELECT year FROM ${gold}.sales_by_date", "'silver.sold': expected the view 'gold.sold'"),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_contracts_is_told_with_file_and_line(tmp_path: Path, text: str, says: str) -> None:
    assert says in refusal(tmp_path, text)


@pytest.mark.parametrize(
    "select",
    [
        "SELECT transform(_rules, x -> upper(x)) AS r FROM ${silver}.saas_users__quarantine",
        "SELECT r, n FROM ${silver}.saas_users__quarantine CROSS JOIN UNNEST(_rules) WITH ORDINALITY AS u (r, n)",
        "SELECT year, month, count(*) FROM ${gold}.sales_by_date GROUP BY GROUPING SETS ((year), (year, month))",
        "SELECT year FROM ${gold}.sales_by_date FOR TIMESTAMP AS OF TIMESTAMP '2026-11-20 03:00:00 UTC'",
        "SELECT sum(price_paid) OVER w FROM ${gold}.sales_by_date WINDOW w AS (PARTITION BY year)",
        "SELECT a FROM (VALUES (1, 'x')) AS v (a, b)",
        "SELECT event_name FROM ${gold}.sales_by_date JOIN ${gold}.dim_event USING (event_name)",
        "SELECT year AS y FROM ${gold}.sales_by_date GROUP BY 1 HAVING count(*) > 1 ORDER BY y",
        "SELECT * FROM ${gold}.sales_by_date s WHERE EXISTS (SELECT 1 FROM ${gold}.dim_event e WHERE e.event_name = s.seller)",
        "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3) SELECT n FROM t",
        "SELECT site_id FROM ${silver}.clinic_immunizations",
        'SELECT Year, "Buyer" FROM ${gold}.Sales_By_Date;',
    ],
)
def test_what_athena_runs_is_not_refused(tmp_path: Path, select: str) -> None:
    assert len(load(tmp_path, f"-- A\n{select}").named) == 1


def test_a_view_may_not_have_the_name_of_a_table(tmp_path: Path) -> None:
    text = VIEW.replace("sold AS", "dim_event AS") + "SELECT year FROM ${gold}.sales_by_date"
    assert "'dim_event': expected a name that no table of gold has" in refusal(tmp_path, text, "dim_event")


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries" / "one.sql").write_text("-- A\nSELECT a FROM ${gold}.x")
    told = refusal(tmp_path, "-- A\nSELECT b FROM ${gold}.y", "two")
    assert "queries/one.sql:2" in told
    assert "queries/two.sql:2" in told


def test_a_file_that_is_not_utf_8_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "queries").mkdir()
    (tmp_path / "queries" / "sold.sql").write_bytes("-- A\n-- Verk\u00e4ufe\n".encode("latin-1"))
    with pytest.raises(QueryFileError) as caught:
        queries.load_all(tmp_path, DATASETS, DATABASES)
    assert str(caught.value) == "queries/sold.sql:2: 'byte 0xe4': expected SQL in UTF-8. Save it as such."


def test_a_dollar_that_names_no_layer_is_the_querys_own(tmp_path: Path) -> None:
    select = "SELECT regexp_replace(buyer, '^(a)$$|b$', '$1') AS buyer FROM ${gold}.sales_by_date"
    deployed = select.replace("${gold}", "headwater_dev_gold")
    assert load(tmp_path, f"-- A\n{select}", "buyers").named[0].text == f"-- A\n{deployed}"
    assert (
        view(tmp_path, select.replace("reg", "CAST(reg").replace(" AS b", " AS varchar) AS b")).sql.count("$$|b$") == 1
    )


def test_a_view_keeps_the_types_and_the_words_of_its_contract(tmp_path: Path) -> None:
    made = view(
        tmp_path,
        "WITH s AS (SELECT year, max(price_paid) AS most, count(*) AS n FROM ${gold}.sales_by_date GROUP BY year)\n"
        "SELECT year, most, n, -- How many\n CAST(n AS double) AS share, u.created_at\n"
        "FROM s CROSS JOIN (SELECT max(_version) AS created_at FROM ${silver}.saas_users) AS u",
    )
    assert [(each.name, each.type) for each in made.columns] == [
        ("year", "int"),
        ("most", "decimal(8,2)"),
        ("n", "bigint"),
        ("share", "double"),
        ("created_at", "timestamp"),
    ]
    assert made.columns[0].description.startswith("The year of the sale")
    assert made.columns[2].description == "How many"
    assert made.inputs == ("gold.sales_by_date", "saas.users")
    assert "headwater_dev_gold.sales_by_date" in made.sql
    assert "CREATE" not in made.sql


def test_a_star_is_every_column_of_the_contract(tmp_path: Path) -> None:
    names = [each.name for each in view(tmp_path, "SELECT * FROM ${gold}.sales_by_date").columns]
    assert names[: len(DATASETS["gold.sales_by_date"].columns)] == [
        each.name for each in DATASETS["gold.sales_by_date"].columns
    ]


def test_a_named_query_may_read_a_view_and_quarantine(tmp_path: Path) -> None:
    load(tmp_path, VIEW + "SELECT year FROM ${gold}.sales_by_date")
    found = load(tmp_path, "-- B\nSELECT s.year FROM ${gold}.sold AS s, ${silver}.saas_users__quarantine", "years")
    assert [each.name for each in found.named] == ["years"]
    assert found.named[0].text.startswith("-- B\nSELECT s.year FROM headwater_dev_gold.sold")
    assert "expected a column" in refusal(tmp_path, "-- B\nSELECT month FROM ${gold}.sold", "months")


def test_the_shipped_queries_fit_the_shipped_contracts() -> None:
    found = queries.load_all(contracts.ROOT, DATASETS, DATABASES)
    assert "sales_by_month" in {each.name for each in found.views}
    assert len(found.named) >= 5
