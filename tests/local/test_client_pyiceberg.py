"""PyIceberg at the laptop: what Athena made it reads, changes and looks back on, and Athena reads what it wrote."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pyiceberg.catalog import load_catalog
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.exceptions import (
    NamespaceAlreadyExistsError,
    NoSuchNamespaceError,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import DayTransform, IdentityTransform
from pyiceberg.types import DateType, DecimalType, LongType, NestedField, StringType, TimestampType

from tests.local.athena_statements import Analyst
from tests.local.client_environment import at_the_laptop
from tests.local.conftest import RunningEndpoint

BUCKET, DATABASE = "read-by-pyiceberg", "read_by_pyiceberg"
DOSES = (
    "CREATE TABLE {name} (id bigint, patient string, weight decimal(5,2), day date, given timestamp,"
    " tags array<string>, place struct<ward: string, bed: int>) PARTITIONED BY (day) LOCATION 's3://"
    + BUCKET
    + "/{name}/'"
    " TBLPROPERTIES ('table_type' = 'ICEBERG')"
)
ROWS = (
    "INSERT INTO {name} VALUES"
    " (1, 'Ann', 61.50, date '2026-01-01', timestamp '2026-01-01 10:00:00.123456', ARRAY['a', 'b'], row('w1', 1)),"
    " (2, NULL, NULL, date '2026-01-02', NULL, NULL, NULL),"
    " (3, 'Cy', 80.00, date '2026-01-02', timestamp '2026-01-02 00:00:00', ARRAY[], row(NULL, 3))"
)


@pytest.fixture(scope="module")
def ann(endpoint: RunningEndpoint) -> Analyst:
    return Analyst(endpoint, DATABASE, BUCKET).prepare()


@pytest.fixture(scope="module")
def catalog(ann: Analyst) -> Iterator[GlueCatalog]:
    with at_the_laptop(ann.endpoint):
        found = load_catalog(
            "lake", type="glue", **{"s3.endpoint": ann.endpoint.url, "glue.endpoint": ann.endpoint.url}
        )
        assert isinstance(found, GlueCatalog)
        yield found


def made(ann: Analyst, name: str) -> tuple[str, str]:
    for statement in (DOSES, ROWS):
        ann.run(statement.format(name=name))
    return DATABASE, name


def ids(scan: Any) -> list[int]:
    return sorted(scan.to_arrow()["id"].to_pylist())


def test_a_table_of_athenas_is_read_with_its_types_and_values(ann: Analyst, catalog: GlueCatalog) -> None:
    table = catalog.load_table(made(ann, "doses"))
    assert {field.name: str(field.field_type) for field in table.schema().fields} == {
        "id": "long", "patient": "string", "weight": "decimal(5, 2)", "day": "date", "given": "timestamp",
        "tags": "list<string>", "place": "struct<9: ward: optional string, 10: bed: optional int>",
    }  # fmt: skip
    assert [(field.name, str(field.transform)) for field in table.spec().fields] == [("day", "identity")]
    rows = sorted(table.scan().to_arrow().to_pylist(), key=lambda row: row["id"])
    assert rows[0] == {
        "id": 1, "patient": "Ann", "weight": Decimal("61.50"), "day": dt.date(2026, 1, 1),
        "given": dt.datetime(2026, 1, 1, 10, 0, 0, 123456), "tags": ["a", "b"], "place": {"ward": "w1", "bed": 1},
    }  # fmt: skip
    assert list(rows[1].values()) == [2, None, None, dt.date(2026, 1, 2), None, None, None]
    assert (rows[2]["tags"], rows[2]["place"]) == ([], {"ward": None, "bed": 3})


def test_a_filter_reads_only_the_files_that_may_hold_it(ann: Analyst, catalog: GlueCatalog) -> None:
    table = catalog.load_table(made(ann, "pruned"))
    late = table.scan(row_filter="day = '2026-01-02'", selected_fields=("id", "patient"))
    assert len(list(late.plan_files())) == 1 < len(list(table.scan().plan_files()))
    assert late.to_arrow().column_names == ["id", "patient"]
    assert ids(late) == [2, 3]
    assert ids(table.scan(row_filter="id > 1 and patient is null")) == [2]
    assert ids(table.scan(row_filter="weight >= 61.50 and id < 3")) == [1]
    assert table.scan(limit=2).to_arrow().num_rows == 2
    assert str(table.scan().to_pandas()["id"].dtype) == "int64"


def test_what_pyiceberg_appends_replaces_and_deletes_athena_reads(ann: Analyst, catalog: GlueCatalog) -> None:
    table = catalog.load_table(made(ann, "written"))
    more = pa.Table.from_pylist(
        [{"id": 4, "patient": "Di", "weight": Decimal("1.00"), "day": dt.date(2026, 1, 3)}], table.schema().as_arrow()
    )
    table.append(more)
    sql = "SELECT id, patient, weight, day FROM written ORDER BY id"
    assert ann.rows(sql)[-1] == ["4", "Di", "1.00", "2026-01-03"]
    table.delete("id = 1")
    table.overwrite(more, overwrite_filter="day = '2026-01-02'")
    assert [row[0] for row in ann.rows(sql)] == ["4", "4"]
    ann.run("DELETE FROM written WHERE id = 4")
    assert table.refresh().scan().to_arrow().num_rows == 0
    ann.run("INSERT INTO written (id, patient, day) VALUES (5, 'Ed', date '2026-02-01')")
    changed = more.set_column(0, table.schema().as_arrow().field("id"), pa.array([5], pa.int64()))
    result = table.refresh().upsert(changed, join_cols=["id"])
    assert (result.rows_updated, result.rows_inserted) == (1, 0)
    assert ann.rows(sql) == [["5", "Di", "1.00", "2026-01-03"]]


def test_columns_and_partitions_that_pyiceberg_changes_athena_knows(ann: Analyst, catalog: GlueCatalog) -> None:
    table = catalog.load_table(made(ann, "evolved"))
    with table.update_schema() as change:
        change.add_column("dose", LongType(), doc="In milligrams")
        change.rename_column("patient", "person")
        change.delete_column("tags")
    with table.update_spec() as spec:
        spec.add_field("given", DayTransform(), "given_day")
    assert ann.rows("SHOW COLUMNS IN evolved") == [
        [name] for name in ("id", "person", "weight", "day", "given", "place", "dose")
    ]
    assert ["given_day\tday\tgiven"] in ann.rows("DESCRIBE evolved")
    ann.run("INSERT INTO evolved (id, person, dose, day) VALUES (4, 'Di', 7, date '2026-01-03')")
    assert ann.rows("SELECT id, person, dose FROM evolved WHERE id IN (1, 4) ORDER BY id") == [
        ["1", "Ann", None], ["4", "Di", "7"]
    ]  # fmt: skip
    ann.run("ALTER TABLE evolved ADD COLUMNS (note string)")
    assert table.refresh().schema().column_names[-1] == "note"
    rows = table.scan(row_filter="id = 4").to_arrow().to_pylist()
    assert (rows[0]["dose"], rows[0]["note"], rows[0]["given"]) == (7, None, None)


def test_the_past_is_the_same_for_both(ann: Analyst, catalog: GlueCatalog) -> None:
    table = catalog.load_table(made(ann, "kept"))
    ann.run("UPDATE kept SET patient = 'Bo' WHERE id = 2")
    ann.run("DELETE FROM kept WHERE id = 1")
    history = table.refresh().history()
    told = ann.rows('SELECT snapshot_id FROM "kept$snapshots" ORDER BY committed_at')
    assert [str(entry.snapshot_id) for entry in history] == [row[0] for row in told]
    first = history[0].snapshot_id
    assert ids(table.scan(snapshot_id=first)) == [1, 2, 3]
    assert ann.rows(f"SELECT count(*) FROM kept FOR VERSION AS OF {first}") == [["3"]]
    table.manage_snapshots().create_tag(first, "before").commit()
    tagged = table.refresh().snapshot_by_name("before")
    assert tagged is not None
    assert ids(table.scan(snapshot_id=tagged.snapshot_id)) == [1, 2, 3]
    assert ["before", "TAG"] in ann.rows('SELECT name, type FROM "kept$refs"')
    assert table.inspect.files().num_rows == int(str(ann.rows('SELECT count(*) FROM "kept$files"')[0][0]))


def test_a_table_of_pyicebergs_is_athenas_to_query_and_change(ann: Analyst, catalog: GlueCatalog) -> None:
    schema = Schema(
        NestedField(1, "id", LongType(), required=True),
        NestedField(2, "day", DateType(), required=False),
        NestedField(3, "at", TimestampType(), required=False),
        NestedField(4, "price", DecimalType(8, 2), required=False),
        NestedField(5, "word", StringType(), required=False, doc="A word"),
    )
    spec = PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "day"))
    name = (DATABASE, "mine")
    table = catalog.create_table(name, schema, location=f"s3://{BUCKET}/mine", partition_spec=spec)
    assert ann.rows("SELECT count(*) FROM mine") == [["0"]]
    with pytest.raises(TableAlreadyExistsError):
        catalog.create_table(name, schema, location=f"s3://{BUCKET}/mine")
    at = dt.datetime(2026, 1, 1, 0, 0, 0, 1)
    rows = [{"id": n, "day": dt.date(2026, 1, n), "at": at, "price": Decimal(n), "word": None} for n in (1, 2)]
    table.append(pa.Table.from_pylist(rows, table.schema().as_arrow()))
    assert ann.rows("SELECT * FROM mine ORDER BY id") == [
        ["1", "2026-01-01", "2026-01-01 00:00:00.000001", "1.00", None],
        ["2", "2026-01-02", "2026-01-01 00:00:00.000001", "2.00", None],
    ]
    ann.run(
        "MERGE INTO mine t USING (VALUES (2, 'two'), (3, 'three')) s (id, word) ON t.id = s.id"
        " WHEN MATCHED THEN UPDATE SET word = s.word WHEN NOT MATCHED THEN INSERT (id, word) VALUES (s.id, s.word)"
    )
    found = sorted(
        table.refresh().scan(selected_fields=("id", "word")).to_arrow().to_pylist(), key=lambda row: row["id"]
    )
    assert [row["word"] for row in found] == [None, "two", "three"]
    assert "mine" in [name for _, name in catalog.list_tables(DATABASE)]
    catalog.rename_table(name, (DATABASE, "yours"))
    assert ann.rows("SELECT count(*) FROM yours") == [["3"]]
    catalog.drop_table((DATABASE, "yours"))
    assert ann.fails("SELECT * FROM yours").startswith("TABLE_NOT_FOUND")


def test_namespaces_are_databases_and_what_is_missing_is_told(ann: Analyst, catalog: GlueCatalog) -> None:
    catalog.create_namespace("pyiceberg_own", {"comment": "Own", "location": f"s3://{BUCKET}/own"})
    assert ["pyiceberg_own"] in ann.rows("SHOW DATABASES")
    assert catalog.load_namespace_properties("pyiceberg_own")["comment"] == "Own"
    with pytest.raises(NamespaceAlreadyExistsError):
        catalog.create_namespace("pyiceberg_own")
    assert ("pyiceberg_own",) in catalog.list_namespaces()
    catalog.drop_namespace("pyiceberg_own")
    with pytest.raises(NoSuchNamespaceError):
        catalog.load_namespace_properties("pyiceberg_own")
    assert not catalog.table_exists((DATABASE, "nowhere"))
    with pytest.raises(NoSuchTableError):
        catalog.load_table((DATABASE, "nowhere"))


def test_a_change_of_an_older_state_is_made_again_on_the_newer_one(ann: Analyst, catalog: GlueCatalog) -> None:
    stale = catalog.load_table(made(ann, "raced"))
    row = pa.Table.from_pylist([{"id": 9, "day": dt.date(2026, 1, 1)}], stale.schema().as_arrow())
    ann.run("DELETE FROM raced WHERE id = 1")
    stale.append(row)
    assert ann.rows("SELECT id FROM raced ORDER BY id") == [["2"], ["3"], ["9"]]
