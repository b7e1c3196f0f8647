"""A contract's relationships, made into foreign keys of the lake: the parent is there, and of the same types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from config.positions import Field, Problem, suggestion
from contracts.contract import PROPERTIES, TABLE, Source
from lake.model import Reference

Declared = tuple[Field, list[str], list[str]]


def references(source: Source, tables: Mapping[str, str]) -> tuple[Reference, ...]:
    """`tables` gives the dataset of each table's name, as in `saas_users.user_id`."""
    made = []
    for _, columns, targets in _declared(source):
        parent = tables.get(targets[0].partition(".")[0], "")
        parents = tuple(target.partition(".")[2] for target in targets)
        made.append(Reference("foreign_key_" + "_".join(columns), tuple(columns), parent, parents))
    return tuple(made)


def parents(source: Source, tables: Mapping[str, str]) -> set[str]:
    return {each.dataset for each in references(source, tables) if each.dataset}


def problems(source: Source, tables: Mapping[str, str], datasets: Mapping[str, Source]) -> list[Problem]:
    """`datasets` holds the parents that can be read; what is wrong with the others is said of them."""
    found: list[Problem] = []
    for field, columns, targets in _declared(source):
        names = {target.partition(".")[0] for target in targets}
        unknown = [name for name in names if name not in tables]
        found += [source.unknown_column(field, name) for name in columns if name not in source.columns]
        if unknown:
            remedy = suggestion(unknown[0], tables)
            expected = "expected a table SOURCE_NAME that has a contract"
            found.append(source.document.problem((*field, "to"), unknown[0], expected, remedy))
        elif len(names) > 1 or len(columns) != len(targets):
            expected = "expected as many columns of one table as this side has"
            found.append(source.document.problem((*field, "to"), ", ".join(targets), expected, "Pair the columns."))
        elif parent := datasets.get(tables[names.pop()]):
            found += _pairs(source, field, columns, targets, parent)
    return found


def _pairs(source: Source, field: Field, columns: list[str], targets: list[str], parent: Source) -> Iterator[Problem]:
    for column, target in zip(columns, targets, strict=True):
        wanted, name = source.columns.get(column), target.partition(".")[2]
        if name not in parent.columns:
            expected = f"expected a column of {parent.id}"
            yield source.document.problem((*field, "to"), name, expected, suggestion(name, parent.columns))
        elif wanted is not None and parent.columns[name] != wanted:
            expected = f"expected type {wanted} as {column} has, and {parent.id} says {parent.columns[name]}"
            yield source.document.problem((*field, "to"), target, expected, "Give both columns one type.")


def _declared(source: Source) -> Iterator[Declared]:
    """Each relationship: where it stands, the columns here, and their TABLE.COLUMN there."""
    for number, each in enumerate(source.properties):
        for place, relationship in enumerate(each.get("relationships", ())):
            yield (*PROPERTIES, number, "relationships", place), [each["name"]], _texts(relationship["to"])
    for place, relationship in enumerate(source.document.data["schema"][0].get("relationships", ())):
        columns = [name.rpartition(".")[2] for name in _texts(relationship.get("from", []))]
        yield (*TABLE, "relationships", place), columns, _texts(relationship["to"])


def _texts(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
