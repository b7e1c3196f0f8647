"""awswrangler at the laptop: files written with their entries in the catalog, and the calls about the catalog."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import botocore.exceptions
import pandas as pd
import pytest

from tests.local.client_environment import at_the_laptop
from tests.local.conftest import RunningEndpoint

BUCKET, DATABASE = "wrangled-files", "wrangled_files"
SALES = pd.DataFrame(
    {"id": pd.array([1, 2, 3], dtype="Int64"), "buyer": ["Ann", "Bo", None], "year": ["2025", "2025", "2026"],
     "month": [1, 2, 1]}
)  # fmt: skip
PARTS = ["year", "month"]
SETTINGS = {
    "description": "What was sold", "parameters": {"owner": "ann"},
    "columns_comments": {"id": "Which sale"}, "columns_parameters": {"id": {"unit": "1"}},
}  # fmt: skip
Rows = list[tuple[Any, ...]]


class Files:
    """awswrangler with the session of somebody at the laptop: `wr.put("table", frame, **options)`."""

    def __init__(self, wrangler: ModuleType, session: Any) -> None:
        self.wrangler, self.session = wrangler, session

    def put(self, table: str, frame: pd.DataFrame, write: str = "to_parquet", **options: Any) -> Any:
        named = {"database": DATABASE, "table": table, "path": f"s3://{BUCKET}/{table}/", "dataset": True}
        return getattr(self.wrangler.s3, write)(frame, boto3_session=self.session, **named, **options)

    def rows(self, sql: str) -> Rows:
        frame = self.wrangler.athena.read_sql_query(
            sql, DATABASE, ctas_approach=False, s3_output=f"s3://{BUCKET}/output/", boto3_session=self.session
        )
        return [
            tuple(None if pd.isna(value) else value for value in row)
            for row in frame.itertuples(index=False, name=None)
        ]

    def ask(self, call: str, *arguments: Any, **named: Any) -> Any:
        """A call about the catalog."""
        return getattr(self.wrangler.catalog, call)(*arguments, boto3_session=self.session, **named)

    def place(self, table: str, year: int, month: int) -> str:
        return f"s3://{BUCKET}/{table}/year={year}/month={month}/"


@pytest.fixture(scope="module")
def wr(endpoint: RunningEndpoint) -> Iterator[Files]:
    import awswrangler

    with at_the_laptop(endpoint) as session:
        session.client("s3").create_bucket(Bucket=BUCKET)
        awswrangler.catalog.create_database(DATABASE, description="Sales", boto3_session=session)
        yield Files(awswrangler, session)


@pytest.fixture(scope="module")
def sales(wr: Files) -> str:
    wr.put("sales", SALES, partition_cols=PARTS, glue_table_settings=SETTINGS)
    return "sales"


def test_files_are_added_and_partitions_replaced(wr: Files) -> None:
    count = "SELECT year, month, count(*) FROM grown GROUP BY 1, 2 ORDER BY 1, 2"
    for _ in range(2):
        wr.put("grown", SALES, partition_cols=PARTS, mode="append")
    assert wr.rows(count) == [("2025", 1, 2), ("2025", 2, 2), ("2026", 1, 2)]
    wr.put("grown", SALES[:1], partition_cols=PARTS, mode="overwrite_partitions")
    assert wr.rows(count) == [("2025", 1, 1), ("2025", 2, 2), ("2026", 1, 2)]
    wr.put("grown", SALES[:1].assign(weight=1.5), partition_cols=PARTS, mode="append")
    assert wr.rows("SELECT id, weight FROM grown WHERE month = 1 ORDER BY id, weight") == [
        (1, 1.5), (1, None), (3, None), (3, None)
    ]  # fmt: skip
    with pytest.raises(wr.wrangler.exceptions.InvalidArgumentValue, match="New column height with type double"):
        wr.put("grown", SALES.assign(height=1.5), partition_cols=PARTS, mode="append", schema_evolution=False)
    wr.put("grown", SALES, partition_cols=PARTS, mode="overwrite")
    assert wr.rows("SELECT * FROM grown ORDER BY id") == list(SALES.itertuples(index=False, name=None))
    last = wr.wrangler.s3.read_parquet_table(
        "grown", DATABASE, partition_filter=lambda part: part["year"] == "2026", boto3_session=wr.session
    )
    assert last["id"].tolist() == [3]


def test_projected_partitions_need_no_entries_in_the_catalog(wr: Files) -> None:
    projection = {
        "projection_types": {"year": "enum", "month": "integer"},
        "projection_values": {"year": "2025,2026"}, "projection_ranges": {"month": "1,12"},
    }  # fmt: skip
    settings = {"regular_partitions": False}
    wr.put("projected", SALES, partition_cols=PARTS, athena_partition_projection_settings=projection,
           glue_table_settings=settings)  # fmt: skip
    assert wr.ask("get_partitions", DATABASE, "projected") == {}
    assert wr.ask("get_table_parameters", DATABASE, "projected")["projection.enabled"] == "true"
    assert wr.rows("SELECT id FROM projected WHERE year = '2025' AND month > 1") == [(2,)]


@pytest.mark.parametrize(
    ("name", "write", "options"),
    [
        ("lines", "to_csv", {"index": False, "partition_cols": ["year"]}),
        ("packed", "to_csv", {"index": False, "sep": "|", "compression": "gzip"}),
        ("documents", "to_json", {"orient": "records", "lines": True, "index": False}),
    ],
)
def test_text_and_documents_are_read_back(wr: Files, name: str, write: str, options: dict[str, Any]) -> None:
    wr.put(name, SALES, write, **options)
    assert wr.rows(f"SELECT id, buyer, year, month FROM {name} ORDER BY id") == [
        (1, "Ann", "2025", 1), (2, "Bo", "2025", 2), (3, None, "2026", 1)
    ]  # fmt: skip


def test_files_that_are_there_get_their_entry(wr: Files, sales: str) -> None:
    columns, parts, values = wr.wrangler.s3.store_parquet_metadata(
        f"s3://{BUCKET}/{sales}/", database=DATABASE, table="found", dataset=True, boto3_session=wr.session
    )
    assert (columns, parts) == ({"id": "bigint", "buyer": "string"}, {"year": "string", "month": "string"})
    assert sorted(values.values()) == [["2025", "1"], ["2025", "2"], ["2026", "1"]]
    assert wr.rows("SELECT id, month FROM found WHERE year = '2026'") == [(3, "1")]


def test_a_table_tells_what_it_was_made_with(wr: Files, sales: str) -> None:
    types = {"id": "bigint", "buyer": "string", "year": "string", "month": "bigint"}
    assert wr.ask("get_table_types", DATABASE, sales) == types
    assert wr.ask("get_table_types", DATABASE, "nowhere") is None
    frame = wr.ask("table", DATABASE, sales)
    assert (frame["Column Name"].tolist(), frame["Type"].tolist()) == (list(types), list(types.values()))
    assert frame["Partition"].tolist() == [False, False, True, True]
    assert frame["Comment"].tolist() == ["Which sale", "", "", ""]
    assert wr.ask("get_table_location", DATABASE, sales) == f"s3://{BUCKET}/{sales}/"
    assert wr.ask("get_table_description", DATABASE, sales) == "What was sold"
    assert wr.ask("get_columns_comments", DATABASE, sales)["id"] == "Which sale"
    assert wr.ask("get_columns_parameters", DATABASE, sales)["id"] == {"unit": "1"}
    assert [wr.ask("does_table_exist", DATABASE, name) for name in (sales, "nowhere")] == [True, False]
    with pytest.raises(botocore.exceptions.ClientError, match="EntityNotFoundException"):
        wr.ask("table", DATABASE, "nowhere")


def test_databases_and_tables_are_listed_and_searched(wr: Files, sales: str) -> None:
    databases = wr.ask("databases", limit=1000).set_index("Database")["Description"]
    assert databases[DATABASE] == "Sales"
    assert DATABASE in [each["Name"] for each in wr.ask("get_databases")]
    for name in ("year_a", "year_b"):
        wr.ask("create_parquet_table", DATABASE, name, f"s3://{BUCKET}/{name}/", {"id": "int"}, description="Empty")
    for asked in ({"name_prefix": "year"}, {"name_contains": "ar_"}):
        assert [each["Name"] for each in wr.ask("get_tables", database=DATABASE, **asked)] == ["year_a", "year_b"]
    assert [each["Name"] for each in wr.ask("get_tables", database=DATABASE, name_suffix="_b")] == ["year_b"]
    frame = wr.ask("tables", database=DATABASE, name_prefix="sales")
    assert frame.iloc[0].tolist() == [
        DATABASE, sales, "What was sold", "EXTERNAL_TABLE", "id, buyer", "year, month"
    ]  # fmt: skip
    for text, found in (("sold", [sales]), ("year_b", ["year_b"]), ("empty", ["year_a", "year_b"]), ("ann", [sales])):
        tables = [each["Name"] for each in wr.ask("search_tables", text) if each["DatabaseName"] == DATABASE]
        assert sorted(tables) == found
    assert list(wr.ask("search_tables", "nothing like this")) == []
    assert wr.ask("tables", search_text="sold", database=DATABASE)["Table"].tolist() == [sales]


def test_partitions_are_added_found_and_deleted(wr: Files) -> None:
    wr.put("parted", SALES, partition_cols=PARTS)
    every = {wr.place("parted", y, m): [str(y), str(m)] for y, m in ((2025, 1), (2025, 2), (2026, 1))}
    assert wr.ask("get_partitions", DATABASE, "parted") == every
    assert list(wr.ask("get_partitions", DATABASE, "parted", expression="year = '2025' AND month > 1").values()) == [
        ["2025", "2"]
    ]
    assert wr.ask("delete_partitions", "parted", DATABASE, [["2025", "2"]]) is None
    assert wr.rows("SELECT id FROM parted ORDER BY 1") == [(1,), (3,)]
    wr.ask("add_parquet_partitions", DATABASE, "parted", {wr.place("parted", 2025, 2): ["2025", "2"]})
    assert wr.ask("get_parquet_partitions", DATABASE, "parted") == every
    assert wr.rows("SELECT id FROM parted ORDER BY 1") == [(1,), (2,), (3,)]
    assert sorted(wr.ask("delete_all_partitions", "parted", DATABASE)) == sorted(every.values())
    assert wr.rows("SELECT id FROM parted") == []


def test_columns_and_parameters_of_a_table_change(wr: Files) -> None:
    wr.put("changed", SALES[["id", "buyer"]], glue_table_settings={"parameters": {"owner": "ann"}})
    wr.ask("add_column", DATABASE, "changed", "note", "string", "Said later")
    assert wr.ask("get_columns_comments", DATABASE, "changed")["note"] == "Said later"
    assert wr.rows("SELECT id, note FROM changed ORDER BY id LIMIT 1") == [(1, None)]
    wr.ask("delete_column", DATABASE, "changed", "note")
    assert list(wr.ask("get_table_types", DATABASE, "changed")) == ["id", "buyer"]
    after = wr.ask("upsert_table_parameters", {"team": "a"}, DATABASE, "changed")
    assert (after["owner"], after["team"]) == ("ann", "a")
    wr.ask("overwrite_table_parameters", {"classification": "parquet"}, DATABASE, "changed")
    assert wr.ask("get_table_parameters", DATABASE, "changed") == {"classification": "parquet"}
    assert wr.ask("get_table_number_of_versions", DATABASE, "changed") == len(
        wr.ask("get_table_versions", DATABASE, "changed")
    )


def test_tables_are_made_for_every_format_and_deleted(wr: Files) -> None:
    columns = {"id": "bigint", "parts": "struct<a:int,b:array<string>>"}
    for kind, options in (("parquet", {"partitions_types": {"day": "date"}}), ("csv", {"skip_header_line_count": 1}),
                          ("json", {}), ("orc", {})):  # fmt: skip
        name = f"made_of_{kind}"
        described = columns if kind != "csv" else {"id": "bigint"}
        wr.ask(f"create_{kind}_table", DATABASE, name, f"s3://{BUCKET}/{name}/", described, **options)
        if kind != "orc":
            assert wr.rows(f"SELECT * FROM {name}") == []
    assert wr.ask("get_table_types", DATABASE, "made_of_parquet") == {**columns, "day": "date"}
    with pytest.raises(wr.wrangler.exceptions.QueryFailed, match=r"NOT_SUPPORTED: .*OrcSerde"):
        wr.rows("SELECT * FROM made_of_orc")
    assert [wr.ask("delete_table_if_exists", DATABASE, "made_of_csv") for _ in "12"] == [True, False]
    wr.ask("create_database", "wrangled_away")
    with pytest.raises(wr.wrangler.exceptions.AlreadyExists, match="wrangled_away already exists"):
        wr.ask("create_database", "wrangled_away")
    wr.ask("create_database", "wrangled_away", exist_ok=True, description="Later")
    assert wr.session.client("glue").get_database(Name="wrangled_away")["Database"]["Description"] == "Later"
    wr.ask("delete_database", "wrangled_away")
    with pytest.raises(botocore.exceptions.ClientError, match="EntityNotFoundException"):
        wr.ask("delete_database", "wrangled_away")
