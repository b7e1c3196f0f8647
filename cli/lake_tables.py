"""Every table that the lake's files make: a contract's own and those beside it, those of bronze, and views."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp, parse_one
from sqlglot.optimizer.qualify import qualify

from contracts import lineage, queries
from contracts.query_file import DIALECT, Tables
from lake.governance import column_classes, side_tables
from lake.parts import GOLD, Dataset
from lake.views import View

OWN, BRONZE, SIDE, VIEW = "own", "bronze", "side", "view"
AS_THEY_CAME = ("*",)  # the columns of bronze are the source's


@dataclass(frozen=True)
class LakeTable:
    """A table: whose it is, its columns, and of a view what it reads, down to tables that hold rows."""

    layer: str
    name: str
    kind: str  # own | bronze | side | view
    columns: tuple[str, ...]
    dataset: Dataset | None = None
    reads: frozenset[tuple[str, str]] = frozenset()  # LAYER.TABLE, column

    @property
    def place(self) -> str:
        return f"{self.layer}.{self.name}"


def tables(
    datasets: Mapping[str, Dataset], views: Iterable[View], databases: Mapping[str, str]
) -> dict[str, LakeTable]:
    """All of them by LAYER.NAME, in the order of layers and names."""
    known = queries.tables(datasets.values())
    found = [each for dataset in datasets.values() for each in _of(dataset, known["silver"])]
    made = {each.place: each for each in found}
    made |= _views(views, known, databases)
    order = {layer: number for number, layer in enumerate(databases)}
    return dict(sorted(made.items(), key=lambda each: (order[each[1].layer], each[0])))


def _of(dataset: Dataset, silver: Mapping[str, Mapping[str, str]]) -> Iterator[LakeTable]:
    yield LakeTable(dataset.layer, dataset.table, OWN, tuple(column_classes(dataset)), dataset)
    for name in side_tables(dataset):
        yield LakeTable("silver", name, SIDE, tuple(silver[name]), dataset)
    if not dataset.is_made:
        for name in dataset.bronze_tables or (dataset.table,):
            yield LakeTable("bronze", name, BRONZE, AS_THEY_CAME, dataset)


def _views(views: Iterable[View], known: Tables, databases: Mapping[str, str]) -> dict[str, LakeTable]:
    schema = {databases[layer]: dict(columns) for layer, columns in known.items()}
    layers, made = {database: layer for layer, database in databases.items()}, dict[str, LakeTable]()
    for each in views:
        query = qualify(parse_one(each.sql, dialect=DIALECT), schema=dict[str, object](schema), dialect=DIALECT)
        assert isinstance(query, exp.Query)
        named = [(f"{layers[database]}.{table}", column) for database, table, column in lineage.read(query)]
        below = [made[table].reads if table in made else {(table, column)} for table, column in named]
        columns = tuple(query.named_selects)
        made[f"{GOLD}.{each.name}"] = LakeTable(
            GOLD, each.name, VIEW, columns, reads=frozenset().union(*below) if below else frozenset()
        )
        schema[databases[GOLD]][each.name] = dict.fromkeys(columns, "varchar")
    return made
