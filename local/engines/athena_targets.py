"""The Iceberg table that a statement changes: DuckDB works out what changes, and one commit swaps the files that hold
the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from local.engines import athena_deletes, athena_iceberg
from local.engines.athena_catalog import Entry
from local.engines.athena_errors import QueryError, RefusedError
from local.engines.athena_insert import goes_into, stored, target_of
from local.engines.athena_metadata import is_iceberg
from local.engines.athena_parameters import bind
from local.engines.athena_query import Translator
from local.engines.athena_quoting import identifier, text
from local.engines.athena_relations import CATALOG
from local.engines.athena_scope import Column, Relation, Scope, Term
from local.engines.athena_session import Done, Session

TARGET, CHANGED = "target_rows", "changed_rows"
ALIAS = "target_row"
Values = Mapping[str, str]  # the SQL of a new value by its column


@dataclass
class Target:
    """The table that changes, its rows as n, file, c1, c2, … in a temporary table."""

    session: Session
    entry: Entry
    table: Any
    translator: Translator

    def scope(self, alias: str = "") -> Scope:
        found = self.entry.table
        path = (alias,) if alias else (CATALOG, found.database, found.name)
        terms = [Column(each.name, Term(f"{ALIAS}.c{i}", each.type)) for i, each in enumerate(found.columns, 1)]
        return Scope([Relation(path, tuple(terms))])

    @property
    def width(self) -> int:
        return len(self.entry.table.columns)

    def row(self, values: Values) -> str:
        """A row with new values for some columns, and its own for the others."""
        names = [column.name for column in self.entry.table.columns]
        return ", ".join(f"{values.get(name, f'{ALIAS}.c{i}')} AS c{i}" for i, name in enumerate(names, 1))

    def assigned(self, nodes: Sequence[exp.Expr], scope: Scope) -> Values:
        """SET column = value, …"""
        given: dict[str, exp.Expr] = {}
        for node in nodes:
            if not isinstance(node, exp.EQ) or not isinstance(node.this, exp.Column):
                raise RefusedError(f"'{node.sql('trino')[:60]}' in SET", "Write column = value.", node)
            if node.this.name.lower() in given:
                raise QueryError("DUPLICATE_COLUMN_NAME", f"Multiple assignments for column: {node.this.name}", node)
            given[node.this.name.lower()] = node.expression
        return self.values(given, scope, "UPDATE table column types don't match SET expressions", "Expressions")

    def values(self, given: Mapping[str, exp.Expr], scope: Scope, told: str, what: str) -> Values:
        known = {column.name: column.type for column in self.entry.table.columns}
        for name, node in given.items():
            if name not in known:
                raise QueryError("COLUMN_NOT_FOUND", f"The UPDATE SET target column {name} doesn't exist", node)
        terms = {name: self.translator.expressions.term(node, scope) for name, node in given.items()}
        if not all(goes_into(term.type, known[name]) for name, term in terms.items()):
            wanted = ", ".join(str(known[name]) for name in given)
            found = ", ".join(str(term.type) for term in terms.values())
            raise QueryError("TYPE_MISMATCH", f"{told}: Table: [{wanted}], {what}: [{found}]")
        return {name: stored(term.sql, term.type, known[name]) for name, term in terms.items()}

    def load(self) -> None:
        """The table's rows as its metadata has them now, each with the file that it lies in."""
        columns = self.entry.table.columns
        typed = ", ".join(
            f"CAST({identifier(each.name)} AS {each.type.duckdb}) AS c{i}" for i, each in enumerate(columns, 1)
        )
        source = f"(SELECT *, filename AS file FROM iceberg_scan({text(self.table.metadata_location)}))"
        if self.entry.empty:
            source = f"(SELECT {', '.join(f'NULL AS {identifier(each.name)}' for each in columns)}, '' AS file LIMIT 0)"
        sql = f"SELECT row_number() OVER () AS n, file, {typed} FROM {source}"
        self.session.execute(f"CREATE OR REPLACE TEMP TABLE {TARGET} AS {sql}")
        self.session.counted()

    def change(self, *parts: str) -> Done:
        """Make the table what the parts say: SELECTs of n, file, whether the row stays, and its new columns."""
        self.session.define(self.translator.scans)
        execute = self.session.execute
        execute(f"CREATE OR REPLACE TEMP TABLE {CHANGED} AS {' UNION ALL '.join(parts)}")
        self.session.counted()
        twice = f"SELECT 1 FROM {CHANGED} WHERE n IS NOT NULL GROUP BY n HAVING count(*) > 1 LIMIT 1"
        if self.session.connection.execute(twice).fetchone():
            text = "One MERGE target table row matched more than one source row"
            raise QueryError("MERGE_TARGET_ROW_MULTIPLE_MATCHES", text)
        count = self.session.connection.execute(f"SELECT count(*) FROM {CHANGED}").fetchone()[0]
        if count:
            self._commit()
        return Done(rows=count)

    def _commit(self) -> None:
        execute = self.session.connection.execute
        gone = {row[0] for row in execute(f"SELECT DISTINCT file FROM {CHANGED} WHERE n IS NOT NULL").fetchall()}
        columns = ", ".join(f"c{i}" for i in range(1, self.width + 1))
        same = (
            f"SELECT {columns} FROM {TARGET} WHERE file IN (SELECT file FROM {CHANGED} WHERE n IS NOT NULL)"
            f" AND n NOT IN (SELECT n FROM {CHANGED} WHERE n IS NOT NULL)"
        )
        new = f"SELECT {columns} FROM {CHANGED} WHERE stays"
        execute(f"CREATE OR REPLACE TEMP TABLE {athena_iceberg.KEPT} AS {same} UNION ALL {new}")
        athena_iceberg.replace(self.session, self.table, gone, athena_iceberg.KEPT)


def open_target(session: Session, node: exp.Expr, tree: exp.Expr) -> Target:
    """The table that a statement changes, its rows loaded and the statement's parameters bound."""
    bind(tree, session.request["parameters"])
    return target_at(session, target_of(session, node))


def target_at(session: Session, entry: Entry) -> Target:
    entry.need("INSERT", "DELETE")
    if not is_iceberg(entry.glue):
        raise QueryError("NOT_SUPPORTED", "Modifying Hive table rows is only supported for transactional tables")
    strange = next((column for column in entry.table.columns if not column.type.runs), None)
    if strange is not None:
        raise RefusedError(f"A change of a table with column '{strange.name}' of type {strange.type}")
    database, name = entry.table.database, entry.table.name
    athena_deletes.check(entry.metadata or {}, name)
    table = athena_iceberg.catalog(session).load_table((database, name))
    if table.metadata_location != entry.metadata_location:
        raise athena_iceberg.commit_error(database, name)
    found = Target(session, entry, table, Translator(session.catalog, session.database))
    found.load()
    return found
