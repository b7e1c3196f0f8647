"""What changed in contracts since a revision: each change with its grade, what it would break, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from config.positions import Field, Problem, parse
from contracts import columns
from contracts.contract import PROPERTIES, SUFFIX, TABLE, ContractError, Source, check_schema, open_file
from contracts.readers import Reader, readers
from contracts.revision import NoRevisionError, Revision, find
from lake.evolution import ADDITIVE, IMPOSSIBLE, MAJOR, Change, Layout, compare, grade, major
from lake.masking import SUFFIX as MASKED, masked
from lake.model import Dataset

FOLDER = "contracts"
PLACES = {"rename": "name", "widen": "physicalType", "retype": "physicalType", "require": "required",
          "release": "required", "describe": "description"}  # fmt: skip
RETIRED = "retired"


@dataclass(frozen=True)
class Difference:
    """A contract that is not as it was: `new` is None for one that is gone, `old` for one that is new.

    `is_masked`: this is about the masked table beside its own.
    """

    root: Path
    contract: str
    old: Source | None
    new: Source | None
    is_masked: bool = False

    @property
    def id(self) -> str:
        return f"{self.contract}{MASKED if self.is_masked else ''}"

    @property
    def file(self) -> str:
        return f"{FOLDER}/{self.contract.replace('.', '/', 1)}{SUFFIX}"

    @property
    def versions(self) -> tuple[str, str]:
        """Before and after."""
        before, after = (each.document.data["version"] if each else "none" for each in (self.old, self.new))
        return before, after

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        before, after = self._table(self.old), self._table(self.new)
        return tuple(compare(Layout.of(before), Layout.of(after))) if before and after else ()

    @cached_property
    def names(self) -> frozenset[str]:
        """The columns of the table as it is now."""
        table = self._table(self.new)
        return frozenset(each.name for each in table.columns) if table else frozenset()

    @property
    def rules(self) -> tuple[str, ...]:
        """The quality rules that came, went or say something else."""
        if self.old is None or self.new is None or self.is_masked:
            return ()
        before, after = self.old.rules, self.new.rules
        told = ((name, "remove" if name not in after else "add" if name not in before else "change")
                for name in sorted({*before, *after}) if before.get(name) != after.get(name))  # fmt: skip
        return tuple(f"{what} rule '{name}'" for name, what in told)

    def breaks(self, change: Change) -> list[Reader]:
        """The lake's own files that name what changes."""
        table = self._table(self.old)
        if table is None or change.grade == ADDITIVE or not change.name:
            return []
        return readers(self.root, table, change.name)

    def _table(self, source: Source | None) -> Dataset | None:
        dataset = _dataset(source) if source else None
        return masked(dataset) if dataset and self.is_masked else dataset


def differences(revision: Revision) -> tuple[list[Difference], list[Problem]]:
    """The contracts that differ from a revision, and what is wrong with those that cannot be read."""
    found: list[Difference] = []
    problems: list[Problem] = []
    for file in revision.changed(FOLDER):
        path = revision.root / file
        if not file.endswith(SUFFIX):
            continue
        dataset = f"{path.parent.name}.{path.name.removesuffix(SUFFIX)}"
        try:
            new = open_file(path, dataset) if path.exists() else None
        except ContractError as error:
            problems += error.problems
            continue
        before = _before(revision, file, dataset)
        found.append(Difference(revision.root, dataset, before, new))
        beside = Difference(revision.root, dataset, before, new, is_masked=True)
        if grade(beside.changes) != ADDITIVE:
            found.append(beside)
    return found, problems


def refused(difference: Difference) -> list[Problem]:
    """What cannot be: a change that readers feel in the same major version, or that no version can make."""
    old, new = difference.old, difference.new
    if old is None:
        return []
    if new is None:
        return [] if old.document.data["status"] == RETIRED else [_gone(difference)]
    problems = [] if difference.is_masked else list(_backwards(difference, new))
    for each in difference.changes:
        if each.grade == IMPOSSIBLE:
            problems.append(_problem(new, each, f"cannot {each}", each.remedy))
        elif each.grade == MAJOR and major(difference.versions[1]) <= major(difference.versions[0]):
            problems.append(_unversioned(difference, new, each))
        elif each.takes_name and each.name not in difference.names:
            problems += _still_named(difference, each)
    return problems


def check(root: Path) -> None:
    """For a synthesis: raises ContractError where a change is refused; without git there is nothing to say."""
    try:
        revision = find(root)
    except NoRevisionError:
        return
    found, _ = differences(revision)  # what cannot be read is said by who reads them all
    problems = [problem for each in found for problem in refused(each)]
    if problems:
        raise ContractError(problems)


def _before(revision: Revision, file: str, dataset: str) -> Source | None:
    """The contract as it was; one that today's schemas do not take is not compared."""
    text = revision.text(file)
    if text is None:
        return None
    try:
        document = parse(text, file, ContractError)
        check_schema(document)
    except ContractError:
        return None
    return Source(dataset, document)


def _dataset(source: Source) -> Dataset:
    """As far as its table's layout goes."""
    said: dict[str, Any] = {name: tuple(source.custom(name)[1] or ()) for name in ("partitionBy", "sortBy")}
    return Dataset(
        id=source.id,
        source=source.business,
        name=source.name,
        layer="gold" if source.is_gold else "silver",
        version="",
        hash="",
        columns=columns.columns(source),
        key=columns.key(source),
        partition_by=said["partitionBy"],
        sort_by=said["sortBy"],
        load_mode=source.custom("loadMode")[1],
    )


def _unversioned(difference: Difference, new: Source, change: Change) -> Problem:
    before = difference.versions[0]
    files = ", ".join(f"{file}:{line}" for file, line in difference.breaks(change))
    would = f"It would break {files}. " if files else ""
    remedy = f"{would}Take it back, or write `version: {major(before) + 1}.0.0`: docs/runbook.md says what follows."
    whose = f"{difference.id} of version" if difference.is_masked else "version"
    return _problem(new, change, f"would {change} for readers of {whose} {before}", remedy)


def _problem(new: Source, change: Change, told: str, remedy: str) -> Problem:
    field, value = _place(new, change)
    return new.document.problem(field, value, f"expected no change that readers feel, and this {told}", remedy)


def _place(new: Source, change: Change) -> tuple[Field, str]:
    """Where the new contract says it; what it no longer says stands nowhere, so the whole list is meant."""
    if change.kind in ("partition", "sort"):
        field, _ = new.custom("partitionBy" if change.kind == "partition" else "sortBy")
        return field or ("customProperties",), change.new
    names = [each["name"] for each in new.properties]
    if change.column is None and change.name in names:  # of the masked table alone
        return (*PROPERTIES, names.index(change.name)), change.name
    if change.column is None:
        return PROPERTIES if change.kind == "drop" else TABLE, change.name or change.new
    field = (*PROPERTIES, names.index(change.column.name))
    return (*field, PLACES[change.kind]) if change.kind in PLACES else field, change.new or change.name


def _still_named(difference: Difference, change: Change) -> Iterator[Problem]:
    """Queries; models and relationships that name what is not there are refused with their contracts."""
    instead = f"Write '{change.new}'." if change.kind == "rename" else "Leave it out."
    for file, line in difference.breaks(change):
        if file.startswith("queries/"):
            expected = f"expected a column of {difference.id}, whose version {difference.versions[1]} would {change}"
            yield Problem(file, line, "", change.name, expected, instead)


def _backwards(difference: Difference, new: Source) -> Iterator[Problem]:
    before, after = difference.versions
    if _numbers(after) < _numbers(before):
        expected = f"expected {before}, as it was, or a higher version"
        yield new.document.problem(("version",), after, expected, "Versions only grow.")


def _gone(difference: Difference) -> Problem:
    expected = f"expected the contract to stay until its status has been '{RETIRED}' in a version of its own"
    remedy = f"Bring it back with `status: {RETIRED}`, deploy, and remove it after that; its tables stay either way."
    return Problem(difference.file, 1, "", difference.id, expected, remedy)


def _numbers(version: str) -> list[int]:
    return [int(each) for each in version.split(".")]
