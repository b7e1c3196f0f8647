"""One contract: its file, read, checked against the official schema and ours, and made into a dataset of the lake."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from config.checks import Schema
from config.positions import Document, Field, FileError, Problem, parse, read_text, suggestion

GOLD = "gold"
SUFFIX = ".odcs.yaml"
TABLE: Field = ("schema", 0)
PROPERTIES: Field = (*TABLE, "properties")
MANY = 4096  # texts whose meaning a process keeps: commands and tests read the same files again and again


class ContractError(FileError):
    """A contract is missing, or says something that the lake cannot honour."""


@dataclass(frozen=True)
class Source:
    """A contract's file, known to fit both schemas; what it means is still to be checked."""

    id: str
    document: Document

    @property
    def business(self) -> str:
        return self.id.partition(".")[0]

    @property
    def name(self) -> str:
        return self.id.partition(".")[2]

    @property
    def is_gold(self) -> bool:
        return self.business == GOLD

    @property
    def properties(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.document.data["schema"][0]["properties"]
        return found

    @property
    def columns(self) -> dict[str, str]:
        """The type of each column."""
        return {each["name"]: each["physicalType"] for each in self.properties}

    @property
    def rules(self) -> dict[str, Any]:
        """Each quality rule as it stands, by its name, or its metric, after the column that it is of."""
        every = [(f"{each['name']}: ", each) for each in self.properties] + [("", self.document.data["schema"][0])]
        return {
            f"{of}{rule.get('name') or rule.get('metric')}": rule
            for of, each in every
            for rule in each.get("quality", ())
        }

    @property
    def table(self) -> str:
        """What SQL calls it, in a model as in a relationship."""
        return f"{self.business}_{self.name}"

    def custom(self, name: str) -> tuple[Field, Any]:
        """Where a custom property stands and its value, None if it is not there."""
        for number, each in enumerate(self.document.data.get("customProperties", ())):
            if each["property"] == name:
                return ("customProperties", number, "value"), each["value"]
        return (), None

    def unknown_column(self, field: Field, name: str) -> Problem:
        known = suggestion(name, self.columns)
        return self.document.problem(field, name, f"expected a column of {self.id}", known)


@cache
def schemas() -> tuple[Schema, Schema]:
    """Ours, which says things in the lake's words, then the official one."""
    official = Path(str(files("open_data_contract_standard") / "schema.json"))
    return Schema(Path(__file__).parent / "headwater.schema.json"), Schema(official)


def open_file(path: Path, dataset: str) -> Source:
    """A contract's file; raises ContractError with all that does not fit the schemas."""
    source, _, name = dataset.partition(".")
    file = f"contracts/{source}/{name}{SUFFIX}"
    return _opened(read_text(path, file, ContractError), file, dataset)


@lru_cache(MANY)
def _opened(text: str, file: str, dataset: str) -> Source:
    document = parse(text, file, ContractError)
    check_schema(document)
    return Source(dataset, document)


def check_schema(document: Document) -> None:
    """Raises ContractError with all that does not fit the schemas."""
    for schema in schemas():
        problems = schema.problems(document)
        if problems:
            raise ContractError(problems)


def identity_problems(source: Source) -> list[Problem]:
    """The file's place, its id and its table's name say the same."""
    document, problems = source.document, []
    urn = f"urn:headwater:{source.business}:{source.name}"
    if document.data["id"] != urn:
        expected = f"expected '{urn}', which follows from the file's place"
        problems.append(document.problem(("id",), document.data["id"], expected, "Change the id, or move the file."))
    table = document.data["schema"][0]["name"]
    if table != source.name:
        expected = f"expected '{source.name}', the file's name"
        problems.append(document.problem((*TABLE, "name"), table, expected, "Change the name, or rename the file."))
    return problems


def custom_problems(source: Source) -> list[Problem]:
    """Each custom property once."""
    document, problems, seen = source.document, [], set()
    places: list[tuple[Field, dict[str, Any]]] = [((), document.data)]
    places += [((*PROPERTIES, number), each) for number, each in enumerate(source.properties)]
    for place, holder in places:
        for number, each in enumerate(holder.get("customProperties", ())):
            field, name = (*place, "customProperties", number), each["property"]
            if (place, name) in seen:
                problems.append(document.problem(field, name, "expected each property once", "Remove one of the two."))
            seen.add((place, name))
    return problems


def sla(source: Source, name: str) -> tuple[float | None, Problem | None]:
    """A service level in hours."""
    hours = {"h": 1, "d": 24, "y": 24 * 365}
    for each in source.document.data["slaProperties"]:
        if each["property"] == name:
            return each["value"] * hours[each["unit"]], None
    remedy = f"Add `- {{ property: {name}, value: 1, unit: d }}`."
    return None, source.document.problem(("slaProperties",), name, "expected among slaProperties, and missing", remedy)
