"""A query's result as a person or a program wants it: a table, CSV, JSON or Parquet."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from cli.athena import Column, Result, Row
from cli.errors import CommandError

FORMATS = ("table", "csv", "json", "parquet")
BATCH = 10_000
TABLE = 1_000  # rows of one table: its widths are known when all of them are
WHOLE = ("tinyint", "smallint", "integer", "int", "bigint")
FLOATING = ("float", "real", "double")


def chosen(form: str, output: Path | None) -> str:
    """The format that is asked for, or that the file's ending says; refused before anything is run."""
    if form not in FORMATS:
        raise CommandError(f"The format '{form}': expected one of {', '.join(FORMATS)}. Name one of them.")
    if output is None:
        if form == "parquet" and sys.stdout.isatty():
            raise CommandError("The format 'parquet': expected a file, not a terminal. Add --output FILE.parquet.")
        return form
    if form == "table" and (form := output.suffix.removeprefix(".").lower()) not in FORMATS[1:]:
        raise CommandError("The format 'table': expected csv, json or parquet in a file. Add --format, or no --output.")
    if output.is_dir() or not output.parent.is_dir():
        raise CommandError(f"The file '{output}': expected a file's name in a folder that is there. Make the folder.")
    return form


def show(result: Result, form: str, output: Path | None) -> int:
    """Write all rows where they are wanted; how many there were."""
    if form in ("json", "parquet"):
        _require_different_names(result, form)
    if output is None:
        return _table(result) if form == "table" else _written(result, form, None)
    try:
        return _written(result, form, output)
    except OSError as error:
        raise CommandError(f"The file '{output}': expected one that can be written: {error.strerror}.") from error


def _written(result: Result, form: str, output: Path | None) -> int:
    if form == "parquet":
        return _parquet(result, output)
    write = _csv if form == "csv" else _json
    if output is None:
        return write(result, sys.stdout)
    with output.open("w", encoding="utf-8", newline="") as file:
        return write(result, file)


def _table(result: Result) -> int:
    """A large result as several tables, each printed while the next is fetched."""
    from cli.console import table

    names, count = [each.name for each in result.columns], 0
    for rows in _batches(result.rows(), TABLE):
        table("", names, rows)
        count += len(rows)
    if not count:
        table("", names, [])
    return count


def _require_different_names(result: Result, form: str) -> None:
    names = [each.name for each in result.columns]
    if twice := sorted({each for each in names if names.count(each) > 1}):
        raise CommandError(
            f"The columns '{', '.join(twice)}' come twice: expected different names in {form}. Name them apart with AS."
        )


def _csv(result: Result, file: TextIO) -> int:
    """As Athena writes it: every value in quotes, so that NULL, which is nothing, is no empty text."""
    file.write(_line([each.name for each in result.columns]))
    count = 0
    for row in result.rows():
        file.write(_line(row))
        count += 1
    return count


def _line(row: Row) -> str:
    return ",".join("" if each is None else '"' + each.replace('"', '""') + '"' for each in row) + "\n"


def _json(result: Result, file: TextIO) -> int:
    """A list of objects; numbers and truths are such, and all else is text as Athena prints it."""
    names = [each.name for each in result.columns]
    reads = [PLAIN.get(each.type, str) for each in result.columns]
    count, before = 0, "[\n"
    for row in result.rows():
        values = [None if cell is None else read(cell) for read, cell in zip(reads, row, strict=True)]
        file.write(f"{before}  {json.dumps(dict(zip(names, values, strict=True)), ensure_ascii=False)}")
        before = ",\n"
        count += 1
    file.write("\n]\n" if count else "[]\n")
    return count


def _number(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text  # JSON has no word for the others


def _truth(text: str) -> bool:
    return text == "true"


PLAIN: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(WHOLE, int),
    **dict.fromkeys(FLOATING, _number),
    "boolean": _truth,
}


def _parquet(result: Result, output: Path | None) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = [_arrow(each) for each in result.columns]
    schema = pa.schema([(each.name, kind) for each, (kind, _) in zip(result.columns, kinds, strict=True)])
    count = 0
    with pq.ParquetWriter(output or sys.stdout.buffer, schema) as writer:
        for rows in _batches(result.rows(), BATCH):
            columns = [
                pa.array([None if row[place] is None else read(row[place]) for row in rows], kind)
                for place, (kind, read) in enumerate(kinds)
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))
            count += len(rows)
    return count


def _batches(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    while batch := list(islice(rows, size)):
        yield batch


def _arrow(column: Column) -> tuple[Any, Callable[[Any], Any]]:
    """The type of a column in Parquet, and how Athena's text is read; what has none of its own stays text."""
    import pyarrow as pa

    kind, _, inside = column.type.partition("(")
    if kind == "decimal":
        precision, scale = inside.rstrip(")").split(",")
        return pa.decimal128(int(precision), int(scale)), Decimal
    known: dict[str, tuple[Any, Callable[[str], Any]]] = {
        **dict.fromkeys(WHOLE, (pa.int64(), int)),
        **dict.fromkeys(FLOATING, (pa.float64(), float)),
        "boolean": (pa.bool_(), _truth),
        "date": (pa.date32(), date.fromisoformat),
        "timestamp": (pa.timestamp("us"), datetime.fromisoformat),
        "timestamp with time zone": (pa.timestamp("us", tz="UTC"), _instant),
        "varbinary": (pa.binary(), bytes.fromhex),
    }
    return known.get(column.type, (pa.string(), str))


def _instant(text: str) -> datetime:
    """A time and its zone, which Athena writes by name: `2026-11-20 03:00:00.000 UTC`."""
    moment, _, zone = text.rpartition(" ")
    found = datetime.fromisoformat(moment)
    return found.replace(tzinfo=UTC if zone == "UTC" else ZoneInfo(zone)).astimezone(UTC)
