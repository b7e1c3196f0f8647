"""The Glue catalog as Lake Formation lets a caller see it: databases and tables that it has something on, the columns
that it may read, and no change that it has no permission for. What is left to IAM is answered as before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult

from local.engines.lake_formation import Access, vended, visible
from local.engines.lake_formation_permissions import on_database
from local.services import access_log, glue_search
from local.services.lakeformation_changes import CHANGES
from local.services.lakeformation_judging import Call, access_of, asked, denied, judged, require
from local.services.lakeformation_places import at
from local.services.lakeformation_state import described, error, glue_table, kept_of, principal_of
from local.services.seams import add, patch

if TYPE_CHECKING:
    from local.endpoint import Endpoint

RESPONSE = "moto.glue.responses:GlueResponse"


def shown(response: Any, glue: dict[str, Any], access: Access | None) -> dict[str, Any]:
    """A table as it is answered: without the columns that are hidden."""
    registered = kept_of(response).state.location_of(at(glue) or "-") is not None
    found = {**glue, "IsRegisteredWithLakeFormation": registered}
    if access is None:
        return found
    if "StorageDescriptor" in glue:
        found["StorageDescriptor"] = without(glue["StorageDescriptor"], access)
    if "PartitionKeys" in glue:
        found["PartitionKeys"] = named(glue["PartitionKeys"], access)
    return found


def without(storage: dict[str, Any], access: Access) -> dict[str, Any]:
    return {**storage, "Columns": named(storage["Columns"], access)} if "Columns" in storage else storage


def named(columns: Iterable[dict[str, Any]], access: Access) -> list[dict[str, Any]]:
    return [each for each in columns if each["Name"].lower() in access.described]


def get_table(original: Call, response: Any) -> Any:
    access, answer = require(response, "DESCRIBE"), original(response)
    return ActionResult({"Table": shown(response, answer.result["Table"], access)})


def get_tables(original: Call, response: Any) -> Any:
    answer, caller = original(response), judged(response)
    tables = []
    for glue in answer.result["TableList"]:
        access = None if caller is None else access_of(response, caller, glue)
        if caller is None or access is not None:
            tables.append(shown(response, glue, access if access and access.governed else None))
    return ActionResult({**answer.result, "TableList": tables})


def search_tables(response: Any) -> Any:
    """Searched as it is shown, so that what is hidden is not found either."""
    caller = judged(response)

    def seen(glue: dict[str, Any]) -> dict[str, Any] | None:
        access = None if caller is None else access_of(response, caller, glue)
        if caller is not None and access is None:
            return None
        return shown(response, glue, access if access and access.governed else None)

    return glue_search.search_tables(response, seen)


def get_table_version(original: Call, response: Any) -> Any:
    access, answer = require(response, "DESCRIBE"), original(response)
    if access is None:
        return answer
    result = dict(answer.result)
    if "TableVersions" in result:
        result["TableVersions"] = [
            {**each, "Table": shown(response, each["Table"], access)} for each in result["TableVersions"]
        ]
    elif "TableVersion" in result:
        told = result["TableVersion"]
        result["TableVersion"] = {**told, "Table": shown(response, told["Table"], access)}
    else:
        raise denied("Describe", asked(response, "TableName"))  # an answer of a shape that we cannot cut
    return ActionResult(result)


def get_partitions(original: Call, response: Any) -> Any:
    """Values of partitions tell of rows and of keys: they are for those who see all of both."""
    access = require(response, "SELECT")
    if access is not None:
        glue = glue_table(
            response.current_account, response.region, asked(response, "DatabaseName"), asked(response, "TableName")
        )
        keys = {each["Name"].lower() for each in glue.get("PartitionKeys") or ()}
        if access.filtered or not keys <= set(access.cells):
            raise denied("Select", glue["Name"])
    answer = original(response)
    if access is None:
        return answer

    def cut(part: dict[str, Any]) -> dict[str, Any]:
        return {**part, "StorageDescriptor": without(part["StorageDescriptor"], access)}

    result = dict(answer.result)
    for listed in ("Partitions", "Partition"):
        if listed in result:
            found = result[listed]
            result[listed] = [cut(each) for each in found] if isinstance(found, list) else cut(found)
    return ActionResult(result)


def get_database(original: Call, response: Any) -> Any:
    caller, name = judged(response), asked(response, "Name")
    if caller is not None and not on_database(caller, name, kept_of(response).state):
        original(response)  # one that is not there is said to be so
        raise denied("Describe", name)
    return original(response)


def get_databases(original: Call, response: Any) -> Any:
    answer, caller = original(response), judged(response)
    if caller is None:
        return answer
    state = kept_of(response).state
    there = [each for each in answer.result["DatabaseList"] if on_database(caller, each["Name"].lower(), state)]
    return ActionResult({**answer.result, "DatabaseList": there})


def get_unfiltered_table_metadata(response: Any) -> Any:
    """For engines, which filter themselves; here the endpoint's own, which names the principal that it asks for."""
    caller = principal_of(response)
    if caller is not None:
        text = "Session tag validation failed: full table access by an external engine is not enabled."
        raise error("AccessDeniedException", text)
    told = response.parameters
    glue = glue_table(
        response.current_account, response.region, asked(response, "DatabaseName"), asked(response, "Name")
    )
    context = (told.get("QuerySessionContext") or {}).get("AdditionalContext", {})
    principal = context.get("principal", "")
    table, state = described(glue, asked(response, "DatabaseName")), kept_of(response).state
    access = visible(principal, table, state)
    if access is None:
        access_log.refused(context.get("key", ""), table.database, table.name, "DESCRIBE")
        raise denied("Describe", table.name)
    cells = [
        {"ColumnName": column, "RowFilterExpression": " OR ".join(f"({each})" for each in rows)}
        for column, rows in access.cells.items()
        if rows
    ]
    rows = sorted({each["RowFilterExpression"] for each in cells})
    answer: dict[str, Any] = {
        "Table": glue,
        "AuthorizedColumns": list(access.cells),
        "IsRegisteredWithLakeFormation": vended(access, at(glue), state),
        "Permissions": sorted(access.permissions),
        "CellFilters": cells,
    }
    everywhere = len(cells) == len(access.cells)
    if cells and everywhere:
        answer["RowFilter"] = rows[0] if len(rows) == 1 else " OR ".join(f"({each})" for each in rows)
    return ActionResult(answer)


READS: dict[str, Callable[[Call, Any], Any]] = {
    "get_table": get_table, "get_tables": get_tables, "get_table_version": get_table_version,
    "get_table_versions": get_table_version, "get_partition": get_partitions, "get_partitions": get_partitions,
    "batch_get_partition": get_partitions, "get_partition_indexes": get_partitions, "get_database": get_database,
    "get_databases": get_databases,
}  # fmt: skip


def install(endpoint: Endpoint) -> None:
    for name, wrapper in {**READS, **CHANGES}.items():
        _wrap(f"{RESPONSE}.{name}", wrapper)
    add(f"{RESPONSE}.get_unfiltered_table_metadata", get_unfiltered_table_metadata)
    add(f"{RESPONSE}.search_tables", search_tables)


def _wrap(seam: str, wrapper: Callable[[Call, Any], Any]) -> None:
    def wrapped(response: Any) -> Any:
        return wrapper(original, response)

    original = patch(seam, wrapped)
