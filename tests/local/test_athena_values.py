"""Timestamps, decimals, arrays, maps and structs in tables of plain files: what is written is read back, and what other
writers leave is read as the catalog says.
"""

from __future__ import annotations

import datetime as dt
import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from tests.local.athena_statements import Analyst, Rows
from tests.local.conftest import RunningEndpoint

COLUMNS = {
    "id": "int",
    "at": "timestamp",
    "amount": "decimal(12,4)",
    "days": "array<date>",
    "counts": "map<string,bigint>",
    "person": "struct<name:string,seen:timestamp,tags:array<string>>",
    "lines": "array<struct<sku:string,price:decimal(8,2)>>",
}
VALUES = """SELECT 1 AS id, TIMESTAMP '2026-11-21 05:30:00.123' AS at, DECIMAL '-12345678.9012' AS amount,
    ARRAY[DATE '2026-11-20', NULL] AS days,
    CAST(MAP(ARRAY['a b', 'c'], ARRAY[1, NULL]) AS map(varchar, bigint)) AS counts,
    CAST(ROW('Ann "A"', TIMESTAMP '1969-12-31 23:59:59.999', ARRAY['x', 'ü']) AS
        row(name varchar, seen timestamp, tags array(varchar))) AS person,
    CAST(ARRAY[ROW('s1', 1.50), ROW(NULL, NULL)] AS array(row(sku varchar, price decimal(8,2)))) AS lines"""
MORE = """(2, NULL, NULL, NULL, NULL, NULL, NULL),
    (3, DATE '2026-11-21', 0.0, ARRAY[], MAP(), ROW(NULL, NULL, ARRAY[]), ARRAY[])"""
PERSON = '{name=Ann "A", seen=1969-12-31 23:59:59.999, tags=[x, ü]}'
ALL: Rows = [
    ["1", "2026-11-21 05:30:00.123", "-12345678.9012", "[2026-11-20, null]", "{a b=1, c=null}", PERSON,
     "[{sku=s1, price=1.50}, {sku=null, price=null}]"],
    ["2", None, None, None, None, None, None],
    ["3", "2026-11-21 00:00:00.000", "0.0000", "[]", "{}", "{name=null, seen=null, tags=[]}", "[]"],
]  # fmt: skip
AT = dt.datetime(2026, 11, 21, 5, 30, 0, 123500, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def ann(endpoint: RunningEndpoint) -> Analyst:
    return Analyst(endpoint, "statement_values", "statement-values").prepare()


def external(ann: Analyst, name: str, form: str, columns: dict[str, str], place: str = "") -> None:
    described = ", ".join(f"{column} {type_}" for column, type_ in columns.items())
    stored = "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'" if form == "JSON" else f"STORED AS {form}"
    ann.run(f"CREATE EXTERNAL TABLE {name} ({described}) {stored} LOCATION 's3://{ann.bucket}/{place or name}/'")


def put(ann: Analyst, name: str, form: str, columns: dict[str, str], body: bytes) -> None:
    """A table over one file of another writer's."""
    external(ann, name, form, columns)
    ann.endpoint.client("s3").put_object(Bucket=ann.bucket, Key=f"{name}/part", Body=body)


@pytest.mark.parametrize("form", ["PARQUET", "AVRO", "JSON"])
def test_what_ctas_insert_and_unload_write_is_read_back(ann: Analyst, form: str) -> None:
    ann.run(f"CREATE TABLE made_{form} WITH (format = '{form}') AS {VALUES}")
    described = {
        each["Name"]: each["Type"] for each in ann.table(f"made_{form}".lower())["StorageDescriptor"]["Columns"]
    }
    assert described == COLUMNS
    ann.run(f"INSERT INTO made_{form} VALUES {MORE}")
    assert ann.rows(f"SELECT * FROM made_{form} ORDER BY id") == ALL
    dug = (
        f"SELECT person.seen, days[1], counts['a b'], lines[1].price * 2 FROM made_{form} WHERE cardinality(lines) > 0"
    )
    assert ann.rows(dug) == [["1969-12-31 23:59:59.999", "2026-11-20", "1", "3.00"]]
    ann.run(f"UNLOAD (SELECT * FROM made_{form}) TO 's3://{ann.bucket}/out_{form}/' WITH (format = '{form}')")
    external(ann, f"out_{form}", form, COLUMNS)
    assert ann.rows(f"SELECT * FROM out_{form} ORDER BY id") == ALL


def test_parquet_of_other_writers_is_read_as_the_catalog_says(ann: Analyst) -> None:
    moment = pa.timestamp("us", "UTC")  # as Spark and PyArrow have them; the catalog has milliseconds
    inner = pa.struct([("SEEN", moment), ("extra", pa.int8()), ("n", pa.int16())])
    schema = pa.schema([("at", pa.timestamp("ns")), ("seen", pa.list_(moment)), ("s", inner),
                        ("m", pa.map_(pa.string(), inner)), ("wrong", pa.list_(pa.string()))])  # fmt: skip
    before = -500_001  # nanoseconds: nearer to one millisecond before 1970 than to none
    part = {"SEEN": AT, "extra": 1, "n": 7}
    rows: list[dict[str, Any]] = [
        {"at": before, "seen": [AT, None], "s": part, "m": [("k", part)], "wrong": ["x"]},
        {},
    ]
    columns = {"at": "timestamp", "seen": "array<timestamp>", "s": "struct<n:bigint,seen:timestamp,late:string>",
               "m": "map<string,struct<n:int>>", "wrong": "array<int>"}  # fmt: skip
    body = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(rows, schema), body)
    put(ann, "foreign_parquet", "PARQUET", columns, body.getvalue())
    found = ann.rows("SELECT at, seen, s, m FROM foreign_parquet ORDER BY at")
    assert found == [
        ["1969-12-31 23:59:59.999", "[2026-11-21 05:30:00.124, null]",
         "{n=7, seen=2026-11-21 05:30:00.124, late=null}", "{k={n=7}}"],
        [None, None, None, None],
    ]  # fmt: skip
    told = ann.fails("SELECT wrong FROM foreign_parquet")
    assert told.startswith("NOT_SUPPORTED: Column wrong of type array(integer) is not read from VARCHAR[]")


def test_json_of_other_writers_is_read_as_the_catalog_says(ann: Analyst) -> None:
    lines = [
        {"id": 1, "AT": "2026-11-21 05:30:00.1235", "Day": "2026-11-20", "s": {"Name": "Ann", "n": "7", "x": [1]},
         "m": {"1": 1.5, "2": None}, "a": [[1, None], []], "t": {"deep": [1, {"y": "z"}]}},
        {"id": 2, "at": None, "day": None, "s": None, "m": None, "a": None, "t": None},
        {"id": 3},
    ]  # fmt: skip
    columns = {"id": "int", "at": "timestamp", "day": "date", "s": "struct<name:varchar(2),n:int,missing:double>",
               "m": "map<int,double>", "a": "array<array<bigint>>", "t": "string"}  # fmt: skip
    put(ann, "foreign_json", "JSON", columns, "\n".join(map(json.dumps, lines)).encode())
    nothing: list[str | None] = [None] * 6
    assert ann.rows("SELECT * FROM foreign_json ORDER BY id") == [
        ["1", "2026-11-21 05:30:00.124", "2026-11-20", "{name=An, n=7, missing=null}", "{1=1.5, 2=null}",
         "[[1, null], []]", '{"deep":[1,{"y":"z"}]}'],
        ["2", *nothing], ["3", *nothing],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "type_", "held", "told"),
    [
        ("at", "timestamp", "2026-11-21T05:30:00Z", "NOT_SUPPORTED: Column at: timestamp(3) is not read from a"),
        ("at", "timestamp", "2026-02-30 05:30:00", "NOT_SUPPORTED: Column at: timestamp(3) is not read from"),
        ("day", "date", "20261121", "NOT_SUPPORTED: Column day: date is not read from a text of another form"),
        (
            "s",
            "struct<a:int>",
            [1],
            "NOT_SUPPORTED: Column s: row(a integer) is not read from another form than object",
        ),
        ("a", "array<int>", 1, "NOT_SUPPORTED: Column a: array(integer) is not read from another form than array"),
        ("a", "array<int>", ["x"], "HIVE_BAD_DATA: Error parsing field value for field a as integer"),
        ("d", "decimal(20,2)", 1, "NOT_SUPPORTED: The type decimal(20,2) of column 'd' in a table of JSON"),
    ],
)
def test_json_that_a_serde_may_read_otherwise_fails_by_its_column(
    ann: Analyst, name: str, type_: str, held: object, told: str
) -> None:
    table = f"odd_{len(ann.names())}"
    put(ann, table, "JSON", {"id": "int", name: type_}, json.dumps({"id": 1, name: held}).encode())
    assert ann.fails(f"SELECT {name} FROM {table}").startswith(told)
