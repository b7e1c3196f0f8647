"""Take a subject's rows out of a table, and out of every file and snapshot that held them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import Column as Value, DataFrame, SparkSession, functions as F

from glue_jobs import compaction, expiry, iceberg, objects
from glue_jobs.suppression import as_id
from glue_jobs.work import Job
from lake.model import Dataset
from lake.subjects import Mark

VIEW, ID = "forgotten_subject", "_forgotten_id"  # of one row and column: no statement, plan or error then holds the id
MANIFEST_SIZE = "commit.manifest.target-size-bytes"
EVERYTHING = {"delete-file-threshold": "1", "remove-dangling-deletes": "true"}


def name_subject(spark: SparkSession, subject: str) -> None:
    spark.createDataFrame([(subject,)], f"{ID} string").createOrReplaceTempView(VIEW)


def whose(spark: SparkSession) -> DataFrame:
    return F.broadcast(spark.table(VIEW))


def matches(value: str, kind: str) -> str:
    """Whether a value of a source (SQL) is the id, whatever way it was written: as the lake reads it, or as it came."""
    given = f"trim(CAST({value} AS string))"
    return f"coalesce({as_id(value, kind)} = {ID}, false) OR coalesce({given} = {ID}, false)"


def any_of(found: Mapping[Mark, str]) -> Value:
    """Whether any of the values (SQL) at these marks is the id."""
    return F.expr(" OR ".join(matches(value, mark.kind) for mark, value in found.items()) or "false")


def raw_value(mark: Mark) -> str:
    """Of a row that is kept as it came, what it has by any name that the column had then, as SQL."""
    names = [each.replace("\\", "\\\\").replace("'", "\\'") for each in mark.names]
    values = [f"from_json(_raw, 'map<string,string>')['{each}']" for each in names]
    return f"coalesce({', '.join(values)})"


def conditions(job: Job, dataset: Dataset, table: str, marks: Sequence[Mark]) -> list[str]:
    """For each mark, the rows of one of the dataset's tables that carry the id, as SQL."""
    kinds = {each.name: each.type for each in dataset.columns}
    if table == job.lake.quarantine(dataset):
        raws = [(raw_value(each), each.kind) for each in marks]
        return [
            f"{value} IN (SELECT {ID} FROM {VIEW})"
            for raw, kind in raws
            for value in (as_id(raw, kind), f"trim({raw})")
        ]
    known = dataset.key if table == job.lake.deleted(dataset) else tuple(kinds)
    names = [each.column for each in marks if each.column in known]
    held = {each: f"trim(`{each}`)" if kinds[each] == "string" else f"`{each}`" for each in names}
    return [f"{value} IN (SELECT try_cast({ID} AS {kinds[each]}) FROM {VIEW})" for each, value in held.items()]


def count(job: Job, dataset: Dataset, table: str, marks: Sequence[Mark]) -> int:
    """How many rows of it are the subject's."""
    found = conditions(job, dataset, table, marks)
    if not found or iceberg.head(job.spark, table) is None:
        return 0
    return job.spark.table(table).where(" OR ".join(found)).count()


def nameless(job: Job, dataset: Dataset, table: str, marks: Sequence[Mark]) -> int:
    """How many rows of a quarantine have no id by any name, so that nobody can tell whose they are."""
    if table != job.lake.quarantine(dataset) or iceberg.head(job.spark, table) is None:
        return 0
    return job.spark.table(table).where(" AND ".join(f"{raw_value(each)} IS NULL" for each in marks)).count()


def delete(job: Job, dataset: Dataset, table: str, marks: Sequence[Mark]) -> None:
    for each in conditions(job, dataset, table, marks):
        if not job.spark.table(table).where(each).isEmpty():
            job.spark.sql(f"DELETE FROM {table} WHERE {each}")


def scrub(spark: SparkSession, table: str, summary: dict[str, str]) -> dict[str, int]:
    """Leaves of a table what its readers see now: no dead row in a file, no other snapshot, no file beside."""
    if iceberg.head(spark, table) is not None:
        rewrite(spark, table, summary)
    past(spark, table)
    return {"versions": sweep(spark, table)}


def rewrite(spark: SparkSession, table: str, summary: dict[str, str]) -> None:
    """Every file with dead rows anew; then the manifests, which remember the bounds of files that are gone."""
    actions = compaction.actions_of(spark)
    found = iceberg.load(spark, table)
    if iceberg.weigh(spark, table)["deletes"]:
        compaction.said(actions.rewriteDataFiles(found).binPack(), summary, EVERYTHING).execute()
    if any(each.hasDeletedFiles() and not _lists_files(each) for each in manifests(spark, table)):
        drop_emptied(spark, table, summary)
    remembering = [each for each in manifests(spark, table) if each.hasDeletedFiles()]
    if not remembering:
        return
    # a single small manifest would be left as it is: the size is set so that it is worth two
    sizes = Counter[str]()
    for each in remembering:
        sizes[str(each.content())] += int(each.length())
    before = dict(iceberg.load(spark, table).properties()).get(MANIFEST_SIZE)
    _set(spark, table, str(max(1, min(sizes.values()) // 2 - 1)))
    compaction.said(actions.rewriteManifests(iceberg.load(spark, table)), summary, {}).execute()
    _set(spark, table, before)


def drop_emptied(spark: SparkSession, table: str, summary: dict[str, str]) -> None:
    """A commit of nothing: manifests that list only what is gone are left out of it, which no rewrite of them does."""
    jvm: Any = spark._jvm
    change = iceberg.load(spark, table).newDelete()
    change = change.deleteFromRowFilter(jvm.org.apache.iceberg.expressions.Expressions.alwaysFalse())
    for name, value in summary.items():
        change = change.set(name, value)
    change.commit()


def manifests(spark: SparkSession, table: str) -> list[Any]:
    found = iceberg.load(spark, table)
    return list(found.currentSnapshot().allManifests(found.io()))


def _lists_files(manifest: Any) -> bool:
    return bool(manifest.hasAddedFiles() or manifest.hasExistingFiles())


def past(spark: SparkSession, table: str) -> None:
    """Every snapshot but the last away, every branch, and the files that only they named."""
    found, head = iceberg.load(spark, table), iceberg.head(spark, table)
    branches = [str(name) for name in dict(found.refs()) if str(name) != iceberg.MAIN]
    snapshots = [int(each.snapshotId()) for each in found.snapshots() if int(each.snapshotId()) != head]
    expiry.expire(spark, table, snapshots, branches)


def sweep(spark: SparkSession, table: str) -> int:
    """Deletes every object version below the table that its metadata of now does not name; says how many."""
    location = str(iceberg.load(spark, table).location())
    if not location.startswith("s3"):
        return 0
    bucket, prefix = objects.place(location)
    kept = {objects.place(each)[1] for each in named(spark, table)}
    return objects.delete_past(bucket, f"{prefix.rstrip('/')}/", kept.__contains__)


def named(spark: SparkSession, table: str) -> set[str]:
    """The files that the table consists of."""
    found = iceberg.load(spark, table)
    files = {str(found.operations().current().metadataFileLocation())}
    files |= {str(each.file()) for each in found.operations().current().previousFiles()}
    files |= {str(each.path()) for each in found.statisticsFiles()}
    if found.currentSnapshot() is not None:
        files.add(str(found.currentSnapshot().manifestListLocation()))
        files |= {str(each.path()) for each in manifests(spark, table)}
        files |= {row[0] for row in spark.table(f"{table}.files").select("file_path").collect()}
    return files


def _set(spark: SparkSession, table: str, size: str | None) -> None:
    change = iceberg.load(spark, table).updateProperties()
    (change.remove(MANIFEST_SIZE) if size is None else change.set(MANIFEST_SIZE, size)).commit()
