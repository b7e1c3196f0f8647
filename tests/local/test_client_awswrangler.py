"""awswrangler at the laptop: queries read as text, CTAS and UNLOAD, parameters, caches, and what fails."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

from tests.local.client_environment import at_the_laptop
from tests.local.conftest import RunningEndpoint

BUCKET, DATABASE = "wrangled-queries", "wrangled_queries"
OUTPUT = f"s3://{BUCKET}/output/"
DAYS = [dt.date(2026, 1, 1), dt.date(2026, 1, 2), None]
AT = ["2026-01-01 10:00:00.123", None, "2026-01-03 00:00:00.001"]
SALES = pd.DataFrame(
    {
        "id": pd.array([1, 2, None], dtype="Int64"),
        "buyer": ["Ann", None, 'q"x,'],
        "price": [Decimal("1.50"), None, Decimal("2.25")],
        "score": [1.5, float("nan"), 1e10],
        "day": DAYS,
        "at": pd.to_datetime(AT),
        "final": pd.array([True, False, None], dtype="boolean"),
        "raw": [b"12", None, b"3"],
        "tags": [["a", "b"], [], None],
        "part": ["x", "x", "y"],
    }
)
VALUES = {  # a column's rows and its dtype, whatever the way they came
    "id": ([1, 2, None], "Int64"),
    "buyer": (["Ann", None, 'q"x,'], "string"),
    "price": ([Decimal("1.50"), None, Decimal("2.25")], "object"),
    "score": ([1.5, None, 1e10], "float64"),
    "day": (DAYS, "object"),
    "final": ([True, False, None], "boolean"),
    "part": (["x", "x", "y"], "string"),
}
NUMBERS = "SELECT x, 'n' || cast(x AS varchar) AS name FROM UNNEST(sequence(1, 25)) AS t (x)"
MODES: dict[str, dict[str, Any]] = {
    "plain": {"ctas_approach": False},
    "ctas": {"ctas_approach": True, "keep_files": False},
    "unload": {"ctas_approach": False, "unload_approach": True, "keep_files": False},
}


class Client:
    """awswrangler with the session of somebody at the laptop: `wr.read(sql, **options)`."""

    def __init__(self, wrangler: ModuleType, session: Any) -> None:
        self.wrangler, self.session = wrangler, session
        self._folders = 0

    def read(self, sql: str, mode: str = "plain", **options: Any) -> Any:
        self._folders += 1  # UNLOAD wants a folder that is empty
        asked = {"database": DATABASE, "s3_output": f"{OUTPUT}{self._folders}/", **MODES[mode], **options}
        return self.wrangler.athena.read_sql_query(sql, boto3_session=self.session, **asked)


@pytest.fixture(scope="module")
def wr(endpoint: RunningEndpoint) -> Iterator[Client]:
    import awswrangler

    with at_the_laptop(endpoint) as session:
        session.client("s3").create_bucket(Bucket=BUCKET)
        awswrangler.catalog.create_database(DATABASE, boto3_session=session)
        place: dict[str, Any] = {"path": f"s3://{BUCKET}/sales/", "database": DATABASE, "table": "sales"}
        awswrangler.s3.to_parquet(SALES, dataset=True, partition_cols=["part"], boto3_session=session, **place)
        yield Client(awswrangler, session)


def listed(column: Any) -> list[Any]:
    return [None if isinstance(value, float | type(pd.NA)) and pd.isna(value) else value for value in column]


@pytest.mark.parametrize("mode", MODES)
def test_a_frame_has_the_tables_values_and_dtypes(wr: Client, mode: str) -> None:
    frame = wr.read("SELECT * FROM sales ORDER BY part, id", mode)
    assert list(frame.columns) == list(SALES.columns)
    assert {name: (listed(frame[name]), str(frame[name].dtype)) for name in VALUES} == VALUES
    assert frame["at"].dt.strftime("%F %T.%f").fillna("-").tolist() == [
        "2026-01-01 10:00:00.123000", "-", "2026-01-03 00:00:00.001000",
    ]  # fmt: skip
    if mode == "plain":  # a file of text has them as text
        assert (frame["tags"][0], listed(frame["raw"])) == ("[a, b]", [b"31 32", None, b"33"])
    else:
        assert [list(each) if each is not None else None for each in frame["tags"]] == [["a", "b"], [], None]
        assert listed(frame["raw"]) == [b"12", None, b"3"]


def test_a_frame_of_arrow_types(wr: Client) -> None:
    frame = wr.read("SELECT id, price, at, tags FROM sales", "ctas", dtype_backend="pyarrow")
    assert [str(each) for each in frame.dtypes] == [
        "int64[pyarrow]", "decimal128(3, 2)[pyarrow]", "timestamp[us][pyarrow]", "list<element: string>[pyarrow]",
    ]  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
def test_chunks_are_of_the_size_asked_for_and_hold_every_row_once(wr: Client, mode: str) -> None:
    chunks = list(wr.read(NUMBERS, mode, chunksize=10))
    assert [len(chunk) for chunk in chunks] == [10, 10, 5]
    assert sorted(number for chunk in chunks for number in chunk["x"]) == list(range(1, 26))
    assert [str(each) for each in chunks[0].dtypes] == ["Int64", "string"]


@pytest.mark.parametrize("mode", MODES)
def test_named_and_positional_parameters(wr: Client, mode: str) -> None:
    named = wr.read(
        "SELECT part FROM sales WHERE buyer = :buyer OR day = :day AND price IS NULL"
        " AND contains(:ids, cast(id AS integer)) ORDER BY 1",
        mode,
        params={"buyer": 'q"x,', "day": dt.date(2026, 1, 2), "ids": [2, 3]},
    )
    assert named["part"].tolist() == ["x", "y"]
    positional = wr.read(
        "SELECT id FROM sales WHERE buyer = ? OR id = ? ORDER BY 1", mode, params=["'Ann'", "2"], paramstyle="qmark"
    )
    assert positional["id"].tolist() == [1, 2]


def test_temporary_tables_of_a_ctas_are_gone_and_its_files_too(wr: Client) -> None:
    frame = wr.read("SELECT id FROM sales", "ctas", s3_output=f"s3://{BUCKET}/temporary/")
    assert len(frame) == 3
    names = [each["Name"] for each in wr.wrangler.catalog.get_tables(database=DATABASE, boto3_session=wr.session)]
    assert not [name for name in names if name.startswith("temp_table")]
    left = wr.wrangler.s3.list_objects(f"s3://{BUCKET}/temporary/", boto3_session=wr.session)
    assert [name for name in left if "temp_table" in name] == []


@pytest.mark.parametrize("mode", ["plain", "ctas"])
def test_the_clients_own_cache_answers_with_the_earlier_execution(wr: Client, mode: str) -> None:
    sql, place = f"SELECT count(*) AS {mode}_n FROM sales", f"s3://{BUCKET}/cached/{mode}/"
    first = wr.read(sql, mode, s3_output=place, keep_files=True)
    second = wr.read(sql, mode, s3_output=place, athena_cache_settings={"max_cache_seconds": 900})
    assert first.query_metadata["QueryExecutionId"] == second.query_metadata["QueryExecutionId"]
    assert (first.iloc[0, 0], second.iloc[0, 0]) == (3, 3)


def test_athenas_own_cache_is_told_in_the_frames_metadata(wr: Client) -> None:
    reuse = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 60}}
    place = f"s3://{BUCKET}/reused/"
    frames = [
        wr.read("SELECT max(id) AS m FROM sales", s3_output=place, result_reuse_configuration=reuse) for _ in "12"
    ]
    told = [frame.query_metadata["Statistics"]["ResultReuseInformation"] for frame in frames]
    assert [each["ReusedPreviousResult"] for each in told] == [False, True]
    assert [frame["m"][0] for frame in frames] == [2, 2]


def test_without_a_place_the_clients_default_bucket_is_made(wr: Client) -> None:
    with pytest.warns(UserWarning, match="s3_output"):
        frame = wr.read("SELECT 1 AS one", s3_output=None)
    assert (frame["one"].tolist(), str(frame["one"].dtype)) == ([1], "Int32")
    assert f"aws-athena-query-results-{wr.session.client('sts').get_caller_identity()['Account']}-us-east-1" in [
        each["Name"] for each in wr.session.client("s3").list_buckets()["Buckets"]
    ]


@pytest.mark.parametrize("mode", ["plain", "ctas"])
def test_an_empty_result_has_its_columns(wr: Client, mode: str) -> None:
    frame = wr.read("SELECT * FROM sales WHERE id = 99", mode)
    assert (len(frame), list(frame.columns)) == (0, list(SALES.columns))


@pytest.mark.parametrize(
    ("mode", "sql", "told"),
    [
        ("plain", "SELECT * FROM nowhere", f"TABLE_NOT_FOUND: .*: Table 'awsdatacatalog.{DATABASE}.nowhere' does not"),
        ("ctas", "SELECT * FROM nowhere", f"TABLE_NOT_FOUND: .*: Table 'awsdatacatalog.{DATABASE}.nowhere'"),
        ("unload", "SELECT nobody FROM sales", "COLUMN_NOT_FOUND: line .*: Column 'nobody' cannot be resolved"),
        ("plain", "SELECT id / 0 AS x FROM sales", "DIVISION_BY_ZERO: Division by zero"),
        ("ctas", "SELECT * FROM elsewhere.sales", "SCHEMA_NOT_FOUND: .*Schema '?elsewhere'? "),
    ],
    ids=["table", "table of a ctas", "column", "division", "database"],
)
def test_a_query_that_fails_raises_athenas_words(wr: Client, mode: str, sql: str, told: str) -> None:
    with pytest.raises(wr.wrangler.exceptions.QueryFailed, match=told):
        wr.read(sql, mode)


def test_a_text_that_is_no_statement_is_refused_at_the_start(wr: Client) -> None:
    with pytest.raises(wr.session.client("athena").exceptions.InvalidRequestException, match="line 1:1: mismatched"):
        wr.read("SELEC 1")


def test_a_column_without_a_type_is_told_by_the_client(wr: Client) -> None:
    with pytest.raises(wr.wrangler.exceptions.InvalidArgumentValue, match="undefined columns types"):
        wr.read("SELECT 1 AS a, NULL AS b", "ctas")


def test_a_table_is_made_of_a_query(wr: Client) -> None:
    athena, common = wr.wrangler.athena, {"database": DATABASE, "boto3_session": wr.session}
    asked = {"s3_output": f"s3://{BUCKET}", "wait": True, **common}
    sql = "SELECT id, price, buyer, part FROM sales WHERE id = :id"
    made = athena.create_ctas_table(
        sql, ctas_table="made", params={"id": 1}, storage_format="parquet", write_compression="gzip",
        partitioning_info=["part"], bucketing_info=(["id"], 2), **asked,
    )  # fmt: skip
    assert (made["ctas_database"], made["ctas_table"]) == (DATABASE, "made")
    assert made["ctas_query_metadata"].manifest_location.endswith("-manifest.csv")
    assert wr.read("SELECT * FROM made").iloc[0].tolist() == [1, Decimal("1.50"), "Ann", "x"]
    assert wr.wrangler.catalog.get_partitions(DATABASE, "made", boto3_session=wr.session) == {
        f"s3://{BUCKET}/made/part=x/": ["x"]
    }
    athena.create_ctas_table(sql.partition("WHERE")[0], ctas_table="hollow", schema_only=True, **asked)
    assert len(wr.read("SELECT * FROM hollow")) == 0
    with pytest.raises(wr.wrangler.exceptions.QueryFailed, match=f"TABLE_ALREADY_EXISTS: .*{DATABASE}.made"):
        athena.create_ctas_table("SELECT 1 AS a", ctas_table="made", **asked)
    shown = athena.show_create_table("made", s3_output=OUTPUT, **common)
    assert shown.startswith(f"CREATE EXTERNAL TABLE `{DATABASE}.made`( `id` bigint, `price` decimal(3,2)")
    described = athena.describe_table("made", s3_output=OUTPUT, **common)
    assert described["Column Name"].tolist() == ["id", "price", "buyer", "part"]
    assert described["Type"].tolist() == ["bigint", "decimal(3,2)", "string", "string"]
    assert described["Partition"].tolist() == [False, False, False, True]
    wr.wrangler.catalog.delete_all_partitions("made", DATABASE, boto3_session=wr.session)
    assert len(wr.read("SELECT * FROM made")) == 0
    assert athena.repair_table("made", s3_output=OUTPUT, **common) == "SUCCEEDED"
    assert len(wr.read("SELECT * FROM made")) == 1


def test_unload_writes_files_that_a_manifest_names(wr: Client) -> None:
    unload, common = wr.wrangler.athena.unload, {"database": DATABASE, "boto3_session": wr.session}
    path = f"s3://{BUCKET}/unloaded/"
    done = unload("SELECT id, buyer, part FROM sales", path=path, partitioned_by=["part"], **common)
    bucket, _, key = done.manifest_location.removeprefix("s3://").partition("/")
    manifest = wr.session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read().decode().split()
    files = wr.wrangler.s3.list_objects(path, ignore_suffix=["manifest.csv", ".metadata"], boto3_session=wr.session)
    assert sorted(manifest) == sorted(files)
    assert sorted({file.removeprefix(path).partition("/")[0] for file in files}) == ["part=x", "part=y"]
    frame = wr.wrangler.s3.read_parquet(
        path, dataset=True, path_ignore_suffix=["manifest.csv", ".metadata"], boto3_session=wr.session
    )
    assert sorted(frame["part"]) == ["x", "x", "y"]
    with pytest.raises(wr.wrangler.exceptions.QueryFailed, match="HIVE_PATH_ALREADY_EXISTS"):
        unload("SELECT 1 AS a", path=path, **common)
    text = f"s3://{BUCKET}/unloaded-text/"
    unload("SELECT id, buyer FROM sales ORDER BY id", text, file_format="TEXTFILE", field_delimiter="|", **common)
    rows = wr.wrangler.s3.read_csv(
        wr.wrangler.s3.list_objects(text, suffix=".gz", boto3_session=wr.session), sep="|", header=None,
        compression="gzip", boto3_session=wr.session,
    )  # fmt: skip
    assert rows[1].tolist()[:2] == ["Ann", r"\N"]


def test_executions_are_started_waited_for_listed_and_stopped(wr: Client) -> None:
    athena, session = wr.wrangler.athena, {"boto3_session": wr.session}
    started = athena.start_query_execution("SELECT 1 AS a, 'x' AS b", DATABASE, s3_output=OUTPUT, **session)
    assert athena.wait_query(started, **session)["Status"]["State"] == "SUCCEEDED"
    assert athena.get_query_columns_types(started, **session) == {"a": "integer", "b": "varchar"}
    assert athena.get_query_results(started, **session).iloc[0].tolist() == [1, "x"]
    assert started in athena.list_query_executions(**session)
    known, unknown = athena.get_query_executions([started, "0" * 36], return_unprocessed=True, **session)
    assert (known["QueryExecutionId"].tolist(), unknown["QueryExecutionId"].tolist()) == ([started], ["0" * 36])
    athena.stop_query_execution(started, **session)  # what is over is left as it is
    assert athena.get_query_execution(started, **session)["Status"]["State"] == "SUCCEEDED"
    many = " CROSS JOIN ".join(f"UNNEST(sequence(1, 300)) AS t{i} (x{i})" for i in range(4))
    slow = athena.start_query_execution(f"SELECT count(*) FROM {many} WHERE x0 + x1 > x2", s3_output=OUTPUT, **session)
    athena.stop_query_execution(slow, **session)
    with pytest.raises(wr.wrangler.exceptions.QueryCancelled):
        athena.wait_query(slow, **session)


def test_prepared_and_named_statements(wr: Client) -> None:
    athena, session = wr.wrangler.athena, {"boto3_session": wr.session}
    athena.create_prepared_statement("SELECT buyer FROM sales WHERE id = ?", "wrangled", **session)
    assert wr.read("EXECUTE wrangled USING 1")["buyer"].tolist() == ["Ann"]
    with pytest.raises(wr.wrangler.exceptions.AlreadyExists):
        athena.create_prepared_statement("SELECT 1", "wrangled", mode="error", **session)
    athena.create_prepared_statement("SELECT ? AS a", "wrangled", mode="update", **session)
    assert wr.read("EXECUTE wrangled", params=["7"], paramstyle="qmark")["a"].tolist() == [7]
    assert "wrangled" in [each["StatementName"] for each in athena.list_prepared_statements(**session)]
    athena.delete_prepared_statement("wrangled", **session)
    assert athena.list_prepared_statements(**session) == []
    named = wr.session.client("athena").create_named_query(Name="n", Database=DATABASE, QueryString="SELECT 7")
    assert athena.get_named_query_statement(named["NamedQueryId"], **session) == "SELECT 7"
