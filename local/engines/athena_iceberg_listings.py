"""DESCRIBE and SHOW CREATE TABLE of Iceberg tables, whose lines Athena writes in other forms than Hive's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from local.engines.athena_catalog import Entry
from local.engines.athena_iceberg_schemas import PROPERTIES
from local.engines.athena_storage import current_columns

TRANSFORM = re.compile(r"(\w+)(?:\[(\d+)\])?")
WRITTEN = {named: own for own, named in PROPERTIES.items()}


def described(entry: Entry) -> list[str]:
    """Each column, then each part of the partitioning with the name of its field, nothing of it padded."""
    lines = ["# Table schema:\t\t", "# col_name\tdata_type\tcomment"]
    lines += [f"{each['Name']}\t{spaced(each['Type'])}\t{each.get('Comment') or ''}" for each in columns(entry)]
    lines += ["\t\t", "# Partition spec:\t\t", "# field_name\tfield_transform\tcolumn_name"]
    return lines + ["\t".join(part) for part in partitioning(entry)]


def create_table(entry: Entry) -> list[str]:
    """The statement that would make the table."""
    listed = [f"  {each['Name']} {each['Type']}{comment(each)}" for each in columns(entry)]
    lines = [f"CREATE TABLE {entry.table.database}.{entry.table.name} ("]
    lines += [f"{line}," for line in listed[:-1]] + [f"{listed[-1]})"]
    if parts := [transformed(transform, column) for _, transform, column in partitioning(entry)]:
        lines += [f"PARTITIONED BY ({', '.join(parts)})"]
    told = {"table_type": "iceberg", **properties(entry)}
    pairs = [f"  '{name}'='{quoted(value)}'" for name, value in told.items()]
    location = entry.glue["StorageDescriptor"]["Location"]
    return [*lines, f"LOCATION '{location}'", "TBLPROPERTIES (", *(f"{pair}," for pair in pairs[:-1]), pairs[-1], ")"]


def columns(entry: Entry) -> list[dict[str, Any]]:
    return current_columns(entry.glue)


def comment(column: dict[str, Any]) -> str:
    return f" COMMENT '{quoted(column['Comment'])}'" if column.get("Comment") else ""


def quoted(text: str) -> str:
    return text.replace("'", "''")


def spaced(type_: str) -> str:
    """A type as Iceberg writes it: `decimal(10, 2)`, `struct<a: int>`."""
    return type_.replace(",", ", ").replace(":", ": ")


def partitioning(entry: Entry) -> Iterator[tuple[str, str, str]]:
    """Field, transform and column of each part of the current partitioning."""
    metadata = entry.metadata or {}
    schemas = {each["schema-id"]: each for each in metadata["schemas"]}
    names = {each["id"]: each["name"] for each in schemas[metadata["current-schema-id"]]["fields"]}
    specs = {each["spec-id"]: each["fields"] for each in metadata["partition-specs"]}
    for part in specs[metadata["default-spec-id"]]:
        if part["transform"] != "void":  # what is left of a part that was dropped
            yield part["name"], part["transform"], names[part["source-id"]]


def transformed(transform: str, column: str) -> str:
    found = TRANSFORM.fullmatch(transform)
    if transform == "identity" or found is None:
        return f"`{column}`"
    return f"{found[1]}({found[2]}, `{column}`)" if found[2] else f"{found[1]}(`{column}`)"


def properties(entry: Entry) -> dict[str, str]:
    """Those that CREATE TABLE takes, as Athena calls them."""
    held = (entry.metadata or {}).get("properties") or {}
    return {WRITTEN[name]: value for name, value in held.items() if name in WRITTEN}
