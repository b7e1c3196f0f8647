"""Iceberg tables that Spark's merge-on-read has changed: their deleted rows stay deleted, whatever a statement does."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tests.local.athena_statements import Analyst, Rows
from tests.local.conftest import RunningEndpoint
from tests.local.iceberg_deletes import delete_equal, delete_positions

LEFT: Rows = [["1", "a"], ["3", "c"], ["5", "e"]]


@pytest.fixture(scope="module")
def ann(endpoint: RunningEndpoint) -> Analyst:
    return Analyst(endpoint, "statement_deletes", "statement-deletes").prepare()


def made(ann: Analyst, name: str) -> str:
    """Rows 1 to 4 in a file, 2 and 4 of them deleted by one delete file each, and row 5 in another."""
    place = f"LOCATION 's3://{ann.bucket}/{name}/'"
    ann.run(f"CREATE TABLE {name} (id bigint, word string) {place} TBLPROPERTIES ('table_type' = 'ICEBERG')")
    ann.run(f"INSERT INTO {name} VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')")
    delete_positions(ann.iceberg(name), [1])
    delete_positions(ann.iceberg(name), [3])
    ann.run(f"INSERT INTO {name} VALUES (5, 'e')")
    return name


def rows(ann: Analyst, name: str) -> Rows:
    """The rows, which PyIceberg must see as the statement does."""
    found = ann.rows(f"SELECT * FROM {name} ORDER BY id")
    read = ann.iceberg(name).scan().to_arrow().sort_by("id").to_pylist()
    assert [[str(row["id"]), row["word"]] for row in read] == found
    return found


def test_a_query_leaves_out_deleted_rows_and_time_travel_has_them(ann: Analyst) -> None:
    name = made(ann, "read")
    assert rows(ann, name) == LEFT
    assert ann.rows(f"SELECT count(*), count(word), max(id) FROM {name} WHERE id < 5") == [["2", "2", "3"]]
    first = ann.iceberg(name).history()[0].snapshot_id
    assert ann.rows(f"SELECT count(*) FROM {name} FOR VERSION AS OF {first}") == [["4"]]
    content = ann.rows(f'SELECT content, record_count FROM "{name}$files" ORDER BY 1, 2')
    assert content == [["0", "1"], ["0", "4"], ["1", "1"], ["1", "1"]]


@pytest.mark.parametrize(
    ("sql", "count", "after"),
    [
        ("UPDATE {} SET word = 'x' WHERE id < 3", 1, [["1", "x"], *LEFT[1:]]),
        ("UPDATE {} SET word = 'x' WHERE id = 5", 1, [*LEFT[:2], ["5", "x"]]),
        ("UPDATE {} SET word = 'x' WHERE id = 2", 0, LEFT),
        ("DELETE FROM {} WHERE id IN (2, 3)", 1, [LEFT[0], LEFT[2]]),
        ("DELETE FROM {}", 3, []),
        (
            "MERGE INTO {} t USING (VALUES (2, 'new'), (3, 'old')) s(id, word) ON t.id = s.id"
            " WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES (s.id, s.word)",
            2,
            [LEFT[0], ["2", "new"], LEFT[2]],
        ),
    ],
)  # fmt: skip
def test_a_change_brings_no_deleted_row_back(ann: Analyst, sql: str, count: int, after: Rows) -> None:
    name = made(ann, f"changed_{len(ann.names())}")
    execution = ann.run(sql.format(name))
    assert ann.results(execution["QueryExecutionId"])["UpdateCount"] == count
    assert rows(ann, name) == after
    ann.run(f"INSERT INTO {name} VALUES (9, 'z')")
    assert rows(ann, name) == [*after, ["9", "z"]]


def test_optimize_writes_the_rows_that_are_left_into_one_file(ann: Analyst) -> None:
    name = made(ann, "compacted")
    ann.run(f"OPTIMIZE {name} REWRITE DATA USING BIN_PACK")
    assert rows(ann, name) == LEFT
    files = [(len(task.delete_files), task.file.record_count) for task in ann.iceberg(name).scan().plan_files()]
    assert files == [(0, 3)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM {}",
        "DELETE FROM {} WHERE id = 1",
        "INSERT INTO {} VALUES (7, 'g')",
        "OPTIMIZE {} REWRITE DATA USING BIN_PACK",
    ],
)
def test_equality_deletes_are_refused_by_name(ann: Analyst, sql: str) -> None:
    if "equal" not in ann.names():
        made(ann, "equal")
        ids = pa.field("id", pa.int64(), metadata={"PARQUET:field_id": "1"})
        delete_equal(ann.iceberg("equal"), pa.table({"id": [1]}, pa.schema([ids])))
    assert "The table 'equal' with equality deletes is not on the laptop's list" in ann.fails(sql.format("equal"))
    assert ann.rows('SELECT count(*) FROM "equal$files" WHERE content = 2') == [["1"]]
