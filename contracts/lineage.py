"""Of which columns of tables each column of a query is made: their values, and what says which rows it is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, build_scope, traverse_scope

Origin = tuple[str, str]  # table, column


@dataclass(frozen=True)
class Made:
    """`values` are shown, if changed; `rows` are what rows are chosen, joined or grouped by."""

    values: frozenset[Origin] = frozenset()
    rows: frozenset[Origin] = frozenset()
    is_aggregated: bool = False  # of several rows together

    def __or__(self, other: Made) -> Made:
        aggregated = self.is_aggregated or other.is_aggregated
        return Made(self.values | other.values, self.rows | other.rows, aggregated)

    @property
    def origins(self) -> frozenset[Origin]:
        return self.values | self.rows


class Lineage:
    """Of a query whose columns all have their table, over tables with these columns.

    What it cannot follow (a table function, a pivot, a recursion) is made of every column of every table that is read.
    """

    def __init__(self, query: exp.Query, tables: Mapping[str, Iterable[str]]) -> None:
        found = build_scope(query)
        assert found is not None  # of a query there is one
        self._root = found
        self._names = query.named_selects
        self._every = Made(frozenset((table, each) for table, columns in tables.items() for each in columns))
        self._tables = tables
        self._kept: dict[tuple[int, int], Made] = {}

    def columns(self) -> dict[str, Made]:
        lost = any(map(_cannot_be_followed, self._root.expression.walk()))
        return {
            name: self._every if lost else self._selected(self._root, place) for place, name in enumerate(self._names)
        }

    def counted(self, name: str) -> frozenset[Origin] | None:
        """By which columns a column counts rows or different values; None where it is no count, or more than one."""
        scope, place = self._root, self._names.index(name)
        while place < len(selects := _selects(scope)):
            node = selects[place].unalias()
            if isinstance(node, exp.Count):
                return (self._expression(node, scope) | _together(map(self._grouping, _sources(scope)))).origins
            source = scope.sources.get(node.table) if isinstance(node, exp.Column) else None
            if not isinstance(source, Scope) or node.name not in _named(source):
                return None
            scope, place = source, _named(source).index(node.name)
        return None

    def _selected(self, scope: Scope, place: int) -> Made:
        key = (id(scope), place)
        if key not in self._kept:
            self._kept[key] = self._worked_out(scope, place)
        return self._kept[key]

    def _worked_out(self, scope: Scope, place: int) -> Made:
        query = scope.expression
        if isinstance(query, exp.SetOperation):
            made = _together(self._selected(each, place) for each in scope.set_operation_scopes)
            if isinstance(query, exp.Union):
                return self._every if query.args.get("by_name") else made
            sides = [(each, n) for each in scope.set_operation_scopes for n in range(len(_named(each)))]
            return made | _rows(self._selected(*each) for each in sides)
        if not isinstance(query, exp.Select):
            return self._every
        selected = query.selects[place]
        made = self._expression(selected, scope) | self._deciding(scope)
        grouped = bool(query.args.get("group") or query.args.get("distinct"))
        whole = [each for each in selected.find_all(exp.AggFunc) if not isinstance(each.parent, exp.Window)]
        if whole or selected.find(exp.Window):
            made |= self._grouping(scope)
        return made | Made(is_aggregated=grouped or bool(whole))

    def _expression(self, node: exp.Expr, scope: Scope) -> Made:
        nested = _nested(scope) if node.find(exp.Query) else []
        below = _rows(found for each in nested for found in (self._deciding(each), self._grouping(each)))
        return _together(self._column(each, [scope, *nested]) for each in node.find_all(exp.Column)) | below

    def _column(self, column: exp.Column, scopes: Sequence[Scope]) -> Made:
        if not column.table and column.name in (names := _named(scopes[0])):  # ORDER BY what is selected
            return self._expression(_selects(scopes[0])[names.index(column.name)].unalias(), scopes[0])
        around = [*scopes, *_above(scopes[0])]
        sources = [each.sources[column.table] for each in around if column.table in each.sources]
        if len(scopes) == 1:
            sources = sources[:1]  # the innermost
        return _together(map(lambda each: self._source(each, column.name), sources)) if sources else self._every

    def _source(self, source: exp.Expr | Scope, name: str) -> Made:
        if isinstance(source, Scope):
            names = _named(source)
            return self._selected(source, names.index(name)) if name in names else self._every
        if isinstance(source, exp.Table) and name in self._tables.get(source.name, ()):
            return Made(frozenset({(source.name, name)}))
        return self._every

    def _deciding(self, scope: Scope) -> Made:
        """What rows are chosen by: conditions and joins, here and in what is selected from."""
        query, parts = scope.expression, ["where", "having", "qualify", "laterals", "windows"]
        limited = query.args.get("limit") or query.args.get("offset")
        parts += ["order"] if limited else []
        nodes = [node for part in parts for node in _listed(query.args.get(part))]
        nodes += [node for join in query.args.get("joins") or () for node in _listed(join.args.get("on"))]
        below = (self._deciding(each) for each in _sources(scope))
        return _rows(self._expression(each, scope) for each in nodes) | _together(below)

    def _grouping(self, scope: Scope) -> Made:
        """What rows are grouped by, here and in what is selected from."""
        query = scope.expression
        nodes = _listed(query.args.get("group"))
        if query.args.get("distinct") or any(each.args.get("all") for each in nodes):
            nodes = _selects(scope)
        below = (self._grouping(each) for each in _sources(scope))
        return _rows(self._expression(each, scope) for each in nodes) | _together(below)


def read(query: exp.Query) -> frozenset[tuple[str, str, str]]:
    """Database, table and column of all that a query names, wherever it does."""
    scopes = list(traverse_scope(query))
    named = [(each, scope.sources.get(each.table)) for scope in scopes for each in scope.columns]
    return frozenset((found.db, found.name, each.name) for each, found in named if isinstance(found, exp.Table))


def _cannot_be_followed(node: exp.Expr) -> bool:
    natural = isinstance(node, exp.Join) and bool(node.args.get("method"))
    return natural or isinstance(node, exp.Pivot) or (isinstance(node, exp.With) and bool(node.args.get("recursive")))


def _sources(scope: Scope) -> list[Scope]:
    used = {name for name, _ in scope.references}
    selected = (each for name, each in scope.sources.items() if isinstance(each, Scope) and name in used)
    return [*scope.set_operation_scopes, *selected]


def _nested(scope: Scope) -> list[Scope]:
    return [each for one in scope.subquery_scopes for each in one.traverse()]


def _above(scope: Scope) -> Iterator[Scope]:
    while scope.parent:
        scope = scope.parent
        yield scope


def _selects(scope: Scope) -> list[exp.Expr]:
    return list(scope.expression.selects) if isinstance(scope.expression, exp.Select) else []


def _named(scope: Scope) -> list[str]:
    return list(scope.expression.named_selects) if isinstance(scope.expression, exp.Query) else []


def _together(found: Iterable[Made]) -> Made:
    made = Made()
    for each in found:
        made |= each
    return made


def _rows(found: Iterable[Made]) -> Made:
    return Made(rows=_together(found).origins)


def _listed(found: exp.Expr | list[exp.Expr] | None) -> list[exp.Expr]:
    return [] if found is None else list(found) if isinstance(found, list) else [found]
