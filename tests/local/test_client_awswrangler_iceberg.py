"""awswrangler at the laptop: frames written to Iceberg tables, merged, replaced and deleted."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

from tests.local.client_environment import at_the_laptop
from tests.local.conftest import RunningEndpoint

BUCKET, DATABASE = "wrangled-iceberg", "wrangled_iceberg"
OUTPUT = f"s3://{BUCKET}/output/"
FIRST, SECOND = dt.date(2026, 1, 1), dt.date(2026, 1, 2)
Rows = list[tuple[Any, ...]]


class Writer:
    """awswrangler with the session of somebody at the laptop: `wr.write("table", frame, **options)`."""

    def __init__(self, wrangler: ModuleType, session: Any) -> None:
        self.wrangler, self.session = wrangler, session
        self._folders = itertools.count()

    @property
    def common(self) -> dict[str, Any]:
        temporary = f"s3://{BUCKET}/temporary/{next(self._folders)}/"
        settings = {"database": DATABASE, "temp_path": temporary, "s3_output": OUTPUT, "keep_files": False}
        return {**settings, "boto3_session": self.session}

    def write(self, table: str, frame: pd.DataFrame, **options: Any) -> None:
        place = f"s3://{BUCKET}/{table}/"
        self.wrangler.athena.to_iceberg(frame, table=table, table_location=place, **self.common, **options)

    def read(self, sql: str) -> Any:
        return self.wrangler.athena.read_sql_query(
            sql, DATABASE, ctas_approach=False, s3_output=OUTPUT, boto3_session=self.session
        )

    def rows(self, sql: str) -> Rows:
        frame = self.read(sql)
        return [
            tuple(None if pd.isna(value) else value for value in row)
            for row in frame.itertuples(index=False, name=None)
        ]


def doses(*rows: tuple[int, str | None, dt.date]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["id", "patient", "day"])


@pytest.fixture(scope="module")
def wr(endpoint: RunningEndpoint) -> Iterator[Writer]:
    import awswrangler

    with at_the_laptop(endpoint) as session:
        session.client("s3").create_bucket(Bucket=BUCKET)
        awswrangler.catalog.create_database(DATABASE, boto3_session=session)
        yield Writer(awswrangler, session)


def test_a_table_is_made_by_the_first_frame_and_grows_with_the_next(wr: Writer) -> None:
    settings = {"columns_comments": {"id": "Which dose"}}
    for numbers in ((1, 2), (3, 4)):
        wr.write("grown", doses((numbers[0], "Ann", FIRST), (numbers[1], None, SECOND)),
                 partition_cols=["day", "bucket(2, id)"], glue_table_settings=settings)  # fmt: skip
    assert wr.rows("SELECT * FROM grown ORDER BY id") == [
        (1, "Ann", FIRST), (2, None, SECOND), (3, "Ann", FIRST), (4, None, SECOND)
    ]  # fmt: skip
    catalog, named = wr.wrangler.catalog, {"database": DATABASE, "table": "grown", "boto3_session": wr.session}
    assert catalog.get_table_types(**named) == {"id": "bigint", "patient": "string", "day": "date"}
    assert catalog.get_columns_comments(**named)["id"] == "Which dose"
    assert catalog.get_table_parameters(**named)["table_type"] == "ICEBERG"
    assert wr.rows('SELECT operation FROM "grown$snapshots"') == [("append",), ("append",)]
    assert [each["Name"] for each in catalog.get_tables(database=DATABASE, boto3_session=wr.session)] == ["grown"]
    assert wr.wrangler.s3.list_objects(f"s3://{BUCKET}/temporary/", boto3_session=wr.session) == []


def test_a_table_made_by_a_frame_describes_itself_as_athenas_iceberg_tables_do(wr: Writer) -> None:
    wr.write("told", doses((1, "Ann", FIRST)), partition_cols=["day", "bucket(2, id)", "truncate(3, patient)"])
    common = {"database": DATABASE, "s3_output": OUTPUT, "boto3_session": wr.session}
    shown = wr.wrangler.athena.show_create_table("told", **common)
    assert " ".join(shown.split()).startswith(
        f"CREATE TABLE {DATABASE}.told ( id bigint, patient string, day date)"
        f" PARTITIONED BY (`day`, bucket(2, `id`), truncate(3, `patient`)) LOCATION 's3://{BUCKET}/told'"
        " TBLPROPERTIES ( 'table_type'='iceberg',"
    )
    described = wr.wrangler.athena.describe_table("told", **common)
    parts = described.set_index("Column Name")["Partition"].to_dict()
    assert {name: parts[name] for name in ("id", "patient", "day")} == {"id": False, "patient": False, "day": True}
    assert described["Type"].tolist()[:3] == ["bigint", "string", "date"]


def test_rows_are_merged_by_their_key(wr: Writer) -> None:
    wr.write("merged", doses((1, "Ann", FIRST), (2, None, FIRST)))
    wr.write("merged", doses((2, "Bo", SECOND), (3, "Cy", SECOND)), merge_cols=["id"])
    assert wr.rows("SELECT * FROM merged ORDER BY id") == [(1, "Ann", FIRST), (2, "Bo", SECOND), (3, "Cy", SECOND)]
    wr.write("merged", doses((3, "no", FIRST), (4, None, FIRST)), merge_cols=["id"], merge_condition="ignore")
    assert wr.rows("SELECT patient FROM merged WHERE id > 2 ORDER BY id") == [("Cy",), (None,)]
    wr.write("merged", doses((5, None, SECOND)), merge_cols=["patient"], merge_match_nulls=True,
             dtype={"patient": "string"})  # fmt: skip
    assert wr.rows("SELECT id, day FROM merged WHERE patient IS NULL") == [(5, SECOND)]


def test_only_the_partitions_of_a_frame_are_replaced(wr: Writer) -> None:
    wr.write("parted", doses((1, "Ann", FIRST), (2, "Bo", SECOND), (3, "Cy", SECOND)), partition_cols=["day"])
    wr.write("parted", doses((4, "Di", SECOND)), partition_cols=["day"], mode="overwrite_partitions")
    assert wr.rows("SELECT id FROM parted ORDER BY 1") == [(1,), (4,)]
    wr.write("parted", doses((5, "Ed", FIRST)), mode="overwrite")
    assert wr.rows("SELECT * FROM parted") == [(5, "Ed", FIRST)]


def test_a_table_takes_new_columns_when_it_is_told_to(wr: Writer) -> None:
    wr.write("evolved", doses((1, "Ann", FIRST)), dtype={"id": "int"})
    wider = doses((2, "Bo", SECOND)).assign(weight=[61.5]).drop(columns="patient")
    with pytest.raises(wr.wrangler.exceptions.InvalidArgumentValue, match="Schema change detected"):
        wr.write("evolved", wider.copy())
    wr.write("evolved", wider.copy(), schema_evolution=True)
    assert wr.rows("SELECT id, patient, weight FROM evolved ORDER BY id") == [(1, "Ann", None), (2, None, 61.5)]
    frame = wr.read("SELECT * FROM evolved ORDER BY id")
    assert [str(each) for each in frame.dtypes] == ["Int64", "string", "object", "float64"]
    past = '"evolved$snapshots" ORDER BY committed_at LIMIT 1'
    [(first,)] = wr.rows(f"SELECT snapshot_id FROM {past}")
    assert wr.rows(f"SELECT count(*) FROM evolved FOR VERSION AS OF {first}") == [(1,)]


def test_rows_are_deleted_by_their_key(wr: Writer) -> None:
    wr.write("deleted", doses((1, "Ann", FIRST), (2, "Bo", FIRST), (3, "Cy", SECOND)))
    keys = pd.DataFrame({"id": [1, 3, 99]})
    wr.wrangler.athena.delete_from_iceberg_table(keys, table="deleted", merge_cols=["id"], **wr.common)
    assert wr.rows("SELECT id FROM deleted") == [(2,)]


def test_what_a_client_cannot_write_is_told(wr: Writer) -> None:
    failures = wr.wrangler.exceptions
    wr.write("kept", doses((1, "Ann", FIRST)))
    with pytest.raises(failures.InvalidArgumentCombination, match="partition_cols must be specified"):
        wr.write("kept", doses((2, "Bo", FIRST)), mode="overwrite_partitions")
    with pytest.raises(failures.QueryFailed, match="MERGE_TARGET_ROW_MULTIPLE_MATCHES: One MERGE target table row"):
        wr.write("kept", doses((1, "Bo", FIRST), (1, "Cy", FIRST)), merge_cols=["id"])
    with pytest.raises(failures.QueryFailed, match="Cannot change column type: id"):
        wr.write("kept", doses((2, "Bo", FIRST)).assign(id=["two"]), schema_evolution=True)
    assert wr.rows("SELECT * FROM kept") == [(1, "Ann", FIRST)]
