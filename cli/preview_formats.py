"""The first rows of a file and its schema: Avro, Parquet, JSON and CSV, gzipped or not, told by what it begins with."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO

from cli.preview_json import JsonFault, values

HEAD = 4096
SAMPLED = 200  # rows from which types of JSON and CSV are told
NOT_HERE = {  # by what the head matches; text may begin with the letters ORC or BZh too
    rb"ORC(?=.*[\x00-\x08\x0e-\x1f])": "ORC",
    rb"PK\x03\x04": "a zip archive",
    rb"%PDF": "a PDF",
    rb"BZh[1-9]1AY&SY": "bzip2",
    rb"\(\xb5/\xfd": "zstd",
    rb"\xff\xfe|\xfe\xff": "text in UTF-16, not UTF-8",
}


class PreviewError(ValueError):
    """The file is none that can be shown; its words say what it is or what is wrong with it."""


@dataclass(frozen=True)
class Preview:
    """What was found: the format, the columns with their types, and the first rows."""

    format: str
    columns: Sequence[tuple[str, str]]
    rows: list[list[Any]]


def read(file: BinaryIO, limit: int) -> Preview:
    """The first rows of an open file, no more of which is read than they take."""
    head = _head(file)
    if head.startswith(b"\x1f\x8b"):
        inside = gzip.GzipFile(fileobj=file)
        try:
            found = _plain(io.BufferedReader(inside), limit)
        except (EOFError, gzip.BadGzipFile, OSError) as error:
            raise PreviewError(f"its gzip cannot be read: {error}") from error
        return Preview(f"{found.format}, gzip", found.columns, found.rows)
    return _plain(file, limit)


def _plain(file: BinaryIO, limit: int) -> Preview:
    head = _head(file)
    for begins, what in NOT_HERE.items():
        if re.match(begins, head, re.DOTALL):
            raise PreviewError(f"it is {what}")
    if head.startswith(b"PAR1"):
        return _parquet(file, limit)
    if head.startswith(b"Obj\x01"):
        return _avro(file, limit)
    if b"\x00" in head:
        raise PreviewError("it is binary, and of no format that is known here")
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        return _json(text, limit) if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") else _csv(text, limit)
    except UnicodeDecodeError as error:
        raise PreviewError(f"its text is not UTF-8: {error.reason} at byte {error.start}") from error
    except JsonFault as error:
        raise PreviewError(f"its JSON cannot be read: {error}") from error
    finally:
        text.detach()


def _head(file: BinaryIO) -> bytes:
    head = file.read(HEAD)
    file.seek(0)
    return head


def _parquet(file: BinaryIO, limit: int) -> Preview:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # page by page: a row group can be a hundred megabytes
        found = pq.ParquetFile(file, buffer_size=HEAD * 16, pre_buffer=False)
        columns = [(field.name, str(field.type)) for field in found.schema_arrow]
        batch = next(found.iter_batches(batch_size=limit), None) if limit else None
    except (pa.ArrowException, OSError) as error:
        raise PreviewError(f"its Parquet cannot be read: {error}") from error
    cells = [] if batch is None else [column.to_pylist() for column in batch.columns]  # two may have one name
    rows = [list(row) for row in zip(*cells, strict=True)]
    return Preview(f"Parquet, {found.metadata.num_rows:,} rows", columns, rows)


def _avro(file: BinaryIO, limit: int) -> Preview:
    import fastavro

    try:
        found = fastavro.reader(file)
        schema: Any = found.writer_schema
        records = list(islice(found, limit))
    except (EOFError, ValueError, IndexError, KeyError, StopIteration) as error:
        raise PreviewError(f"its Avro cannot be read: {error or 'it is cut off'}") from error
    if schema.get("type") != "record":
        return Preview("Avro", [("value", avro_type(schema))], [[each] for each in records])
    columns = [(each["name"], avro_type(each["type"])) for each in schema["fields"]]
    return Preview("Avro", columns, [[record.get(name) for name, _ in columns] for record in records])  # type: ignore[union-attr]


def avro_type(schema: Any) -> str:
    """A type as its schema says it, shortly: what may be null ends in `?`."""
    if isinstance(schema, list):
        kinds = [avro_type(each) for each in schema if each != "null"]
        return " or ".join(kinds) + ("?" if len(kinds) < len(schema) else "")
    if not isinstance(schema, dict):
        return str(schema)
    kind = schema.get("logicalType") or schema["type"]
    match kind:
        case "decimal":
            return f"decimal({schema['precision']},{schema.get('scale', 0)})"
        case "array":
            return f"array<{avro_type(schema['items'])}>"
        case "map":
            return f"map<{avro_type(schema['values'])}>"
        case "record":
            fields = ", ".join(f"{each['name']}: {avro_type(each['type'])}" for each in schema["fields"])
            return f"record<{fields}>"
        case _:
            return str(kind) if isinstance(kind, str) else avro_type(kind)


def _json(text: io.TextIOWrapper, limit: int) -> Preview:
    found = list(islice(values(text), max(limit, SAMPLED)))
    records = [each if isinstance(each, dict) else {"value": each} for each in found]
    names = list(dict.fromkeys(name for record in records for name in record))
    columns = [(name, _kind([record.get(name) for record in records])) for name in names]
    return Preview("JSON", columns, [[record.get(name) for name in names] for record in records[:limit]])


def _kind(found: Sequence[Any]) -> str:
    """The type of all values that are there, as JSON names them."""
    names = {bool: "boolean", int: "integer", float: "number", str: "string", dict: "object", list: "array"}
    kinds = list(dict.fromkeys(names[type(each)] for each in found if each is not None))
    if set(kinds) == {"integer", "number"}:
        kinds = ["number"]
    return (" or ".join(kinds) or "null") + ("?" if kinds and any(each is None for each in found) else "")


def _csv(text: io.TextIOWrapper, limit: int) -> Preview:
    sample = text.read(HEAD * 4)
    if not sample:
        raise PreviewError("it is empty")
    try:
        dialect: Any = csv.Sniffer().sniff(sample.rpartition("\n")[0] or sample, ",;\t|")
    except csv.Error:
        dialect = csv.excel  # one column, for all that is known
    text.seek(0)
    try:
        rows = list(islice(_filled(csv.reader(text, dialect)), max(limit, SAMPLED) + 1))
    except csv.Error as error:
        raise PreviewError(f"its CSV cannot be read: {error}") from error
    width = max(map(len, rows), default=0)
    if _is_header(rows):
        names, rows = [*rows[0], *(f"column_{place + 1}" for place in range(len(rows[0]), width))], rows[1:]
    else:
        names = [f"column_{place + 1}" for place in range(width)]
    padded = [[*row, *[""] * (width - len(row))] for row in rows]
    columns = [(name, _text_kind([row[place] for row in padded])) for place, name in enumerate(names)]
    return Preview(f"CSV, apart by {dialect.delimiter!r}", columns, padded[:limit])


def _filled(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    return (row for row in rows if row)


def _is_header(rows: Sequence[list[str]]) -> bool:
    """Names are all there, all different, and none is a number."""
    first = [each.strip() for each in rows[0]] if rows else []
    return (
        bool(first) and all(first) and len(set(first)) == len(first) and all(_text_kind([e]) == "string" for e in first)
    )


def _text_kind(texts: Sequence[str]) -> str:
    given = [each for each in texts if each]
    for name, read_as in (("integer", int), ("number", float)):
        try:
            for each in given:
                read_as(each)
        except ValueError:
            continue
        return (name if given else "string") + ("?" if given and len(given) < len(texts) else "")
    return "string"


def shown(value: Any) -> str:
    """A value in a cell of a table."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return f"0x{value[:20].hex()}" + ("…" if len(value) > 20 else "")
    text = json.dumps(value, default=str, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"
