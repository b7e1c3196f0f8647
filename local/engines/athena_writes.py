"""Rows written as files below a place in S3: by format, by partition and by bucket, all or none of them."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

from local.engines.athena_buckets import bucket
from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_files import objects
from local.engines.athena_json_columns import reads
from local.engines.athena_quoting import identifier, text
from local.engines.athena_relations import Query
from local.engines.athena_session import Session
from local.engines.athena_storage import partition_folder
from local.engines.athena_types import MILLIS, Type
from local.engines.athena_undo import taken_back

KEPT, BUCKET = "written", "bucket number"
LARGEST_PARTITIONS = 100
PARTITION_TYPES = ("varchar", "tinyint", "smallint", "integer", "bigint", "date", "boolean")
CODECS = {"parquet": ("gzip", "snappy", "zstd", "uncompressed"), "json": ("gzip", "uncompressed"),
          "textfile": ("gzip", "uncompressed"), "avro": ("uncompressed",)}  # fmt: skip
# what each writer is known to write as Hive reads it
WRITTEN = {
    "avro": ("boolean", "integer", "bigint", "double", "real", "varchar", "date", "decimal", "timestamp"),
    "textfile": ("boolean", "tinyint", "smallint", "integer", "bigint", "double", "decimal", "varchar", "date"),
}


@dataclass(frozen=True)
class Layout:
    """How rows become files; `delimiter` is a text file's."""

    form: str
    codec: str
    partitioned_by: tuple[str, ...] = ()
    bucketed_by: tuple[str, ...] = ()
    buckets: int = 0
    delimiter: str = "\x01"


@dataclass(frozen=True)
class Written:
    """The files, the partitions that they lie in, and how many rows they hold."""

    files: list[str]
    partitions: list[tuple[tuple[str, ...], str]]
    rows: int


def store(session: Session, query: Query, layout: Layout, location: str) -> Written:
    """Write a query's rows: first all of them here, then each file to its place."""
    check(query, layout)
    rows = session.keep(KEPT, query)
    _check_partitions(session, query, layout)
    if layout.form == "textfile":
        _check_texts(session, query, layout)
    with tempfile.TemporaryDirectory() as folder:
        if rows:
            session.connection.execute(f"COPY ({_selected(query, layout)}) TO {_target(folder, layout)}")
        files: list[str] = []
        with taken_back(session, files):
            partitions = _upload(session, Path(folder), layout, location.rstrip("/"), files)
    return Written(files, partitions, rows)


def check(query: Query, layout: Layout) -> None:
    """Refuse what a writer is not known to write rightly, before anything is computed."""
    if layout.form not in CODECS:
        raise RefusedError(f"The format {layout.form.upper()}", f"the laptop writes {', '.join(CODECS).upper()}.")
    if layout.codec not in CODECS[layout.form]:
        advice = f"the laptop has {', '.join(CODECS[layout.form])}."
        raise RefusedError(f"The compression '{layout.codec}' of {layout.form.upper()}", advice)
    types = dict(zip(query.names, query.types, strict=True))
    missing = [name for name in (*layout.partitioned_by, *layout.bucketed_by) if name not in types]
    if missing:
        raise QueryError(
            "INVALID_TABLE_PROPERTY", f"Partition or bucketing column '{missing[0]}' not present in schema"
        )
    keys = layout.partitioned_by
    if keys and tuple(query.names[-len(keys) :]) != keys:
        text = "Partition keys must be the last columns in the table and in the same order as the table properties"
        raise QueryError("HIVE_COLUMN_ORDER_MISMATCH", f"{text}: [{', '.join(keys)}]")
    if len(keys) == len(types):
        raise QueryError("INVALID_TABLE_PROPERTY", "Table contains only partition columns")
    for name, type_ in types.items():
        if name in keys and type_.name not in PARTITION_TYPES:
            raise RefusedError(f"A partition by '{name}', which is {type_}", f"{', '.join(PARTITION_TYPES)} are.")
        check_moments(name, type_)
        if name not in keys and not writes(layout.form, type_):
            raise RefusedError(f"Column '{name}' of type {type_} in {layout.form.upper()}", "Write it as PARQUET.")


def check_moments(name: str, type_: Type) -> None:
    """A table of plain files has milliseconds, and Athena rounds nothing to them by itself."""
    if type_.name == "timestamp" and type_.precision != MILLIS:
        text = f"Incorrect timestamp precision for {type_}; the configured precision is MILLISECONDS"
        raise QueryError("NOT_SUPPORTED", f"{text}; column name: {name}")
    for part in type_.parts:
        check_moments(name, part)


def writes(form: str, type_: Type) -> bool:
    if form == "json":
        return reads(type_)
    if type_.parts and form == "avro":
        return all(writes(form, part) for part in type_.parts) and (type_.key is None or type_.key.name == "varchar")
    return form not in WRITTEN or type_.name in WRITTEN[form]


def empty_place(session: Session, location: str, what: str) -> None:
    """Athena writes new tables and unloads only to places where nothing is."""
    if objects(session.catalog.s3, location):
        text = f"Target directory for {what} already exists: {location}. You may need to manually clean the data at"
        text += f" location '{location}' before retrying. Athena will not delete data in your account."
        raise QueryError("HIVE_PATH_ALREADY_EXISTS", text)


def _check_partitions(session: Session, query: Query, layout: Layout) -> None:
    keys = [f"c{i}" for i, name in enumerate(query.names, 1) if name in layout.partitioned_by]
    if not keys:
        return
    count = session.connection.execute(f"SELECT count(*) FROM (SELECT DISTINCT {', '.join(keys)} FROM {KEPT})")
    if count.fetchone()[0] > LARGEST_PARTITIONS:
        text = f"Exceeded limit of {LARGEST_PARTITIONS} open writers for partitions/buckets"
        raise QueryError("HIVE_TOO_MANY_OPEN_PARTITIONS", text)
    blank = " OR ".join(f"CAST({key} AS VARCHAR) = ''" for key in keys)
    if session.connection.execute(f"SELECT 1 FROM {KEPT} WHERE {blank} LIMIT 1").fetchone():
        raise RefusedError("A partition of an empty text", "Write NULL, or some text.")


def _check_texts(session: Session, query: Query, layout: Layout) -> None:
    """A text file has no quotes: a text with its delimiter in it would come back as two."""
    marks = [text(layout.delimiter), "chr(10)", "chr(13)"]
    columns = [f"c{i}" for i, type_ in enumerate(query.types, 1) if type_.name == "varchar"]
    odd = " OR ".join(f"contains({column}, {mark})" for column in columns for mark in marks)
    if odd and session.connection.execute(f"SELECT 1 FROM {KEPT} WHERE {odd} LIMIT 1").fetchone():
        raise RefusedError("A text with the delimiter or a line break in a TEXTFILE", "Write it as PARQUET.")


def _selected(query: Query, layout: Layout) -> str:
    columns = [f"c{i} AS {identifier(name)}" for i, name in enumerate(query.names, 1)]
    if layout.buckets:
        by_name = {name: (f"c{i}", query.types[i - 1]) for i, name in enumerate(query.names, 1)}
        number = bucket([by_name[name] for name in layout.bucketed_by], layout.buckets)
        columns.append(f"{number} AS {identifier(BUCKET)}")
    return f"SELECT {', '.join(columns)} FROM {KEPT}"


def _target(folder: str, layout: Layout) -> str:
    codec = "none" if layout.codec == "uncompressed" and layout.form != "parquet" else layout.codec
    settings = {
        "parquet": f"FORMAT parquet, COMPRESSION {codec}",
        "avro": "FORMAT avro",
        "json": f"FORMAT json, COMPRESSION {codec}",
        "textfile": f"FORMAT csv, HEADER false, DELIMITER {text(layout.delimiter)}, QUOTE '', ESCAPE '', "
        f"NULLSTR '\\N', COMPRESSION {codec}",
    }[layout.form]
    keys = [*layout.partitioned_by, *([BUCKET] if layout.buckets else [])]
    if not keys:
        return f"{text(f'{folder}/rows')} ({settings})"
    by = ", ".join(identifier(key) for key in keys)
    return f"{text(folder)} ({settings}, PARTITION_BY ({by}), OVERWRITE_OR_IGNORE)"


def _upload(
    session: Session, folder: Path, layout: Layout, location: str, files: list[str]
) -> list[tuple[tuple[str, ...], str]]:
    """Every file to its place, which goes to the list; the partitions that they make."""
    query_id = f"{datetime.now(UTC):%Y%m%d_%H%M%S}_00000_{uuid.uuid4().hex[:5]}"
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    partitions: dict[tuple[str, ...], str] = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        told = [unquote(part.partition("=")[2]) for part in file.relative_to(folder).parts[:-1]]
        values = tuple(told[: len(layout.partitioned_by)])
        name = f"{int(told[-1]):06d}_0_{query_id}" if layout.buckets else f"{query_id}_{uuid.uuid4()}"
        name += ".gz" if layout.codec == "gzip" and layout.form in ("json", "textfile") else ""
        path = "/".join(part for part in (prefix, partition_folder(layout.partitioned_by, values), name) if part)
        session.watch.go_on()
        files.append(f"s3://{bucket}/{path}")
        session.catalog.s3.upload_file(str(file), bucket, path, ExtraArgs=session.request["encryption"] or None)
        if values:
            partitions[values] = files[-1].rpartition("/")[0] + "/"
    return list(partitions.items())


def columns_of(names: Sequence[str], types: Sequence[Type]) -> None:
    """A table's columns each have a name of their own and a type."""
    for position, (name, type_) in enumerate(zip(names, types, strict=True), 1):
        if name == f"_col{position - 1}":
            raise QueryError("MISSING_COLUMN_NAME", f"Column name not specified at position {position}")
        if name in names[: position - 1]:
            raise QueryError("DUPLICATE_COLUMN_NAME", f"Column name '{name}' specified more than once")
        if type_.name == "unknown":
            raise QueryError("COLUMN_TYPE_UNKNOWN", f"Column type is unknown: {name}")
