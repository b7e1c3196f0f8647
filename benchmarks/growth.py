"""A daily increment with more and more history: its ingest and refine, the jobs' own code, in seconds.

Sales come in the same number a day for 30, 300 and 3,000 days; each further day brings new ones, and changes of a
tenth of those of the day before. Ingest reads by the cursor with a look-back of two days, refine merges into a table
partitioned by month. The three tables take turns in one warm Spark; the figures are medians.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from statistics import median
from typing import Any

from benchmarks import sales
from benchmarks.folder_lake import Measured, dataset_of, measured_lake

A_DAY, DAYS = 333, {"1x": 30, "10x": 300, "100x": 3000}
TRIES, WARMING = 7, 2

Seconds = tuple[float, float]  # of ingest and of refine


def measure(tries: int = TRIES) -> dict[str, Any]:
    """The seconds of a day's load at each size; `ratio` is that at a hundred times the history to that at one."""
    taken: dict[str, list[Seconds]] = {size: [] for size in DAYS}
    with lakes() as found:
        for size, lake in found.items():
            lake.execute(sales.create(DAYS[size] * A_DAY, A_DAY, _table(size)))
            lake.apply(lake.job(0))
            _load(lake, 0)
        for number in range(1, WARMING + tries + 1):
            for size, lake in found.items():
                taken[size].append(_another_day(lake, size, number))
    figures: dict[str, Any] = {"rows_a_day": A_DAY, "tries": tries}
    total = {}
    for size, seconds in taken.items():
        warm = seconds[WARMING:]
        total[size] = median(sum(each) for each in warm)
        figures |= {f"history_rows_{size}": DAYS[size] * A_DAY, f"seconds_{size}": total[size]}
        figures |= {f"{step}_seconds_{size}": median(each[at] for each in warm) for at, step in enumerate(STEPS)}
    return {**figures, "ratio_10x": total["10x"] / total["1x"], "ratio": total["100x"] / total["1x"]}


STEPS = ("ingest", "refine")


@contextmanager
def lakes() -> Iterator[dict[str, Measured]]:
    """One lake of a table for each size, seen as a lake of one table each."""
    contracts = [
        dataset_of(
            sales.DATASET,
            id=f"ecommerce.{_table(size)}",
            name=_table(size),
            source_object=_table(size),
            load_mode="incremental",
            cursor="sold_at",
            lookback_hours=48.0,
            partition_by=["months(sold_at)"],
        )
        for size in DAYS
    ]
    with measured_lake(*contracts) as lake:
        yield {size: replace(lake, dataset=f"ecommerce.{_table(size)}") for size in DAYS}


def _another_day(lake: Measured, size: str, number: int) -> Seconds:
    lake.execute(sales.another_day((DAYS[size] + number - 1) * A_DAY, A_DAY, _table(size)))
    return _load(lake, number)


def _load(lake: Measured, number: int) -> Seconds:
    job, began = lake.job(number * len(DAYS) + list(DAYS).index(_size(lake))), time.perf_counter()
    lake.ingest(job)
    between = time.perf_counter()
    lake.refine(job)
    return between - began, time.perf_counter() - between


def _table(size: str) -> str:
    return f"sales_{size}"


def _size(lake: Measured) -> str:
    return lake.dataset.rpartition("_")[2]
