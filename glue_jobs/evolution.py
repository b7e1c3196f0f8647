"""Plan how a table becomes what its contract says: steps that cannot hurt a reader, or a refusal that says why."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pyspark.sql.types import StructType

from glue_jobs.failures import ContractBreaksTableError
from lake.model import Dataset

LINEAGE = {"_version": "timestamp", "_hash": "string", "_run": "string"}
QUARANTINE = {
    "_row_hash": "string",  # _row_id is a name of Iceberg's own
    "_rules": "array<string>",
    "_raw": "string",
    "_first_run": "string",
    "_last_run": "string",
    "_state": "string",
    "_dataset": "string",
}
PROPERTIES = {
    "format-version": "2",
    "write.delete.mode": "merge-on-read",
    "write.update.mode": "merge-on-read",
    "write.merge.mode": "merge-on-read",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "50",
}
PARTITIONED_BY = "headwater.partition-by"
WIDENINGS = {("int", "bigint"), ("float", "double")}
TAKE_BACK = "Take the change back and deploy; a change that hurts readers is a dataset of a new name."


@dataclass(frozen=True)
class Field:
    """A column of an existing table."""

    name: str
    type: str
    required: bool = False
    comment: str = ""


@dataclass(frozen=True)
class Existing:
    """A table as it is."""

    fields: tuple[Field, ...]
    properties: Mapping[str, str]


def fields_of(schema: StructType) -> tuple[Field, ...]:
    return tuple(
        Field(each.name, each.dataType.simpleString(), not each.nullable, each.metadata.get("comment", ""))
        for each in schema.fields
    )


def changes(existing: Existing | None, dataset: Dataset, table: str, location: str) -> list[str]:
    """The statements that bring the table to its contract, in order."""
    if existing is None:
        return [_create(dataset, table, location), *_order(dataset, table)]
    _refuse(existing, dataset)
    return [*_columns(existing, dataset, table), *_comment(existing, dataset, table)]


def create_quarantine(table: str, location: str, dataset: Dataset) -> str:
    columns = ", ".join(f"`{name}` {kind}" for name, kind in QUARANTINE.items())
    about = _text(f"Rows of {dataset.id} that broke a rule of its contract")
    return f"CREATE TABLE IF NOT EXISTS {table} ({columns}) {_made_of(about, location, {})}"


def _create(dataset: Dataset, table: str, location: str) -> str:
    columns = [
        f"`{each.name}` {each.type}{' NOT NULL' if each.required else ''} COMMENT {_text(each.description)}"
        for each in dataset.columns
    ]
    columns += [f"`{name}` {kind}" for name, kind in LINEAGE.items()]
    partitions = ", ".join(dataset.partition_by)
    partitioned = f" PARTITIONED BY ({partitions})" if partitions else ""
    made_of = _made_of(_text(dataset.description), location, {PARTITIONED_BY: partitions}, partitioned)
    return f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(columns)}) {made_of}"


def _made_of(comment: str, location: str, more: Mapping[str, str], partitioned: str = "") -> str:
    properties = ", ".join(f"{_text(name)} = {_text(value)}" for name, value in {**PROPERTIES, **more}.items())
    return f"USING iceberg{partitioned} COMMENT {comment} LOCATION {_text(location)} TBLPROPERTIES ({properties})"


def _order(dataset: Dataset, table: str) -> Iterator[str]:
    if dataset.sort_by:
        # locally: a global order would read everything twice to find its ranges
        by_partition = "DISTRIBUTED BY PARTITION " if dataset.partition_by else ""
        yield f"ALTER TABLE {table} WRITE {by_partition}LOCALLY ORDERED BY {', '.join(dataset.sort_by)}"


def _columns(existing: Existing, dataset: Dataset, table: str) -> Iterator[str]:
    held = {each.name: each for each in existing.fields}
    for column in dataset.columns:
        field = held.get(column.name)
        if field is None:
            yield f"ALTER TABLE {table} ADD COLUMN `{column.name}` {column.type} COMMENT {_text(column.description)}"
            continue
        if field.type != column.type:
            yield f"ALTER TABLE {table} ALTER COLUMN `{column.name}` TYPE {column.type}"
        if field.comment != column.description:
            yield f"ALTER TABLE {table} ALTER COLUMN `{column.name}` COMMENT {_text(column.description)}"


def _comment(existing: Existing, dataset: Dataset, table: str) -> Iterator[str]:
    if existing.properties.get("comment", "") != dataset.description:
        yield f"ALTER TABLE {table} SET TBLPROPERTIES ('comment' = {_text(dataset.description)})"


def _refuse(existing: Existing, dataset: Dataset) -> None:
    held = {each.name: each for each in existing.fields}
    wanted = {each.name for each in dataset.columns} | set(LINEAGE)
    for name in held:
        if name not in wanted:
            _broken(dataset, name, held[name].type, "no column")
    for column in dataset.columns:
        field = held.get(column.name)
        if field is None and column.required:
            _broken(dataset, column.name, "no column", "a required one")
        if field is not None and not _widens(field.type, column.type):
            _broken(dataset, column.name, field.type, column.type)
        if field is not None and field.required != column.required:
            _broken(dataset, column.name, *(_requiredness(each) for each in (field.required, column.required)))
    partitions = ", ".join(dataset.partition_by)
    if existing.properties.get(PARTITIONED_BY, partitions) != partitions:
        told = f"The partitions of {dataset.id}: the table has '{existing.properties[PARTITIONED_BY]}'"
        raise ContractBreaksTableError(f"{told}, the contract asks for '{partitions}'.", TAKE_BACK)


def _broken(dataset: Dataset, column: str, old: str, new: str) -> None:
    cause = f"The column '{column}' of {dataset.id}: the table has {old}, the contract asks for {new}"
    raise ContractBreaksTableError(f"{cause}, which could hurt a reader.", TAKE_BACK)


def _requiredness(required: bool) -> str:
    return "a required one" if required else "an optional one"


def _widens(old: str, new: str) -> bool:
    if old == new or (old, new) in WIDENINGS:
        return True
    before, after = (re.fullmatch(r"decimal\((\d+),(\d+)\)", each) for each in (old, new))
    return bool(before and after and before[2] == after[2] and int(after[1]) >= int(before[1]))


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
