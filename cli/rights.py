"""Who sees what, read from the plan: a role's columns and rows of a table, and why, with the lines that say so."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import config
import contracts
from cli.errors import CommandError
from config import Environment
from config.positions import FileError, read, suggestion
from contracts.compile import describe
from contracts.governance import contract
from lake.governance import ACCESS, BY_FILTERS, column_classes, plan, readable_whole
from lake.masking import masked
from lake.parts import Dataset
from lake.rights import Plan
from lake.roles import Role

PARTS = ("config", "contracts", "models")


@dataclass(frozen=True)
class Sight:
    """What a role sees of a table: `rows` is empty for all of them, else one condition for each filter."""

    role: str
    table: str
    columns: tuple[str, ...]
    rows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rights:
    """The plan of an environment as its files say it, and what it is made from."""

    environment: Environment
    datasets: Mapping[str, Dataset]
    plan: Plan
    root: Path

    @property
    def _by_iam(self) -> bool:
        return self.environment.governance == "iam"

    @cached_property
    def _whole(self) -> dict[str, tuple[str, ...]]:
        return {each.name: readable_whole(each, self.datasets.values()) for each in self.environment.roles.values()}

    def sights(self) -> Iterator[Sight]:
        """By role and table; of a table that a role sees nothing of, nothing."""
        for role in sorted(self.environment.roles.values(), key=lambda each: each.name):
            if "bronze" in (self._whole[role.name] if self._by_iam else role.reads):
                yield Sight(role.name, "bronze.*", ("*",))
            for dataset in self.datasets.values():
                if found := self.sight(role, dataset):
                    yield found

    def sight(self, role: Role, dataset: Dataset) -> Sight | None:
        table = f"{dataset.layer}.{dataset.table}"
        if self._by_iam:
            opened = dataset.layer in self._whole[role.name]
            return Sight(role.name, table, tuple(column_classes(dataset))) if opened else None
        if dataset.layer not in role.reads:
            return None
        if not dataset.row_filters:
            columns = tuple(name for name, held in column_classes(dataset).items() if held in role.sees)
            return Sight(role.name, table, columns) if columns else None
        granted = [
            each.filter
            for each in self.plan.of(dataset.id).filter_grants
            if each.role == role.name and each.filter.table == dataset.table
        ]
        columns = tuple(dict.fromkeys(column for each in granted for column in each.columns))
        rows = tuple(f"{each.rows or 'all rows'}: {', '.join(each.columns)}" for each in granted)
        whole = len(granted) == 1 and not granted[0].rows
        return Sight(role.name, table, columns, () if whole else rows) if granted else None


def rights(env: str, root: Path = contracts.ROOT) -> Rights:
    """Of the files below root; a folder of an earlier revision has its own environments too."""
    environment = config.load(env) if root == contracts.ROOT else config.load_file(root / "config" / f"{env}.yaml")
    datasets = contracts.load_all(root)
    datasets |= {each.id: each for one in list(datasets.values()) if (each := masked(one))}
    return Rights(environment, datasets, plan(describe(environment), datasets.values()), root)


def at_revision(env: str, revision: str, folder: Path) -> Rights:
    """The same as of a commit, whose files are laid into the folder."""
    command = ["git", "-C", str(contracts.ROOT), "archive", revision, "--", *PARTS]
    done = subprocess.run(command, capture_output=True)
    if done.returncode:
        raise CommandError(f"The revision '{revision}': expected one that git knows. Fetch it, or name another.")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    try:
        return rights(env, folder)
    except (FileError, FileNotFoundError) as error:
        raise CommandError(
            f"The revision '{revision}': expected contracts and roles that this version reads. {error}"
        ) from error


def changes(before: Rights, after: Rights) -> list[tuple[str, Sight]]:
    """`-` for what is seen no more, `+` for what is seen anew."""
    old, new = set(before.sights()), set(after.sights())
    marked = [("-", each) for each in old - new] + [("+", each) for each in new - old]
    return sorted(marked, key=lambda each: (each[1].role, each[1].table, each[0] == "+"))


def explain(found: Rights, name: str, place: str) -> tuple[bool, list[str]]:
    """Whether the role sees the table or column, and the sentences that say why."""
    role = found.environment.roles.get(name)
    if role is None:
        known = found.environment.roles
        raise CommandError(
            f"The role '{name}': expected one of config/{found.environment.name}.yaml. {suggestion(name, known)}"
        )
    dataset, column = _place(found.datasets.values(), place)
    said = [f"Role {name} reads {', '.join(role.reads) or 'no layer'} ({_config(found, name, 'reads')})."]
    sight = found.sight(role, dataset)
    if dataset.layer not in role.reads:
        return False, [*said, f"The table is in {dataset.layer}."]
    if column:
        held = column_classes(dataset)[column]
        said.append(f"Column {column} is of class {held} ({_of_column(found, dataset, column)}).")
        said.append(f"The role is granted {', '.join(role.classes) or 'no class'} ({_config(found, name, 'classes')}).")
    if found.environment.governance == "iam":
        said.append(
            "In mode iam a layer is open to roles that may see all of it, every class and every row, and to no other."
        )
    else:
        said += _reached(found, role, dataset, sight)
    return sight is not None and (not column or column in sight.columns), said


def _reached(found: Rights, role: Role, dataset: Dataset, sight: Sight | None) -> list[str]:
    if not dataset.row_filters:
        return [f"The table has no row filter: it is reached by its tags (tag {ACCESS}), column by column."]
    said = [f"The table has row filters: it is outside every grant by tags (tag {ACCESS}={BY_FILTERS})."]
    source = contract(dataset, found.root)
    field, _ = source.custom("rowFilters")
    for number, each in enumerate(dataset.row_filters):
        where = f"{source.document.file}:{source.document.line((*field, number))}"
        values = ", ".join(map(str, role.rows.get(each.name, ()))) or "no value"
        hides = f", which hides {', '.join(each.columns)} alone" if each.columns else ""
        line = _config(found, role.name, "rows", each.name)
        said.append(f"Filter {each.name} is by {each.column}{hides} ({where}); the role lists {values} ({line}).")
    return [*said, *(f"Granted: {each}." for each in (sight.rows or ("all rows",) if sight else ("nothing",)))]


def _place(datasets: Iterable[Dataset], place: str) -> tuple[Dataset, str]:
    """A dataset by its id or its table's name, with or without the layer; what follows it is a column."""
    named = {name: each for each in datasets for name in (each.id, each.table, f"{each.layer}.{each.table}")}
    if place in named:
        return named[place], ""
    table, _, column = place.rpartition(".")
    if table not in named:
        raise CommandError(f"The table '{place}': expected one that has a contract. {suggestion(place, named)}")
    columns = column_classes(named[table])
    if column not in columns:
        raise CommandError(f"The column '{column}': expected one of {table}. {suggestion(column, columns)}")
    return named[table], column


def _config(found: Rights, role: str, *field: str) -> str:
    file = f"config/{found.environment.name}.yaml"
    return f"{file}:{read(found.root / file, file, CommandFileError).line(('roles', role, *field))}"


def _of_column(found: Rights, dataset: Dataset, column: str) -> str:
    source = contract(dataset, found.root)
    number = next((place for place, each in enumerate(source.properties) if each["name"] == column), None)
    if number is None:
        return "one that every table has"
    field: tuple[str | int, ...] = ("schema", 0, "properties", number)
    custom = enumerate(source.properties[number].get("customProperties", ())) if dataset.masked_of else ()
    place = next((i for i, each in custom if each["property"] == "mask"), None)
    masked = () if place is None else ("customProperties", place, "value")
    return f"{source.document.file}:{source.document.line((*field, *masked, 'classification'))}"


class CommandFileError(FileError):
    """An environment's file cannot be read any more."""
