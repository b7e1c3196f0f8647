"""Data cell filters: which rows and cells of a table a role sees, one filter for each value that it lists."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product

from lake.parts import Dataset
from lake.roles import Role, RowFilter, Value

MOST = 100  # filters of a table that Lake Formation grants to one principal
LONGEST_ROWS = 2048  # bytes of a filter's expression
SIDE = "all rows"
READABLE = 120  # characters of a name, which Lake Formation bounds by 255 bytes
PLAIN = re.compile(r"[^a-z0-9_.=,+/ -]+")
TAKEN = re.compile("[\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
WHOLE = {"int": 2**31, "bigint": 2**63}  # beyond their numbers

Choice = tuple[RowFilter, Value | None]


@dataclass(frozen=True)
class CellFilter:
    """A data cells filter of Lake Formation; without `rows` all of them, without `columns` all of those.

    Its name is in lower case, as names of the catalog are told.
    """

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
            yield CellFilter(prefix + _name(met, sorted(hidden), held), database, dataset.table, columns, rows)


def count(dataset: Dataset, role: Role) -> int:
    """How many filters the role gets on the dataset's table."""
    number = 1
    for each in dataset.row_filters:
        if not role.unlimited(each.name):
            number *= len(_choices(each, role))
    return number


def fits(dataset: Dataset, limit: RowFilter, value: Value) -> bool:
    """Whether the filter's column may have the value, and Lake Formation takes it in an expression."""
    if isinstance(value, str):
        return kind(dataset, limit) == "string" and TAKEN.fullmatch(value) is not None
    beyond = WHOLE.get(kind(dataset, limit), 0)
    return -beyond <= value < beyond


def longest(dataset: Dataset, role: Role) -> int:
    """The bytes of the longest expression among the role's filters of the dataset's table."""
    said = [
        [len(_condition(dataset, each, one).encode()) for one in role.rows[each.name] if fits(dataset, each, one)]
        for each in dataset.row_filters
        if each.name in role.rows and not role.unlimited(each.name)
    ]
    sizes = [max(each) for each in said if each]
    return sum(sizes) + len(" AND ") * max(len(sizes) - 1, 0)


def kind(dataset: Dataset, limit: RowFilter) -> str:
    """The type of the filter's column."""
    return next(each.type for each in dataset.columns if each.name == limit.column)


def _name(met: Iterable[tuple[RowFilter, Value]], hidden: list[str], held: list[str]) -> str:
    """For a person to read, and by its hash another for other values: those may hold any sign, and be long."""
    values = [(each.name, value) for each, value in met]
    words = ",".join([*(f"{name}={value}" for name, value in values), *(f"-{each}" for each in hidden)])
    readable = PLAIN.sub("?", f"{words or SIDE}/{'+'.join(held)}".lower())[:READABLE]
    said = json.dumps([values, hidden, held])
    return f"{readable}/{hashlib.sha256(said.encode()).hexdigest()[:12]}"


def _choices(limit: RowFilter, role: Role) -> list[Choice]:
    values: list[Choice] = [(limit, value) for value in role.rows.get(limit.name, ())]
    return [(limit, None), *values] if limit.columns else values


def _condition(dataset: Dataset, limit: RowFilter, value: Value | None) -> str:
    return f"{limit.column} = {_literal(kind(dataset, limit), value)}"


def _literal(type_: str, value: Value | None) -> str:
    return "'" + str(value).replace("'", "''") + "'" if type_ == "string" else str(int(str(value)))
