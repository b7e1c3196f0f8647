"""Iceberg tables that statements make and change: CREATE, CTAS, INSERT, UPDATE, DELETE, MERGE, OPTIMIZE and VACUUM."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.local.athena_statements import Analyst
from tests.local.conftest import RunningEndpoint

START = [["1", "ann", "10.00", "2026-11-20"], ["2", "bob", None, "2026-11-21"], ["3", "cy", "30.50", "2026-11-21"]]


@pytest.fixture(scope="module")
def ann(endpoint: RunningEndpoint) -> Analyst:
    return Analyst(endpoint, "statement_iceberg", "statement-iceberg").prepare()


def made(ann: Analyst, name: str) -> str:
    """A table of three rows in two files and partitions."""
    ann.run(
        f"""CREATE TABLE {name} (id bigint COMMENT 'the number', name string, price decimal(8,2), day date)
        PARTITIONED BY (day, bucket(4, id)) LOCATION 's3://{ann.bucket}/{name}/'
        TBLPROPERTIES ('table_type' = 'ICEBERG', 'format' = 'parquet', 'write_compression' = 'zstd')"""
    )
    ann.run(f"INSERT INTO {name} VALUES (1, 'ann', 10.00, DATE '2026-11-20'), (2, 'bob', NULL, DATE '2026-11-21')")
    ann.run(f'INSERT INTO "{name}" ("day", "id", "name", "price") (SELECT DATE \'2026-11-21\', 3, \'cy\', 30.5)')
    return name


def rows(ann: Analyst, name: str) -> list[list[str | None]]:
    return ann.rows(f"SELECT * FROM {name} ORDER BY id")


def snapshots(ann: Analyst, name: str) -> list[str | None]:
    return [row[0] for row in ann.rows(f'SELECT operation FROM "{name}$snapshots" ORDER BY committed_at')]


def test_a_table_is_made_filled_and_dropped_with_its_files(ann: Analyst) -> None:
    made(ann, "filled")
    assert rows(ann, "filled") == START
    assert snapshots(ann, "filled") == ["append", "append"]
    assert ann.table("filled")["Parameters"]["table_type"].upper() == "ICEBERG"
    assert {key.split("/")[2] for key in ann.keys("filled/data/")} == {"day=2026-11-20", "day=2026-11-21"}
    ann.run("DROP TABLE IF EXISTS filled")
    assert ann.keys("filled/") == []


def test_ctas_makes_an_iceberg_table_in_one_commit(ann: Analyst) -> None:
    options = f"table_type = 'ICEBERG', is_external = false, location = 's3://{ann.bucket}/ctas/'"
    select = "SELECT 1 AS id, CAST('a' AS varchar) AS word, TIMESTAMP '2026-11-21 05:30:00.123456' AS at"
    execution = ann.run(f"CREATE TABLE made WITH ({options}, partitioning = ARRAY['day(at)']) AS {select}")
    assert ann.rows("SELECT * FROM made") == [["1", "a", "2026-11-21 05:30:00.123456"]]
    assert snapshots(ann, "made") == ["append"]
    assert len(ann.lines(execution["Statistics"]["DataManifestLocation"])) == 1
    told = ann.fails(f"CREATE TABLE never WITH ({options.replace('ctas', 'never')}) AS SELECT 1 AS id, 1 / 0 AS x")
    assert told.startswith("DIVISION_BY_ZERO")
    with pytest.raises(ann.endpoint.client("glue").exceptions.EntityNotFoundException):
        ann.table("never")


def test_a_change_leaves_what_glue_alone_says_of_the_table(ann: Analyst) -> None:
    ann.run(
        f"""CREATE TABLE described (id bigint COMMENT 'the number', name string) LOCATION 's3://{ann.bucket}/described/'
        TBLPROPERTIES ('table_type' = 'ICEBERG')"""
    )
    table = ann.table("described")
    columns = [{**column, "Comment": f"{column['Name']} by hand"} for column in table["StorageDescriptor"]["Columns"]]
    storage = {**table["StorageDescriptor"], "Columns": columns}
    said = {"Description": "By hand", "Owner": "ann", "Retention": 3}
    told = {"Name": table["Name"], "TableType": table["TableType"], "Parameters": table["Parameters"]}
    ann.endpoint.client("glue").update_table(
        DatabaseName=ann.database, TableInput={**told, **said, "StorageDescriptor": storage}
    )
    ann.run("INSERT INTO described VALUES (1, 'ann')")
    ann.run("ALTER TABLE described ADD COLUMNS (age int)")
    kept = ann.table("described")
    assert {name: kept.get(name) for name in said} == said
    comments = [column.get("Comment") for column in kept["StorageDescriptor"]["Columns"]]
    assert comments == ["the number", "name by hand", None]


def test_update_changes_the_rows_of_its_condition_alone(ann: Analyst) -> None:
    name = made(ann, "updated")
    execution = ann.run(
        f"UPDATE {name} SET price = CAST(price * 2 AS decimal(8,2)), name = upper(name) WHERE price > 20 OR id = 2"
    )
    assert (execution["StatementType"], execution["SubstatementType"]) == ("DML", "UPDATE")
    assert ann.results(execution["QueryExecutionId"])["UpdateCount"] == 2
    assert rows(ann, name) == [START[0], ["2", "BOB", None, "2026-11-21"], ["3", "CY", "61.00", "2026-11-21"]]
    ann.run(f"UPDATE {name} SET day = DATE '2026-12-01' WHERE id = ?", ExecutionParameters=["1"])
    assert rows(ann, name)[0] == ["1", "ann", "10.00", "2026-12-01"]


def test_delete_takes_the_rows_of_its_condition_alone(ann: Analyst) -> None:
    name = made(ann, "shrinking")
    before = snapshots(ann, name)
    assert ann.results(ann.run(f"DELETE FROM {name} WHERE id = 9")["QueryExecutionId"])["UpdateCount"] == 0
    assert snapshots(ann, name) == before
    ann.run(f"DELETE FROM {name} WHERE price IS NULL AND id IN (SELECT id FROM {name} WHERE name = 'bob')")
    assert rows(ann, name) == [START[0], START[2]]
    ann.run(f"DELETE FROM {name}")
    assert rows(ann, name) == []
    ann.run(f"INSERT INTO {name} (id) VALUES 7")
    assert rows(ann, name) == [["7", None, None, None]]


def test_merge_updates_deletes_and_inserts_in_one_commit(ann: Analyst) -> None:
    name = made(ann, "merged")
    source = "SELECT * FROM (VALUES (1, 'ANN'), (2, 'gone'), (3, 'later'), (4, 'new'), (5, 'skipped')) t(id, name)"
    ann.run(f"CREATE TABLE news AS {source}")
    before = snapshots(ann, name)
    execution = ann.run(
        f"""MERGE INTO "awsdatacatalog"."{ann.database}"."{name}" AS target
        USING news AS src ON (target.id = src.id)
        WHEN MATCHED AND src.name = 'gone' THEN DELETE
        WHEN MATCHED AND target.id < 3 THEN UPDATE set"name" = src."name",
            price = CAST(target.price + 1 AS decimal(8,2))
        WHEN NOT MATCHED AND src.id < 5 THEN INSERT (id, name, day) VALUES (src.id, src.name, DATE '2026-11-22')"""
    )
    assert ann.results(execution["QueryExecutionId"])["UpdateCount"] == 3
    assert rows(ann, name) == [["1", "ANN", "11.00", "2026-11-20"], START[2], ["4", "new", None, "2026-11-22"]]
    assert len(snapshots(ann, name)) == len(before) + 1


def test_a_merge_that_matches_a_row_twice_fails_and_changes_nothing(ann: Analyst) -> None:
    name = made(ann, "twice")
    told = ann.fails(
        f"MERGE INTO {name} t USING (VALUES (1, 'x'), (1, 'y')) s(id, name) ON t.id = s.id"
        " WHEN MATCHED THEN UPDATE SET name = s.name"
    )
    assert told.startswith("MERGE_TARGET_ROW_MULTIPLE_MATCHES: One MERGE target table row matched more than one source")
    assert rows(ann, name) == START


def test_inserts_at_once_lose_no_row(ann: Analyst) -> None:
    ann.run(f"CREATE TABLE busy (id int) LOCATION 's3://{ann.bucket}/busy/' TBLPROPERTIES ('table_type' = 'ICEBERG')")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: ann.run(f"INSERT INTO busy VALUES {number}"), range(6)))
    assert ann.rows("SELECT count(*), sum(id) FROM busy") == [["6", "15"]]


def test_a_change_names_a_csv_that_it_does_not_write(ann: Analyst) -> None:
    ann.run(f"CREATE TABLE place (id int) LOCATION 's3://{ann.bucket}/place/' TBLPROPERTIES ('table_type' = 'ICEBERG')")
    for sql in ("UPDATE place SET id = 1", "DELETE FROM place", "DELETE FROM place WHERE id = 1"):
        execution = ann.run(sql)
        identity = execution["QueryExecutionId"]
        assert execution["ResultConfiguration"]["OutputLocation"].endswith(f"/{identity}.csv")
        assert ann.keys(f"results/{identity}") == [f"results/{identity}.csv.metadata"]
        assert ann.results(identity)["ResultSet"]["Rows"] == []


def test_what_metadata_says_is_read_as_tables(ann: Analyst) -> None:
    name = made(ann, "inside")
    files = ann.rows(f'SELECT content, file_path, record_count, file_size_in_bytes FROM "{name}$files" ORDER BY 3')
    assert [(row[0], row[2]) for row in files] == [("0", "1")] * 3
    assert all((row[1] or "").startswith(f"s3://{ann.bucket}/{name}/data/") and int(row[3] or 0) for row in files)
    assert ann.rows(f'SELECT sum(record_count), sum(file_count) FROM "{name}$partitions"') == [["3", "3"]]
    assert ann.rows(f'SELECT count(*) FROM "{name}$manifests" WHERE added_data_files_count > 0') == [["2"]]
    assert ann.rows(f'SELECT count(*), bool_and(is_current_ancestor) FROM "{name}$history"') == [["2", "true"]]
    assert ann.rows(f'SELECT name, type FROM "{name}$refs"') == [["main", "BRANCH"]]
    [first, _] = ann.rows(f'SELECT * FROM "{name}$snapshots" ORDER BY committed_at')
    assert "added-records=2" in (first[5] or "")
    [smallest, *_] = ann.rows(f'SELECT * FROM "{name}$files" ORDER BY lower_bounds[1]')
    assert (smallest[6] or "").startswith("{1=1, ")
    assert (smallest[9], smallest[10]) == ("{1=1, 2=ann, 3=10.00, 4=2026-11-20}",) * 2
    assert ann.fails(f'SELECT * FROM "{name}$entries"').startswith("NOT_SUPPORTED: The table '…$entries'")


def test_optimize_and_vacuum_leave_the_rows_and_fewer_files(ann: Analyst) -> None:
    name = made(ann, "kept_up")
    ann.run(f"DELETE FROM {name} WHERE id = 1")
    ann.run(f"OPTIMIZE {name} REWRITE DATA USING BIN_PACK")
    ann.run(f"VACUUM {name}")
    assert len(snapshots(ann, name)) == 4
    ann.run(f"ALTER TABLE {name} SET TBLPROPERTIES ('vacuum_max_snapshot_age_seconds' = '0')")
    before = ann.keys(f"{name}/data/")
    ann.run(f"VACUUM {name}")
    assert len(snapshots(ann, name)) == 1
    assert len(ann.keys(f"{name}/data/")) < len(before)
    assert rows(ann, name) == START[1:]
    assert ann.fails(f"OPTIMIZE {name} REWRITE DATA USING BIN_PACK WHERE id = 1").startswith("NOT_SUPPORTED")


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        (
            "UPDATE plain SET a = 2",
            "NOT_SUPPORTED: Modifying Hive table rows is only supported for transactional tables",
        ),
        ("UPDATE none SET a = 2", "TABLE_NOT_FOUND: line 1:8: Table 'awsdatacatalog.statement_iceberg.none'"),
        ("UPDATE kept SET nope = 2", "COLUMN_NOT_FOUND"),
        ("UPDATE kept SET id = 'x'", "TYPE_MISMATCH: UPDATE table column types don't match SET expressions"),
        (
            "DELETE FROM kept WHERE id",
            "TYPE_MISMATCH: line 1:24: WHERE clause must evaluate to a boolean: actual type bigint",
        ),
        ("DELETE FROM kept WHERE 1 / (id - 1) > 0", "DIVISION_BY_ZERO"),
        ("INSERT INTO kept VALUES (1, 2)", "TYPE_MISMATCH: Insert query has mismatched column types"),
        (
            "CREATE TABLE x WITH (table_type = 'ICEBERG', is_external = false, location = 's3://statement-iceberg/x/')"
            " AS SELECT TIMESTAMP '2026-11-21 00:00:00.000' AS at",
            'NOT_SUPPORTED: Timestamp precision (3) not supported for Iceberg. Use "timestamp(6)" instead.',
        ),
        (
            "CREATE TABLE x (a int) PARTITIONED BY (nope) LOCATION 's3://statement-iceberg/x/' "
            "TBLPROPERTIES ('table_type'='ICEBERG')",
            "COLUMN_NOT_FOUND: Column 'nope'",
        ),
    ],
)
def test_a_change_that_fails_changes_nothing(ann: Analyst, sql: str, told: str) -> None:
    ann.run("CREATE TABLE IF NOT EXISTS plain AS SELECT 1 AS a")
    if "kept" not in ann.names():
        made(ann, "kept")
    assert ann.fails(sql).startswith(told)
    assert rows(ann, "kept") == START
