"""Keep the rows that broke a rule, each once, as they came and with the rules that they broke."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession, functions as F

from glue_jobs import iceberg
from glue_jobs.conform import RULES, raw
from lake.model import Dataset

OPEN = "open"


def refused(rows: DataFrame, dataset: Dataset, run: str) -> DataFrame:
    """The rows as the quarantine table holds them; the same row of the same dataset always has the same id."""
    came = F.to_json(raw(rows.columns, dataset))
    return rows.select(
        F.sha2(F.concat_ws("\n", F.lit(dataset.id), came), 256).alias("_row_hash"),
        F.col(RULES).alias("_rules"),
        came.alias("_raw"),
        F.lit(run).alias("_first_run"),
        F.lit(run).alias("_last_run"),
        F.lit(OPEN).alias("_state"),
        F.lit(dataset.id).alias("_dataset"),
    )


def keep(spark: SparkSession, table: str, rows: DataFrame, summary: dict[str, str]) -> None:
    """Adds the rows that are not open there yet; where there is none, the table gets no snapshot."""
    if iceberg.head(spark, table) is not None:
        known = spark.table(table).where(F.col("_state") == OPEN).select("_row_hash")
        rows = rows.join(known, "_row_hash", "left_anti")
        if rows.isEmpty():
            return
    iceberg.append(rows, table, summary)
