"""Touch only the files that a load can change, so that an increment does not read the whole history."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from operator import and_
from typing import Any

from pyspark.sql import Column, DataFrame, functions as F

from glue_jobs.changes import DELETED, STATUS, UPDATED, WAS
from lake.model import Dataset

FEW = 200  # values that Iceberg compares one by one with the bounds of a file
LOW, HIGH, NONE = "low:", "high:", "none:"


def partition_columns(dataset: Dataset) -> list[str]:
    return list(dict.fromkeys(re.findall(r"(\w+)\)?$", each)[0] for each in dataset.partition_by))


def was(dataset: Dataset) -> list[str]:
    """The columns by which the table is partitioned, which a row may change: it lies where it was before."""
    return [name for name in partition_columns(dataset) if name not in dataset.key]


def near(keys: DataFrame, key: Sequence[str], rows: int) -> Column:
    """The rows of a table whose key can be one of these."""
    kinds = dict(keys.dtypes)
    if rows <= FEW:
        found = keys.select(*(F.col(name).cast("string") for name in key)).collect()
        values = {name: sorted({row[name] for row in found if row[name] is not None}) for name in key}
        lists = (F.col(name).isin(*(F.lit(each).cast(kinds[name]) for each in values[name])) for name in key)
        return reduce(and_, lists) if all(values.values()) else F.lit(False)
    bounds = keys.agg(*(each for name in key for each in _bounds(F.col(name), name))).collect()[0].asDict()
    between = (
        F.col(name).between(*(F.lit(bounds[end + name]).cast(kinds[name]) for end in (LOW, HIGH))) for name in key
    )
    return reduce(and_, between)


def metrics(dataset: Dataset) -> Iterator[Column]:
    """Between which values of key and partitions the rows lie that a MERGE is to find."""
    found = F.col(STATUS).isin(UPDATED, DELETED)
    for name in dataset.key:
        yield from _bounds(F.when(found, F.col(name)), name)
    for name in was(dataset):
        column = F.col(f"{WAS}{name}")
        yield from _bounds(F.when(found, column), name)
        yield F.count_if(found & column.isNull()).alias(f"{NONE}{name}")


def condition(dataset: Dataset, counted: Mapping[str, Any]) -> str:
    """Those values as a condition on the table `t`, from what was observed by `metrics`."""
    kinds = {each.name: each.type for each in dataset.columns}
    said = []
    for name in (*dataset.key, *was(dataset)):
        ends = [str(counted[f"{end}{name}"]) for end in (LOW, HIGH) if counted.get(f"{end}{name}") is not None]
        told = [f"t.`{name}` BETWEEN {' AND '.join(_literal(each, kinds[name]) for each in ends)}"] if ends else []
        told += [f"t.`{name}` IS NULL"] if counted.get(f"{NONE}{name}") else []
        said += [f"({' OR '.join(told)})"] if told else []
    return " AND ".join(said)


def _bounds(column: Column, name: str) -> tuple[Column, Column]:
    return (
        F.min(column).cast("string").alias(f"{LOW}{name}"),
        F.max(column).cast("string").alias(f"{HIGH}{name}"),
    )


def _literal(value: str, kind: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"CAST('{escaped}' AS {kind})"
