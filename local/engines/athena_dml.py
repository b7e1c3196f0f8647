"""UPDATE, DELETE and MERGE on an Iceberg table, each as the rows that it changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlglot import exp

from local.engines.athena_errors import QueryError, RefusedError, only
from local.engines.athena_relations import read
from local.engines.athena_scope import Scope
from local.engines.athena_session import Done, Session
from local.engines.athena_targets import ALIAS, TARGET, Target, open_target

SOURCE = "source_rows"
NOWHERE = "CAST(NULL AS BIGINT) AS n, CAST(NULL AS VARCHAR) AS file"  # of a row that the table has not yet


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
