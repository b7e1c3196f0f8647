"""Remember what the source no longer has, so that a load that was read before cannot bring it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pyspark.sql import DataFrame, functions as F

from glue_jobs import iceberg
from glue_jobs.work import Task
from lake.items import utc_now
from lake.records import Load


def keep(task: Task, rows: DataFrame, load: Load, summary: Mapping[str, str]) -> None:
    """Adds a tombstone for each row, once for each run."""
    table, spark = task.job.lake.deleted(task.dataset), task.job.spark
    at = F.lit(load.began or utc_now().isoformat()).cast("timestamp")
    made = rows.select(*task.dataset.key, "_version", at.alias("_deleted_at"), F.lit(task.run).alias("_run"))
    if iceberg.head(spark, table) is not None:
        mine = spark.table(table).where(F.col("_run") == task.run).select(*task.dataset.key)
        made = made.join(mine, list(task.dataset.key), "left_anti")
    iceberg.append(made, table, summary)


def since(task: Task, at: datetime) -> DataFrame | None:
    """The keys that a load read at this time or later did not find."""
    table, spark = task.job.lake.deleted(task.dataset), task.job.spark
    if iceberg.head(spark, table) is None:
        return None
    return spark.table(table).where(F.col("_deleted_at") >= F.lit(at.isoformat()).cast("timestamp"))
