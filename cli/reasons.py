"""Why a role sees a table or a column, or does not: class, grant and filter, each with the line that says it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cli.errors import CommandError
from cli.lake_tables import BRONZE, OWN, VIEW, LakeTable
from cli.rights import Rights
from cli.sights import Sight
from config.positions import Document, FileError, read, suggestion
from contracts.contract import PROPERTIES, TABLE, Source
from contracts.governance import contract
from lake.governance import ACCESS, BY_FILTERS, column_classes
from lake.parts import Dataset
from lake.roles import UNCLASSED, Role

CREATED = re.compile(r"^\s*create\b", re.I | re.M)


class EnvironmentFileError(FileError):
    """An environment's file cannot be read any more."""


def explain(found: Rights, name: str, place: str) -> tuple[bool, list[str]]:
    """Whether the role sees the table or column, and the sentences that say why."""
    role = found.role(name)
    table, column = _place(found, place)
    reasons = Reasons(found, role)
    sight = found.judge.sight(role, table)
    seen = sight is not None and bool(sight.columns) and (not column or column in sight.columns)
    return seen, list(reasons.of(table, column, sight))


class Reasons:
    """What speaks for and against one role."""

    def __init__(self, found: Rights, role: Role) -> None:
        self._found, self._role = found, role
        file = f"config/{found.environment.name}.yaml"
        self._config: Document = read(found.root / file, file, EnvironmentFileError)

    def of(self, table: LakeTable, column: str, sight: Sight | None) -> Iterator[str]:
        role = self._role
        yield f"Role {role.name} reads {', '.join(role.reads) or 'no layer'} ({self._line('reads')})."
        yield from self._what(table)
        if sight is not None and not sight.columns:
            yield f"The role is shown {sight.note}{self._audit(table)}."
        if table.layer not in role.reads:
            yield f"The table is in {table.layer}."
            return
        if table.kind == OWN and table.dataset and column:
            held = column_classes(table.dataset)[column]
            yield f"Column {column} is of class {held} ({self._of_column(table.dataset, column)})."
        yield f"The role is granted {', '.join(role.classes) or 'no class'} ({self._line('classes')})."
        if self._found.plan.mode == "iam":
            yield "In mode iam a layer is open to roles that may see every class and row of it, and to no other."
        elif table.kind != VIEW:
            yield from self._reached(table, sight)
        hidden = [each for each in table.columns if sight and sight.columns and each not in sight.columns]
        if hidden and not column:
            yield f"Of its {len(table.columns)} columns these are not seen: {', '.join(hidden)}."

    def _what(self, table: LakeTable) -> Iterator[str]:
        """What kind of table it is, where it is not a contract's own."""
        if table.kind == VIEW:
            file = f"queries/{table.name}.sql"
            text = (self._found.root / file).read_text(encoding="utf-8")
            created = CREATED.search(text)
            line = text.count("\n", 0, created.end()) + 1 if created else 1
            below = sorted({place for place, _ in table.reads})
            yield f"It is a view, which holds no rows: who reads it has to see all that it reads ({file}:{line})."
            yield from (self._below(table, place) for place in below)
        elif table.kind != OWN and table.dataset:
            source = contract(table.dataset, self._found.root)
            where = f"{source.document.file}:{source.document.line(TABLE)}"
            what = "rows as they came from the source" if table.kind == BRONZE else "what was refused or deleted"
            yield f"It holds {what}, which no contract classes: it is {UNCLASSED} as a whole ({where})."

    def _below(self, view: LakeTable, place: str) -> str:
        wanted = sorted(column for table, column in view.reads if table == place)
        below = self._found.judge.sight(self._role, self._found.tables[place])
        hidden = [each for each in wanted if below is None or each not in below.columns]
        return f"Of {place} it reads {', '.join(wanted)}: {'not seen are ' + ', '.join(hidden) if hidden else 'seen'}."

    def _audit(self, table: LakeTable) -> str:
        return f", since it audits ({self._line('audit')})" if self._role.audit and table.kind != VIEW else ""

    def _reached(self, table: LakeTable, sight: Sight | None) -> Iterator[str]:
        dataset = table.dataset
        if table.kind != OWN:
            every = "is granted every class" if UNCLASSED in self._role.sees else "is not granted every class"
            yield f"The role {every}, which is what opens a table that is {UNCLASSED} as a whole."
        if dataset is None or table.kind == BRONZE or not dataset.row_filters:
            if self._role.limits:
                yield f"The table has no row filter, and the role sees rows by its filters only ({self._line('rows')})."
                return
            how = "column by column" if table.kind == OWN else "as a whole"
            yield f"The table has no row filter: it is reached by its tags (tag {ACCESS}), {how}."
            return
        yield f"The table has row filters: it is outside every grant by tags (tag {ACCESS}={BY_FILTERS})."
        yield from self._filters(dataset)
        for each in sorted(self._role.limits - {limit.name for limit in dataset.row_filters}):
            yield f"It sees rows by filter {each} only ({self._line('rows', each)}), and the table has none of it."
        if table.kind == OWN:
            yield from (f"Granted: {each}." for each in (sight.rows or ("all rows",) if sight else ("nothing",)))
        else:
            yield "It is granted to roles to which no filter hides a row."

    def _filters(self, dataset: Dataset) -> Iterator[str]:
        source = contract(dataset, self._found.root)
        field, _ = source.custom("rowFilters")
        for number, each in enumerate(dataset.row_filters):
            where = f"{source.document.file}:{source.document.line((*field, number))}"
            values = ", ".join(map(str, self._role.rows.get(each.name, ()))) or "no value"
            hides = f", which hides {', '.join(each.columns)} alone" if each.columns else ""
            line = self._line("rows", each.name)
            yield f"Filter {each.name} is by {each.column}{hides} ({where}); the role lists {values} ({line})."

    def _line(self, *field: str) -> str:
        return f"{self._config.file}:{self._config.line(('roles', self._role.name, *field))}"

    def _of_column(self, dataset: Dataset, column: str) -> str:
        source = contract(dataset, self._found.root)
        number = next((place for place, each in enumerate(source.properties) if each["name"] == column), None)
        if number is None:
            return "one that every table has"
        field = (*PROPERTIES, number, *(_mask(source, number) if dataset.masked_of else ()), "classification")
        return f"{source.document.file}:{source.document.line(field)}"


def _mask(source: Source, number: int) -> tuple[str | int, ...]:
    custom = enumerate(source.properties[number].get("customProperties", ()))
    place = next((i for i, each in custom if each["property"] == "mask"), None)
    return () if place is None else ("customProperties", place, "value")


def _place(found: Rights, place: str) -> tuple[LakeTable, str]:
    """A table by its name, with or without the layer, or its dataset's id; what follows it is a column."""
    named = _named(found)
    if place in named:
        return named[place], ""
    table, _, column = place.rpartition(".")
    if table not in named:
        raise CommandError(
            f"The table '{place}': expected one that has a contract, or that is made of one. {suggestion(place, named)}"
        )
    columns = named[table].columns
    if named[table].kind != BRONZE and column not in columns:
        raise CommandError(f"The column '{column}': expected one of {table}. {suggestion(column, columns)}")
    return named[table], column


def _named(found: Rights) -> Mapping[str, LakeTable]:
    """What a name alone means is silver's or gold's before bronze's."""
    named: dict[str, LakeTable] = {}
    for each in found.tables.values():
        own = each.kind == OWN and each.dataset is not None
        for name in (each.place, each.name, *([each.dataset.id] if own and each.dataset else ())):
            named[name] = each
    return named
