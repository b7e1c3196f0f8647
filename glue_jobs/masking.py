"""Masked rows: each column as its mask says, computed where the row is, under a key that no plan or log shows."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from pyspark.sql import Column as Value, DataFrame, functions as F

from glue_jobs.conform import quoted
from lake.masking import GENERALISE, HASH, NULL, TRUNCATE
from lake.parts import Column, Dataset, Mask

AREA = 3  # characters that a postal code keeps


def masked(rows: DataFrame, dataset: Dataset, key: bytes) -> DataFrame:
    """The columns of a masked dataset, of the rows that it masks."""
    return rows.select(*(_shown(each, dict(rows.dtypes)[each.name], key).alias(each.name) for each in dataset.columns))


def _shown(column: Column, kind: str, key: bytes) -> Value:
    value, mask = F.col(quoted(column.name)), column.mask
    if mask is None:
        return value
    if mask.how == HASH:
        return F.udf(keyed(key, mask.domain))(value.cast("string"))
    if mask.how == NULL:
        return F.lit(None).cast(column.type)
    if mask.how == TRUNCATE:
        return F.substring(value, 1, mask.to) if kind == "string" else _step(value, mask.to).cast(kind)
    if mask.how == GENERALISE:
        return _area(quoted(column.name)) if kind == "string" else _period(value, mask, kind)
    raise ValueError(f"The mask '{mask.how}' of {column.name}: expected one that this job knows. Deploy again.")


def keyed(key: bytes, domain: str) -> Callable[[str | None], str | None]:
    """HMAC-SHA-256 of a value in its domain.

    A Python function, since the literals of Spark's own would show the key in plans and their errors; and one that
    names nothing of ours, so that it reaches the workers by itself.
    """

    def hashed(value: str | None) -> str | None:
        return None if value is None else hmac.new(key, f"{domain}\0{value}".encode(), hashlib.sha256).hexdigest()

    return hashed


def _step(value: Value, step: int) -> Value:
    """Down to a multiple of the step, below zero too."""
    return value - F.pmod(value, F.lit(step))


def _area(name: str) -> Value:
    return F.expr(f"concat(substring({name}, 1, {AREA}), repeat('*', length({name}) - {AREA}))")


def _period(value: Value, mask: Mask, kind: str) -> Value:
    """The first day of the month, year or decade."""
    if mask.to == "decade":
        year = F.year(value)
        return F.make_date(year - F.pmod(year, F.lit(10)), F.lit(1), F.lit(1)).cast(kind)
    return F.trunc(value, mask.to).cast(kind)
