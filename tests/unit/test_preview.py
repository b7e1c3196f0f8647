"""`preview`: the first rows of an object and its columns, whatever its format, and how little is fetched for them."""

from __future__ import annotations

import gzip
import io
import json
import random
from functools import cache
from typing import Any

import boto3
import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

import cli.target
import config
from cli.__main__ import app
from cli.target import Target

BUCKET = "bucket"
ROWS = [{"id": number, "name": f"name {number}", "price": number / 2} for number in range(50_000)]
LINES = "".join(f"{json.dumps(row)}\n" for row in ROWS)
FIRST = [{"id": 0, "name": "name 0", "price": 0.0}, {"id": 1, "name": "name 1", "price": 0.5}]


@pytest.fixture
def s3(aws: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(cli.target, "target", lambda env: Target(config.load("dev"), None))
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


def preview(s3: Any, body: bytes, *more: str) -> Result:
    s3.put_object(Bucket=BUCKET, Key="folder/object", Body=body)
    return CliRunner().invoke(app, ["preview", f"s3://{BUCKET}/folder/object", *more])


def found(s3: Any, body: bytes) -> dict[str, Any]:
    told = preview(s3, body, "--json", "--rows", "2")
    assert told.exit_code == 0, told.exception
    read: dict[str, Any] = json.loads(told.stdout)
    return read


def refusal(s3: Any, body: bytes) -> str:
    return str(preview(s3, body).exception)


def fetched(told: Result) -> int:
    return int(told.stderr.split("; ")[1].split(" of ")[0].replace(",", ""))


@cache
def avro(codec: str) -> bytes:
    file = io.BytesIO()
    fields = [
        {"name": "id", "type": "long"},
        {"name": "name", "type": ["null", "string"]},
        {"name": "price", "type": "double"},
    ]
    schema = fastavro.parse_schema({"type": "record", "name": "r", "fields": fields})
    fastavro.writer(file, schema, ROWS, codec=codec)
    return file.getvalue()


@cache
def parquet() -> bytes:
    file = io.BytesIO()
    table = pa.concat_tables([pa.Table.from_pylist(ROWS)] * 4)
    pq.write_table(table, file, row_group_size=len(table), use_dictionary=False, data_page_size=16_384)
    return file.getvalue()


@cache
def csv(separator: str = ",", header: str = "id,name,price\n") -> bytes:
    lines = (separator.join((str(row["id"]), str(row["name"]), str(row["price"]))) for row in ROWS)
    return (header.replace(",", separator) + "\n".join(lines)).encode()


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard"])
def test_avro_in_each_codec_that_jobs_write(s3: Any, codec: str) -> None:
    read = found(s3, avro(codec))
    assert read["rows"] == FIRST
    assert read["schema"][1] == {"name": "name", "type": "string?"}


def test_parquet(s3: Any) -> None:
    read = found(s3, parquet())
    assert (read["format"], read["rows"]) == ("Parquet, 200,000 rows", FIRST)
    assert [each["type"] for each in read["schema"]] == ["int64", "string", "double"]


@pytest.mark.parametrize(
    "text",
    [LINES, LINES.replace("}\n", "}"), json.dumps(ROWS), json.dumps(ROWS[:3], indent=4), "\ufeff" + LINES],
    ids=["lines", "one after another", "a list", "written for people", "with a byte order mark"],
)
def test_json_in_its_shapes_and_gzipped(s3: Any, text: str) -> None:
    for body in (text.encode(), gzip.compress(text.encode())):
        read = found(s3, body)
        assert read["rows"] == FIRST
        assert [each["type"] for each in read["schema"]] == ["integer", "string", "number"]
    assert read["format"] == "JSON, gzip"


def test_json_whose_rows_differ_shows_every_field(s3: Any) -> None:
    read = found(s3, b'{"a": 1}\n{"a": "x", "b": [1, {"c": null}]}\n')
    assert read["schema"] == [{"name": "a", "type": "integer or string"}, {"name": "b", "type": "array?"}]
    assert read["rows"] == [{"a": 1, "b": None}, {"a": "x", "b": [1, {"c": None}]}]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_csv_whatever_is_between_its_values(s3: Any, separator: str) -> None:
    read = found(s3, csv(separator))
    assert [(each["name"], each["type"]) for each in read["schema"]] == [
        ("id", "integer"),
        ("name", "string"),
        ("price", "number"),
    ]
    assert read["rows"][1] == {"id": "1", "name": "name 1", "price": "0.5"}


def test_csv_may_begin_with_the_letters_of_another_format(s3: Any) -> None:
    assert found(s3, b"ORCID,BZhang\n1,2\n")["rows"] == [{"ORCID": "1", "BZhang": "2"}]


def test_parquet_may_have_two_columns_of_one_name(s3: Any) -> None:
    file = io.BytesIO()
    pq.write_table(pa.table([pa.array([1]), pa.array(["b"])], names=["a", "a"]), file)
    assert preview(s3, file.getvalue()).stdout.split("\n")[-2].split() == ["1", "b"]


def test_csv_without_a_header_and_with_quoted_lines(s3: Any) -> None:
    read = found(s3, b'1,"a\nb",x\n2,"c"",d",\n')
    assert read["rows"] == [
        {"column_1": "1", "column_2": "a\nb", "column_3": "x"},
        {"column_1": "2", "column_2": 'c",d', "column_3": ""},
    ]
    assert read["schema"][2] == {"name": "column_3", "type": "string"}


@pytest.mark.parametrize("body", [avro("null"), parquet(), LINES.encode(), json.dumps(ROWS).encode(), csv()])
def test_a_large_object_is_fetched_in_small_part(s3: Any, body: bytes) -> None:
    assert fetched(preview(s3, body, "--rows", "1")) <= len(body) // 2
    assert len(body) > 500_000


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "is empty: expected Avro, Parquet, JSON or CSV."),
        (b"PK\x03\x04....", "it is a zip archive."),
        (b"%PDF-1.7", "it is a PDF."),
        (b"ORC\x00\x00", "it is ORC."),
        (b"BZh91AY&SY\x00", "it is bzip2."),
        ("id;name\n1;J\u00fcrgen\n".encode("utf-16"), "it is text in UTF-16, not UTF-8."),
        (b"[" * 100_000, "its JSON cannot be read: a value is nested too deeply"),
        (bytes(100), "it is binary, and of no format that is known here."),
        (parquet()[:-100], "its Parquet cannot be read: "),
        (b"PAR1", "its Parquet cannot be read: "),
        (avro("null")[:30], "its Avro cannot be read: "),
        (gzip.compress(random.Random(1).randbytes(9_000))[:5_000], "expected Avro, Parquet, JSON or CSV, but it"),
        (gzip.compress(LINES.encode())[:200], "its gzip cannot be read: "),
        (b'{"a": 1}\n{"a": 2,}\n' + LINES.encode(), "its JSON cannot be read: "),
        (b'[{"a": 1}', "its JSON cannot be read: its list has no end: the object is cut off."),
        (b'{"a": "open', "its JSON cannot be read: Unterminated string"),
        ("id;name\n1;Jürgen\n".encode("latin-1"), "its text is not UTF-8: "),
    ],
)
def test_what_cannot_be_shown_is_said_in_a_sentence(s3: Any, body: bytes, says: str) -> None:
    told = refusal(s3, body)
    assert told.startswith(f"The object 's3://{BUCKET}/folder/object'"), told
    assert says in told


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        (f"s3://{BUCKET}/fold", f"is not there. There is s3://{BUCKET}/folder/object."),
        (f"s3://{BUCKET}/x", "is not there. Nothing of its bucket begins so."),
        ("s3://nowhere/x", "is not there. Its bucket could not be listed either: NoSuchBucket."),
        (f"s3://{BUCKET}", "expected s3://BUCKET/KEY. Correct it."),
        ("folder/object", "expected s3://BUCKET/KEY. Correct it."),
    ],
)
def test_an_object_that_is_not_there_is_told_with_what_is(s3: Any, uri: str, says: str) -> None:
    s3.put_object(Bucket=BUCKET, Key="folder/object", Body=b"1")
    assert says in str(CliRunner().invoke(app, ["preview", uri]).exception)


def test_rows_and_columns_are_shown_as_tables(s3: Any) -> None:
    told = preview(s3, b'{"a": 1, "b": {"c": [1]}}\n').stdout
    assert "object" in told
    assert '{"c": [1]}' in told


def test_many_columns_are_shown_as_lines(s3: Any) -> None:
    row = {f"column_{number}": f"value_{number}" for number in range(30)}
    told = preview(s3, f"{json.dumps(row)}\n".encode()).stdout
    lines = [line.split() for line in told.splitlines()]
    assert ["column_29", "string", "value_29"] in lines
