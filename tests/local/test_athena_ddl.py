"""Statements about tables that change no rows: views, ALTER TABLE, SHOW, EXPLAIN and MSCK REPAIR TABLE."""

from __future__ import annotations

import pytest

from tests.local.athena_statements import Analyst
from tests.local.conftest import RunningEndpoint

DAYS = "SELECT * FROM (VALUES (1, 'mon'), (2, 'tue')) t(id, day)"


@pytest.fixture(scope="module")
def ann(endpoint: RunningEndpoint) -> Analyst:
    analyst = Analyst(endpoint, "statement_ddl", "statement-ddl").prepare()
    place = f"external_location = 's3://{analyst.bucket}/days/'"
    analyst.run(f"CREATE TABLE days WITH (partitioned_by = ARRAY['day'], {place}) AS {DAYS}")
    properties = f"LOCATION 's3://{analyst.bucket}/ice/' TBLPROPERTIES ('table_type' = 'ICEBERG')"
    analyst.run(f"CREATE TABLE ice (id int, name string COMMENT 'who') {properties}")
    analyst.run("INSERT INTO ice VALUES (1, 'ann')")
    return analyst


def test_a_view_is_made_replaced_and_dropped(ann: Analyst) -> None:
    ann.run("CREATE VIEW busy AS SELECT day, count(*) AS n FROM days GROUP BY day")
    assert ann.rows("SELECT * FROM busy ORDER BY 1") == [["mon", "1"], ["tue", "1"]]
    assert ann.rows("SHOW CREATE VIEW busy")[1] == ["SELECT day, count(*) AS n FROM days GROUP BY day"]
    told = "TABLE_ALREADY_EXISTS: line 1:1: View already exists: 'awsdatacatalog.statement_ddl.busy'"
    assert ann.fails("CREATE VIEW busy AS SELECT 1 AS a") == told
    ann.run(f"""create or replace view "awsdatacatalog"."{ann.database}"."busy" as\nselect now() as at, id from ice;""")
    assert ann.rows("SELECT id FROM busy") == [["1"]]
    assert ann.fails("CREATE OR REPLACE VIEW days AS SELECT 1 AS a").startswith("TABLE_ALREADY_EXISTS")
    assert ann.fails("CREATE VIEW v AS SELECT nope FROM days").startswith("COLUMN_NOT_FOUND: line 1:25")
    assert "Use DROP VIEW" in ann.fails("DROP TABLE busy")
    ann.run("DROP VIEW busy")
    ann.run("DROP VIEW IF EXISTS busy")
    assert "View not found statement_ddl.busy" in ann.fails("DROP VIEW busy")


def test_partitions_are_added_moved_renamed_and_dropped(ann: Analyst) -> None:
    ann.run(
        f"CREATE EXTERNAL TABLE parts (id int) PARTITIONED BY (day string) STORED AS PARQUET LOCATION 's3://{ann.bucket}/days'"
    )
    assert ann.rows("SELECT count(*) FROM parts") == [["0"]]
    ann.run(
        "ALTER TABLE parts ADD IF NOT EXISTS PARTITION (day = 'mon') PARTITION (day='x') LOCATION 's3://statement-ddl/x/'"
    )
    assert ann.rows("SELECT * FROM parts") == [["1", "mon"]]
    assert "AlreadyExistsException" in ann.fails("ALTER TABLE parts ADD PARTITION (day = 'mon')")
    ann.run(f"ALTER TABLE parts PARTITION (day = 'x') SET LOCATION 's3://{ann.bucket}/days/day=tue/'")
    assert ann.rows("SELECT * FROM parts ORDER BY id") == [["1", "mon"], ["2", "x"]]
    assert ann.rows("SHOW PARTITIONS parts") == [["day=mon"], ["day=x"]]
    ann.run("ALTER TABLE parts PARTITION (day = 'x') RENAME TO PARTITION (day = 'y')")
    ann.run("ALTER TABLE parts DROP PARTITION (day = 'mon'), PARTITION (day = 'y')")
    assert "Partition not found" in ann.fails("ALTER TABLE parts DROP PARTITION (day = 'y')")
    assert ann.rows("SHOW PARTITIONS parts") == []
    assert ann.rows("MSCK REPAIR TABLE `parts`", QueryExecutionContext={"Database": f"`{ann.database}`"}) == [
        ["Partitions not in metastore:\tparts:day=mon\tparts:day=tue"],
        ["Repair: Added partition to metastore parts:day=mon"],
        ["Repair: Added partition to metastore parts:day=tue"],
    ]
    assert ann.rows("SELECT * FROM parts ORDER BY id") == [["1", "mon"], ["2", "tue"]]


def test_columns_and_properties_of_plain_tables_change(ann: Analyst) -> None:
    ann.run(f"CREATE EXTERNAL TABLE wide (id int) STORED AS PARQUET LOCATION 's3://{ann.bucket}/wide'")
    ann.run("ALTER TABLE wide ADD COLUMNS (word string COMMENT 'a word', more array<int>)")
    assert ann.rows("SHOW COLUMNS IN wide") == [[f"{name:<20}"] for name in ("id", "word", "more")]
    assert "Duplicate column name: word" in ann.fails("ALTER TABLE wide ADD COLUMNS (word int)")
    ann.run("ALTER TABLE wide REPLACE COLUMNS (id bigint)")
    ann.run("ALTER TABLE `statement_ddl`.`wide` SET TBLPROPERTIES ('classification' = 'parquet', 'x' = 'it''s')")
    assert ann.rows("SHOW TBLPROPERTIES wide ('x')") == [["x\tit's"]]
    ann.run(f"ALTER TABLE wide SET LOCATION 's3://{ann.bucket}/days/day=mon/'")
    assert ann.rows("SELECT id FROM wide") == [["1"]]
    assert ann.fails("ALTER TABLE wide DROP COLUMN id").startswith("NOT_SUPPORTED: ALTER TABLE DROP COLUMN")


def test_columns_properties_and_name_of_an_iceberg_table_change(ann: Analyst) -> None:
    ann.run("ALTER TABLE ice ADD COLUMNS (price decimal(8,2), gone int)")
    ann.run("ALTER TABLE ice CHANGE COLUMN id number bigint")
    ann.run("ALTER TABLE ice DROP COLUMN gone")
    assert ann.rows("SELECT * FROM ice") == [["1", "ann", None]]
    assert ann.rows("DESCRIBE ice")[:5] == [
        ["# Table schema:\t\t"], ["# col_name\tdata_type\tcomment"], ["number\tbigint\t"], ["name\tstring\twho"],
        ["price\tdecimal(8, 2)\t"],
    ]  # fmt: skip
    assert ann.rows("SHOW COLUMNS IN ice") == [["number"], ["name"], ["price"]]
    assert "cannot be changed" in ann.fails("ALTER TABLE ice CHANGE COLUMN number number int")
    ann.run("ALTER TABLE ice SET TBLPROPERTIES ('write_compression' = 'gzip', 'team' = 'a')")
    ann.run("ALTER TABLE ice UNSET TBLPROPERTIES ('team')")
    ann.run("ALTER TABLE ice RENAME TO thawed")
    assert ann.rows("SELECT number FROM thawed") == [["1"]]
    assert ann.fails("SELECT number FROM ice").startswith("TABLE_NOT_FOUND")
    ann.run("ALTER TABLE thawed RENAME TO ice")


def test_show_create_table_makes_the_table_again(ann: Analyst) -> None:
    lines = [row[0] or "" for row in ann.rows("SHOW CREATE TABLE days")]
    assert lines[0] == "CREATE EXTERNAL TABLE `statement_ddl.days`("
    ann.run("\n".join(lines).replace("`statement_ddl.days`", "again"))
    assert ann.table("again")["PartitionKeys"] == ann.table("days")["PartitionKeys"]
    assert ann.table("again")["StorageDescriptor"] == ann.table("days")["StorageDescriptor"]


def test_an_iceberg_tables_listings_tell_its_partitioning_and_make_it_again(ann: Analyst) -> None:
    ann.run(
        "CREATE TABLE split (id bigint COMMENT 'it''s', at timestamp, word string)"
        f" PARTITIONED BY (word, day(at), bucket(4, id)) LOCATION 's3://{ann.bucket}/split'"
        " TBLPROPERTIES ('table_type' = 'ICEBERG', 'write_compression' = 'gzip')"
    )
    lines = [row[0] or "" for row in ann.rows("SHOW CREATE TABLE split")]
    assert lines == [
        "CREATE TABLE statement_ddl.split (", "  id bigint COMMENT 'it''s',", "  at timestamp,", "  word string)",
        "PARTITIONED BY (`word`, day(`at`), bucket(4, `id`))", f"LOCATION 's3://{ann.bucket}/split'",
        "TBLPROPERTIES (", "  'table_type'='iceberg',", "  'write_compression'='gzip'", ")",
    ]  # fmt: skip
    described = ann.rows("DESCRIBE split")
    assert described[-5:] == [
        ["# Partition spec:\t\t"], ["# field_name\tfield_transform\tcolumn_name"], ["word\tidentity\tword"],
        ["at_day\tday\tat"], ["id_bucket\tbucket[4]\tid"],
    ]  # fmt: skip
    ann.run("DROP TABLE split")
    ann.run("\n".join(lines))
    assert ann.rows("DESCRIBE split") == described


def test_explain_plans_and_reads_nothing(ann: Analyst) -> None:
    execution = ann.run("EXPLAIN SELECT * FROM days")
    assert (execution["StatementType"], execution["SubstatementType"]) == ("UTILITY", "EXPLAIN")
    assert ann.rows("EXPLAIN (TYPE VALIDATE) SELECT * FROM days") == [["true"]]
    assert ann.fails("EXPLAIN SELECT nope FROM days").startswith("COLUMN_NOT_FOUND")


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        (
            "ALTER TABLE none DROP COLUMN a",
            "FAILED: SemanticException [Error 10001]: Table not found statement_ddl.none",
        ),
        ("SHOW PARTITIONS ice", "NOT_SUPPORTED: SHOW PARTITIONS of the Iceberg table 'ice'"),
        ("SHOW COLUMNS IN none", "FAILED: SemanticException [Error 10001]: Table not found statement_ddl.none"),
        ("ALTER TABLE days ADD PARTITION (other = 'x')", "FAILED: SemanticException partition spec (other=x)"),
    ],
)
def test_a_statement_about_what_is_not_there_says_so(ann: Analyst, sql: str, told: str) -> None:
    assert ann.fails(sql).startswith(told)


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("CREATE TABLE", "line 1:13: mismatched input '<EOF>'. Expecting: <identifier>"),
        ("CREATE EXTERNAL TABLE t (a int) STORED AS LEAD", "line 1:43: mismatched input 'LEAD'. Expecting: 'PARQUET'"),
        ("DROP TABLE a b", "line 1:14: mismatched input 'b'. Expecting: <EOF>"),
        ("ALTER TABLE t\nFLY AWAY", "line 2:1: mismatched input 'FLY'. Expecting: 'SET TBLPROPERTIES'"),
        ("CREATE VIEW v AS SELEC 1", "line 1:18: mismatched input 'SELEC'. Expecting: "),
    ],
)
def test_a_syntax_error_has_its_place(ann: Analyst, sql: str, told: str) -> None:
    with pytest.raises(ann.endpoint.client("athena").exceptions.InvalidRequestException) as caught:
        ann.start(sql)
    assert told in str(caught.value)
