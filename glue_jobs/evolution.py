"""Make a dataset's tables, and bring one that is there to its contract: every change of it in one Iceberg commit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pyspark.sql import SparkSession

from glue_jobs import iceberg
from lake.evolution import Change
from lake.model import Dataset
from lake.tables import ABOUT_LINEAGE, DELETED, LINEAGE, QUARANTINE, Table, from_schema, remembered

PROPERTIES = {
    "format-version": "2",
    "write.delete.mode": "merge-on-read",
    "write.update.mode": "merge-on-read",
    "write.merge.mode": "merge-on-read",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "50",
    # to another's commit a commit gives way, and tries again upon it; by default for half an hour
    "commit.retry.num-retries": "8",
    "commit.retry.min-wait-ms": "200",
    "commit.retry.max-wait-ms": "10000",
    "commit.retry.total-timeout-ms": "300000",
}
ICEBERG_TYPES = {"bigint": "long", "timestamp": "timestamptz"}
TRANSFORM = re.compile(r"(?:(?P<name>\w+)\((?:(?P<width>\d+), ?)?)?(?P<column>\w+)\)?")
TERMS = {"years": "year", "months": "month", "days": "day", "hours": "hour", "bucket": "bucket", "truncate": "truncate"}


def existing(spark: SparkSession, table: str) -> Table | None:
    """The table as it is now, if it is."""
    if not spark.catalog.tableExists(table):
        return None
    return described(spark, iceberg.load(spark, table))


def described(spark: SparkSession, found: Any) -> Table:
    jvm: Any = spark._jvm
    schema = json.loads(jvm.org.apache.iceberg.SchemaParser.toJson(found.schema()))
    return from_schema(schema, {str(name): str(value) for name, value in dict(found.properties()).items()})


def create(dataset: Dataset, table: str, location: str) -> list[str]:
    """The statements that make the table; Iceberg numbers the columns of a new one from 1, in their order."""
    columns = [
        f"`{each.name}` {each.type}{' NOT NULL' if each.required else ''} COMMENT {_text(each.description)}"
        for each in dataset.columns
    ]
    columns += [f"`{name}` {kind} COMMENT {_text(ABOUT_LINEAGE[name])}" for name, kind in LINEAGE.items()]
    partitions = ", ".join(dataset.partition_by)
    partitioned = f" PARTITIONED BY ({partitions})" if partitions else ""
    numbers = {name: number for number, name in enumerate((*(each.name for each in dataset.columns), *LINEAGE), 1)}
    made_of = _made_of(_text(dataset.description), location, remembered(dataset, numbers), partitioned)
    return [f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(columns)}) {made_of}", *_order(dataset, table)]


def create_quarantine(table: str, location: str, dataset: Dataset) -> str:
    columns = ", ".join(f"`{name}` {kind}" for name, kind in QUARANTINE.items())
    about = _text(f"Rows of {dataset.id} that broke a rule of its contract")
    return f"CREATE TABLE IF NOT EXISTS {table} ({columns}) {_made_of(about, location, {})}"


def create_deleted(table: str, location: str, dataset: Dataset) -> str:
    """The table of tombstones: the key of each row that the source no longer has, its version, when it was missed."""
    kinds = {each.name: each.type for each in dataset.columns}
    columns = ", ".join(
        f"`{name}` {kind}" for name, kind in ({each: kinds[each] for each in dataset.key} | DELETED).items()
    )
    about = _text(f"Keys of {dataset.id} that its source no longer has")
    return f"CREATE TABLE IF NOT EXISTS {table} ({columns}) {_made_of(about, location, {})}"


def evolve(
    spark: SparkSession, table: str, dataset: Dataset, changes: Sequence[Change], more: Mapping[str, str] | None = None
) -> None:
    """All changes, and what the table remembers of its contract, in one commit: readers see all of them or none."""
    transaction = iceberg.load(spark, table).newTransaction()
    schema = transaction.updateSchema().allowIncompatibleChanges()
    for each in changes:
        _change(spark, schema, each)
    schema.commit()
    laid_out = _lay_out(spark, transaction, dataset, changes)
    held = described(spark, transaction.table())
    wanted = {
        **PROPERTIES,
        "comment": dataset.description,
        **remembered(dataset, {each.name: each.number for each in held.fields}),
    }
    update = transaction.updateProperties()
    for name, value in {**wanted, **laid_out, **(more or {})}.items():
        if held.properties.get(name) != value:
            update.set(name, value)
    update.commit()
    transaction.commitTransaction()


def follow(spark: SparkSession, beside: str, changes: Iterable[Change]) -> None:
    """A table that holds some of the same columns, such as that of the tombstones, takes their names and types."""
    held = existing(spark, beside)
    if held is None:
        return
    names = {each.name for each in held.fields}
    schema = iceberg.load(spark, beside).updateSchema()
    for each in changes:
        if each.kind in ("rename", "widen") and each.name in names:
            _change(spark, schema, each)
    schema.commit()


def _change(spark: SparkSession, schema: Any, change: Change) -> None:
    """By the name that the column had before; Iceberg itself goes by the field's number."""
    column = change.column
    match change.kind:
        case "drop":
            schema.deleteColumn(change.name)
        case "rename":
            schema.renameColumn(change.old, change.new)
        case "require":
            schema.requireColumn(change.name)
        case "release":
            schema.makeColumnOptional(change.name)
        case "describe":
            schema.updateColumnDoc(change.name, change.new)
        case "add" | "widen":
            assert column is not None  # both are of a column that the contract has
            type_ = _type(spark, column.type)
            if change.kind == "add":
                schema.addColumn(column.name, type_, column.description)
            else:
                schema.updateColumn(change.name, type_)


def _type(spark: SparkSession, said: str) -> Any:
    """Iceberg's own object for a type of the lake."""
    jvm: Any = spark._jvm
    field = {"id": 1, "name": "c", "required": False, "type": ICEBERG_TYPES.get(said, said)}
    return jvm.org.apache.iceberg.SchemaParser.fromJson(json.dumps({"type": "struct", "fields": [field]})).findType("c")


def _lay_out(spark: SparkSession, transaction: Any, dataset: Dataset, changes: Iterable[Change]) -> dict[str, str]:
    """Partitions and order of what is written from now on, and the properties they ask for; what lies there stays."""
    kinds = {each.kind for each in changes}
    if "partition" in kinds:
        spec = transaction.updateSpec()
        for field in list(transaction.table().spec().fields()):
            spec.removeField(field.name())
        for transform in dataset.partition_by:
            spec.addField(_term(spark, transform))
        spec.commit()
    if "sort" in kinds:
        nulls: Any = spark._jvm.org.apache.iceberg.NullOrder  # type: ignore[union-attr]
        order = transaction.replaceSortOrder()
        for column, *direction in (each.split(" ") for each in dataset.sort_by):
            if direction == ["desc"]:
                order.desc(_term(spark, column), nulls.NULLS_LAST)
            else:
                order.asc(_term(spark, column), nulls.NULLS_FIRST)
        order.commit()
    if not kinds.intersection(("partition", "sort")):
        return {}
    return {"write.distribution-mode": "hash" if dataset.partition_by else "none"}


def _term(spark: SparkSession, transform: str) -> Any:
    expressions: Any = spark._jvm.org.apache.iceberg.expressions.Expressions  # type: ignore[union-attr]
    found = TRANSFORM.fullmatch(transform)
    assert found is not None  # contracts are checked for it
    if found["name"] is None:
        return expressions.ref(found["column"])
    make = getattr(expressions, TERMS[found["name"]])
    return make(found["column"], int(found["width"])) if found["width"] else make(found["column"])


def _made_of(comment: str, location: str, more: Mapping[str, str], partitioned: str = "") -> str:
    properties = ", ".join(f"{_text(name)} = {_text(value)}" for name, value in {**PROPERTIES, **more}.items())
    return f"USING iceberg{partitioned} COMMENT {comment} LOCATION {_text(location)} TBLPROPERTIES ({properties})"


def _order(dataset: Dataset, table: str) -> Iterator[str]:
    if dataset.sort_by:
        # locally: a global order would read everything twice to find its ranges
        by_partition = "DISTRIBUTED BY PARTITION " if dataset.partition_by else ""
        yield f"ALTER TABLE {table} WRITE {by_partition}LOCALLY ORDERED BY {', '.join(dataset.sort_by)}"


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
