"""The plan of governance: tags, grants and filters of Lake Formation, as plain data in an order by names alone."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from dataclasses import asdict, dataclass
from functools import cached_property

from lake.filters import CellFilter


@dataclass(frozen=True)
class Tag:
    """An LF tag: of the account the values that it can have, of a resource the one, in an expression any of them."""

    key: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class DatabaseTags:
    """What a database's tables inherit."""

    database: str
    layer: str
    tags: tuple[Tag, ...]


@dataclass(frozen=True)
class TableTags:
    """A table's tags, and the columns of each class."""

    dataset: str
    database: str
    table: str
    tags: tuple[Tag, ...]
    columns: tuple[tuple[str, tuple[str, ...]], ...] = ()  # class, columns


@dataclass(frozen=True)
class TagGrant:
    """A permission on each DATABASE or TABLE whose tags fit the expression."""

    role: str
    principal: str
    kind: str
    permission: str
    expression: tuple[Tag, ...]


@dataclass(frozen=True)
class NamedGrant:
    """A permission on a database, on all of its tables (`table` is `*`), or on the location of its layer."""

    job: str
    principal: str
    kind: str  # DATABASE | TABLE | LOCATION
    resource: str  # a database; of a location, the bucket
    permission: str
    grantable: bool = False


@dataclass(frozen=True)
class FilterGrant:
    """SELECT through one filter."""

    dataset: str
    role: str
    principal: str
    filter: CellFilter


@dataclass(frozen=True)
class Plan:
    """All of it, in an order that depends on names alone."""

    mode: str
    tags: tuple[Tag, ...]
    databases: tuple[DatabaseTags, ...]
    tag_grants: tuple[TagGrant, ...]
    named_grants: tuple[NamedGrant, ...]
    tables: tuple[TableTags, ...]
    filter_grants: tuple[FilterGrant, ...]

    @cached_property
    def filters(self) -> tuple[CellFilter, ...]:
        """Each filter once: two roles may see the same cells."""
        return tuple(dict.fromkeys(each.filter for each in self.filter_grants))

    def of(self, dataset: str) -> Plan:
        """The part that is about the tables of one dataset."""
        tables, granted = self._parts[dataset]
        return Plan(self.mode, self.tags, (), (), (), tuple(tables), tuple(granted))

    @cached_property
    def _parts(self) -> dict[str, tuple[list[TableTags], list[FilterGrant]]]:
        parts: dict[str, tuple[list[TableTags], list[FilterGrant]]] = defaultdict(lambda: ([], []))
        for table in self.tables:
            parts[table.dataset][0].append(table)
        for granted in self.filter_grants:
            parts[granted.dataset][1].append(granted)
        return parts

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.json().encode()).hexdigest()

    def json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)
