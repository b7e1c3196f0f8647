"""Compact a table bite by bite: few files, no deletes to look up; partitions that loads have left come first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import reduce
from typing import Any

from pyspark.sql import Row, SparkSession

from glue_jobs import iceberg

BITE_BYTES = 20 * 2**30  # rewritten in one commit: a load that wants the table waits no longer than for this
BITE_PARTITIONS = 100
MANIFESTS = 20  # that a scan may have to open before rewriting them is worth it
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Partition:
    """A partition with files that may be worth rewriting; `closed` where no load has touched it of late."""

    spec: int
    values: tuple[Any, ...]
    files: int
    bytes: int
    closed: bool


@dataclass(frozen=True)
class Bite:
    """Partitions that are rewritten in one commit."""

    partitions: tuple[Partition, ...]

    @property
    def closed(self) -> bool:
        return self.partitions[0].closed


def bites(spark: SparkSession, table: str, open_since: datetime) -> list[Bite]:
    """What is worth rewriting: closed partitions first, those with the most files before others."""
    rows = spark.table(f"{table}.partitions").collect()
    found = [each for row in rows if (each := _partition(row, open_since))]
    found.sort(key=lambda each: (not each.closed, -each.files))
    made: list[list[Partition]] = []
    for each in found:
        if not made or not _fits(made[-1], each):
            made.append([])
        made[-1].append(each)
    return [Bite(tuple(each)) for each in made]


def compact(spark: SparkSession, table: str, bite: Bite, summary: Mapping[str, str]) -> int:
    """Rewrites a bite in one commit, and a second one for delete files with nothing left to say; answers the files."""
    found = iceberg.load(spark, table)
    if found.currentSnapshot() is None:
        return 0
    actions = actions_of(spark)
    action = actions.rewriteDataFiles(found)
    action = action.sort() if found.sortOrder().isSorted() else action.binPack()
    where = _where(spark, found, bite)
    done = said(action, summary, _options(bite)).filter(where).execute()
    rewritten = int(done.rewrittenDataFilesCount())
    if rewritten and iceberg.weigh(spark, table)["deletes"] and not _has_lists(found):
        action = said(actions.rewritePositionDeletes(iceberg.load(spark, table)), summary, {"rewrite-all": "true"})
        rewritten += int(action.filter(where).execute().rewrittenDeleteFilesCount())
    return rewritten


def _has_lists(table: Any) -> bool:
    """Whether a column holds lists: Iceberg 1.10 cannot rewrite the delete files of such a table, which stay."""
    return any(each.type().isNestedType() for each in table.schema().columns())


def rewrite_manifests(spark: SparkSession, table: str, summary: Mapping[str, str]) -> int:
    """Fewer, fuller manifests where a scan would have to open many."""
    if not manifests_in_the_way(spark, table):
        return 0
    action = said(actions_of(spark).rewriteManifests(iceberg.load(spark, table)), summary, {})
    return len(list(action.execute().rewrittenManifests()))


def manifests_in_the_way(spark: SparkSession, table: str) -> bool:
    found = iceberg.load(spark, table)
    snapshot = found.currentSnapshot()
    return snapshot is not None and len(list(snapshot.allManifests(found.io()))) > MANIFESTS


def actions_of(spark: SparkSession) -> Any:
    jvm: Any = spark._jvm
    return jvm.org.apache.iceberg.spark.actions.SparkActions.get(spark._jsparkSession)


def said(action: Any, summary: Mapping[str, str], options: Mapping[str, str]) -> Any:
    for name, value in options.items():
        action = action.option(name, value)
    for name, value in summary.items():  # Spark's procedures cannot set these
        action = action.snapshotProperty(name, value)
    return action


def _options(bite: Bite) -> dict[str, str]:
    """What is closed is made as good as it gets; what is open is left until a rewrite pays."""
    size = sum(each.bytes for each in bite.partitions) // sum(each.files for each in bite.partitions)
    return {
        "min-input-files": "2" if bite.closed else "5",
        "delete-file-threshold": "1" if bite.closed else "5",
        "max-file-group-size-bytes": str(BITE_BYTES),
        "max-files-to-rewrite": str(max(5, BITE_BYTES // max(1, size))),
    }


def _partition(row: Row, open_since: datetime) -> Partition | None:
    deletes = row["position_delete_file_count"] + row["equality_delete_file_count"]
    if row["file_count"] < 2 and not deletes:
        return None
    values, spec = (row["partition"], row["spec_id"]) if "partition" in row else ((), 0)
    # None: the snapshot that touched it last has expired
    touched = row["last_updated_at"] and row["last_updated_at"].astimezone(UTC)
    closed = touched is None or touched < open_since
    size = row["total_data_file_size_in_bytes"]
    return Partition(spec, tuple(values), row["file_count"] + deletes, size, closed)


def _fits(bite: Sequence[Partition], partition: Partition) -> bool:
    size = sum(each.bytes for each in bite) + partition.bytes
    alike = bite[0].closed == partition.closed and bool(partition.values)
    return alike and len(bite) < BITE_PARTITIONS and size <= BITE_BYTES


def _where(spark: SparkSession, table: Any, bite: Bite) -> Any:
    """Iceberg's expression for the files of these partitions and no others."""
    jvm: Any = spark._jvm
    expressions = jvm.org.apache.iceberg.expressions.Expressions
    ways = [list(_equalities(jvm, table, each)) for each in bite.partitions]
    whole = [reduce(lambda left, right: expressions.__getattr__("and")(left, right), way) for way in ways if way]
    if not whole:
        return expressions.alwaysTrue()
    return reduce(lambda left, right: expressions.__getattr__("or")(left, right), whole)


def _equalities(jvm: Any, table: Any, partition: Partition) -> Iterator[Any]:
    """For each field of the partition its transform equal to its value."""
    expressions = jvm.org.apache.iceberg.expressions.Expressions
    schema, spec = table.schema(), table.specs().get(partition.spec)
    # a value for each field of every layout that the table has had, of which this partition has but its own
    every = jvm.org.apache.iceberg.Partitioning.partitionType(table).fields()
    values = {int(field.fieldId()): value for field, value in zip(every, partition.values, strict=True)}
    for field in spec.fields():
        if str(field.transform()) == "void":
            continue
        value = values[int(field.fieldId())]
        term = expressions.transform(schema.findColumnName(field.sourceId()), field.transform())
        yield expressions.isNull(term) if value is None else expressions.equal(term, _literal(value))


def _literal(value: Any) -> Any:
    """A partition's value as Iceberg counts it: days for dates, microseconds for times."""
    if isinstance(value, datetime):
        return int(value.astimezone(UTC).timestamp() * 1_000_000)
    return (value - EPOCH).days if isinstance(value, date) else value
