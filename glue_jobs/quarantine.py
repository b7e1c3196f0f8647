"""Keep the rows that broke a rule, each once while it is open, as they came and with the rules that they broke."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession, functions as F

from glue_jobs import iceberg
from glue_jobs.conform import RULES, own, quoted, raw
from lake.model import Dataset

OPEN, REPLAYED, DROPPED = "open", "replayed", "dropped"
SOURCE_KEY = "_source_key_"


def refused(rows: DataFrame, dataset: Dataset, run: str) -> DataFrame:
    """The rows as the quarantine table holds them; the same row of the same dataset always has the same hash."""
    same = F.to_json(own(rows.columns, dataset))
    return rows.select(
        F.sha2(F.concat_ws("\n", F.lit(dataset.id), same), 256).alias("_row_hash"),
        F.col(RULES).alias("_rules"),
        F.to_json(raw(rows.columns, dataset)).alias("_raw"),
        F.lit(run).alias("_first_run"),
        F.lit(run).alias("_last_run"),
        F.lit(OPEN).alias("_state"),
        F.lit(dataset.id).alias("_dataset"),
    )


def keep(spark: SparkSession, table: str, rows: DataFrame, summary: dict[str, str], *, late: bool = False) -> None:
    """Opens rows, in one commit that says of those open before that they still are; none where nothing is new.

    A load that is `late` opens none that was closed: what was read after it found the row mended or gone.
    """
    if iceberg.head(spark, table) is None:
        iceberg.append(rows, table, summary)
        return
    if late:
        rows = rows.join(spark.table(table).where(F.col("_state") != OPEN), "_row_hash", "left_anti")
    known = spark.table(table).where(F.col("_state") == OPEN).select("_row_hash", "_rules")
    if not rows.join(known, ["_row_hash", "_rules"], "left_anti").isEmpty():
        still = "UPDATE SET q._rules = c._rules, q._raw = c._raw, q._last_run = c._last_run"
        _merge(spark, table, rows, f"WHEN MATCHED THEN {still} WHEN NOT MATCHED THEN INSERT *")


def close(spark: SparkSession, table: str, dataset: Dataset, run: str, rows: DataFrame, present: DataFrame) -> None:
    """Closes the open rows that a complete load does not refuse again, in one commit; none where there are none.

    `rows` are those that it refuses and `present` the keys of all that it read, looked into only then: a closed row
    is replayed where its key is there and not refused, else dropped; an event is only ever replayed, since bronze
    forgets and what did not come again was not taken back.
    """
    if iceberg.head(spark, table) is None:
        return
    refusing = refused(rows, dataset, run).select("_row_hash")
    held = spark.table(table).where(F.col("_state") == OPEN).select("_row_hash", "_raw")
    gone = held.join(refusing, "_row_hash", "left_anti").persist()
    try:
        if not gone.isEmpty():
            state = F.when(F.col("_valid"), F.lit(REPLAYED)).otherwise(F.lit(DROPPED))
            judged = (
                _valid(gone, dataset, rows, present).withColumn("_state", state).withColumn("_last_run", F.lit(run))
            )
            judged = judged.where("_valid") if dataset.is_stream else judged
            _merge(spark, table, judged, "WHEN MATCHED THEN UPDATE SET q._state = c._state, q._last_run = c._last_run")
    finally:
        gone.unpersist()


def _valid(gone: DataFrame, dataset: Dataset, rows: DataFrame, present: DataFrame) -> DataFrame:
    """Beside the hash of each: whether the load has a row of its key, and none that is refused."""
    key = list(dataset.key)
    sources = {each.name: each.source for each in dataset.columns}
    found = F.from_json("_raw", "map<string,string>")
    texts = gone.select("_row_hash", *(found[sources[each]].alias(SOURCE_KEY + each) for each in key))
    kinds = {each.name: each.type for each in dataset.columns}
    typed = (F.expr(f"try_cast({quoted(SOURCE_KEY + each)} AS {kinds[each]})").alias(each) for each in key)
    lost = texts.select("_row_hash", *typed)
    valid = present.join(F.broadcast(lost), key, "left_semi").distinct().join(rows.select(*key), key, "left_anti")
    return lost.join(valid.withColumn("_valid", F.lit(True)), key, "left").select("_row_hash", "_valid")


def _merge(spark: SparkSession, table: str, changes: DataFrame, then: str) -> None:
    view = f"changes_{table.rpartition('.')[2]}"
    changes.createOrReplaceTempView(view)
    same = f"q._row_hash = c._row_hash AND q._state = '{OPEN}'"
    spark.sql(f"MERGE INTO {table} q USING {view} c ON {same} {then}")
    spark.catalog.dropTempView(view)
