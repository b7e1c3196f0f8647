"""Athena's SQL on DuckDB: names, places of errors, views, parameters; what expressions answer: tests/local/athena."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from local.engines import athena_failures, athena_macros, athena_results, athena_sql
from local.engines.athena_errors import QueryError
from local.engines.athena_scope import Table, TableColumn, View
from local.engines.athena_types import BIGINT, INTEGER, REAL, VARCHAR, Type
from local.engines.duckdb_worker import check_types

TABLES = {
    ("db", "samples"): Table("db", "samples", (TableColumn("r", REAL), TableColumn("s", VARCHAR))),
    ("db", "t"): Table(
        "db", "t", (TableColumn("id", BIGINT), TableColumn("name", VARCHAR), TableColumn("day", VARCHAR)), ("day",)
    ),
    ("db", "strange"): Table("db", "strange", (TableColumn("id", BIGINT), TableColumn("m", Type("map(varchar)")))),
}
ID, TITLE = TableColumn("id", BIGINT), TableColumn("title", VARCHAR)
VIEWS = {
    "named": ((ID, TITLE), 'SELECT "id", "name" AS "title" FROM "db"."t"'),
    "later": ((ID,), "SELECT id FROM named WHERE id > 1"),
    "widened": ((TableColumn("n", BIGINT),), "SELECT 1 AS n"),
    "dangling": ((ID,), "SELECT id FROM gone"),
    "stale": ((TableColumn("n", INTEGER),), "SELECT id FROM t"),
    "short": ((ID, TITLE), "SELECT id FROM t"),
    "circle": ((ID,), "SELECT id FROM circle"),
}
TABLES |= {("db", name): Table("db", name, columns, view=View(sql, "db")) for name, (columns, sql) in VIEWS.items()}
ROWS = {
    "samples": "VALUES (1.5::FLOAT, 'a'), (NULL, NULL)",
    "t": "VALUES (1::BIGINT, 'one', 'mon'), (2, 'two', 'tue'), (3, NULL, 'tue')",
    "strange": "VALUES (1::BIGINT, NULL)",
}
Answer = tuple[list[str], list[str], list[list[str | None]]]


class FixedCatalog:
    """A catalog with a few tables of one database."""

    def table(self, database: str, name: str) -> Table | None:
        return TABLES.get((database, name))

    def has_database(self, name: str) -> bool:
        return name == "db"


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        athena_macros.prepare(opened)
        yield opened


def answer(connection: duckdb.DuckDBPyConnection, sql: str, *parameters: str) -> Answer:
    """Names, types and rows, as Athena would print them."""
    tree = athena_sql.read(sql).tree
    assert tree is not None
    translation = athena_sql.translate(tree, FixedCatalog(), "db", list(parameters))
    for scan in translation.scans:
        names = ", ".join(f"c{i}" for i in range(1, len(scan.table.columns) + 1))
        values = f"SELECT * FROM ({ROWS[scan.table.name]}) v({names})"
        connection.execute(f"CREATE OR REPLACE TEMP VIEW {scan.view} AS {values}")
    query = translation.query
    try:
        rows = connection.execute(query.sql).fetchall()
    except duckdb.Error as error:
        raise athena_failures.told(error) from error
    check_types(connection.description, translation)
    return list(query.names), [str(type_) for type_ in query.types], list(athena_results.printed(rows, query.types))


def refusal(connection: duckdb.DuckDBPyConnection, sql: str, *parameters: str) -> str:
    with pytest.raises(QueryError) as caught:
        answer(connection, sql, *parameters)
    return str(caught.value)


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT name FROM t ORDER BY name DESC", [["two"], ["one"], [None]]),
        ("SELECT name FROM t ORDER BY name NULLS FIRST", [[None], ["one"], ["two"]]),
        ("SELECT day, count(*) FROM t GROUP BY 1 ORDER BY 2 DESC", [["tue", "2"], ["mon", "1"]]),
        ("SELECT day FROM t GROUP BY day HAVING count(*) > 1", [["tue"]]),
        ("SELECT DISTINCT day FROM t ORDER BY day", [["mon"], ["tue"]]),
        ("SELECT t.day, length(day) FROM t GROUP BY (day), length(day) ORDER BY 1 LIMIT 1", [["mon", "3"]]),
        ("SELECT id FROM t ORDER BY -id LIMIT 1 OFFSET 1", [["2"]]),
        ("SELECT -id AS id FROM t ORDER BY id LIMIT 1", [["-3"]]),
        ("SELECT upper(name) AS name FROM t WHERE name = 'one'", [["ONE"]]),
        ('SELECT "ID" FROM "awsdatacatalog"."db"."t" WHERE db.t.id = 1', [["1"]]),
        ("WITH a AS (SELECT id FROM t), b(x) AS (SELECT id FROM a) SELECT sum(x) FROM b", [["6"]]),
        ("WITH t AS (SELECT 9 AS id) SELECT id FROM t", [["9"]]),
        (
            "SELECT a.id, b.id FROM t a LEFT JOIN t b ON a.id = b.id - 1 ORDER BY 1",
            [["1", "2"], ["2", "3"], ["3", None]],
        ),
        ("SELECT * FROM (VALUES (1, 'a')) x(k, v) JOIN (VALUES (1, 'b')) y(k, v) USING (k)", [["1", "a", "b"]]),
        ("SELECT k FROM (VALUES 1) x(k) FULL JOIN (VALUES 2) y(k) USING (k) ORDER BY k", [["1"], ["2"]]),
        ("SELECT 1 UNION SELECT 1 UNION ALL SELECT 2.5 ORDER BY 1", [["1.0"], ["2.5"]]),
        ("SELECT 1 INTERSECT SELECT 1", [["1"]]),
        ("SELECT id FROM t EXCEPT SELECT 1 ORDER BY id", [["2"], ["3"]]),
        ("(SELECT id FROM t ORDER BY id LIMIT 1) UNION ALL SELECT 7", [["1"], ["7"]]),
        ("SELECT x FROM t CROSS JOIN UNNEST(array[day, 'all']) AS u(x) WHERE id = 1 ORDER BY x", [["all"], ["mon"]]),
        ("SELECT id FROM t a WHERE id > (SELECT min(id) FROM t b WHERE b.day = a.day) ORDER BY 1", [["3"]]),
        ("VALUES (1, 'a'), (2, 'b')", [["1", "a"], ["2", "b"]]),
        ("-- a comment\nSELECT id /* another */ FROM t WHERE id = 1;", [["1"]]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_query_answers_as_athena_does(
    connection: duckdb.DuckDBPyConnection, sql: str, rows: list[list[str | None]]
) -> None:
    assert answer(connection, sql)[2] == rows


def test_columns_are_named_as_the_query_names_them(connection: duckdb.DuckDBPyConnection) -> None:
    assert answer(connection, "SELECT id, id + 1, name AS Label FROM t")[0] == ["id", "_col1", "Label"]


def test_parameters_are_literals_in_order(connection: duckdb.DuckDBPyConnection) -> None:
    sql = "SELECT id FROM t WHERE day = ? AND id > ?"
    assert answer(connection, sql, "'tue'", "2")[2] == [["3"]]
    assert "expected 2 but found 1" in refusal(connection, sql, "'tue'")
    assert "The parameter tue" in refusal(connection, sql, "tue", "2")


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        ("SELECT id, x FROM t", "COLUMN_NOT_FOUND: line 1:12: Column 'x' cannot be resolved"),
        ("SELECT id\nFROM t\nWHERE  day2 = 'a'", "COLUMN_NOT_FOUND: line 3:8: Column 'day2' cannot be resolved"),
        ("SELECT * FROM nope", "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.db.nope' does not exist"),
        ("SELECT * FROM no.t", "SCHEMA_NOT_FOUND: line 1:15: Schema 'no' does not exist"),
        ("SELECT * FROM other.db.t", "CATALOG_NOT_FOUND: line 1:15: Catalog 'other' does not exist"),
        ("SELECT classify(id) FROM t", "NOT_SUPPORTED: line 1:8: Function 'classify' is not on the laptop's list"),
        ("SELECT name FROM t GROUP BY day", "EXPRESSION_NOT_AGGREGATE: line 1:8: 'name' must be an aggregate"),
        ("SELECT id FROM t WHERE id", "WHERE clause must evaluate to a boolean: actual type bigint"),
        ("SELECT id = 'a' FROM t", "TYPE_MISMATCH: line 1:8: Cannot apply operator: bigint = varchar(1)"),
        ("SELECT * FROM strange", "The type map(varchar) of column 'm' is not on the laptop's list"),
        ("SELECT id FROM t ORDER BY 3", "position 3 is not in select list"),
        ("SELECT id FROM t TABLESAMPLE BERNOULLI (10)", "NOT_SUPPORTED"),
        ("SELECT id FROM t FOR TIMESTAMP AS OF timestamp '2024-01-01 00:00:00 UTC'", "NOT_SUPPORTED"),
        ("SELECT id FROM t NATURAL JOIN t b", "NOT_SUPPORTED"),
        ("WITH RECURSIVE a(x) AS (SELECT 1) SELECT x FROM a", "NOT_SUPPORTED"),
        ("SELECT 1 UNION SELECT 'a'", "column 1 in UNION query has incompatible types"),
    ],
)
def test_what_is_wrong_or_not_on_the_list_is_told_with_its_place(
    connection: duckdb.DuckDBPyConnection, sql: str, text: str
) -> None:
    assert text in refusal(connection, sql)


@pytest.mark.parametrize("verb", ["ANALYZE t", "USE other"])
def test_a_statement_that_is_not_run_yet_is_named(verb: str) -> None:
    statement = athena_sql.read(verb)
    assert f"{verb.split()[0]} is not run on the laptop yet" in str(athena_sql.refuse(statement))


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT * FROM", "SELECT (1", "SELECT 1; SELECT 2", "", "SELECT 'a"])
def test_a_text_that_is_no_statement_is_a_syntax_error(sql: str) -> None:
    with pytest.raises(QueryError) as caught:
        athena_sql.read(sql)
    assert caught.value.kind == "SYNTAX"


def test_conditions_on_partition_columns_decide_the_partitions() -> None:
    def filters(sql: str) -> list[str]:
        tree = athena_sql.read(sql).tree
        assert tree is not None
        return athena_sql.translate(tree, FixedCatalog(), "db", []).scans[0].filters

    assert len(filters("SELECT id FROM t WHERE day = 'mon' AND id = 1")) == 1
    assert not filters("SELECT id FROM t WHERE day = 'mon' OR id = 1")
    assert not filters("SELECT a.id FROM t a RIGHT JOIN t b ON a.id = b.id WHERE a.day IS NULL")


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1.0"), (1e7, "1.0E7"), (1.5e-4, "1.5E-4"), (0.0, "0.0"), (-0.0, "-0.0"), (123456.789, "123456.789"),
     (1.7976931348623157e308, "1.7976931348623157E308"), (9999999.0, "9999999.0"),
     (0.001, "0.001"), (100.0, "100.0")],
)  # fmt: skip
def test_doubles_are_printed_as_java_does(value: float, text: str) -> None:
    assert athena_results.java_double(value) == text


def test_a_result_file_tells_null_from_an_empty_text() -> None:
    rows: list[list[str | None]] = [["a", None], ["", 'q"x,\ny'], [None, None]]
    assert athena_results.read_csv("".join(map(athena_results.csv_line, rows)), 2) == rows


@pytest.mark.parametrize(
    ("sql", "names", "rows"),
    [
        ("SELECT * FROM named ORDER BY id LIMIT 1", ["id", "title"], [["1", "one"]]),
        ("SELECT v.title FROM named v WHERE v.id = 2", ["title"], [["two"]]),
        ("SELECT a, b FROM db.named AS x (a, b) WHERE a = 2", ["a", "b"], [["2", "two"]]),
        ("WITH t AS (SELECT 7 AS id) SELECT max(named.id) m, max(t.id) n FROM named, t", ["m", "n"], [["3", "7"]]),
        ("SELECT l.id, n.title FROM later l JOIN named n ON l.id = n.id", ["id", "title"], [["2", "two"], ["3", None]]),
        ("SELECT n / 2 FROM widened", ["_col0"], [["0"]]),
    ],
)  # fmt: skip
def test_a_view_answers_as_the_query_behind_it(
    connection: duckdb.DuckDBPyConnection, sql: str, names: list[str], rows: list[list[str | None]]
) -> None:
    found = answer(connection, sql)
    assert (found[0], found[2]) == (names, rows)


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ("dangling", "INVALID_VIEW: line 1:15: Failed analyzing stored view '.*db.dangling': .*catalog.db.gone'"),
        ("stale", "VIEW_IS_STALE: .* type bigint projected .* position 0 cannot be coerced to .* type integer stored"),
        ("short", r"VIEW_IS_STALE: .* stored view column count \(2\) does not match"),
        ("circle", "INVALID_VIEW: .* View is recursive"),
    ],
)  # fmt: skip
def test_a_view_that_no_longer_fits_what_lies_below_it_says_so(
    connection: duckdb.DuckDBPyConnection, view: str, said: str
) -> None:
    with pytest.raises(QueryError, match=said):
        answer(connection, f"SELECT * FROM {view}")
