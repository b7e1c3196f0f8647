"""Results as Athena writes them: the text of each value, the CSV or text file, its metadata, and rows read back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from local.engines.athena_types import MICROS, Type
from local.engines.athena_zones import zone_of

# The precision that Athena says for types that have none of their own
PRECISIONS = {
    "tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19, "real": 17, "double": 17, "varchar": 2147483647,
}  # fmt: skip
API_NAMES = {"real": "float"}
FIELD = re.compile(r'(?:"((?:[^"]|"")*)"|)(,|\n)')


def column_info(name: str, type_: Type) -> dict[str, Any]:
    precision = PRECISIONS.get(type_.name, 0) if type_.precision is None else type_.precision
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": API_NAMES.get(type_.name, type_.name),
        "Precision": precision,
        "Scale": type_.scale or 0,
        "Nullable": "UNKNOWN",
        "CaseSensitive": type_.name == "varchar",
    }


def java_double(value: float) -> str:
    """A double as Java prints it, which Athena does."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value) if "e" not in repr(value) else f"{Decimal(repr(value)):f}"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    figures = "".join(map(str, digits))
    shift = len(figures) - 1 + int(exponent)
    return f"{'-' if sign else ''}{figures[0]}.{figures[1:] or '0'}E{shift}"


def java_float(value: float) -> str:
    import numpy

    return java_double(float(str(numpy.float32(value))))


def printer(type_: Type) -> Callable[[Any], str]:
    """How a value of the type, not NULL, is written."""
    if type_.element is not None:
        each = nested(type_.element)
        return lambda values: "[" + ", ".join(map(each, values)) + "]"
    if type_.key is not None and type_.value is not None:
        key, value = nested(type_.key), nested(type_.value)
        return lambda pairs: "{" + ", ".join(f"{key(k)}={value(v)}" for k, v in pairs.items()) + "}"
    if type_.fields:
        fields = [(name, nested(field)) for name, field in type_.members]
        return lambda row: "{" + ", ".join(f"{name}={each(row[name])}" for name, each in fields) + "}"
    if type_.name.startswith("timestamp"):
        return time_printer(type_)
    named: dict[str, Callable[[Any], str]] = {
        "boolean": lambda value: "true" if value else "false",
        "decimal": lambda value: f"{value:f}",
        "double": java_double,
        "real": java_float,
        "date": lambda value: str(value.isoformat()),
        "varbinary": lambda value: value.hex(" "),
        "interval day to second": day_to_second,
        "interval year to month": lambda value: f"{'-' if value < 0 else ''}{abs(value) // 12}-{abs(value) % 12}",
    }
    return named.get(type_.name, str)


def nested(type_: Type) -> Callable[[Any], str]:
    """The same inside an array, a map or a row, where NULL is written too."""
    each = printer(type_)
    return lambda value: "null" if value is None else each(value)


def time_printer(type_: Type) -> Callable[[Any], str]:
    digits = "microseconds" if type_.precision == MICROS else "milliseconds"
    if not type_.name.endswith("zone"):
        return lambda value: str(value.isoformat(" ", digits))
    zone = zone_of(type_.zone or "UTC")
    name = type_.zone or "UTC"
    return lambda value: f"{value.astimezone(zone).replace(tzinfo=None).isoformat(' ', digits)} {name}"


def day_to_second(value: int) -> str:
    days, rest = divmod(abs(value), 86_400_000)
    seconds, millis = divmod(rest, 1000)
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{millis:03}"
    return f"{'-' if value < 0 else ''}{days} {clock}"


def printed(rows: Iterable[Sequence[Any]], types: Sequence[Type]) -> Iterator[list[str | None]]:
    printers = [printer(type_) for type_ in types]
    for row in rows:
        yield [None if value is None else each(value) for value, each in zip(row, printers, strict=True)]


def csv_line(values: Iterable[str | None]) -> str:
    """Every value in quotes, and nothing at all for NULL."""
    return ",".join("" if value is None else '"' + value.replace('"', '""') + '"' for value in values) + "\n"


def read_csv(text: str, width: int) -> list[list[str | None]]:
    """The rows of a result file, its header among them; an empty text is told from NULL."""
    rows: list[list[str | None]] = [[]]
    for match in FIELD.finditer(text):
        value = match[1]
        if value is None and match[0].startswith('"'):
            value = ""
        rows[-1].append(None if value is None else value.replace('""', '"'))
        if match[2] == "\n":
            rows.append([])
    return [row for row in rows if len(row) == width]


def metadata(columns: Sequence[dict[str, Any]]) -> bytes:
    """What stands beside a result; Athena's own is a format that no document describes."""
    return json.dumps({"columns": columns}).encode()
