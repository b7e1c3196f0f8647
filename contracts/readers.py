"""Who names a column of a dataset: models, named queries, and the relationships of other contracts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import traverse_scope

from contracts.contract import GOLD, SUFFIX
from contracts.expressions import DIALECT
from lake.model import Dataset

Reader = tuple[str, int]  # a file and the line on which it first names the column


def readers(root: Path, dataset: Dataset, column: str) -> list[Reader]:
    """Files of the lake that name this column of the dataset."""
    layer = f"{dataset.layer}.{dataset.table}"
    table = layer.replace(".", "_", 1) if dataset.layer == GOLD else dataset.table
    found = [*_sql(root, "models", table, column), *_sql(root, "queries", layer, column)]
    return [*found, *_relationships(root, table, column)]


def _sql(root: Path, folder: str, table: str, column: str) -> Iterator[Reader]:
    for path in sorted((root / folder).glob("*.sql")):
        text = path.read_text(encoding="utf-8")
        plain = text.replace("${", "").replace("}", "")
        if (
            table in plain
            and column in plain
            and names(plain, table, column, DIALECT if folder == "models" else "athena")
        ):
            yield f"{folder}/{path.name}", _line(text, column)


def names(sql: str, table: str, column: str, dialect: str) -> bool:
    """Whether a query names the column; where it does not say of which table, of each that it could be."""
    try:
        scopes = traverse_scope(parse_one(sql, dialect=dialect))
    except SqlglotError:
        return True  # better named in vain than passed over
    for scope in scopes:
        tables = {alias for alias, source in scope.sources.items() if _is(source, table)}
        for each in scope.columns:
            if each.name.lower() == column and (each.table in tables or (tables and not each.table)):
                return True
    return False


def takes_all(sql: str, table: str, dialect: str) -> bool:
    """Whether a query takes every column of the table, whichever those are."""
    try:
        scopes = traverse_scope(parse_one(sql, dialect=dialect))
    except SqlglotError:
        return True  # better named in vain than passed over
    for scope in scopes:
        tables, query = {alias for alias, source in scope.sources.items() if _is(source, table)}, scope.expression
        taken = [each for each in query.selects if each.is_star] if tables and isinstance(query, exp.Query) else []
        if any(not isinstance(each, exp.Column) or each.table in tables for each in taken):
            return True
    return False


def _is(source: object, table: str) -> bool:
    return isinstance(source, exp.Table) and table in (source.name, f"{source.db}.{source.name}")


def _relationships(root: Path, table: str, column: str) -> Iterator[Reader]:
    wanted = f"{table}.{column}"
    for path in sorted((root / "contracts").glob(f"*/*{SUFFIX}")):
        text = path.read_text(encoding="utf-8")
        for number, line in enumerate(text.splitlines(), 1):
            words = line.replace("[", " ").replace("]", " ").replace("}", " ").replace(",", " ").replace('"', " ")
            if "to:" in line and wanted in words.split():
                yield f"contracts/{path.parent.name}/{path.name}", number
                break


def _line(text: str, column: str) -> int:
    return next((number for number, line in enumerate(text.splitlines(), 1) if column in line), 1)
