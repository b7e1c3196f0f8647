"""What changes between two versions of a dataset's table, and which changes its readers would feel."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from lake.parts import Column, Dataset

Grade = Literal["additive", "major", "impossible"]
ADDITIVE: Grade = "additive"  # no reader sees it: at the head of the next run
MAJOR: Grade = "major"  # readers must follow: `contract apply`, in a new major version
IMPOSSIBLE: Grade = "impossible"  # not to be had of this table at all

WIDENINGS = {("int", "bigint"), ("float", "double")}
NEW_DATASET = "Begin a dataset of a new name, and retire this one."
_NAME = re.compile(r"[a-z_]\w*\b(?!\()")  # a column in `bucket(4, name)` or `name desc`


@dataclass(frozen=True)
class Layout:
    """What a version says of its table: columns with stable ids; key, partitions and order by their names."""

    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    partition_by: tuple[str, ...] | None = None  # None where nothing is known of it
    sort_by: tuple[str, ...] | None = None
    append: bool = False  # rows never change once they are written

    @classmethod
    def of(cls, dataset: Dataset) -> Layout:
        append = dataset.load_mode == "append"
        return cls(dataset.columns, dataset.key, dataset.partition_by, dataset.sort_by, append)

    def by_id(self) -> dict[str, Column]:
        return {identity(each): each for each in self.columns}

    def in_ids(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Transforms and orders with ids for names, so that a rename does not change them."""
        ids = {each.name: identity(each) for each in self.columns}

        def known(found: re.Match[str]) -> str:
            return ids.get(found[0], found[0])

        return tuple(_NAME.sub(known, " ".join(text.replace(",", ", ").split())) for text in texts)


@dataclass(frozen=True)
class Change:
    """One difference: of the column `name`, as it was called before, or of the table where there is no name."""

    kind: Literal["add", "widen", "describe", "sort", "rename", "drop", "require", "release", "partition", "retype",
                  "key"]  # fmt: skip
    grade: Grade
    name: str
    old: str
    new: str
    remedy: str = ""
    column: Column | None = None  # as the new version has it

    def __str__(self) -> str:
        if self.kind in ("partition", "sort", "key"):
            what = {"partition": "partitions", "sort": "order", "key": "key"}[self.kind]
            return f"its {what} from '{self.old}' to '{self.new}'"
        return {
            "add": f"add '{self.name}' {self.new}",
            "drop": f"drop '{self.name}' {self.old}",
            "rename": f"rename '{self.old}' to '{self.new}'",
            "require": f"require '{self.name}'",
            "release": f"let '{self.name}' be null",
            "describe": f"describe '{self.name}' anew",
        }.get(self.kind, f"change '{self.name}' from {self.old} to {self.new}")

    @property
    def takes_name(self) -> bool:
        """Whether a query that names the column fails from then on."""
        return self.kind in ("rename", "drop")


def identity(column: Column) -> str:
    """What stays when the name changes; where a contract gives no id, the name is the id."""
    return column.id or column.name


def compare(old: Layout, new: Layout) -> list[Change]:
    """Every difference, those of a column that stays under its id."""
    before, after = old.by_id(), new.by_id()
    found = [
        each
        for id_, column in before.items()
        for each in ([_gone(old, column, new.append)] if id_ not in after else _changed(column, after[id_]))
    ]
    found += [_added(column) for id_, column in after.items() if id_ not in before]
    return [*found, *_of_table(old, new)]


def grade(changes: Iterable[Change]) -> Grade:
    """The gravest of them."""
    found = {each.grade for each in changes}
    return next((each for each in (IMPOSSIBLE, MAJOR) if each in found), ADDITIVE)


def major(version: str) -> int:
    return int(version.partition(".")[0])


def _gone(old: Layout, held: Column, append: bool) -> Change:
    remedy = ""
    if held.name in _NAME.findall(" ".join(old.partition_by or ())):
        remedy = f"Its table is laid out by it: keep the column. {NEW_DATASET}"
    elif append:  # a row's hash would change, and the row be refused when it is read again
        remedy = f"Rows of an append dataset never change: keep the column, and let it be null. {NEW_DATASET}"
    return Change("drop", IMPOSSIBLE if remedy else MAJOR, held.name, held.type, "", remedy)


def _changed(held: Column, wanted: Column) -> Iterator[Change]:
    if wanted.name != held.name:
        yield Change("rename", MAJOR, held.name, held.name, wanted.name, column=wanted)
    if widens(held.type, wanted.type) and held.type != wanted.type:
        yield Change("widen", ADDITIVE, held.name, held.type, wanted.type, column=wanted)
    elif held.type != wanted.type:
        remedy = (
            f"Keep {held.type}; or give the property a new id: then the old column is dropped, and one of"
            f" {wanted.type} begins empty, in a new major version."
        )
        yield Change("retype", IMPOSSIBLE, held.name, held.type, wanted.type, remedy, wanted)
    if wanted.required != held.required:
        kind: Literal["require", "release"] = "require" if wanted.required else "release"
        yield Change(kind, MAJOR, held.name, _requiredness(held), _requiredness(wanted), column=wanted)
    if wanted.description != held.description:
        yield Change("describe", ADDITIVE, held.name, held.description, wanted.description, column=wanted)


def _added(column: Column) -> Change:
    if not column.required:
        return Change("add", ADDITIVE, column.name, "", column.type, column=column)
    remedy = "Add it as optional now; require it in a later major version, when every row has it."
    return Change("add", IMPOSSIBLE, column.name, "", f"{column.type}, a required one", remedy, column)


def _of_table(old: Layout, new: Layout) -> Iterator[Change]:
    if old.key and set(old.in_ids(old.key)) != set(new.in_ids(new.key)):
        remedy = f"Rows are told apart by their key. {NEW_DATASET}"
        yield Change("key", IMPOSSIBLE, "", _listed(old.key), _listed(new.key), remedy)
    if old.partition_by is not None and old.in_ids(old.partition_by) != new.in_ids(new.partition_by or ()):
        yield Change("partition", MAJOR, "", _listed(old.partition_by), _listed(new.partition_by or ()))
    if old.sort_by is not None and old.in_ids(old.sort_by) != new.in_ids(new.sort_by or ()):
        yield Change("sort", ADDITIVE, "", _listed(old.sort_by), _listed(new.sort_by or ()))


def widens(old: str, new: str) -> bool:
    """Whether every value of the old type is one of the new, to Iceberg too."""
    if old == new or (old, new) in WIDENINGS:
        return True
    before, after = (re.fullmatch(r"decimal\((\d+),(\d+)\)", each) for each in (old, new))
    return bool(before and after and before[2] == after[2] and int(after[1]) >= int(before[1]))


def statements(table: str, changes: Iterable[Change]) -> list[str]:
    """The changes as a person reads them; they are made in one commit."""
    return [f"ALTER TABLE {table} {said}" for each in changes if (said := _said(each))]


def _said(change: Change) -> str:
    name = f"`{change.column.name if change.column else change.name}`"  # its new name: a rename is said first
    told: Mapping[str, str] = {
        "add": f"ADD COLUMN {name} {change.new}",
        "drop": f"DROP COLUMN {name}",
        "rename": f"RENAME COLUMN `{change.old}` TO `{change.new}`",
        "widen": f"ALTER COLUMN {name} TYPE {change.new}",
        "require": f"ALTER COLUMN {name} SET NOT NULL",
        "release": f"ALTER COLUMN {name} DROP NOT NULL",
        "describe": f"ALTER COLUMN {name} COMMENT '{change.new}'",
        "partition": f"REPLACE PARTITIONS ({change.old}) WITH ({change.new})",
        "sort": f"WRITE ORDERED BY ({change.new})",
    }
    return told.get(change.kind, "")


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(texts)


def _requiredness(column: Column) -> str:
    return "a required one" if column.required else "an optional one"
