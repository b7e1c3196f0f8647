"""Athena's data catalogs, databases and tables: moto keeps databases of its own and no tables; here they are those of
Glue, asked for with the caller's credentials.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from moto.athena.exceptions import MetadataException
from moto.core.exceptions import JsonRESTError

from local.engines.athena_storage import current_columns
from local.services.athena_callers import Callers
from local.services.paging import paged
from local.services.seams import add, patch

RESPONSE = "moto.athena.responses:AthenaResponse"
CATALOG = "AwsDataCatalog"
LARGEST_LISTING = 50
FIDELITY = (("Athena", "data catalogs, databases and tables through Athena's own API", "the Glue catalog", "real"),)


class Catalogs:
    """The calls about metadata, each taking moto's response object."""

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    def list_data_catalogs(self, response: Any) -> str:
        own = [each for each in response.athena_backend.list_data_catalogs() if each["CatalogName"] != CATALOG]
        return json.dumps({"DataCatalogsSummary": [{"CatalogName": CATALOG, "Type": "GLUE"}, *own]})

    def get_data_catalog(self, response: Any) -> str:
        name = response._get_param("Name")
        if name.lower() == CATALOG.lower():
            return json.dumps({"DataCatalog": {"Name": CATALOG, "Type": "GLUE"}})
        found = response.athena_backend.get_data_catalog(name)
        if found is None:
            raise JsonRESTError("InvalidRequestException", f"Catalog {name} was not found")
        return json.dumps({"DataCatalog": found})

    def get_database(self, response: Any) -> str:
        glue = self._glue(response)
        found = told(lambda: glue.get_database(Name=response._get_param("DatabaseName")))
        return json.dumps({"Database": database(found["Database"])})

    def list_databases(self, response: Any) -> str:
        glue = self._glue(response)
        pages = told(lambda: list(glue.get_paginator("get_databases").paginate()))
        found = [database(each) for page in pages for each in page["DatabaseList"]]
        return json.dumps(
            paged(response, "DatabaseList", sorted(found, key=lambda each: str(each["Name"])), LARGEST_LISTING)
        )

    def get_table_metadata(self, response: Any) -> str:
        glue = self._glue(response)
        names = {"DatabaseName": response._get_param("DatabaseName"), "Name": response._get_param("TableName")}
        return json.dumps({"TableMetadata": table(told(lambda: glue.get_table(**names))["Table"])})

    def list_table_metadata(self, response: Any) -> str:
        glue, wanted = self._glue(response), response._get_param("Expression")
        name = response._get_param("DatabaseName")
        pages = told(lambda: list(glue.get_paginator("get_tables").paginate(DatabaseName=name)))
        found = [table(each) for page in pages for each in page["TableList"]]
        if wanted:
            found = [
                each for each in found if re.fullmatch(wanted.replace("*", ".*").replace("..*", ".*"), each["Name"])
            ]
        return json.dumps(
            paged(response, "TableMetadataList", sorted(found, key=lambda each: str(each["Name"])), LARGEST_LISTING)
        )

    def _glue(self, response: Any) -> Any:
        name = response._get_param("CatalogName") or CATALOG
        if name.lower() != CATALOG.lower():
            raise JsonRESTError("InvalidRequestException", f"Catalog '{name}': the laptop has {CATALOG} alone.")
        return self._callers.client("glue", response)


def told(ask: Callable[[], Any]) -> Any:
    """A call's answer, its error as Athena passes Glue's on."""
    try:
        return ask()
    except ClientError as error:
        raise MetadataException(f"{error.response['Error']['Message']} (Service: AmazonDataCatalog; Error Code: "
                                f"{error.response['Error']['Code']})") from error  # fmt: skip


def database(glue: dict[str, Any]) -> dict[str, Any]:
    return {"Name": glue["Name"], "Description": glue.get("Description", ""), "Parameters": glue.get("Parameters", {})}


def table(glue: dict[str, Any]) -> dict[str, Any]:
    storage, keys = glue.get("StorageDescriptor") or {}, glue.get("PartitionKeys") or []
    serde = storage.get("SerdeInfo") or {}
    told = {"location": storage.get("Location"), "inputformat": storage.get("InputFormat"),
            "outputformat": storage.get("OutputFormat"), "serde.serialization.lib": serde.get("SerializationLibrary"),
            **{f"serde.param.{name}": value for name, value in (serde.get("Parameters") or {}).items()}}  # fmt: skip
    return {
        "Name": glue["Name"],
        "CreateTime": glue["CreateTime"].timestamp(),
        "LastAccessTime": glue["CreateTime"].timestamp(),
        "TableType": glue.get("TableType", ""),
        "Columns": [column(each) for each in current_columns(glue)],
        "PartitionKeys": [column(each) for each in keys],
        "Parameters": {**(glue.get("Parameters") or {}), **{name: value for name, value in told.items() if value}},
    }


def column(glue: dict[str, Any]) -> dict[str, Any]:
    return {key: glue[key] for key in ("Name", "Type", "Comment") if glue.get(key) is not None}


def install(callers: Callers) -> None:
    catalogs = Catalogs(callers)
    for name in ("list_data_catalogs", "get_data_catalog", "get_database", "list_databases"):
        patch(f"{RESPONSE}.{name}", method(getattr(catalogs, name)))
    for name in ("get_table_metadata", "list_table_metadata"):
        add(f"{RESPONSE}.{name}", method(getattr(catalogs, name)))


def method(call: Callable[[Any], str]) -> Callable[[Any], str]:
    """A bound method of ours as one that moto's class may hold."""
    return lambda response: call(response)
