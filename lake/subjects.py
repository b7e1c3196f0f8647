"""Whose rows a dataset holds: the columns that carry a subject's id, as contracts' subjectId and foreign keys say."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from lake.evolution import identity
from lake.model import Lake
from lake.parts import Dataset

ERASURE_KEY = "governance/erasure"  # the secret's name
WHOLE = ("int", "bigint")
BLANKS = "".join(map(chr, (*range(33), *range(127, 160))))  # that a cast to a number passes over
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,2})?", re.IGNORECASE)


class UnknownSubjectError(ValueError):
    """A subject that no contract tells how to find, or an id that cannot be one."""


@dataclass(frozen=True)
class Mark:
    """A column by which rows are told to be a subject's: its type in the lake, and every name that a source gave it."""

    column: str
    kind: str
    names: tuple[str, ...]  # the contract's own first, then those of before, the latest first

    def name_in(self, there: Container[str]) -> str | None:
        """What the column is called by rows that have these names."""
        return next((each for each in self.names if each in there), None)


def marks(dataset: Dataset, columns: Iterable[str], before: Iterable[Mapping[str, str]] = ()) -> tuple[Mark, ...]:
    """`before` is what the source called the contract's columns, by their ids, the latest first."""
    known, former = {each.name: each for each in dataset.columns}, list(before)
    return tuple(
        Mark(
            name, known[name].type, tuple(dict.fromkeys((known[name].source, *_former(identity(known[name]), former))))
        )
        for name in columns
    )


def _former(id_: str, before: Iterable[Mapping[str, str]]) -> list[str]:
    return [each[id_] for each in before if id_ in each]


def carried(lake: Lake, dataset: Dataset) -> dict[str, str]:
    """For each column that carries a subject's id, the dataset that the subject is of."""
    found = {each.name: _root(lake, dataset, each.name) for each in dataset.columns}
    return {column: root for column, root in found.items() if root}


def _root(lake: Lake, dataset: Dataset, column: str, seen: frozenset[tuple[str, str]] = frozenset()) -> str | None:
    """Where foreign keys lead from a column, through however many datasets; a key may lead back to its own."""
    here = (dataset.id, column)
    if here in seen:
        return None
    for reference in dataset.references:
        for name, parent in zip(reference.columns, reference.parent_columns, strict=True):
            if name == column and (root := _root(lake, lake.dataset(reference.dataset), parent, seen | {here})):
                return root
    return dataset.id if column == dataset.subject and not dataset.masked_of else None


def roots(lake: Lake) -> list[str]:
    """The datasets that subjects are of."""
    return sorted({root for each in map(lake.dataset, lake.dataset_ids()) for root in carried(lake, each).values()})


def root_of(lake: Lake, dataset: str | None) -> Dataset:
    """The dataset whose subject is meant; it has to be named where there are several."""
    known = roots(lake)
    if dataset is None and len(known) == 1:
        return lake.dataset(known[0])
    if dataset not in known:
        said = "no dataset" if dataset is None else f"'{dataset}'"
        raise UnknownSubjectError(
            f"The subject is of {said}: expected one of {', '.join(known) or 'those whose contract has a subjectId'},"
            " since ids of different datasets are of different people. Name it with --dataset."
        )
    return lake.dataset(dataset)


def canonical(dataset: Dataset, text: str) -> str:
    """The id as its column's type writes it; what is wrong with one that cannot be one, without the id."""
    kind = next(each.type for each in dataset.columns if each.name == dataset.subject)
    bare = text.strip()
    if bare and kind in WHOLE and not re.fullmatch(r"-?\d+", bare, re.ASCII):
        raise UnknownSubjectError(
            f"The subject's id: expected a whole number, as {dataset.subject} of {dataset.id} is. Correct it."
        )
    if not bare:
        raise UnknownSubjectError(
            "The subject's id: expected one that is not empty. Give it with --subject, or on standard input with"
            " --subject -."
        )
    return str(int(bare)) if kind in WHOLE else text.strip(" ")  # a source's char(n) has spaces behind it


def as_id(kind: str, text: str) -> str:
    """What of a text is the id, as `canonical` writes it: a whole number may come as 0042 or as 42.0."""
    bare = text.strip(BLANKS)
    if kind in WHOLE and NUMBER.fullmatch(bare) and (number := Decimal(bare)) == number.to_integral_value():
        return str(int(number))
    return text.strip(" ")


def holders(lake: Lake, root: str) -> dict[str, tuple[str, ...]]:
    """The datasets loaded from sources that carry ids of such subjects, each with its columns."""
    found = {}
    for each in map(lake.dataset, lake.dataset_ids()):
        columns = tuple(column for column, of in carried(lake, each).items() if of == root)
        if columns and not each.is_made:
            found[each.id] = columns
    return found


def made_from(lake: Lake, names: Mapping[str, object]) -> list[str]:
    """The masked and gold tables that are made of these datasets, however indirectly."""
    made = [each for each in map(lake.dataset, lake.dataset_ids()) if each.is_made]
    reached = set(names)
    while more := {each.id for each in made if reached.intersection(each.inputs)} - reached:
        reached |= more
    return sorted(each.id for each in made if each.id in reached)


def digest(key: bytes, root: str, subject: str) -> str:
    """What the lake remembers of who is forgotten: nobody finds the id from it without the key."""
    return hmac.new(key, f"{root}\0{subject}".encode(), hashlib.sha256).hexdigest()
