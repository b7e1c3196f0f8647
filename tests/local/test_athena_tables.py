"""Tables that statements make, fill and drop, of plain files: CREATE TABLE, CTAS, INSERT INTO, UNLOAD, DROP."""

from __future__ import annotations

import gzip

import pytest

from tests.local.athena_statements import Analyst
from tests.local.conftest import RunningEndpoint

SALES = """SELECT * FROM (VALUES (1, 'Ann', CAST(1.50 AS decimal(8,2)), DATE '2026-11-20'),
    (2, NULL, CAST(2.25 AS decimal(8,2)), DATE '2026-11-21'), (3, 'Cy', NULL, DATE '2026-11-21'))
    t(id, buyer, price, day)"""
MANY = ", ".join(map(str, range(101)))
ROWS = [["1", "Ann", "1.50", "2026-11-20"], ["2", None, "2.25", "2026-11-21"], ["3", "Cy", None, "2026-11-21"]]


@pytest.fixture(scope="module")
def ann(endpoint: RunningEndpoint) -> Analyst:
    analyst = Analyst(endpoint, "statement_tables", "statement-tables").prepare()
    analyst.run(f"CREATE TABLE sales AS {SALES}")
    return analyst


def test_ctas_makes_a_parquet_table_of_the_querys_rows(ann: Analyst) -> None:
    execution = ann.run(f"CREATE TABLE first AS {SALES}")
    assert (execution["StatementType"], execution["SubstatementType"]) == ("DDL", "CREATE_TABLE_AS_SELECT")
    assert ann.rows("SELECT * FROM first ORDER BY id") == ROWS
    table = ann.table("first")
    assert [(each["Name"], each["Type"]) for each in table["StorageDescriptor"]["Columns"]] == [
        ("id", "int"), ("buyer", "varchar(3)"), ("price", "decimal(8,2)"), ("day", "date"),
    ]  # fmt: skip
    assert "Parquet" in table["StorageDescriptor"]["SerdeInfo"]["SerializationLibrary"]
    place = execution["ResultConfiguration"]["OutputLocation"]
    assert place == f"s3://{ann.bucket}/results/tables/{execution['QueryExecutionId']}"
    assert table["StorageDescriptor"]["Location"] == f"{place}/"
    manifest = execution["Statistics"]["DataManifestLocation"]
    assert manifest == f"{place}-manifest.csv"
    assert [file.startswith(f"{place}/") for file in ann.lines(manifest)] == [True]
    assert ann.results(execution["QueryExecutionId"])["UpdateCount"] == 3


def test_ctas_by_partitions_is_pruned_by_them(ann: Analyst) -> None:
    place = f"s3://{ann.bucket}/by-day"
    ann.run(f"CREATE TABLE by_day WITH (partitioned_by = ARRAY['day'], external_location = '{place}/') AS {SALES}")
    assert {key.split("/")[1] for key in ann.keys("by-day/")} == {"day=2026-11-20", "day=2026-11-21"}
    assert ann.rows("SELECT * FROM by_day ORDER BY id") == ROWS
    assert ann.rows('SELECT day FROM "by_day$partitions" ORDER BY 1') == [["2026-11-20"], ["2026-11-21"]]
    whole = ann.run("SELECT * FROM by_day")["Statistics"]["DataScannedInBytes"]
    part = ann.run("SELECT * FROM by_day WHERE day = DATE '2026-11-20'")["Statistics"]["DataScannedInBytes"]
    assert 0 < part < whole


def test_ctas_by_buckets_puts_each_row_where_hive_looks_for_it(ann: Analyst) -> None:
    values = "(BIGINT '-1', 'hello'), (BIGINT '1', 'hello'), (BIGINT '4294967297', 'éa'), (NULL, NULL)"
    select = f"SELECT id, word, 1 AS one FROM (VALUES {values}) t(id, word)"
    # by Java: hash(-1L) = 0, hash(1L) = 1, hash(4294967297L) = 0; hash('hello') = 99162322; bytes are signed
    for name, by, numbers in (("by_id", "id", {0, 1}), ("by_word", "word", {0, 2, 3})):
        ann.run(f"CREATE TABLE {name} WITH (bucketed_by = ARRAY['{by}'], bucket_count = 4) AS {select}")
        table = ann.table(name)["StorageDescriptor"]
        assert (table["BucketColumns"], table["NumberOfBuckets"]) == ([by], 4)
        files = ann.keys(table["Location"].removeprefix(f"s3://{ann.bucket}/"))
        assert {int(file.rpartition("/")[2].split("_")[0]) for file in files} == numbers
        assert ann.rows(f"SELECT count(*) FROM {name}") == [["4"]]
    assert ann.fails("INSERT INTO by_id SELECT * FROM by_id").startswith(
        "NOT_SUPPORTED: Inserting into bucketed tables"
    )


@pytest.mark.parametrize("form", ["JSON", "AVRO", "PARQUET", "TEXTFILE"])
def test_ctas_writes_what_it_reads_back(ann: Analyst, form: str) -> None:
    select = "SELECT * FROM (VALUES (1, 'a\"b', 1.5e0, true), (2, NULL, NULL, false)) t(id, word, x, final)"
    ann.run(f"CREATE TABLE as_{form} WITH (format = '{form}') AS {select}")
    assert ann.rows(f"SELECT * FROM as_{form} ORDER BY id") == [["1", 'a"b', "1.5", "true"], ["2", None, None, "false"]]


def test_lines_of_text_are_read_as_their_serde_reads_them(ann: Analyst) -> None:
    s3, place = ann.endpoint.client("s3"), f"LOCATION 's3://{ann.bucket}/lines"
    s3.put_object(Bucket=ann.bucket, Key="lines/lazy/a", Body=b'id|word|x\n1|a "b"|1.50\n2|\\N|\n\n3\n4||2|rest\n')
    ann.run(
        "CREATE EXTERNAL TABLE lazy (id int, word string, x decimal(4,2)) ROW FORMAT DELIMITED FIELDS "
        f"TERMINATED BY '|' {place}/lazy' TBLPROPERTIES ('skip.header.line.count' = '1')"
    )
    rows = [["1", 'a "b"', "1.50"], ["2", None, None], ["3", None, None], ["4", "", "2.00"], [None, None, None]]
    assert ann.rows("SELECT * FROM lazy ORDER BY id") == rows
    body = gzip.compress(b'1,"a, ""b""",true\n2,,false\n"3",""\n')
    s3.put_object(Bucket=ann.bucket, Key="lines/open/a.csv.gz", Body=body)
    serde = "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'"
    ann.run(f"CREATE EXTERNAL TABLE opened (id int, word string, final boolean) {serde} {place}/open'")
    execution = ann.run("SELECT * FROM opened")
    assert ann.rows("SELECT * FROM opened ORDER BY id") == [
        ["1", 'a, "b"', "true"],
        ["2", "", "false"],
        ["3", "", None],
    ]
    assert execution["Statistics"]["DataScannedInBytes"] >= len(body)
    s3.put_object(Bucket=ann.bucket, Key="lines/escaped/a", Body=b"1,\\N\n2,b\n")
    escaped = "ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' ESCAPED BY '\\\\'"
    ann.run(f"CREATE EXTERNAL TABLE escaped (id int, word string) {escaped} {place}/escaped'")
    assert ann.rows("SELECT * FROM escaped ORDER BY id") == [["1", None], ["2", "b"]]
    s3.put_object(Bucket=ann.bucket, Key="lines/escaped/b", Body=b"3,c\\,d\n")
    assert "An escape in a line of text" in ann.fails("SELECT id FROM escaped")
    ann.run(f"CREATE EXTERNAL TABLE wrong (id int, word int) ROW FORMAT DELIMITED {place}/lazy'")
    assert ann.fails("SELECT id FROM wrong").startswith("HIVE_BAD_DATA: Error parsing field value for field id")


def test_ctas_with_no_data_makes_an_empty_table(ann: Analyst) -> None:
    ann.run(f"CREATE TABLE hollow AS {SALES} WITH NO DATA")
    assert ann.rows("SELECT count(*) FROM hollow") == [["0"]]


def test_insert_adds_rows_and_partitions(ann: Analyst) -> None:
    ann.run(f"CREATE TABLE growing WITH (partitioned_by = ARRAY['day']) AS {SALES}")
    execution = ann.run("INSERT INTO growing (id, day) VALUES (4, DATE '2026-11-22'), (5, NULL)")
    assert (execution["StatementType"], execution["SubstatementType"]) == ("DML", "INSERT")
    assert ann.results(execution["QueryExecutionId"])["UpdateCount"] == 2
    assert len(ann.lines(execution["Statistics"]["DataManifestLocation"])) == 2
    assert ann.rows("SELECT * FROM growing WHERE id > 3 ORDER BY id") == [
        ["4", None, None, "2026-11-22"], ["5", None, None, None],
    ]  # fmt: skip


def test_unload_writes_files_and_their_manifest(ann: Analyst) -> None:
    place = f"s3://{ann.bucket}/unloaded/"
    execution = ann.run(f"UNLOAD (SELECT id, buyer FROM sales) TO '{place}' WITH (format = 'PARQUET')")
    assert (execution["StatementType"], execution["SubstatementType"]) == ("DML", "UNLOAD")
    files = ann.lines(execution["Statistics"]["DataManifestLocation"])
    assert [file.startswith(place) for file in files] == [True]
    again = ann.fails(f"UNLOAD (SELECT 1 AS a) TO '{place}' WITH (format = 'JSON')")
    assert again.startswith("HIVE_PATH_ALREADY_EXISTS")


def test_a_table_of_files_that_are_there_is_described_and_dropped_without_them(ann: Analyst) -> None:
    options = f"partitioned_by = ARRAY['day'], external_location = 's3://{ann.bucket}/source/'"
    ann.run(f"CREATE TABLE source WITH ({options}) AS {SALES}")
    ann.run(
        f"""-- over the same files
        CREATE EXTERNAL TABLE IF NOT EXISTS `{ann.database}`.`described` (`id` int COMMENT 'its number', buyer string,
            price decimal(8, 2)) COMMENT 'Sales' PARTITIONED BY (day date) STORED AS PARQUET
        LOCATION 's3://{ann.bucket}/source/' TBLPROPERTIES ('classification' = 'parquet')"""
    )
    table = ann.table("described")
    assert table["StorageDescriptor"]["Columns"][0] == {"Name": "id", "Type": "int", "Comment": "its number"}
    assert table["StorageDescriptor"]["Columns"][2]["Type"] == "decimal(8,2)"
    assert (table["PartitionKeys"], table["Description"]) == ([{"Name": "day", "Type": "date"}], "Sales")
    assert table["Parameters"]["classification"] == "parquet"
    ann.run("DROP TABLE described")
    assert ann.keys("source/")
    assert ann.rows("SELECT count(*) FROM source") == [["3"]]


def test_databases_are_made_and_dropped(ann: Analyst) -> None:
    ann.run("CREATE SCHEMA IF NOT EXISTS `statement_other` COMMENT 'of others'")
    ann.run("CREATE DATABASE IF NOT EXISTS statement_other")
    ann.run("CREATE TABLE statement_other.one AS SELECT 1 AS a")
    assert "is not empty" in ann.fails("DROP DATABASE statement_other")
    ann.run("DROP DATABASE statement_other CASCADE")
    ann.run("DROP DATABASE IF EXISTS statement_other")
    assert "Database does not exist: statement_other" in ann.fails("DROP DATABASE statement_other")


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("CREATE TABLE sales AS SELECT 1 AS a", "TABLE_ALREADY_EXISTS: line 1:1: Destination table"),
        ("CREATE TABLE none.x AS SELECT 1 AS a", "SCHEMA_NOT_FOUND: Schema none not found"),
        ("CREATE TABLE x AS SELECT 1", "MISSING_COLUMN_NAME: Column name not specified at position 1"),
        ("CREATE TABLE x AS SELECT 1 AS a, 2 AS A", "DUPLICATE_COLUMN_NAME: Column name 'a' specified more than once"),
        ("CREATE TABLE x AS SELECT NULL AS a", "COLUMN_TYPE_UNKNOWN: Column type is unknown: a"),
        ("CREATE TABLE x AS SELECT now() AS a", "NOT_SUPPORTED: Unsupported Hive type: timestamp(3) with time zone"),
        (
            "CREATE TABLE x AS SELECT ARRAY[TIMESTAMP '2026-11-21 05:30:00.123456'] AS at",
            "NOT_SUPPORTED: Incorrect timestamp precision for timestamp(6); the configured precision is MILLISECONDS;"
            " column name: at",
        ),
        ("CREATE TABLE x WITH (format = 'ORC') AS SELECT 1 AS a", "NOT_SUPPORTED: The format ORC is not on"),
        ("CREATE TABLE x WITH (what = 1) AS SELECT 1 AS a", "INVALID_TABLE_PROPERTY: Catalog 'awsdatacatalog'"),
        (
            "CREATE TABLE x WITH (partitioned_by = ARRAY['a']) AS SELECT 1 AS a, 2 AS b",
            "HIVE_COLUMN_ORDER_MISMATCH: Partition keys must be the last columns",
        ),
        (
            f"CREATE TABLE x WITH (partitioned_by = ARRAY['p']) AS SELECT 1 AS a, p FROM (VALUES {MANY}) t(p)",
            "HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers for partitions/buckets",
        ),
        ("INSERT INTO nowhere SELECT 1", "TABLE_NOT_FOUND: line 1:13: Table 'awsdatacatalog.statement_tables.nowhere'"),
        (
            "INSERT INTO sales (id) SELECT 'one'",
            "TYPE_MISMATCH: Insert query has mismatched column types: Table: [integer], Query: [varchar(3)]",
        ),
        (
            "INSERT INTO sales (buyer) SELECT 'Anna'",
            "INVALID_CAST_ARGUMENT: Cannot truncate non-space characters when casting from varchar(4) to varchar(3)",
        ),
        ("INSERT INTO sales (idd) SELECT 1", "COLUMN_NOT_FOUND: Insert column name does not exist in target"),
        ("DROP TABLE nowhere", "FAILED: SemanticException [Error 10001]: Table not found statement_tables.nowhere"),
        ("CREATE TABLE x (a int) LOCATION 's3://b/x/'", "NOT_SUPPORTED: CREATE TABLE without EXTERNAL"),
    ],
)
def test_a_statement_that_fails_leaves_nothing(ann: Analyst, sql: str, told: str) -> None:
    before = ann.keys("results/tables/")
    assert ann.fails(sql).startswith(told)
    assert ann.keys("results/tables/") == before
    with pytest.raises(ann.endpoint.client("glue").exceptions.EntityNotFoundException):
        ann.table("x")
