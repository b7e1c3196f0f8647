"""Gold models: the SELECT in models/NAME.sql names datasets that exist and gives the columns of its contract."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlglot import exp
from sqlglot.errors import SqlglotError

from config.positions import Problem, suggestion
from contracts import declassified
from contracts.contract import ContractError, Source
from contracts.expressions import DIALECT, Fault, changing, parse

NAMED = re.compile(r"'(?P<quoted>[^']+)'|Unknown column: (?P<bare>\S+)")  # in what sqlglot says


@dataclass(frozen=True)
class Model:
    """A model's SELECT, and the tables that it names."""

    file: str
    sql: str
    query: exp.Query
    tables: tuple[str, ...]

    def problem(self, value: str, expected: str, remedy: str) -> Problem:
        """A problem at the first line that holds the value."""
        lines = self.sql.splitlines()
        line = next((number for number, text in enumerate(lines, 1) if value in text), 1)
        return Problem(self.file, line, "", value, expected, remedy)


def open_model(root: Path, name: str) -> Model:
    """A gold dataset's model; raises ContractError where there is none, or none that parses."""
    file = f"models/{name}.sql"
    path = root / file
    if not path.exists():
        expected = f"expected a file, since contracts/gold/{name}.odcs.yaml says what it selects"
        raise ContractError([Problem(file, 1, "", file, expected, "Write the SELECT there, or remove the contract.")])
    sql = path.read_text(encoding="utf-8")
    query = parse(sql)
    if isinstance(query, exp.Query):
        fault = changing(query)
    else:
        fault = query if isinstance(query, Fault) else Fault(name, "expected one SELECT", "Write one SELECT.")
    if fault:
        raise ContractError([Problem(file, 1, "", fault.value, fault.expected, fault.remedy)])
    assert isinstance(query, exp.Query)
    local = {each.alias for each in query.find_all(exp.CTE)}
    tables = {each.sql(dialect=DIALECT, identify=False) for each in _tables(query)} - local
    return Model(file, sql, query, tuple(sorted(tables)))


def _tables(query: exp.Query) -> list[exp.Table]:
    return [exp.table_(each.name, db=each.db or None) for each in query.find_all(exp.Table)]


def inputs(model: Model, tables: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(tables[table] for table in model.tables if table in tables))


def problems(model: Model, source: Source, tables: Mapping[str, str], datasets: Mapping[str, Source]) -> list[Problem]:
    unknown = [table for table in model.tables if table not in tables]
    if unknown:
        expected = "expected a table SOURCE_NAME or gold_NAME that has a contract"
        return [model.problem(table, expected, suggestion(table, tables)) for table in unknown]
    used = [datasets[each] for each in inputs(model, tables)]
    resolved = _resolved(model, used)
    if isinstance(resolved, Problem):
        return [resolved]
    return _selected(model, source) or declassified.problems(source, model.file, model.sql, resolved, used)


def _resolved(model: Model, used: Sequence[Source]) -> exp.Query | Problem:
    """Each column with its table, found as Spark's analyzer would; a problem where the inputs do not have one."""
    from sqlglot.optimizer.qualify import qualify  # only gold needs it, and it takes a while to import

    schema: dict[str, object] = {each.table: dict(each.columns) for each in used}
    try:
        resolved = qualify(model.query.copy(), schema=schema, dialect=DIALECT)
    except SqlglotError as error:
        told = str(error).partition("\n")[0]
        named = NAMED.search(told)
        value = named["quoted"] or named["bare"] if named else model.file
        known = {column for each in used for column in each.columns}
        expected = f"expected a column of {', '.join(each.id for each in used)}"
        return model.problem(value, expected, suggestion(value.rpartition(".")[2], known))
    assert isinstance(resolved, exp.Query)
    return resolved


def _selected(model: Model, source: Source) -> list[Problem]:
    selected, wanted = model.query.named_selects, list(source.columns)
    missing = [name for name in wanted if name not in selected]
    extra = [name for name in selected if name not in wanted]
    found = []
    for name in missing:
        expected = f"expected among the columns that the model selects, since {source.document.file} has it"
        found.append(model.problem(name, expected, suggestion(name, extra) if extra else "Select it."))
    for name in extra:
        expected = f"expected a column of {source.document.file}"
        found.append(model.problem(name, expected, suggestion(name, missing) if missing else "Add it there."))
    return found


def circles(gold: Mapping[str, tuple[str, ...]]) -> list[Problem]:
    """Models that are built from each other, with the way round."""
    for start in gold:
        way, ahead = {start: [start]}, [start]
        while ahead:
            here = ahead.pop()
            for each in gold.get(here, ()):
                if each == start:
                    file, trail = f"models/{start.partition('.')[2]}.sql", " <- ".join([*way[here], start])
                    return [Problem(file, 1, "", trail, "expected models without a circle", "Break the circle.")]
                if each not in way:
                    way[each] = [*way[here], each]
                    ahead.append(each)
    return []
