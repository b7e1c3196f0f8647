"""The old names of a table, kept readable for one major version: the Athena view `TABLE__vN`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from glue_jobs import athena_views
from glue_jobs.athena_views import PRESTO, VIEW
from glue_jobs.aws import client
from lake.evolution import major
from lake.model import Dataset
from lake.tables import PREVIOUS, Field, Table
from lake.views import View, ViewColumn

Columns = list[tuple[str, str, str]]  # name, type of the lake, Athena's SQL


@dataclass(frozen=True)
class Previous:
    """The table as it was in the major version before."""

    version: str
    fields: tuple[Field, ...]

    @classmethod
    def of(cls, table: Table) -> Previous | None:
        """What the table remembers of the version before, if there was one."""
        if PREVIOUS not in table.properties:
            return None
        told = json.loads(table.properties[PREVIOUS])
        return cls(told["version"], tuple(Field(*each) for each in told["fields"]))

    def remembered(self) -> dict[str, str]:
        """As a property of the table, so that the view can be made from the table alone."""
        fields = [[each.number, each.name, each.type] for each in self.fields]
        return {PREVIOUS: json.dumps({"version": self.version, "fields": fields})}


def name(dataset: Dataset, version: str) -> str:
    return f"{dataset.table}__v{major(version)}"


def keep(database: str, dataset: Dataset, table: Table) -> None:
    """The view reads the table as it is now; where there was no major version before, there is none."""
    previous = Previous.of(table)
    if previous is None:
        return
    athena_views.put(database, entry(database, dataset, previous, table))


def remove_older(database: str, dataset: Dataset, table: Table) -> None:
    """A name is kept for one major version: the views of those before go."""
    previous = Previous.of(table)
    kept = name(dataset, previous.version) if previous else ""
    for each in named(database, dataset):
        if each != kept:
            client("glue").delete_table(DatabaseName=database, Name=each)


def entry(database: str, dataset: Dataset, previous: Previous, table: Table) -> dict[str, Any]:
    """The view's entry in the Glue catalog, as Athena itself writes it."""
    columns = list(_columns(previous, table))
    selected = ", ".join(f'{sql} AS "{column}"' for column, _, sql in columns)
    view = View(
        name(dataset, previous.version),
        f"{dataset.id} by the names of version {previous.version}, until the next major version",
        f'SELECT {selected} FROM "{database}"."{dataset.table}"',
        tuple(ViewColumn(column, type_) for column, type_, _ in columns),
        (dataset.id,),
    )
    return athena_views.entry(database, view)


def _columns(previous: Previous, table: Table) -> Iterator[tuple[str, str, str]]:
    """A column that is gone reads as NULL, so that a query that names it among others still runs."""
    now = {each.number: each for each in table.fields}
    for each in previous.fields:
        found = now.get(each.number)
        if found is None:
            yield each.name, each.type, f"CAST(NULL AS {PRESTO.get(each.type, each.type)})"
        else:
            yield each.name, found.type, f'"{found.name}"'


def named(database: str, dataset: Dataset) -> Iterator[str]:
    mine = re.compile(rf"{re.escape(dataset.table)}__v[0-9]+")
    pages = (
        client("glue").get_paginator("get_tables").paginate(DatabaseName=database, Expression=f"{dataset.table}__v*")
    )
    for page in pages:
        for each in page["TableList"]:
            if mine.fullmatch(each["Name"]) and each.get("TableType") == VIEW:
                yield each["Name"]
