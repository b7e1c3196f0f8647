"""An Iceberg table's metadata file: its columns, now and as of a version."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from local.engines import athena_versions
from local.engines.athena_governance import Told
from local.engines.athena_scope import Table, TableColumn
from local.engines.athena_types import from_iceberg
from local.engines.athena_versions import Version


def seen_at(told: Told, table: Table, metadata: dict[str, Any], version: Version, node: exp.Expr) -> Table:
    """The part of an older version that is seen: a column is known by its id, whatever it was called then."""
    then = at(table, metadata, version, node)
    today = {each["id"]: each["name"].lower() for each in fields(metadata)}
    ids = [each["id"] for each in _fields_of(metadata, then.snapshot)]
    return told.restricted(then, tuple(today.get(each) for each in ids))


def at(table: Table, metadata: dict[str, Any], version: Version, node: exp.Expr) -> Table:
    """The table as of a version, with the columns that it had then."""
    told = f'"{table.database}"."{table.name}"'
    snapshot = athena_versions.snapshot(metadata, version, told, node)
    described = _fields_of(metadata, snapshot["snapshot-id"])
    columns = tuple(TableColumn(each["name"].lower(), from_iceberg(each["type"])) for each in described)
    return Table(table.database, table.name, columns, snapshot=snapshot["snapshot-id"])


def _fields_of(metadata: dict[str, Any], number: int | None) -> list[dict[str, Any]]:
    snapshot = next(each for each in metadata["snapshots"] if each["snapshot-id"] == number)
    return fields({**metadata, "current-schema-id": snapshot.get("schema-id", metadata.get("current-schema-id"))})


def is_iceberg(glue: dict[str, Any]) -> bool:
    return str((glue.get("Parameters") or {}).get("table_type", "")).upper() == "ICEBERG"


def fields(metadata: dict[str, Any]) -> list[dict[str, Any]]:
    """The columns of an Iceberg table's current schema."""
    schemas = metadata.get("schemas") or [metadata["schema"]]
    current = metadata.get("current-schema-id", 0)
    found: list[dict[str, Any]] = next(
        schema["fields"] for schema in schemas if schema.get("schema-id", current) == current
    )
    return found
