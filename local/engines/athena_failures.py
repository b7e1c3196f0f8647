"""What DuckDB fails with, in Athena's words and classes."""

from __future__ import annotations

import re
import urllib.parse
from collections.abc import Callable

import duckdb

from local.engines.athena_errors import SYSTEM, QueryError
from local.engines.athena_overflows import overflow

OURS = re.compile(
    r"\b(DIVISION_BY_ZERO|INVALID_CAST_ARGUMENT|INVALID_FUNCTION_ARGUMENT|NUMERIC_VALUE_OUT_OF_RANGE|NOT_SUPPORTED"
    r"|HIVE_BAD_DATA|HIVE_CURSOR_ERROR): ([^\n]*)"
)
UNREADABLE = re.compile(r"arquet|Avro|Cannot read (?:file|map|array|string|value)|gzip", re.I)
FILE = re.compile(r"(?:https?://[^/'\"\s]+|s3:/)/([^'\"?\s]+)")
GROUPED = re.compile(r"must appear in the GROUP BY clause|aggregate|window", re.I)
MISSING_FILE = re.compile(r"HTTP (?:GET|HEAD)[^\n]*'([^']+)'|No files found|404|NoSuchKey|Not Found", re.I)


def told(error: duckdb.Error, of_iceberg: Callable[[str], bool] = lambda _: False) -> QueryError:
    """The error that the query ends with; `of_iceberg` knows whether a file is of an Iceberg table."""
    text = str(error).splitlines()[0]
    named = FILE.search(text)
    file = f"s3://{urllib.parse.unquote(named[1])}" if named else ""
    table = "Iceberg" if of_iceberg(file) else "Hive"
    if ours := OURS.search(str(error)):
        return QueryError(ours[1], ours[2])
    if "More than one row returned by a subquery" in text:
        return QueryError("SUBQUERY_MULTIPLE_ROWS", "Scalar sub-query has returned multiple rows")
    if "GROUPING statement" in text or "GROUPING child" in text:
        return QueryError("INVALID_COLUMN_REFERENCE", "The arguments to GROUPING() must be expressions of GROUP BY")
    if isinstance(error, duckdb.OutOfRangeException | duckdb.ConversionException) and (left := overflow(text)):
        return left
    if isinstance(error, duckdb.NotImplementedException):
        return QueryError("NOT_SUPPORTED", f"The laptop's engine does not run this: {text}")
    if isinstance(error, duckdb.OutOfRangeException):
        return QueryError("NUMERIC_VALUE_OUT_OF_RANGE", text)
    if isinstance(error, duckdb.ConversionException):
        return QueryError("INVALID_CAST_ARGUMENT", text)
    if isinstance(error, duckdb.BinderException) and GROUPED.search(text):
        return QueryError("EXPRESSION_NOT_AGGREGATE", text)
    if isinstance(error, duckdb.HTTPException) and "403" in text:
        return QueryError("PERMISSION_DENIED", f"Permission denied on S3 path: {text}")
    if isinstance(error, duckdb.IOException | duckdb.HTTPException):
        if MISSING_FILE.search(text):
            gone = f"Error opening {table} split {file}: File {file} not found" if file else text
            return QueryError(f"{table.upper()}_CANNOT_OPEN_SPLIT", gone)
        return QueryError(f"{table.upper()}_BAD_DATA", f"Error opening {table} split: {text}")
    if isinstance(error, duckdb.InvalidInputException) and "Malformed JSON" in text:
        return QueryError("HIVE_CURSOR_ERROR", f"Row is not a valid JSON Object - {text}")
    if isinstance(error, duckdb.InvalidInputException) and "CSV" in text:
        return QueryError("HIVE_BAD_DATA", f"Lines of a text file that cannot be parted: {text}")
    if isinstance(error, duckdb.InvalidInputException) and UNREADABLE.search(text):
        return QueryError(f"{table.upper()}_BAD_DATA", f"Malformed file: {text}")
    return QueryError("GENERIC_INTERNAL_ERROR", f"{type(error).__name__}: {text}", category=SYSTEM)
