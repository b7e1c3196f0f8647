"""What the contract's rules add to the write of a silver table, beside the same rules by other tools on the same Spark.

The write is the jobs' own: conform, find copies and conflicts, count, write Iceberg, ask the gates. It is measured with
the contract's rules and without; without them and checked by Great Expectations or by Deequ after the write, as they
are used, which is one scan or more of what was written. The five take turns; the figures are medians.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from statistics import median
from typing import Any

from pyspark.sql import DataFrame, functions as F

from benchmarks import checks_elsewhere, rivals, sales
from benchmarks.folder_lake import Measured, dataset_of, measured_lake
from glue_jobs import gates, iceberg
from glue_jobs.changes import INSERTED, QUARANTINED, STATUS, classify
from glue_jobs.conform import conform
from glue_jobs.counts import count_once, facts_of, metrics
from glue_jobs.quarantine import keep, refused
from glue_jobs.session import size_for
from lake.ledger import Load
from lake.model import Dataset

ROWS, TRIES = 200_000, 5
LOGICAL = datetime(2026, 1, 1, tzinfo=UTC)


def measure(rows: int = ROWS, tries: int = TRIES) -> dict[str, Any]:
    """Seconds of each write; `overhead` is what the rules add, as a part of the write without them."""
    rivals.install()
    with measured_lake(dataset_of(sales.DATASET), more_jars=rivals.deequ()) as lake:
        lake.execute(sales.create(rows))
        lake.apply(job := lake.job(0))
        lake.ingest(job)
        load = lake.ledger.load(lake.dataset, str(job.run))
        assert load is not None
        size_for(lake.spark, rows)
        taken: dict[str, list[float]] = {}
        for _ in range(tries + 1):
            for name, write in ways(lake, load).items():
                taken.setdefault(name, []).append(_seconds(lake, write))
    seconds = {name: median(each[1:]) for name, each in taken.items()}
    without = seconds["without_rules"]
    figures: dict[str, Any] = {f"seconds_{name}": each for name, each in seconds.items()}
    return {
        "rows": rows,
        **figures,
        "overhead": seconds["with_rules"] / without - 1,
        "overhead_gx": seconds["gx"] / without - 1,
        "overhead_deequ": seconds["deequ"] / without - 1,
        "overhead_of_bare_write": (seconds["with_rules"] - without) / seconds["bare"],
        "tries": tries,
    }


def ways(lake: Measured, load: Load) -> dict[str, Callable[[], None]]:
    """The same write with the contract's rules, without any, and without but checked by another tool."""
    contract = lake.lake.dataset(lake.dataset)
    bare = unruled(contract)
    source = lake.spark.read.format("avro").load(list(load.files))

    def checked(check: Callable[[DataFrame, Dataset], None]) -> None:
        write(lake, source, bare)
        check(lake.spark.table(lake.table), contract)

    return {
        "without_rules": partial(write, lake, source, bare),
        "with_rules": partial(write, lake, source, contract),
        "gx": partial(checked, checks_elsewhere.great_expectations),
        "deequ": partial(checked, checks_elsewhere.deequ),
        "bare": partial(cast_and_write, lake, source, contract),
    }


def unruled(contract: Dataset) -> Dataset:
    """The contract with its columns and key, and nothing that a row or the table could break but a column's type."""
    columns = tuple(replace(each, required=False) for each in contract.columns)
    return replace(contract, columns=columns, rules=(), gates=())


def write(lake: Measured, source: DataFrame, contract: Dataset) -> None:
    """What refine does between reading bronze and publishing."""
    wanted = F.col(STATUS).isin(INSERTED, QUARANTINED)
    judged = classify(conform(source, contract, LOGICAL, {}), None, contract.key)
    kept, counted = count_once(judged, wanted, metrics())
    try:
        if facts_of(counted)[QUARANTINED]:
            rows = refused(kept.where(F.col(STATUS) == QUARANTINED), contract, "measured")
            keep(lake.spark, lake.lake.quarantine(contract), rows, {})
        columns = [*(each.name for each in contract.columns), "_version", "_hash"]
        rows = kept.where(F.col(STATUS) == INSERTED).select(*columns, F.lit("measured").alias("_run"))
        iceberg.append(rows, lake.table, {})
    finally:
        kept.unpersist()
    gates.check(lake.spark.table(lake.table), contract.gates, "candidate")


def cast_and_write(lake: Measured, source: DataFrame, contract: Dataset) -> None:
    """The least that a write could be: casts, and the table."""
    columns = [F.expr(f"try_cast(`{each.source}` AS {each.type})").alias(each.name) for each in contract.columns]
    nothing = [F.lit(None).cast(kind).alias(name) for name, kind in (("_version", "timestamp"), ("_hash", "string"))]
    iceberg.append(source.select(*columns, *nothing, F.lit("measured").alias("_run")), lake.table, {})


def _seconds(lake: Measured, write: Callable[[], None]) -> float:
    """Of one write into tables that are empty."""
    lake.spark.catalog.clearCache()  # Great Expectations keeps what it has read
    for table in (lake.table, lake.lake.quarantine(lake.lake.dataset(lake.dataset))):
        lake.spark.sql(f"DELETE FROM {table}")
    began = time.perf_counter()
    write()
    return time.perf_counter() - began
