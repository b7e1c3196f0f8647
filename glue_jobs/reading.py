"""Read a source's table, or a window of it, over as many connections as it is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil

from pyspark.sql import DataFrame, SparkSession, functions as F
from pyspark.sql.types import ByteType, DataType, IntegerType, LongType, ShortType, StructType

from glue_jobs.conform import quoted
from glue_jobs.connection import Source
from glue_jobs.windows import Window, backwards, cursor_column
from lake.model import Dataset

INTEGRAL: tuple[type[DataType], ...] = (ByteType, ShortType, IntegerType, LongType)
MOST_CONNECTIONS = 16


@dataclass(frozen=True)
class Reading:
    """A dataset's table in its source, of which `window` is read, or all where there is none."""

    spark: SparkSession
    source: Source
    dataset: Dataset
    window: Window | None

    @cached_property
    def table(self) -> str:
        return self.source.quoted(self.spark, self.dataset.source_object)

    @cached_property
    def schema(self) -> StructType:
        return self.source.read(self.spark, dbtable=self.table).schema

    @cached_property
    def cursor(self) -> tuple[str, DataType]:
        return cursor_column(self.dataset, self.schema)

    @cached_property
    def relation(self) -> str:
        """What stands after FROM."""
        if self.window is None:
            return self.table
        name, kind = self.cursor
        condition = self.window.condition(self.source.quoted_column(self.spark, name), kind, self.source.url)
        return f"(SELECT * FROM {self.table} WHERE {condition}) part_read"

    @property
    def key_columns(self) -> list[str]:
        """The key's columns by their names in the source."""
        names = {column.name: column.source for column in self.dataset.columns}
        return [names[each] for each in self.dataset.key]

    def rows(self, rows_per_partition: int, columns: Sequence[str] = ()) -> DataFrame:
        """The rows, or some columns of them; many of them, if the key is a whole number, over several connections."""
        split = self._split(rows_per_partition)
        rows = self.source.read(self.spark, dbtable=self.relation, **split)
        return rows.select(*(F.col(quoted(name)) for name in columns)) if columns else rows

    def refuse_backwards(self) -> None:
        """No cursor came: then the source must not end before the window, unless its rows may go away."""
        if self.window is None or self.window.high is not None or self.dataset.deletes:
            return
        name, _ = self.cursor
        column = self.source.quoted_column(self.spark, name)
        # a table with rows of which none is in the window: the last of them lies before it
        query = f"(SELECT max({column}) AS latest FROM {self.table}) ends"
        latest = self.source.read(self.spark, dbtable=query).collect()[0]["latest"]
        if latest is not None:
            low = self.window.low.isoformat()
            raise backwards(self.dataset, f"it ends at {latest}, and rows from {low} on were loaded before")

    def _split(self, rows_per_partition: int) -> dict[str, str]:
        column = split_column(self.schema, self.dataset)
        if column is None:
            return {}
        quoted = self.source.quoted_column(self.spark, column)
        query = f"(SELECT min({quoted}) AS low, max({quoted}) AS high, count(*) AS n FROM {self.relation}) bounds"
        bounds = self.source.read(self.spark, dbtable=query).collect()[0]
        partitions = min(MOST_CONNECTIONS, ceil(bounds["n"] / rows_per_partition))
        if partitions < 2 or bounds["low"] is None:
            return {}
        span = {"lowerBound": str(bounds["low"]), "upperBound": str(bounds["high"])}
        return {"partitionColumn": column, "numPartitions": str(partitions), **span}


def split_column(schema: StructType, dataset: Dataset) -> str | None:
    """The source's name of the key's first column, where it holds whole numbers."""
    names = {column.name: column.source for column in dataset.columns}
    first = names.get(dataset.key[0], "") if dataset.key else ""
    kinds = {each.name: each.dataType for each in schema.fields}
    return first if isinstance(kinds.get(first), INTEGRAL) else None
