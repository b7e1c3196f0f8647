"""What holds only between an environment's roles and the contracts: refused where it grants nothing, or too much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import config
from config import Environment
from config.positions import Field, Problem, suggestion
from contracts.contract import SUFFIX, Source, open_file
from lake import filters
from lake.parts import Dataset
from lake.roles import Role, RowFilter, Value


def problems(environment: Environment, datasets: Mapping[str, Dataset], root: Path) -> Iterator[Problem]:
    """What is wrong with its roles beside these contracts, and with the roles that contracts name."""
    limited = [each for each in datasets.values() if each.row_filters]
    given = {column.classification for each in datasets.values() for column in each.columns}
    for role in environment.roles.values():
        yield from _classes(environment, role, given)
        yield from _rows(environment, role, limited)
        yield from _raw(environment, role, limited)
    for each in datasets.values():
        for name in each.roles:
            yield from _meant(environment, each, name, root)


def _classes(environment: Environment, role: Role, given: set[str]) -> Iterator[Problem]:
    """One class of the role is a column's; the others may wait for a contract."""
    if given and role.classes and not given & set(role.classes):
        expected = "expected a role with a class that a contract gives to a column: this one would see nothing"
        field: Field = ("roles", role.name, "classes", 0)
        yield config.problem(
            environment, field, role.classes[0], expected, f"Give it one of {', '.join(sorted(given))}."
        )


def _rows(environment: Environment, role: Role, limited: list[Dataset]) -> Iterator[Problem]:
    """Each filter that the role lists values of is there, in a layer that it reads, and takes them."""
    names = {each.name for dataset in limited for each in dataset.row_filters}
    for name, values in role.rows.items():
        field: Field = ("roles", role.name, "rows", name)
        of = [(dataset, each) for dataset in limited for each in dataset.row_filters if each.name == name]
        if not of:
            yield config.problem(
                environment, field, name, "expected a row filter of a contract", suggestion(name, names)
            )
        elif not any(dataset.layer in role.reads for dataset, _ in of):
            layers = " or ".join(sorted({dataset.layer for dataset, _ in of}))
            expected = f"expected {layers} among reads: there are the rows that this would show"
            yield config.problem(environment, field, name, expected, "Add the layer, or remove the filter.")
        else:
            for each in {filters.kind(*each): each for each in of}.values():
                yield from _values(environment, role, each, field, values)
    for dataset in limited:
        if dataset.layer in role.reads:
            yield from _limits(environment, role, dataset)


def _limits(environment: Environment, role: Role, dataset: Dataset) -> Iterator[Problem]:
    """Lake Formation takes the role's filters of the dataset's table: they are not too many, and not too long."""
    number, size = filters.count(dataset, role), filters.longest(dataset, role)
    named = [each.name for each in dataset.row_filters if each.name in role.rows and not role.unlimited(each.name)]
    field: Field = ("roles", role.name, "rows", *named[:1])
    if number > filters.MOST:
        expected = f"expected at most {filters.MOST} filters of {dataset.id} for one role, and these make {number}"
        yield config.problem(environment, field, role.name, expected, "List fewer values, or write another role.")
    elif size > filters.LONGEST_ROWS:
        expected = f"expected filters of {dataset.id} in {filters.LONGEST_ROWS} bytes each, and one takes {size}"
        yield config.problem(environment, field, role.name, expected, "Filter by a column of shorter values.")


def _values(
    environment: Environment, role: Role, of: tuple[Dataset, RowFilter], field: Field, values: tuple[Value, ...]
) -> Iterator[Problem]:
    dataset, limit = of
    kind = filters.kind(dataset, limit)
    for number, value in enumerate(() if role.unlimited(limit.name) else values):
        if isinstance(value, str) != (kind == "string"):
            expected = f"expected a value of type {kind}, which {limit.column} of {dataset.id} is"
            remedy = "Write it in quotes." if kind == "string" else "Write a whole number, without quotes."
            yield config.problem(environment, (*field, number), value, expected, remedy)
        elif not filters.fits(dataset, limit, value):
            what = "text without control characters" if kind == "string" else f"a number that {kind} holds"
            expected = f"expected {what}, for {limit.column} of {dataset.id}"
            yield config.problem(environment, (*field, number), value, expected, "No row has such a value: remove it.")


def _raw(environment: Environment, role: Role, limited: list[Dataset]) -> Iterator[Problem]:
    """Bronze holds every row, so who may see some of a dataset's only may not read it."""
    if "bronze" not in role.reads:
        return
    for name in sorted({each.name for dataset in limited for each in dataset.row_filters}):
        if not role.unlimited(name):
            field: Field = ("roles", role.name, "reads", role.reads.index("bronze"))
            expected = f"expected no bronze for a role that sees some rows of filter '{name}' only: it has all of them"
            yield config.problem(environment, field, "bronze", expected, f"Remove it, or write `{name}: all` to rows.")


def _meant(environment: Environment, dataset: Dataset, name: str, root: Path) -> Iterator[Problem]:
    """A role that a contract names is there, and sees something of the dataset."""
    role = environment.roles.get(name)
    if role is None:
        expected = f"expected a role of config/{environment.name}.yaml"
        yield _of_contract(dataset, name, expected, suggestion(name, environment.roles), root)
    elif dataset.layer not in role.reads:
        expected = f"expected a role that reads {dataset.layer}, and it does not in config/{environment.name}.yaml"
        yield _of_contract(dataset, name, expected, "Let it read the layer, or remove it here.", root)
    elif not {each.classification for each in dataset.columns} & set(role.classes):
        expected = f"expected a role with the class of a column, in config/{environment.name}.yaml"
        yield _of_contract(dataset, name, expected, "Give it a class of the dataset, or remove it here.", root)
    elif dataset.row_filters and filters.count(dataset, role) == 0:
        expected = f"expected a role that sees rows of it, and it lists none in config/{environment.name}.yaml"
        yield _of_contract(dataset, name, expected, "List values of its row filters, or remove it here.", root)


def _of_contract(dataset: Dataset, name: str, expected: str, remedy: str, root: Path) -> Problem:
    source = contract(dataset, root)
    number = next(place for place, each in enumerate(source.document.data["roles"]) if each["role"] == name)
    return source.document.problem(("roles", number, "role"), name, expected, remedy)


def contract(dataset: Dataset, root: Path) -> Source:
    """The contract of a dataset or of its masked table, whose file says where everything stands."""
    business, _, name = dataset.contract.partition(".")
    return open_file(root / "contracts" / business / f"{name}{SUFFIX}", dataset.contract)
