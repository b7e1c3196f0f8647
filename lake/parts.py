"""What the compiled lake is made of: datasets as their contracts say them, and pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lake.compiled_parts import made
from lake.roles import RowFilter

GOLD = "gold"
GOVERNED = ("bronze", "silver", GOLD)  # the layers that have tables


@dataclass(frozen=True)
class Mask:
    """How a column is shown in the masked table: `how` it is changed, `to` what, and what class it then has.

    Hashes of one `domain` are alike for like values, of two they are not.
    """

    how: str  # hash | truncate | generalise | null | omit
    classification: str = "internal"
    to: Any = None  # truncate: characters of a text, a number's step; generalise: month, year, decade or postal
    domain: str = ""


@dataclass(frozen=True)
class Column:
    """A column: `type` is the lake's, `source` its name in the source."""

    name: str
    type: str
    source: str = ""
    required: bool = False
    classification: str = "internal"
    description: str = ""
    id: str = ""
    mask: Mask | None = None


@dataclass(frozen=True)
class RowRule:
    """A rule that a row breaks where `expression` (Spark SQL over the lake's columns) is false.

    One about the values of a single column says these too: the `values` it may have, the `pattern` they follow, or the
    ends of their range, both included; of times, as ISO texts, and `minutes_ahead` of when the row arrived.
    """

    name: str
    expression: str
    description: str = ""
    column: str = ""
    values: tuple[Any, ...] = ()
    pattern: str = ""
    minimum: Any = None
    maximum: Any = None
    minutes_ahead: float | None = None


@dataclass(frozen=True)
class Reference:
    """A foreign key: `columns` must be found among `parent_columns` of `dataset`."""

    name: str
    columns: tuple[str, ...]
    dataset: str
    parent_columns: tuple[str, ...]


@dataclass(frozen=True)
class Gate:
    """A rule over the whole dataset: its metric, compared with a threshold, stops publication or warns."""

    name: str
    metric: str
    columns: tuple[str, ...] = ()
    expression: str = ""
    operator: str = "="
    threshold: Any = 0
    severity: str = "error"


@dataclass(frozen=True)
class Dataset:
    """A dataset as its contract says it."""

    id: str
    source: str
    name: str
    layer: str
    version: str
    hash: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    description: str = ""
    owner: str = ""
    source_object: str = ""
    cursor: str | None = None
    load_mode: str = "full"  # full | incremental | append | stream
    lookback_hours: float = 0.0  # how far behind the watermark an increment begins to read
    deletes: bool = False  # rows whose key the source no longer has are deleted
    partition_by: tuple[str, ...] = ()
    sort_by: tuple[str, ...] = ()
    rules: tuple[RowRule, ...] = ()
    references: tuple[Reference, ...] = ()
    gates: tuple[Gate, ...] = ()
    freshness_hours: float | None = None
    retention_days: int | None = None
    sql: str | None = None
    inputs: tuple[str, ...] = ()
    subject: str | None = None  # the column that says whose row it is
    masked_gates: tuple[Gate, ...] = ()  # of the masked table
    masked_of: str = ""  # of a masked table: the dataset whose rows it shows
    row_filters: tuple[RowFilter, ...] = ()
    roles: tuple[str, ...] = ()  # that the dataset is meant for
    governed: str = ""  # a hash of who sees what of it; of none where IAM alone decides

    @property
    def applied(self) -> str:
        """What the ledger knows it by once its tables, and who sees them, are as is said here."""
        return f"{self.hash}+{self.governed}" if self.governed else self.hash

    @property
    def is_made(self) -> bool:
        """Whether its rows are made of other tables of the lake, so that none of them is ever refused or deleted."""
        return self.layer == GOLD or bool(self.masked_of)

    @property
    def contract(self) -> str:
        """The id of the contract that says all this."""
        return self.masked_of or self.id

    @property
    def is_stream(self) -> bool:
        """Whether its events arrive by themselves: their objects in bronze are there before a run asks for them."""
        return self.load_mode == "stream"

    @property
    def table(self) -> str:
        return self.name if self.layer == GOLD else f"{self.source}_{self.name}"

    @property
    def quarantine_table(self) -> str:
        return f"{self.table}__quarantine"

    @property
    def deleted_table(self) -> str:
        return f"{self.table}__deleted"

    @property
    def source_words(self) -> dict[str, str]:
        """What each column of the source means, by its name in lower case, as bronze and the catalog have it."""
        return {each.source.lower(): each.description for each in self.columns if each.description}

    @property
    def cursor_field(self) -> str:
        """The cursor's name in the source, which silver may call otherwise; of a dataset that has one."""
        return next(column.source for column in self.columns if column.name == self.cursor)

    @property
    def bronze_tables(self) -> tuple[str, ...]:
        """Those of bronze that are made from the contract: a stream's events, and what was none of them."""
        return (self.table, f"{self.table}__dead_letters") if self.is_stream else ()

    @property
    def folder(self) -> str:
        return f"{self.name}/" if self.layer == GOLD else f"{self.source}/{self.name}/"


@dataclass(frozen=True)
class Pipeline:
    """A pipeline: its datasets in one run, then the models built from them. No schedule: it is started by hand."""

    name: str
    schedule: str
    interval_hours: int
    datasets: tuple[str, ...]
    models: tuple[str, ...] = ()
    sla_minutes: int = 60
    owner: str = ""


_PARTS: tuple[tuple[str, type[Any]], ...] = (
    ("columns", Column),
    ("rules", RowRule),
    ("references", Reference),
    ("gates", Gate),
    ("masked_gates", Gate),
    ("row_filters", RowFilter),
)


def pipeline_from_dict(data: Mapping[str, Any]) -> Pipeline:
    return made(Pipeline, data)


def dataset_from_dict(data: Mapping[str, Any]) -> Dataset:
    parts: dict[str, Any] = {name: [made(kind, each) for each in data.get(name, ())] for name, kind in _PARTS}
    parts["columns"] = [replace(each, mask=made(Mask, each.mask)) if each.mask else each for each in parts["columns"]]
    return made(Dataset, {**data, **parts})
