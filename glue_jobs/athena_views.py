"""Athena's views in the Glue catalog: an entry as Athena itself writes it, and those of queries/ brought there."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection
from typing import Any

from glue_jobs.aws import client
from glue_jobs.failures import DatasetError
from lake.model import Lake
from lake.parts import GOLD
from lake.views import HASH, View

PRESTO = {"string": "varchar", "int": "integer", "float": "real", "timestamp": "timestamp(6) with time zone"}
VIEW = "VIRTUAL_VIEW"


def publish(lake: Lake, datasets: Collection[str]) -> list[str]:
    """The views that read one of these datasets are what queries/ says, once all that they read is there: which."""
    database, there = lake.environment.databases[GOLD], []
    for view in lake.views():
        inputs = [lake.dataset(each) for each in view.inputs]
        if not any(each.id in datasets for each in inputs):
            continue
        if all(_held(lake.environment.databases[each.layer], each.table) for each in inputs):
            put(database, entry(database, view))
            there.append(view.name)
    return there


def put(database: str, wanted: dict[str, Any]) -> None:
    """The view is there; one that is already as it should be is not written again."""
    glue, held = client("glue"), _held(database, wanted["Name"])
    if held is None:
        glue.create_table(DatabaseName=database, TableInput=wanted)
    elif held.get("TableType") != VIEW:
        raise DatasetError(
            f"The table '{database}.{wanted['Name']}': expected nothing of that name, or the lake's own view.",
            "Rename that table, then apply the contracts again.",
        )
    elif held["Parameters"].get(HASH) != wanted["Parameters"][HASH]:
        glue.update_table(DatabaseName=database, TableInput=wanted, SkipArchive=True)


def entry(database: str, view: View) -> dict[str, Any]:
    """The view's entry in the Glue catalog, with what each column means."""
    said = {
        "originalSql": view.sql,
        "catalog": "awsdatacatalog",
        "schema": database,
        "columns": [{"name": each.name, "type": PRESTO.get(each.type, each.type)} for each in view.columns],
    }
    encoded = base64.b64encode(json.dumps(said).encode()).decode()
    return {
        "Name": view.name,
        "Description": view.description[:2048],
        "TableType": VIEW,
        "Parameters": {"presto_view": "true", "comment": "Presto View", HASH: view.hash},
        "PartitionKeys": [],
        "StorageDescriptor": {
            "Columns": [
                {"Name": each.name, "Type": each.type, "Comment": each.description[:255]} for each in view.columns
            ],
            "Location": "",
            "SerdeInfo": {"Name": "-", "SerializationLibrary": "-"},
        },
        "ViewOriginalText": f"/* Presto View: {encoded} */",
        "ViewExpandedText": "/* Presto View */",
    }


def _held(database: str, name: str) -> dict[str, Any] | None:
    glue = client("glue")
    try:
        found: dict[str, Any] = glue.get_table(DatabaseName=database, Name=name)["Table"]
    except glue.exceptions.EntityNotFoundException:
        return None
    return found
