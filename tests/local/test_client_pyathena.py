"""PyAthena at the laptop: each of its cursors, through its public interface, with nothing told but the endpoint."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pyathena
import pytest
from pyarrow.fs import FileSystem
from pyathena.aio.connection import AioConnection
from pyathena.arrow.cursor import ArrowCursor
from pyathena.async_cursor import AsyncCursor
from pyathena.connection import Connection
from pyathena.cursor import DictCursor
from pyathena.error import DatabaseError, OperationalError
from pyathena.pandas.cursor import PandasCursor
from pyathena.pandas.util import to_sql
from pyathena.s3fs.cursor import S3FSCursor

from tests.local.athena_statements import Analyst
from tests.local.client_environment import at_the_laptop
from tests.local.conftest import RunningEndpoint

NAME, BUCKET, MANAGED = "client_pyathena", "client-pyathena", "client-pyathena-managed"
POLL_SECONDS = 0.02
AT, DAY = dt.datetime(2026, 11, 21, 1, 2, 3, 456000), dt.date(2026, 11, 21)
BIG = 9_007_199_254_740_993  # which a double cannot hold
# a column of each kind: how it is made, its type in the API, and its value
KINDS: dict[str, tuple[str, str, Any]] = {
    "flag": ("true", "boolean", True),
    "tiny": ("CAST(-1 AS tinyint)", "tinyint", -1),
    "small": ("CAST(2 AS smallint)", "smallint", 2),
    "whole": ("3", "integer", 3),
    "big": (str(BIG), "bigint", BIG),
    "single": ("CAST(1.5 AS real)", "float", 1.5),
    "double": ("1e10", "double", 1e10),
    "money": ("CAST(1.10 AS decimal(10,2))", "decimal", Decimal("1.10")),
    "word": ("CAST('a \"b\", c' AS varchar)", "varchar", 'a "b", c'),
    "blank": ("CAST('' AS varchar(5))", "varchar", ""),
    "day": ("DATE '2026-11-21'", "date", DAY),
    "at": ("TIMESTAMP '2026-11-21 01:02:03.456'", "timestamp", AT),
    "raw": ("X'00ff'", "varbinary", b"\x00\xff"),
    "list": ("ARRAY['x', 'y']", "array", ["x", "y"]),
    "pairs": ("MAP(ARRAY['k'], ARRAY[1])", "map", {"k": "1"}),
    "fields": ("CAST(ROW(1, 'z') AS ROW(n integer, s varchar))", "row", {"n": "1", "s": "z"}),
}
VALUES = {name: value for name, (_, _, value) in KINDS.items()}
LONG = (
    "SELECT count(*) FROM UNNEST(sequence(1, 3000)) a(x), UNNEST(sequence(1, 3000)) b(y), "
    "UNNEST(sequence(1, 1000)) c(z) WHERE x * y * z % 7 = 1"
)


@pytest.fixture(scope="module")
def ann(endpoint: RunningEndpoint) -> Iterator[Analyst]:
    analyst = Analyst(endpoint, NAME, BUCKET).prepare()
    made = ", ".join(f"{sql} AS {name}" for name, (sql, _, _) in KINDS.items())
    nothing = ", ".join("NULL" for _ in KINDS)
    analyst.run(f"CREATE TABLE kinds AS SELECT 1 AS id, {made} UNION ALL SELECT 2, {nothing}")
    with at_the_laptop(endpoint):
        yield analyst


@pytest.fixture(scope="module")
def connection(ann: Analyst) -> Connection[Any]:
    return pyathena.connect(s3_staging_dir=f"s3://{BUCKET}/results/", schema_name=NAME, poll_interval=POLL_SECONDS)


@pytest.fixture(scope="module")
def managed(ann: Analyst) -> Connection[Any]:
    """A connection through a workgroup whose results Athena keeps itself."""
    configuration = {"ManagedQueryResultsConfiguration": {"Enabled": True}}
    ann.endpoint.client("athena").create_work_group(Name=MANAGED, Configuration=configuration)
    return pyathena.connect(s3_staging_dir="", work_group=MANAGED, schema_name=NAME, poll_interval=POLL_SECONDS)


def rows(connection: Connection[Any], sql: str, *args: Any, **options: Any) -> list[Any]:
    with connection.cursor() as cursor:
        found: list[Any] = cursor.execute(sql, *args, **options).fetchall()
        return found


def framed(connection: Connection[Any], sql: str, **options: Any) -> Any:
    with connection.cursor(PandasCursor, **options) as cursor:
        found = cursor.execute(sql).as_pandas()
        assert isinstance(found, pd.DataFrame)
        return found


def test_a_column_of_each_kind_has_its_type_and_its_value(connection: Connection[Any]) -> None:
    with connection.cursor() as cursor:
        found = cursor.execute("SELECT * FROM kinds ORDER BY id").fetchall()
        described = {each[0]: each for each in cursor.description or ()}
    assert found == [(1, *VALUES.values()), (2, *(None for _ in KINDS))]
    assert {name: each[1] for name, each in described.items()} == {
        "id": "integer",
        **{name: kind for name, (_, kind, _) in KINDS.items()},
    }
    assert described["money"][4:6] == (10, 2)


def test_a_row_can_be_a_dictionary(connection: Connection[Any]) -> None:
    found = connection.cursor(DictCursor).execute("SELECT * FROM kinds WHERE id = 1").fetchall()
    assert found == [{"id": 1, **VALUES}]


@pytest.mark.parametrize(
    ("sql", "kind", "value"),
    [
        (
            "TIMESTAMP '2026-11-21 01:02:03.456 +05:30'",
            "timestamp with time zone",
            AT.replace(tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30))),
        ),
        ("JSON '{\"a\": [1, null]}'", "json", {"a": [1, None]}),
        ("INTERVAL '1' DAY", "interval day to second", "1 00:00:00.000"),
        ("INTERVAL '14' MONTH", "interval year to month", "1-2"),
        ("1.5", "decimal", Decimal("1.5")),
        ("NULL", "unknown", None),
        ("ARRAY[ARRAY[1, 2], ARRAY[3]]", "array", [[1, 2], [3]]),
        ("infinity()", "double", float("inf")),
        ("'ü \U0001f600\n'", "varchar", "ü \U0001f600\n"),
    ],
)
def test_a_value_of_a_query_alone_comes_in_pythons_type(
    connection: Connection[Any], sql: str, kind: str, value: Any
) -> None:
    with connection.cursor() as cursor:
        assert cursor.execute(f"SELECT {sql} AS v").fetchall() == [(value,)]
        assert [each[1] for each in cursor.description or ()] == [kind]


def test_a_hint_gives_parts_of_containers_their_types(connection: Connection[Any]) -> None:
    hints = {"pairs": "map(varchar, integer)", "fields": "row(n integer, s varchar)"}
    found = rows(connection, "SELECT pairs, fields FROM kinds WHERE id = 1", result_set_type_hints=hints)
    assert found == [({"k": 1}, {"n": 1, "s": "z"})]


def test_named_parameters_are_values_and_never_sql(connection: Connection[Any]) -> None:
    given = {
        "text": "it's 100% \\ '); DROP TABLE kinds --",
        "number": 3,
        "money": Decimal("1.10"),
        "day": DAY,
        "at": AT,
        "flag": True,
        "none": None,
        "raw": b"\x00\xff",
    }
    selected = ", ".join(f"%({name})s AS {name}" for name in given)
    assert rows(connection, f"SELECT {selected}", given) == [tuple(given.values())]
    assert rows(connection, "SELECT id FROM kinds WHERE id IN %(ids)s", {"ids": [2, 3]}) == [(2,)]


def test_question_marks_are_athenas_own_parameters(connection: Connection[Any]) -> None:
    sql = "SELECT id FROM kinds WHERE word = ? AND whole = ? AND day = ?"
    given = ["'a \"b\", c'", "3", "DATE '2026-11-21'"]
    assert rows(connection, sql, given, paramstyle="qmark") == [(1,)]


def test_a_result_of_several_pages_comes_whole_and_in_order(connection: Connection[Any]) -> None:
    sql = "SELECT n, CAST(n AS varchar) FROM UNNEST(sequence(1, 2500)) t(n) ORDER BY n"
    cursor = connection.cursor(arraysize=1000).execute(sql)
    assert cursor.fetchone() == (1, "1")
    assert cursor.fetchmany(2) == [(2, "2"), (3, "3")]
    assert list(cursor) == [(n, str(n)) for n in range(4, 2501)]


def test_a_frame_has_athenas_types(connection: Connection[Any]) -> None:
    frame = framed(connection, "SELECT * FROM kinds ORDER BY id")
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        **{name: "Int64" for name in ("id", "tiny", "small", "whole", "big")},
        **{name: "float64" for name in ("single", "double")},
        **{name: "datetime64[ns]" for name in ("day", "at")},
        **{name: "object" for name in ("flag", "money", "word", "blank", "raw", "list", "pairs", "fields")},
    }
    first = frame.iloc[0].to_dict()
    assert (first["big"], first["money"], first["at"]) == (BIG, Decimal("1.10"), pd.Timestamp(AT))
    assert (first["flag"], first["word"], first["raw"]) == (True, 'a "b", c', b"\x00\xff")
    assert (first["list"], first["pairs"], first["fields"]) == ("[x, y]", "{k=1}", "{n=1, s=z}")
    assert frame.drop(columns="id").iloc[1].isna().all()


def test_a_frame_comes_in_chunks(connection: Connection[Any]) -> None:
    sql = "SELECT n FROM UNNEST(sequence(1, 25)) t(n) ORDER BY n"
    chunks = list(connection.cursor(PandasCursor, chunksize=10).execute(sql).as_pandas())
    assert [len(each) for each in chunks] == [10, 10, 5]
    assert list(pd.concat(chunks)["n"]) == list(range(1, 26))


def test_an_unloaded_frame_has_the_types_of_its_files(connection: Connection[Any]) -> None:
    frame = framed(connection, "SELECT * FROM kinds WHERE id = 1", unload=True)
    assert {name: str(frame.dtypes[name]) for name in ("flag", "tiny", "small", "whole", "big", "single", "at")} == {
        "flag": "bool",
        "tiny": "int8",
        "small": "int16",
        "whole": "int32",
        "big": "int64",
        "single": "float32",
        "at": "datetime64[us]",
    }
    first = frame.iloc[0].to_dict()
    containers = {name: first.pop(name) for name in ("list", "pairs", "fields")}
    assert first == {"id": 1, **{name: value for name, value in VALUES.items() if name not in containers}}
    assert list(containers["list"]) == ["x", "y"]
    assert (containers["pairs"], containers["fields"]) == ([("k", 1)], {"n": 1, "s": "z"})
    assert framed(connection, "SELECT id FROM kinds WHERE id > 9", unload=True).empty


def test_arrow_reads_what_unload_wrote_by_its_uri(connection: Connection[Any]) -> None:
    place = f"s3://{BUCKET}/unloaded/"
    rows(connection, f"UNLOAD (SELECT id, money, at FROM kinds ORDER BY id) TO '{place}' WITH (format = 'PARQUET')")
    table = pyarrow.parquet.read_table(place)
    assert table.to_pylist() == [
        {"id": 1, "money": Decimal("1.10"), "at": AT},
        {"id": 2, "money": None, "at": None},
    ]
    assert table.schema.field("money").type == pa.decimal128(10, 2)
    assert FileSystem.from_uri(place)[1] == f"{BUCKET}/unloaded"


def test_an_arrow_table_of_managed_results_has_values_of_their_types(managed: Connection[Any]) -> None:
    columns = [name for name in KINDS if name not in ("list", "pairs", "fields")]
    cursor = managed.cursor(ArrowCursor).execute(f"SELECT id, {', '.join(columns)} FROM kinds ORDER BY id")
    table = cursor.as_arrow()
    assert table.to_pylist() == [
        {"id": 1, **{name: VALUES[name] for name in columns}},
        {"id": 2, **dict.fromkeys(columns)},
    ]
    kinds = {name: str(table.schema.field(name).type) for name in ("flag", "big", "double", "money", "day", "raw")}
    assert kinds == {
        "flag": "bool",
        "big": "int64",
        "double": "double",
        "money": "decimal128(3, 2)",
        "day": "date32[day]",
        "raw": "binary",
    }
    assert cursor.output_location is None


def test_managed_results_serve_frames_pages_and_listings(managed: Connection[Any], ann: Analyst) -> None:
    before = ann.keys("")
    frame = framed(managed, "SELECT id, word FROM kinds ORDER BY id")
    assert frame["word"].to_list() == ['a "b", c', None]
    assert len(rows(managed, "SELECT n FROM UNNEST(sequence(1, 1500)) t(n)")) == 1500
    assert rows(managed, "SHOW TABLES 'kin*'") == [("kinds",)]
    assert ann.keys("") == before


def test_managed_results_have_no_other_place(managed: Connection[Any]) -> None:
    with pytest.raises(DatabaseError, match="ManagedQueryResultsConfiguration and ResultConfiguration cannot be set"):
        rows(managed, "SELECT 1", s3_staging_dir=f"s3://{BUCKET}/results/")
    with pytest.raises(OperationalError, match="external_location"):
        rows(managed, "CREATE TABLE placeless AS SELECT 1 AS a")


def test_a_result_file_is_read_from_s3(connection: Connection[Any]) -> None:
    sql = "SELECT id, big, money, word, blank, list FROM kinds ORDER BY id"
    found = connection.cursor(S3FSCursor).execute(sql).fetchall()
    assert found == [(1, BIG, Decimal("1.10"), 'a "b", c', "", ["x", "y"]), (2, None, None, None, None, None)]


def test_asynchronous_queries_have_each_its_own_result(connection: Connection[Any]) -> None:
    cursor = connection.cursor(AsyncCursor, max_workers=4)
    started = [cursor.execute("SELECT %(n)s AS n", {"n": n}) for n in range(8)]
    assert [future.result().fetchall() for _, future in started] == [[(n,)] for n in range(8)]
    described = cursor.description(started[0][0]).result()
    assert [each[:2] for each in described or ()] == [("n", "integer")]


def test_coroutines_wait_for_their_results(ann: Analyst) -> None:
    async def both() -> list[Any]:
        options = {"s3_staging_dir": f"s3://{BUCKET}/results/", "schema_name": NAME, "poll_interval": POLL_SECONDS}
        async with await AioConnection.create(**options) as connection:
            cursors = [connection.cursor() for _ in range(2)]
            await asyncio.gather(*(each.execute(f"SELECT {n} AS n") for n, each in enumerate(cursors)))
            return [await each.fetchall() for each in cursors]

    assert asyncio.run(both()) == [[(0,)], [(1,)]]


def test_a_query_is_cancelled_by_its_number(connection: Connection[Any]) -> None:
    cursor = connection.cursor(AsyncCursor)
    number, future = cursor.execute(LONG)
    cursor.cancel(number).result()
    ended = future.result()
    assert (ended.state, ended.state_change_reason) == ("CANCELLED", "Query cancelled by user")


def test_a_cursor_is_cancelled_from_another_thread(connection: Connection[Any]) -> None:
    cursor = connection.cursor()
    stop = threading.Timer(0.3, cursor.cancel)
    stop.start()
    with pytest.raises(OperationalError, match="cancelled"):
        cursor.execute(LONG)
    stop.join()
    assert cursor.execute("SELECT 1").fetchall() == [(1,)]


def test_a_result_is_used_again(connection: Connection[Any]) -> None:
    cursor = connection.cursor(result_reuse_enable=True, result_reuse_minutes=5)
    reused = []
    for _ in range(2):
        assert cursor.execute("SELECT count(*) FROM kinds WHERE id > 1").fetchall() == [(1,)]
        reused.append(cursor.reused_previous_result)
    assert reused == [False, True]
    assert cursor.data_scanned_in_bytes == 0


def test_statements_tell_how_many_rows_they_wrote(connection: Connection[Any]) -> None:
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE added AS SELECT 1 AS id, CAST('a' AS varchar) AS word")
    assert cursor.rowcount == 1
    cursor.executemany("INSERT INTO added VALUES (%(id)s, %(word)s)", [{"id": 2, "word": "it's"}])
    assert cursor.execute("SELECT * FROM added ORDER BY id").fetchall() == [(1, "a"), (2, "it's")]
    cursor.execute("INSERT INTO added SELECT id + 2, word FROM added")
    assert (cursor.rowcount, cursor.description) == (2, None)
    cursor.execute("DROP TABLE added")
    assert cursor.fetchall() == []


def test_listings_are_rows(connection: Connection[Any]) -> None:
    assert ("kinds",) in rows(connection, "SHOW TABLES")
    frame = framed(connection, "DESCRIBE kinds")
    described = {name.strip(): kind.strip() for name, kind in zip(frame["col_name"], frame["data_type"], strict=True)}
    assert (described["money"], described["fields"]) == ("decimal(10,2)", "struct<n:int,s:string>")


def test_the_catalogs_metadata_is_there(connection: Connection[Any]) -> None:
    cursor = connection.cursor()
    assert NAME in [each.name for each in cursor.list_databases("AwsDataCatalog")]
    assert "kinds" in [each.name for each in cursor.list_table_metadata()]
    columns = {each.name: each.type for each in cursor.get_table_metadata("kinds").columns}
    assert (columns["list"], columns["pairs"], columns["blank"]) == (
        "array<varchar(1)>",
        "map<varchar(1),int>",
        "varchar(5)",
    )


def test_a_frame_becomes_a_partitioned_table(connection: Connection[Any]) -> None:
    frame = pd.DataFrame(
        {"id": [1, 2], "at": [AT, pd.NaT], "score": [0.5, np.nan], "final": [True, False], "part": ["x", "y z"]}
    )
    place = f"s3://{BUCKET}/frames/"
    for how in ("replace", "append"):
        to_sql(frame, "frames", connection, place, schema=NAME, partitions=["part"], if_exists=how, index=False)
    found = rows(connection, "SELECT id, at, score, final, part FROM frames WHERE part <> '' ORDER BY id")
    assert found == 2 * [(1, AT, 0.5, True, "x")] + 2 * [(2, None, None, False, "y z")]


@pytest.mark.parametrize(
    ("sql", "error", "told"),
    [
        ("/* why */ SELEC 1", DatabaseError, "line 1:11: mismatched input 'SELEC'. Expecting: "),
        ("SELECT nope FROM kinds", OperationalError, "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved"),
        ("SELECT * FROM nope", OperationalError, "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.client_pyathena"),
        ("SELECT 1 / (id - id) FROM kinds", OperationalError, "DIVISION_BY_ZERO: Division by zero"),
        ("SELECT id FROM kinds WHERE id = ?", OperationalError, "INVALID_PARAMETER_USAGE"),
        ("SELECT CAST('ab' AS char(3))", OperationalError, "NOT_SUPPORTED: .*char"),
    ],
)
def test_a_statement_that_fails_says_why(
    connection: Connection[Any], sql: str, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        rows(connection, sql)


def test_a_column_of_a_kind_that_is_not_proved_is_not_written(connection: Connection[Any]) -> None:
    rows(connection, f"CREATE EXTERNAL TABLE codes (id int, code char(3)) LOCATION 's3://{BUCKET}/codes/'")
    with pytest.raises(OperationalError, match=r"NOT_SUPPORTED: INSERT into a table with column 'code' of type char"):
        rows(connection, "INSERT INTO codes (id) VALUES (1)")
