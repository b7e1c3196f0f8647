"""An Iceberg table of the lake as its metadata says it, and what its properties remember of its contract."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lake.evolution import Layout, identity, major
from lake.parts import Column, Dataset

LINEAGE = {"_version": "timestamp", "_hash": "string", "_run": "string"}
ABOUT_LINEAGE = {
    "_version": "Which version of the row this is: the later, the newer.",
    "_hash": "A hash of the row's values; the same for the same row.",
    "_run": "The run that last changed the row.",
}
QUARANTINE = {
    "_row_hash": "string",  # _row_id is a name of Iceberg's own
    "_rules": "array<string>",
    "_raw": "string",
    "_first_run": "string",
    "_last_run": "string",
    "_state": "string",
    "_dataset": "string",
}
DELETED = {"_version": "timestamp", "_deleted_at": "timestamp", "_run": "string"}  # beside the key of the row
VERSION = "headwater.version"  # of the contract that the table follows
FIELDS = "headwater.fields"  # JSON: the Iceberg field of each contract id
KEY = "headwater.key"  # JSON: the contract ids of the key
PARTITIONED_BY = "headwater.partition-by"
SORTED_BY = "headwater.sort-by"
PREVIOUS = "headwater.previous"  # JSON: the major version before, whose names a view keeps
TYPES = {"long": "bigint", "timestamptz": "timestamp", "timestamp": "timestamp_ntz"}
_PARTS = re.compile(r", (?![^(]*\))")


@dataclass(frozen=True)
class Field:
    """A column of the table, with Iceberg's own number for it."""

    number: int
    name: str
    type: str
    required: bool = False
    description: str = ""


@dataclass(frozen=True)
class Table:
    """The columns that a table has now, and its properties."""

    fields: tuple[Field, ...]
    properties: Mapping[str, str]

    def version(self, dataset: Dataset) -> str:
        """The contract's version that it follows; one from before versions were kept is taken for the first."""
        return self.properties.get(VERSION) or f"{min(1, major(dataset.version))}.0.0"

    def numbers(self) -> dict[str, int]:
        """The Iceberg field of each contract id."""
        found: dict[str, int] = json.loads(self.properties.get(FIELDS, "{}"))
        return found

    def layout(self, dataset: Dataset) -> Layout:
        """As a version of the contract; a column whose id was never noted is known by its name."""
        ids = {number: id_ for id_, number in self.numbers().items()}
        names = {each.name: identity(each) for each in dataset.columns}
        columns = tuple(
            Column(each.name, each.type, required=each.required, description=each.description, id=id_)
            for each in self.fields
            if each.name not in LINEAGE
            for id_ in [ids.get(each.number) or names.get(each.name, each.name)]
        )
        by_id = {each.id: each.name for each in columns}
        key = tuple(by_id.get(each, each) for each in json.loads(self.properties.get(KEY, "[]")))
        return Layout(columns, key, self._listed(PARTITIONED_BY), self._listed(SORTED_BY))

    def _listed(self, name: str) -> tuple[str, ...] | None:
        text = self.properties.get(name)
        return None if text is None else tuple(each for each in _PARTS.split(text) if each)


def from_schema(schema: Mapping[str, Any], properties: Mapping[str, str]) -> Table:
    """Of Iceberg's JSON of a schema."""
    fields = (
        Field(each["id"], each["name"], _type(each["type"]), bool(each["required"]), each.get("doc") or "")
        for each in schema["fields"]
    )
    return Table(tuple(fields), properties)


def from_metadata(metadata: Mapping[str, Any]) -> Table:
    """Of a table's metadata file."""
    current = metadata["current-schema-id"]
    schema = next(each for each in metadata["schemas"] if each["schema-id"] == current)
    return from_schema(schema, metadata.get("properties", {}))


def remembered(dataset: Dataset, numbers: Mapping[str, int]) -> dict[str, str]:
    """What a table's properties say of its contract; `numbers` are its Iceberg fields by name."""
    ids = {each.name: identity(each) for each in dataset.columns}
    return {
        VERSION: dataset.version,
        FIELDS: json.dumps({id_: numbers[name] for name, id_ in ids.items()}),
        KEY: json.dumps([ids[name] for name in dataset.key]),
        PARTITIONED_BY: ", ".join(dataset.partition_by),
        SORTED_BY: ", ".join(dataset.sort_by),
    }


def stamp(dataset: Dataset) -> str:
    """Which contract is meant: its version, and all of it that tables depend on."""
    return f"{dataset.version}-{dataset.hash}"


def _type(said: Any) -> str:
    """The lake's name of an Iceberg type."""
    text = said if isinstance(said, str) else str(said.get("type"))
    return TYPES.get(text, text.replace(", ", ","))
