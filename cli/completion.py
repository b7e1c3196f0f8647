"""Completion of SQL: tables where a table stands, columns of the statement's tables, words of the language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from cli.target import Target
from config import DATABASES

WORDS = (
    "SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "HAVING", "LIMIT", "OFFSET", "DISTINCT", "AS", "AND", "OR",
    "NOT", "IN", "BETWEEN", "LIKE", "IS NULL", "IS NOT NULL", "CASE", "WHEN", "THEN", "ELSE", "END", "JOIN",
    "LEFT JOIN", "CROSS JOIN", "ON", "USING", "UNION ALL", "EXCEPT", "INTERSECT", "WITH", "OVER", "PARTITION BY",
    "UNNEST", "CAST", "TRY_CAST", "COUNT", "SUM", "AVG", "MIN", "MAX", "DATE_TRUNC", "FOR TIMESTAMP AS OF",
    "CREATE TABLE", "INSERT INTO", "UPDATE", "DELETE FROM", "MERGE INTO", "UNLOAD", "SHOW TABLES", "SHOW VIEWS",
    "SHOW DATABASES", "DESCRIBE", "EXPLAIN", "VALUES", "DESC", "ASC",
)  # fmt: skip
TYPED = re.compile(r'[\w."$]*$')
BEFORE_TABLE = re.compile(r"\b(?:from|join|into|update|table|describe|desc)\s+[\w.\"$]*$", re.I)
NAMED = re.compile(r"\b(?:from|join|into|update)\s+([\w.\"$]+)(?:\s+(?:as\s+)?([a-z_]\w*))?", re.I)
Column = tuple[str, str, str]
"""Name, type, and what it means."""

NO_ALIAS = {"where", "group", "order", "on", "join", "left", "right", "cross", "inner", "using", "set", "limit", "for"}


class LakeCatalog:
    """Tables and columns of the lake's databases, each database asked for when it is first needed."""

    def __init__(self, lake: Target) -> None:
        self._lake = lake
        self._databases: dict[str, dict[str, list[Column]]] = {}

    @cached_property
    def names(self) -> list[str]:
        environment = self._lake.environment
        return [*map(environment.database, DATABASES), *map(environment.sandbox, environment.teams)]

    @property
    def home(self) -> str:
        """The database of names without one."""
        return self._lake.environment.database("gold")

    def tables(self, database: str) -> dict[str, list[Column]]:
        """Of a database, each table's columns."""
        if database not in self.names:
            return {}
        if database not in self._databases:
            pages = self._lake.client("glue").get_paginator("get_tables").paginate(DatabaseName=database)
            found = (table for page in pages for table in page["TableList"])
            self._databases[database] = {each["Name"]: _columns(each) for each in found}
        return self._databases[database]

    def columns(self, table: str) -> list[Column]:
        """By a table's name as SQL has it."""
        database, _, name = table.replace('"', "").lower().rpartition(".")
        return self.tables(database or self.home).get(name, [])

    def forget(self) -> None:
        """A statement may have changed tables."""
        self._databases.clear()


class SqlCompleter(Completer):
    """What may stand at the cursor, as far as the text before and after it tells."""

    def __init__(self, catalog: LakeCatalog) -> None:
        self._catalog = catalog

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        before = document.text_before_cursor
        found = TYPED.search(before)
        typed = found[0] if found else ""
        for text, about in self.candidates(before, document.text, typed):
            if text.lower().startswith(typed.lower()):
                yield Completion(text, start_position=-len(typed), display_meta=about)

    def candidates(self, before: str, text: str, typed: str) -> Iterator[tuple[str, str]]:
        """Texts that could replace the word typed, each with what it is."""
        if BEFORE_TABLE.search(before):
            yield from self._tables(typed)
            return
        owner, dot, _ = typed.rpartition(".")
        named = {alias: table for table, alias in self._named(text)}
        if dot:
            yield from ((f"{owner}.{name}", kind) for name, kind, _ in self._catalog.columns(named.get(owner, owner)))
            return
        seen: set[str] = set()
        for table in dict.fromkeys(named.values()):
            for name, kind, _ in self._catalog.columns(table):
                if name not in seen:
                    seen.add(name)
                    yield name, kind
        yield from ((alias, table) for alias, table in named.items() if alias != table)
        small = typed.islower()
        yield from ((word.lower() if small else word, "") for word in WORDS)

    def _tables(self, typed: str) -> Iterator[tuple[str, str]]:
        database, dot, _ = typed.rpartition(".")
        if dot:
            yield from ((f"{database}.{name}", "table") for name in self._catalog.tables(database))
            return
        yield from ((name, "table") for name in self._catalog.tables(self._catalog.home))
        yield from ((f"{name}.", "database") for name in self._catalog.names)

    def _named(self, text: str) -> Iterator[tuple[str, str]]:
        for table, alias in NAMED.findall(text):
            yield table, alias if alias and alias.lower() not in NO_ALIAS else table


def _columns(table: dict[str, Any]) -> list[Column]:
    columns = [*table.get("StorageDescriptor", {}).get("Columns", []), *table.get("PartitionKeys", [])]
    return [(each["Name"], each["Type"], each.get("Comment", "")) for each in columns]
