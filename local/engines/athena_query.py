"""Queries: SELECT, set operations and WITH, translated from Athena's SQL to DuckDB's."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from sqlglot import exp

from local.engines.athena_calls import call, direction, orderable
from local.engines.athena_casts import coerce
from local.engines.athena_errors import QueryError, RefusedError, only
from local.engines.athena_expressions import Expressions
from local.engines.athena_grouping import check_grouped, group, limits, nth
from local.engines.athena_operators import distinguishable
from local.engines.athena_relations import Query, Scan, Source, source, values
from local.engines.athena_scope import Catalog, Column, Relation, Scope, Table, Term
from local.engines.athena_types import Type, common
from local.engines.athena_unnest import relation_of
from local.engines.athena_views import expand

SETS = {exp.Union: "UNION", exp.Intersect: "INTERSECT", exp.Except: "EXCEPT"}
CLAUSES = ("with_", "order", "limit", "offset")


class Translator:
    """Translates one query: `Translator(catalog, database).query(tree)`; `scans` then names the tables it reads."""

    def __init__(self, catalog: Catalog, database: str) -> None:
        self.catalog = catalog
        self.database = database.lower()
        self.expressions = Expressions(self)
        self.scans: list[Scan] = []
        self.ctes: dict[str, tuple[str, Query]] = {}
        self.views: list[Table] = []  # those that are being expanded, outermost first
        self._numbers = count(1)

    def name(self, letter: str) -> str:
        """A name that nothing else in the query has."""
        return f"{letter}{next(self._numbers)}"

    def subquery(self, node: exp.Expr, scope: Scope) -> tuple[str, Sequence[Type]]:
        found = self.query(node.this if isinstance(node, exp.Subquery) else node, scope)
        return found.sql, found.types

    def call(self, node: exp.Expr, scope: Scope) -> Term:
        return call(self.expressions, node, scope)

    def view(self, table: Table, node: exp.Expr) -> str:
        return expand(self, table, node)

    def query(self, node: exp.Expr, parent: Scope | None = None) -> Query:
        around = self.ctes
        self.ctes = dict(around)
        try:
            prefix = self._with(node.args.get("with_"), parent)
            found = self._body(node, parent)
        finally:
            self.ctes = around
        return Query(prefix + found.sql, found.names, found.types)

    def _body(self, node: exp.Expr, parent: Scope | None) -> Query:
        match node:
            case exp.Select():
                return self._select(node, parent)
            case exp.Union() | exp.Intersect() | exp.Except():
                return self._set(node, parent)
            case exp.Values():
                return values(self, node, Scope(parent=parent))
            case exp.Subquery() if not node.args.get("alias"):
                only(node, "this", *CLAUSES)
                return self._finish(node, self.query(node.this, parent))
        raise RefusedError(f"'{node.sql('trino')[:60]}' as a query", node=node)

    def _with(self, node: exp.Expr | None, parent: Scope | None) -> str:
        if node is None:
            return ""
        only(node, "expressions")
        parts = []
        for cte in node.expressions:
            only(cte, "this", "alias")
            found, name = self.query(cte.this, parent), self.name("w")
            names = tuple(column.name for column in cte.args["alias"].columns) or found.names
            if len(names) != len(found.names):
                raise QueryError("MISMATCHED_COLUMN_ALIASES", f"Column alias list of '{cte.alias}' does not fit", cte)
            self.ctes[cte.alias.lower()] = name, Query(found.sql, names, found.types)
            parts.append(f"{name} AS ({found.sql})")
        return f"WITH {', '.join(parts)} "

    def _select(self, node: exp.Select, parent: Scope | None) -> Query:
        only(node, "expressions", "from_", "joins", "where", "group", "having", "distinct", "windows", *CLAUSES)
        found = source(self, node, parent)
        found.scope.windows.update({each.name.lower(): each for each in node.args.get("windows") or ()})
        where = self._where(node, found)
        outputs = self._outputs(node, found.scope)
        sql = "SELECT DISTINCT " if self._distinct(node) else "SELECT "
        if node.args.get("distinct"):
            for column in outputs:
                distinguishable(column.term.type, node)
        sql += ", ".join(f"{column.term.sql} AS c{i}" for i, column in enumerate(outputs, 1))
        sql += f" FROM {found.sql}" if found.sql else ""
        sql += where + group(self.expressions, node, found.scope, outputs)
        check_grouped(self.expressions, node, found.scope)
        if having := node.args.get("having"):
            sql += f" HAVING {self.expressions.condition(having.this, found.scope, 'HAVING clause')}"
        sql += self._order(node, found.scope, outputs) + limits(node)
        return Query(sql, tuple(column.name for column in outputs), tuple(column.term.type for column in outputs))

    def _distinct(self, node: exp.Select) -> bool:
        distinct = node.args.get("distinct")
        if distinct:
            only(distinct)
        return bool(distinct)

    def _where(self, node: exp.Select, found: Source) -> str:
        where = node.args.get("where")
        if where is None:
            return ""
        sides = list(where.this.flatten()) if isinstance(where.this, exp.And) else [where.this]
        sqls = []
        for side in sides:
            found.scope.seen.clear()
            sqls.append(self.expressions.condition(side, found.scope, "WHERE clause"))
            if not found.outer and not side.find(exp.Query):
                self._prune(sqls[-1], found.scope.seen)
        return f" WHERE {' AND '.join(sqls)}"

    def _prune(self, condition: str, seen: set[str]) -> None:
        """A condition on the partition columns of one table alone decides which of its partitions are read."""
        for scan in self.scans:
            if scan.guard is not None and scan.guard.rows:
                continue  # no condition of the query's is computed on what its caller may not see
            numbers = [i for i, column in enumerate(scan.table.columns, 1) if column.name in scan.table.partitioned_by]
            if seen and seen <= {f"{scan.alias}.c{i}" for i in numbers}:
                scan.filters.append(condition)

    def _outputs(self, node: exp.Select, scope: Scope) -> list[Column]:
        outputs: list[Column] = []
        for item in node.expressions:
            if isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star)):
                outputs += self._star(item, scope)
            else:
                bare = item.this if isinstance(item, exp.Alias) else item
                own = item.alias if isinstance(item, exp.Alias) else ""  # OVER has an alias too: its window's name
                name = own or (bare.name if isinstance(bare, exp.Column) else f"_col{len(outputs)}")
                outputs.append(Column(name, self.expressions.term(bare, scope)))
        return outputs

    def _star(self, item: exp.Expr, scope: Scope) -> list[Column]:
        only(item, "this", "table", "db", "catalog")
        qualifier = [part.name.lower() for part in item.parts[:-1]] if isinstance(item, exp.Column) else []
        fitting = [relation for relation in scope.relations if relation.answers_to(qualifier)]
        if not fitting:
            raise QueryError("TABLE_NOT_FOUND" if qualifier else "COLUMN_NOT_FOUND",
                             f"Unable to resolve reference {'.'.join(qualifier) or 'SELECT *'}", item)  # fmt: skip
        columns = [column for relation in fitting for column in relation.columns]
        for column in columns:
            if not column.term.type.runs:
                text = f"The type {column.term.type} of column '{column.name}'"
                raise RefusedError(text, "Name the columns instead of *.", item)
        return columns

    def _order(self, node: exp.Expr, scope: Scope, outputs: Sequence[Column]) -> str:
        order = node.args.get("order")
        if order is None:
            return ""
        only(order, "expressions")
        # output columns hide source columns of the same name
        inner = Scope([Relation((), tuple(outputs))], scope)
        numbers = {column.term.sql: str(i) for i, column in reversed(list(enumerate(outputs, 1)))}
        terms = []
        for each in order.expressions:
            sql = nth(each.this, outputs)
            if sql is None:
                found = self.expressions.term(each.this, inner)
                orderable(found.type, each)
                sql = numbers.get(found.sql, found.sql)
            else:
                orderable(outputs[int(sql) - 1].term.type, each)
            if node.args.get("distinct") and isinstance(node, exp.Select) and not sql.isdigit():
                text = "For SELECT DISTINCT, ORDER BY expressions must appear in select list"
                raise QueryError("EXPRESSION_NOT_IN_DISTINCT", text, each)
            terms.append(sql + direction(each))
        return f" ORDER BY {', '.join(terms)}"

    def _set(self, node: exp.SetOperation, parent: Scope | None) -> Query:
        only(node, "this", "expression", "distinct", *CLAUSES)
        word = SETS[type(node)]
        if not node.args.get("distinct"):
            word += " ALL"
        left, right = self.query(node.this, parent), self.query(node.expression, parent)
        if len(left.types) != len(right.types):
            text = f"{word} query has different number of fields: {len(left.types)}, {len(right.types)}"
            raise QueryError("TYPE_MISMATCH", text, node)
        types = [self._shared(word, i, pair, node) for i, pair in enumerate(zip(left.types, right.types, strict=True))]
        for type_ in types if word != "UNION ALL" else ():
            distinguishable(type_, node)
        sql = f"({self._as(left, types)}) {word} ({self._as(right, types)})"
        return self._finish(node, Query(sql, left.names, tuple(types)))

    def _shared(self, word: str, index: int, pair: tuple[Type, Type], node: exp.Expr) -> Type:
        found = common(*pair)
        if found is None:
            text = f"column {index + 1} in {word} query has incompatible types: {pair[0]}, {pair[1]}"
            raise QueryError("TYPE_MISMATCH", text, node)
        return found

    def _as(self, query: Query, types: Sequence[Type]) -> str:
        if list(query.types) == list(types):
            return query.sql
        casts = [f"{coerce(f'c{i}', have, want)} AS c{i}"
                 for i, (have, want) in enumerate(zip(query.types, types, strict=True), 1)]  # fmt: skip
        return f"SELECT {', '.join(casts)} FROM ({query.sql})"

    def _finish(self, node: exp.Expr, query: Query) -> Query:
        """ORDER BY and LIMIT of a set operation or of a query in brackets, which see its outputs alone."""
        if not any(node.args.get(clause) for clause in ("order", "limit", "offset")):
            return query
        alias = self.name("r")
        outputs = relation_of(alias, (), query.names, query.types).columns
        order = self._order(node, Scope(), outputs)
        sql = f"SELECT * FROM ({query.sql}) {alias}{order}{limits(node)}"
        return Query(sql, query.names, query.types)
