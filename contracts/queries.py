"""The files of queries/: views of gold, and the queries that people find by name in Athena's console."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlglot import exp

from config.positions import Problem
from contracts import view_types
from contracts.contract import GOLD
from contracts.query_file import LAYERS, QueryFile, QueryFileError, Tables, in_databases
from lake.model import Dataset
from lake.tables import DELETED, LINEAGE, QUARANTINE
from lake.views import View


@dataclass(frozen=True)
class NamedQuery:
    """A query that Athena keeps under a name."""

    name: str
    description: str
    text: str


@dataclass(frozen=True)
class Queries:
    """What the folder holds, for the databases of one environment."""

    views: tuple[View, ...]
    named: tuple[NamedQuery, ...]


def load_all(root: Path, datasets: Mapping[str, Dataset], databases: Mapping[str, str]) -> Queries:
    """Everything in queries/; raises QueryFileError with all that is wrong in any of its files."""
    problems: list[Problem] = []
    files = list(_files(root, problems))
    known = tables(datasets.values())
    views = [_view(each, known, datasets, databases, problems) for each in files if each.view]
    made = tuple(each for each in views if each)
    with_views = {**known, GOLD: known[GOLD] | {each.name: _columns(each) for each in made}}
    named = [_named(each, with_views, databases, problems) for each in files if not each.view]
    if problems:
        raise QueryFileError(sorted(problems, key=lambda each: (each.file, each.line)))
    return Queries(made, tuple(each for each in named if each))


def _files(root: Path, problems: list[Problem]) -> Iterator[QueryFile]:
    for path in sorted((root / "queries").glob("*.sql")):
        file, text = f"queries/{path.name}", path.read_bytes()
        try:
            yield QueryFile(file, path.stem, text.decode("utf-8"))
        except UnicodeDecodeError as error:
            line, value = text.count(b"\n", 0, error.start) + 1, f"byte {text[error.start]:#x}"
            problems.append(Problem(file, line, "", value, "expected SQL in UTF-8", "Save it as such."))


def tables(datasets: Iterable[Dataset]) -> Tables:
    """Every table of silver and gold that contracts make, with its columns."""
    found: Tables = {layer: {} for layer in LAYERS}
    for each in datasets:
        columns = {column.name: column.type for column in each.columns}
        found[each.layer][each.table] = columns | LINEAGE
        if not each.is_made:
            found["silver"][each.quarantine_table] = dict(QUARANTINE)
        if each.deletes:
            found["silver"][each.deleted_table] = {name: columns[name] for name in each.key} | DELETED
    return found


def _named(file: QueryFile, known: Tables, databases: Mapping[str, str], problems: list[Problem]) -> NamedQuery | None:
    try:
        file.checked(known)
    except QueryFileError as error:
        problems += error.problems
        return None
    return NamedQuery(file.name, file.description, in_databases(file.text, databases))


def _view(
    file: QueryFile,
    known: Tables,
    datasets: Mapping[str, Dataset],
    databases: Mapping[str, str],
    problems: list[Problem],
) -> View | None:
    try:
        if file.view != f"{GOLD}.{file.name}":
            expected = f"expected the view '{GOLD}.{file.name}', after the file"
            raise file.problem(1, file.view or "", expected, f"Write ${{gold}}.{file.name}, or rename the file.")
        if file.name in known[GOLD]:
            expected = "expected a name that no table of gold has"
            raise file.problem(1, file.name, expected, "Rename the view and its file.")
        query = file.checked(known)
        places = {(each.layer, each.table): each for each in datasets.values()}
        _without_row_filters(file, query, places)
        read = {(each.db, each.name) for each in query.find_all(exp.Table) if each.db}
        inputs = [places[place] for place in sorted(read) if place in places]
        described = {column.name: column.description for each in inputs for column in each.columns}
        columns = view_types.columns(file, query, known, described)
    except QueryFileError as error:
        problems += error.problems
        return None
    sql = in_databases(file.query, databases)
    return View(file.name, file.description, sql, columns, tuple(each.id for each in inputs))


def _without_row_filters(file: QueryFile, query: exp.Query, places: Mapping[tuple[str, str], Dataset]) -> None:
    for table in query.find_all(exp.Table):
        read = places.get((table.db, table.name))
        if read and read.row_filters:
            expected = "expected a table without row filters: Lake Formation does not hold them in a view"
            remedy = "Make a gold table of it in models/, or a named query, which each role runs with its own rows."
            raise file.at(table, f"{table.db}.{table.name}", expected, remedy)


def _columns(view: View) -> dict[str, str]:
    return {each.name: each.type for each in view.columns}
