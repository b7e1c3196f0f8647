"""What a backfill of 30 days gains by three executions at a time, and that both ways end in the same tables.

Each execution runs the whole pipeline of a small lake through Step Functions; ingests go side by side, a table's
writers take turns. `equal` is 1 where silver, versions and hashes included, and gold are the same.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pipelines
from cli import backfill
from tests.local.small_lake import GOLD, PIPELINE, SILVER, SmallLake, small_lake

DAYS = 30
FIRST, LAST = "2026-09-01", "2026-09-30"
PARALLEL = 3
OF_THE_RUN = ("_run",)  # which of the runs changed a row last may differ
OF_ITS_TIME = ("_run", "_version")  # gold has no cursor: its version is the time of that run


def measure() -> dict[str, float]:
    parallel_seconds, parallel = loaded(PARALLEL)
    sequential_seconds, sequential = loaded(1)
    return {
        "days": DAYS,
        "parallel_seconds": parallel_seconds,
        "sequential_seconds": sequential_seconds,
        "ratio": parallel_seconds / sequential_seconds,
        "equal": float(parallel == sequential),
        "rows": float(sum(len(rows) for rows in parallel.values())),
    }


def loaded(parallel: int) -> tuple[float, dict[str, list[Any]]]:
    """The seconds of the backfill in a lake of its own, and what its tables hold in the end."""
    with tempfile.TemporaryDirectory(prefix="headwater-backfill-") as folder, small_lake(Path(folder)) as lake:
        # three rows a day, of which one comes again, changed, a day later
        lake.orders(1, 3 * DAYS, "n", f"timestamp '{FIRST} 12:00' + (n - 1) / 3 * interval '1 day'")
        lake.sql(
            "INSERT INTO orders SELECT order_id, customer, amount * 2, changed_at + interval '1 day' FROM orders"
            f" WHERE order_id % 3 = 0 AND order_id < {3 * DAYS}"
        )
        described = pipelines.load(PIPELINE, lake.target.root)
        wanted = backfill.intervals(described, FIRST, LAST, datetime.now(UTC))
        began = time.monotonic()
        done = backfill.load(lake.target, described, wanted, parallel, [], again=False)
        seconds = time.monotonic() - began
        failed = [each for each in done if each.status != "SUCCEEDED"]
        if failed:
            raise RuntimeError(f"{len(failed)} of {len(done)} executions failed, first {failed[0]}")
        return seconds, contents(lake)


def contents(lake: SmallLake) -> dict[str, list[Any]]:
    tables = [("silver", SILVER, OF_THE_RUN), *(("gold", each, OF_ITS_TIME) for each in GOLD)]
    return {name: sorted(_line(row, without) for row in lake.rows(layer, name)) for layer, name, without in tables}


def _line(row: dict[str, Any], without: Sequence[str]) -> str:
    return str(sorted((name, str(value)) for name, value in row.items() if name not in without))
