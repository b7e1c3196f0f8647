"""Credentials that a query is lent for its tables: each opens the files of its own table, and no others.

DuckDB picks credentials by a file's path alone, whichever table names it. A table whose caller could have written what
says which files are its own is therefore read apart, while nothing is lent but what is lent for that very table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from local.engines.athena_catalog import Entry, GlueCatalog
from local.engines.athena_governance import Reader

CHANGING = frozenset({"ALTER", "INSERT"})


def lend(connection: Any, catalog: GlueCatalog, entries: Iterable[Entry]) -> None:
    """Open the places of the tables that a statement reads; they stay open to its end."""
    for entry in entries:
        reader = (entry.behind or entry).reader
        if reader is not None and reader.scope not in catalog.lent:
            catalog.lent[reader.scope] = reader
            reader.open(connection)


def is_apart(catalog: GlueCatalog, entry: Entry) -> bool:
    """Whether a table is one that the caller may have written, while other tables' places are open."""
    own = (entry.behind or entry).reader
    return bool(others(catalog, own)) and (own is None or bool(entry.told and entry.told.permissions & CHANGING))


def others(catalog: GlueCatalog, own: Reader | None) -> list[Reader]:
    """Those whose places are open for other tables."""
    return [each for each in catalog.lent.values() if own is None or each.scope != own.scope]


def covers(catalog: GlueCatalog, files: Iterable[str]) -> bool:
    """Whether one of the files lies in a place that is open for some table."""
    return any(file.startswith(scope) for file in files for scope in catalog.lent)


@contextmanager
def alone(connection: Any, catalog: GlueCatalog, own: Reader | None) -> Iterator[None]:
    """Nothing is open meanwhile but the table's own place."""
    closed = others(catalog, own)
    for each in closed:
        each.close(connection)
    try:
        yield
    finally:
        for each in closed:
            each.open(connection)
