"""FROM: tables, subqueries, VALUES and UNNEST with their joins, as relations of a scope and as DuckDB's SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from sqlglot import exp

from local.engines import athena_guards, athena_versions
from local.engines.athena_errors import QueryError, RefusedError, only
from local.engines.athena_expressions import Expressions
from local.engines.athena_guards import Guard
from local.engines.athena_operators import compare, unify
from local.engines.athena_quoting import text
from local.engines.athena_scope import Catalog, Column, Relation, Scope, Table, Term
from local.engines.athena_types import Type
from local.engines.athena_unnest import aliased, relation_of, unnest

CATALOG = "awsdatacatalog"


@dataclass(frozen=True)
class Scan:
    """A table that the query reads: `view` is its name in the SQL; `filters` decide its partitions."""

    view: str
    alias: str
    table: Table
    filters: list[str] = field(default_factory=list)
    guard: Guard | None = None


@dataclass(frozen=True)
class Query:
    """A translated query: its columns are c1, c2, … in DuckDB, and these names and types in Athena."""

    sql: str
    names: tuple[str, ...]
    types: tuple[Type, ...]

    def check_printable(self) -> None:
        for name, type_ in zip(self.names, self.types, strict=True):
            if not type_.printable:
                raise RefusedError(f"A result of type {type_} (column '{name}')", "Cast it.")


class Owner(Protocol):
    """The translator of whole queries."""

    catalog: Catalog
    database: str
    expressions: Expressions
    scans: list[Scan]
    ctes: dict[str, tuple[str, Query]]

    def query(self, node: exp.Expr, parent: Scope | None) -> Query: ...

    def view(self, table: Table, node: exp.Expr) -> str: ...

    def name(self, letter: str) -> str: ...


@dataclass
class Source:
    """FROM as it grows join by join; `outer` says that some relation may be padded with NULL."""

    owner: Owner
    scope: Scope
    sql: str = ""
    outer: bool = False
    comma: bool = False


def source(owner: Owner, node: exp.Select, parent: Scope | None) -> Source:
    found = Source(owner, Scope(parent=parent))
    if start := node.args.get("from_"):
        only(start, "this")
        relation, found.sql = read(owner, start.this, found.scope)
        found.scope.relations.append(relation)
        for join in node.args.get("joins") or ():
            add(found, join)
    return found


def add(found: Source, join: exp.Join) -> None:
    if str(join.args.get("method") or "").upper() == "NATURAL":
        raise QueryError("NOT_SUPPORTED", "Natural join not supported", join)
    only(join, "this", "kind", "side", "on", "using")
    side, kind = (join.args.get("side") or "").upper(), (join.args.get("kind") or "").upper()
    relation, sql = read(found.owner, join.this, found.scope)
    conditioned = bool(join.args.get("on") or join.args.get("using"))
    if not side and not conditioned:
        found.comma |= kind != "CROSS"
        found.sql += f" CROSS JOIN {sql}"
        found.scope.relations.append(relation)
        return
    if isinstance(join.this, exp.Unnest) and not padded(join, side):
        raise RefusedError(
            f"The join '{join.sql('trino').strip()[:60]}'", "Join UNNEST by CROSS JOIN, or LEFT JOIN … ON true.", join
        )
    if not conditioned or (found.comma and side in ("RIGHT", "FULL")):
        raise RefusedError(f"The join '{join.sql('trino').strip()[:60]}'", node=join)
    found.outer |= bool(side)
    word = f"{side} JOIN" if side else "JOIN"
    if join.args.get("using"):
        condition = using(found, relation, join, side)
    else:
        found.scope.relations.append(relation)
        condition = found.owner.expressions.condition(join.args["on"], found.scope, "JOIN ON clause")
    found.sql += f" {word} {sql} ON {condition}"


def padded(join: exp.Join, side: str) -> bool:
    on = join.args.get("on")
    return side == "LEFT" and isinstance(on, exp.Boolean) and bool(on.this)


def using(found: Source, relation: Relation, join: exp.Join, side: str) -> str:
    """USING: each column is there once, before all others."""
    shared, conditions, names = [], [], [part.name.lower() for part in join.args["using"]]
    right = Scope([relation])
    for part in join.args["using"]:
        column = exp.Column(this=part.copy())
        ours, theirs = Scope(found.scope.relations).resolve(column), right.resolve(column)
        conditions.append(compare("=", ours, theirs, part).sql)
        terms, type_ = unify([ours, theirs], "JOIN USING columns", part)
        sql = {"RIGHT": terms[1], "FULL": f"coalesce({terms[0]}, {terms[1]})"}.get(side, terms[0])
        shared.append(Column(part.name.lower(), Term(sql, type_)))
    rest = [
        Relation(each.path, tuple(column for column in each.columns if column.name.lower() not in names))
        for each in (*found.scope.relations, relation)
    ]
    found.scope.relations[:] = [Relation((), tuple(shared)), *rest]
    return " AND ".join(conditions)


def read(owner: Owner, node: exp.Expr, scope: Scope) -> tuple[Relation, str]:
    match node:
        case exp.Table():
            return table(owner, node)
        case exp.Subquery():
            only(node, "this", "alias")
            # a subquery in FROM sees what is around the query, not its neighbours
            return derived(owner, owner.query(node.this, scope.parent), node)
        case exp.Values():
            return derived(owner, values(owner, node, scope), node)
        case exp.Unnest():
            return unnest(owner, node, scope)
    raise RefusedError(f"'{node.sql('trino')[:60]}' in FROM", node=node)


def derived(owner: Owner, query: Query, node: exp.Expr) -> tuple[Relation, str]:
    path, names = aliased(node, query.names)
    alias = owner.name("r")
    return relation_of(alias, path, names, query.types), f"({query.sql}) {alias}"


def table(owner: Owner, node: exp.Table) -> tuple[Relation, str]:
    only(node, "this", "db", "catalog", "alias", "version")
    version = athena_versions.read(node)
    if not isinstance(node.this, exp.Identifier):
        raise RefusedError(f"The table function '{node.sql('trino')[:60]}'", node=node)
    name, alias = node.name.lower(), owner.name("r")
    if not node.db and name in owner.ctes and version is None:
        view, query = owner.ctes[name]
        path, names = aliased(node, query.names)
        return relation_of(alias, path or (name,), names, query.types), f"{view} {alias}"
    found = look_up(owner, node)
    athena_guards.check(found)
    if version is not None:
        if found.at is None:
            raise QueryError(
                "NOT_SUPPORTED", f"'{found.database}.{found.name}' does not support versioned tables", node
            )
        found = found.at(version, node)
    path, names = aliased(node, [column.name for column in found.columns])
    relation = athena_guards.relation(alias, path or (CATALOG, found.database, found.name), names, found)
    if found.view is not None:
        return relation, f"({owner.view(found.whole, node)}) {alias}"
    view = owner.name("scan_")
    owner.scans.append(Scan(view, alias, found.whole, guard=athena_guards.guard(owner.expressions, found)))
    return relation, f"{view} {alias}"


def look_up(owner: Owner, node: exp.Table) -> Table:
    database, name = (node.db or owner.database).lower(), node.name.lower()
    if node.catalog and node.catalog.lower() != CATALOG:
        raise QueryError("CATALOG_NOT_FOUND", f"Catalog '{node.catalog}' does not exist", node)
    found = owner.catalog.table(database, name)
    if found is None:
        if not owner.catalog.has_database(database):
            raise QueryError("SCHEMA_NOT_FOUND", f"Schema '{database}' does not exist", node)
        raise QueryError("TABLE_NOT_FOUND", f"Table '{CATALOG}.{database}.{name}' does not exist", node)
    return found


def values(owner: Owner, node: exp.Values, scope: Scope) -> Query:
    only(node, "expressions", "alias")
    rows = [cells(owner, row, scope) for row in node.expressions]
    if len({len(row) for row in rows}) != 1:
        raise QueryError("TYPE_MISMATCH", "Values rows have mismatched sizes", node)
    columns = [unify(column, "Values rows", node) for column in zip(*rows, strict=True)]
    types = tuple(type_ for _, type_ in columns)
    lines = ", ".join(f"({', '.join(row)})" for row in zip(*(terms for terms, _ in columns), strict=True))
    names = ", ".join(f"c{i}" for i in range(1, len(types) + 1))
    casts = ", ".join(f"CAST(c{i} AS {type_.duckdb}) AS c{i}" for i, type_ in enumerate(types, 1))
    own_names = tuple(f"_col{i}" for i in range(len(types)))
    return Query(f"SELECT {casts} FROM (VALUES {lines}) v({names})", own_names, types)


def cells(owner: Owner, node: exp.Expr, scope: Scope) -> list[Term]:
    """A row of VALUES: a value that is a row itself is as many columns."""
    nodes = node.expressions if isinstance(node, exp.Tuple) else [node]
    found = [owner.expressions.term(each, scope) for each in nodes]
    if len(found) == 1 and found[0].type.fields:
        row = found[0]
        return [Term(f"struct_extract({row.sql}, {text(name)})", type_) for name, type_ in row.type.members]
    return found
