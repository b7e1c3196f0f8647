"""UPDATE, DELETE and MERGE on an Iceberg table: DuckDB works out what changes, and one commit swaps the files that hold
the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlglot import exp

from local.engines import athena_deletes, athena_iceberg
from local.engines.athena_catalog import Entry, is_iceberg
from local.engines.athena_errors import QueryError, RefusedError, only
from local.engines.athena_insert import goes_into, stored, target_of
from local.engines.athena_parameters import bind
from local.engines.athena_query import Translator
from local.engines.athena_quoting import identifier, text
from local.engines.athena_relations import CATALOG, read
from local.engines.athena_scope import Column, Relation, Scope, Term
from local.engines.athena_session import Done, Session

TARGET, CHANGED, SOURCE = "target_rows", "changed_rows", "source_rows"
ALIAS = "target_row"
NOWHERE = "CAST(NULL AS BIGINT) AS n, CAST(NULL AS VARCHAR) AS file"  # of a row that the table has not yet
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


@dataclass(frozen=True)
class Update:
    """UPDATE, read."""

    verb: ClassVar[str] = "update"
    tree: exp.Expr

    def run(self, session: Session) -> Done:
        only(self.tree, "this", "expressions", "where")
        target = open_target(session, self.tree.this, self.tree)
        scope = target.scope()
        values = target.assigned(self.tree.expressions, scope)
        return target.change(f"SELECT n, file, true AS stays, {target.row(values)} FROM {TARGET} {ALIAS}"
                             f"{where(target, self.tree, scope)}")  # fmt: skip


@dataclass(frozen=True)
class Delete:
    """DELETE, read."""

    verb: ClassVar[str] = "delete"
    tree: exp.Expr

    def run(self, session: Session) -> Done:
        only(self.tree, "this", "where")
        target = open_target(session, self.tree.this, self.tree)
        rows = f"SELECT n, file, false AS stays, {target.row({})} FROM {TARGET} {ALIAS}"
        return target.change(rows + where(target, self.tree, target.scope()))


def where(target: Target, tree: exp.Expr, scope: Scope) -> str:
    found = tree.args.get("where")
    if found is None:
        return ""
    return f" WHERE {target.translator.expressions.condition(found.this, scope, 'WHERE clause')}"


@dataclass(frozen=True)
class Merge:
    """MERGE, read."""

    verb: ClassVar[str] = "merge"
    tree: exp.Expr

    def run(self, session: Session) -> Done:
        only(self.tree, "this", "using", "on", "whens")
        target = open_target(session, self.tree.this, self.tree)
        scope = target.scope(self.tree.this.alias.lower())
        source, rows = read(target.translator, self.tree.args["using"], Scope())
        alias = rows.rpartition(" ")[2]
        session.define(target.translator.scans)
        session.execute(f"CREATE OR REPLACE TEMP TABLE {SOURCE} AS SELECT * FROM {rows}")
        session.counted()
        target.translator.scans.clear()
        both, own = Scope([*scope.relations, source]), Scope([source])
        on = target.translator.expressions.condition(self.tree.args["on"], both, "MERGE ON clause")
        whens = self.tree.args["whens"].expressions
        parts = [
            *self._matched(target, [each for each in whens if each.args["matched"]], both, alias, on),
            *self._unmatched(target, [each for each in whens if not each.args["matched"]], own, alias, on),
        ]
        return target.change(*parts)

    def _matched(self, target: Target, whens: Sequence[exp.Expr], scope: Scope, alias: str, on: str) -> list[str]:
        rows = f"{TARGET} {ALIAS} JOIN {SOURCE} {alias} ON {on}"
        parts = []
        for condition, when in first_of(target, whens, scope):
            then = when.args["then"]
            stays = isinstance(then, exp.Update)
            if not stays and not (isinstance(then, exp.Var) and then.name.upper() == "DELETE"):
                raise RefusedError(f"'{when.sql('trino')[:60]}'", "Write UPDATE SET or DELETE.", when)
            values = target.assigned(then.expressions, scope) if stays else {}
            kept = str(stays).lower()
            parts.append(f"SELECT n, file, {kept} AS stays, {target.row(values)} FROM {rows} WHERE {condition}")
        return parts

    def _unmatched(self, target: Target, whens: Sequence[exp.Expr], scope: Scope, alias: str, on: str) -> list[str]:
        alone = f"NOT EXISTS (SELECT 1 FROM {TARGET} {ALIAS} WHERE {on})"
        parts = []
        for condition, when in first_of(target, whens, scope):
            then = when.args["then"]
            if not isinstance(then, exp.Insert) or not isinstance(then.expression, exp.Tuple):
                raise RefusedError(f"'{when.sql('trino')[:60]}'", "Write INSERT (columns) VALUES (values).", when)
            columns = target.entry.table.columns
            named = then.this.expressions if then.this else []
            names = [each.name.lower() for each in named] or [column.name for column in columns]
            nodes = then.expression.expressions
            if len(names) != len(nodes):
                text = f"Insert value list has {len(nodes)} values, and {len(names)} columns"
                raise QueryError("TYPE_MISMATCH", text, when)
            told = "MERGE table column types don't match for MERGE case, INSERT"
            values = target.values(dict(zip(names, nodes, strict=True)), scope, told, "Expressions")
            nothing = {each.name: f"CAST(NULL AS {each.type.duckdb})" for each in columns}
            row = target.row({**nothing, **values})
            parts.append(f"SELECT {NOWHERE}, true AS stays, {row} FROM {SOURCE} {alias} WHERE {alone} AND {condition}")
        return parts


def first_of(target: Target, whens: Sequence[exp.Expr], scope: Scope) -> list[tuple[str, exp.Expr]]:
    """Each clause with the condition that it is the first one to hold."""
    found, before = [], ""
    for when in whens:
        only(when, "matched", "condition", "then")
        condition = "true"
        if node := when.args.get("condition"):
            condition = f"coalesce({target.translator.expressions.condition(node, scope, 'WHEN clause')}, false)"
        found.append((condition + before, when))
        before += f" AND NOT {condition}"
    return found
