"""What is counted in the one pass over a dataset's rows, and the outcome's fields that come of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, functions as F

from glue_jobs.changes import DELETED, INSERTED, QUARANTINED, STATUS, SUPERSEDED, UNCHANGED, UPDATED
from glue_jobs.conform import RULES

STATUSES = (INSERTED, UPDATED, UNCHANGED, SUPERSEDED, QUARANTINED, DELETED)
OBSERVED = "rows"


def metrics() -> list[Column]:
    """Rows of each status, the latest version that is or will be in the table."""
    counts = [F.count_if(F.col(STATUS) == each).alias(each) for each in STATUSES]
    settled = F.col(STATUS).isin(INSERTED, UPDATED, UNCHANGED, SUPERSEDED)
    return [*counts, F.max(F.when(settled, F.unix_micros("_version"))).alias("newest")]


def count_once(rows: DataFrame, kept: Column, observed: Sequence[Column]) -> tuple[DataFrame, dict[str, Any]]:
    """The rows to keep, ready for use, and what was observed of all of them in the one pass that made them.

    Which rules the quarantined ones among them broke is counted as that pass reads them.
    """
    ready = rows.observe(OBSERVED, *observed).where(kept).persist(StorageLevel.MEMORY_AND_DISK)
    refused = ready.where(F.col(STATUS) == QUARANTINED)
    pass_over_all = refused.select(F.explode(RULES).alias("rule")).groupBy("rule").count()
    try:
        rules = {str(row["rule"]): int(row["count"]) for row in pass_over_all.collect()}
        # read from the query itself: an Observation waits for ever for one that Spark found to be empty
        metrics = pass_over_all._jdf.queryExecution().observedMetrics().apply(OBSERVED)
    except BaseException:
        ready.unpersist()
        raise
    return ready, {**json.loads(metrics.json()), RULES: rules}


def facts_of(counted: Mapping[str, Any]) -> dict[str, Any]:
    """The counts; every row that came has a status, and only deleted ones did not come."""
    counts = {each: int(counted[each] or 0) for each in STATUSES}
    return {**counts, "read": sum(counts.values()) - counts[DELETED], "rules": counted[RULES]}
