"""Data cell filters: which rows and cells of a table a role sees, one filter for each value that it lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from lake.parts import Dataset
from lake.roles import Role, RowFilter, Value

MOST = 100  # filters of a table that Lake Formation grants to one principal
SIDE = "all rows"

Choice = tuple[RowFilter, Value | None]


@dataclass(frozen=True)
class CellFilter:
    """A data cells filter of Lake Formation; without `rows` all of them, without `columns` all of those."""

    name: str
    database: str
    table: str
    columns: tuple[str, ...] = ()
    rows: str = ""


def filters(
    dataset: Dataset, role: Role, *, prefix: str, database: str, classes: dict[str, str]
) -> Iterator[CellFilter]:
    """What the role sees of a table with row filters, in whose columns of these `classes`.

    The values of one filter are alternatives; two filters are both to be met. Of a filter that hides some columns
    only, all other columns are seen in every row.
    """
    limits = [each for each in dataset.row_filters if not role.unlimited(each.name)]
    seen = [name for name, each in classes.items() if each in role.sees]
    held = [each for each in role.sees if each in classes.values()]
    for choices in product(*(_choices(each, role) for each in limits)):
        hidden = {column for each, value in choices if value is None for column in each.columns}
        columns = tuple(name for name in seen if name not in hidden)
        if columns:
            met = [(each, value) for each, value in choices if value is not None]
            rows = " AND ".join(_condition(dataset, each, value) for each, value in met)
            words = [*(f"{each.name}={value}" for each, value in met), *(f"-{each}" for each in sorted(hidden))]
            name = f"{prefix}{','.join(words) or SIDE}/{'+'.join(held)}"
            yield CellFilter(name, database, dataset.table, columns, rows)


def count(dataset: Dataset, role: Role) -> int:
    """How many filters the role gets on the dataset's table."""
    number = 1
    for each in dataset.row_filters:
        if not role.unlimited(each.name):
            number *= len(_choices(each, role))
    return number


def _choices(limit: RowFilter, role: Role) -> list[Choice]:
    values: list[Choice] = [(limit, value) for value in role.rows.get(limit.name, ())]
    return [(limit, None), *values] if limit.columns else values


def _condition(dataset: Dataset, limit: RowFilter, value: Value | None) -> str:
    kind = next(each.type for each in dataset.columns if each.name == limit.column)
    return f"{limit.column} = {_literal(kind, value)}"


def _literal(kind: str, value: Value | None) -> str:
    return "'" + str(value).replace("'", "''") + "'" if kind == "string" else str(int(str(value)))
