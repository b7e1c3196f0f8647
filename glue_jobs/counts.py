"""What is counted in the one pass over a dataset's rows, and the outcome's fields that come of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, functions as F

from glue_jobs.changes import (
    APPEND_ONLY,
    DELETED,
    INSERTED,
    KEY_CONFLICT,
    QUARANTINED,
    STATUS,
    SUPERSEDED,
    UNCHANGED,
    UPDATED,
)
from glue_jobs.conform import RULES, rule_names
from lake.model import Dataset

STATUSES = (INSERTED, UPDATED, UNCHANGED, SUPERSEDED, QUARANTINED, DELETED)
RULE = "rule:"
OBSERVED = "rows"


def metrics(dataset: Dataset) -> list[Column]:
    """Rows of each status, rows that broke each rule, the latest version that is or will be in the table."""
    counts = [F.count_if(F.col(STATUS) == each).alias(each) for each in STATUSES]
    quarantined = F.col(STATUS) == QUARANTINED
    rules = [
        F.count_if(quarantined & F.array_contains(RULES, name)).alias(f"{RULE}{name}")
        for name in (*rule_names(dataset), KEY_CONFLICT, *([APPEND_ONLY] if dataset.load_mode == "append" else []))
    ]
    settled = F.col(STATUS).isin(INSERTED, UPDATED, UNCHANGED, SUPERSEDED)
    return [*counts, *rules, F.max(F.when(settled, F.unix_micros("_version"))).alias("newest")]


def count_once(rows: DataFrame, kept: Column, observed: Sequence[Column]) -> tuple[DataFrame, dict[str, Any]]:
    """The rows to keep, ready for use, and what was observed of all of them in the one pass that made them."""
    ready = rows.observe(OBSERVED, *observed).where(kept).persist(StorageLevel.MEMORY_AND_DISK)
    pass_over_all = ready.groupBy().count()
    try:
        pass_over_all.collect()
        # read from the query itself: an Observation waits for ever for one that Spark found to be empty
        metrics = pass_over_all._jdf.queryExecution().observedMetrics().apply(OBSERVED)
    except BaseException:
        ready.unpersist()
        raise
    return ready, json.loads(metrics.json())


def facts_of(counted: Mapping[str, Any]) -> dict[str, Any]:
    """The counts; every row that came has a status, and only deleted ones did not come."""
    counts = {each: int(counted[each] or 0) for each in STATUSES}
    rules = {name.removeprefix(RULE): int(rows) for name, rows in counted.items() if name.startswith(RULE) and rows}
    return {**counts, "read": sum(counts.values()) - counts[DELETED], "rules": rules}
