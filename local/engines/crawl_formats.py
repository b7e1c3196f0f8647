"""What a file is and which columns it has, as Glue's classifiers say it: by what is in it, not by its name."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import fastavro
import pyarrow as pa
import pyarrow.parquet as parquet

from local.engines.crawl_types import arrow_of_avro

UNKNOWN = "UNKNOWN"
LOOKED_AT = 65536  # bytes of a text that tell what it is
SAMPLED_ROWS = 100_000
CSV_TYPES = {"BIGINT": pa.int64(), "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_()}
TIMES = ("DATE", "TIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
LONGEST_HEADING = 150  # as Glue has it
JSON = "read_json(?, format=?, sample_size=?, map_inference_threshold=-1, convert_strings_to_integers=false)"


class UnreadableFileError(Exception):
    """A file that says what it is, and is not: its text names it."""


@dataclass(frozen=True)
class Form:
    """A file's classification and columns; `details` are what its table's parameters say besides."""

    classification: str
    schema: pa.Schema
    rows: int = 0
    compression: str = "none"
    details: dict[str, str] = field(default_factory=dict)


def form_of(path: Path, name: str) -> Form:
    """The form of a file that lies at `path`; `name` is what an error calls it."""
    start = path.open("rb").read(LOOKED_AT)
    if start.startswith(b"\x1f\x8b"):
        return _unzipped(path, name)
    for suffix, magic, read in ((".avro", b"Obj\x01", _avro), (".parquet", b"PAR1", _parquet)):
        if start.startswith(magic) or name.removesuffix(".gz").endswith(suffix):
            return _read(read, path, name, suffix[1:])
    text = _text(start)
    if text.lstrip()[:1] in ("{", "["):
        return _read(_json, path, name, "json")
    return _csv(path) if text else Form(UNKNOWN, pa.schema([]))


def _read(read: Callable[[Path], Form], path: Path, name: str, what: str) -> Form:
    try:
        return read(path)
    except Exception as error:  # each library has errors of its own for a broken file, and more than one
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UnreadableFileError(
            f"The file '{name}': expected {what}, and it cannot be read ({told}). Replace it, or move it away."
        ) from error


def _unzipped(path: Path, name: str) -> Form:
    plain = path.with_name(f"{path.name}.plain")
    try:
        with gzip.open(path) as packed, plain.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)
        return replace(form_of(plain, name), compression="gzip")
    except (OSError, EOFError) as error:
        raise UnreadableFileError(
            f"The file '{name}': expected gzip, and it cannot be unpacked ({error}). Replace it, or move it away."
        ) from error
    finally:
        plain.unlink(missing_ok=True)


def _text(start: bytes) -> str:
    """The beginning as text; nothing where it is none."""
    if b"\0" in start or start.startswith(b"%PDF"):
        return ""
    try:
        return start[: start.rfind(b"\n") + 1 or len(start)].decode()
    except UnicodeDecodeError:
        return ""


def _avro(path: Path) -> Form:
    with path.open("rb") as file:
        blocks = fastavro.block_reader(file)
        rows = sum(block.num_records for block in blocks)  # through to the end: a file may break off
    columns = arrow_of_avro(blocks.writer_schema, {})
    if not pa.types.is_struct(columns):
        columns = pa.struct([("value", columns)])
    return Form("avro", pa.schema(list(columns)), rows)


def _parquet(path: Path) -> Form:
    file = parquet.ParquetFile(path)
    return Form("parquet", file.schema_arrow, file.metadata.num_rows)


def _json(path: Path) -> Form:
    is_list = path.open("rb").read(LOOKED_AT).lstrip().startswith(b"[")
    asked = [str(path), "array" if is_list else "newline_delimited", SAMPLED_ROWS]
    with duckdb.connect() as connection:
        rows = connection.execute(f"SELECT count(*) FROM {JSON}", asked).fetchall()[0][0]
        found = connection.execute(f"SELECT * FROM {JSON} LIMIT 0", asked).fetch_arrow_table().schema
    columns = pa.struct([(each.name, _without_times(each.type)) for each in found])
    if is_list:
        return Form("json", pa.schema([("array", pa.list_(columns))]), 1)
    return Form("json", pa.schema(list(columns)), rows)


def _without_times(type_: pa.DataType) -> pa.DataType:
    """Text that looks like a time stays text, as Glue's classifier leaves it."""
    if pa.types.is_struct(type_):
        return pa.struct([(each.name, _without_times(each.type)) for each in type_])
    if pa.types.is_list(type_):
        return pa.list_(_without_times(type_.value_type))
    return pa.string() if pa.types.is_temporal(type_) else type_


def _csv(path: Path) -> Form:
    """Two columns at least; a heading only where a column below it is not text, since else nothing tells it apart."""
    with duckdb.connect() as connection:
        try:
            told: Any = connection.execute("FROM sniff_csv(?, sample_size=?)", [str(path), SAMPLED_ROWS])
            sniffed = dict(zip([each[0] for each in told.description], told.fetchone(), strict=True))
            columns = [(each["name"], each["type"]) for each in sniffed["Columns"]]
            heading = sniffed["HasHeader"] and any(type_ in (*CSV_TYPES, *TIMES) for _, type_ in columns)
            heading = heading and all(len(name) < LONGEST_HEADING for name, _ in columns)
            counted = "SELECT count(*) FROM read_csv(?, delim=?, header=?, all_varchar=true)"
            rows = connection.execute(counted, [str(path), sniffed["Delimiter"], heading]).fetchall()[0][0]
        except duckdb.Error:
            return Form(UNKNOWN, pa.schema([]))
    if len(columns) < 2:
        return Form(UNKNOWN, pa.schema([]))
    names = [name if heading else f"col{number}" for number, (name, _) in enumerate(columns)]
    types = [CSV_TYPES.get(type_, pa.string()) for _, type_ in columns]
    details = {"delimiter": sniffed["Delimiter"], **({"skip.header.line.count": "1"} if heading else {})}
    if b'"' in path.open("rb").read(LOOKED_AT):
        details["areColumnsQuoted"] = "true"
    return Form("csv", pa.schema(list(zip(names, types, strict=True))), rows, details=details)
