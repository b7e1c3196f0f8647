"""The Glue catalog as Lake Formation lets a caller see it: databases and tables that it has something on, the columns
that it may read, and no change that it has no permission for. What is left to IAM is answered as before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult

from local.engines.lake_formation import Access, State, may_use, on_database, visible
from local.services import access_log, glue_search
from local.services.lakeformation_grants import forget, put
from local.services.lakeformation_places import at
from local.services.lakeformation_state import described, error, glue_table, kept_of, principal_of
from local.services.seams import add, patch

if TYPE_CHECKING:
    from local.endpoint import Endpoint

RESPONSE = "moto.glue.responses:GlueResponse"
Call = Callable[[Any], Any]


def denied(needed: str, name: str) -> JsonRESTError:
    return error("AccessDeniedException", f"Insufficient Lake Formation permission(s): Required {needed} on {name}")


def judged(response: Any) -> str | None:
    """Who calls, where Lake Formation may have a say: not the person at the laptop, not an administrator."""
    caller = principal_of(response)
    return None if caller is None or caller in kept_of(response).state.admins else caller


def access_of(response: Any, caller: str, glue: dict[str, Any]) -> Access | None:
    return visible(caller, described(glue, str(glue["DatabaseName"]).lower()), kept_of(response).state)


def asked(response: Any, *names: str) -> str:
    """The first of the parameters that a request has, in lower case; `A.B` is B inside A."""
    for name in names:
        outer, _, inner = name.partition(".")
        found = response.parameters.get(outer)
        if inner:
            found = (found or {}).get(inner)
        if found:
            return str(found).lower()
    return ""


def require(response: Any, *needed: str) -> Access | None:
    """The caller's access to the table that a request names; an error without one of the permissions needed."""
    caller, database = judged(response), asked(response, "DatabaseName")
    if caller is None:
        return None
    name = asked(response, "TableName", "Name", "TableInput.Name")
    try:
        glue = glue_table(response.current_account, response.region, database, name)
    except JsonRESTError:
        return None  # moto says what is not there
    access = access_of(response, caller, glue)
    if access is None or not set(needed) & access.permissions:
        access_log.refused(caller, database, name, needed[0])
        raise denied(needed[0].title(), name)
    return access if access.governed else None


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


def create_database(original: Call, response: Any) -> Any:
    answer, name = original(response), asked(response, "DatabaseInput.Name")
    settings = response_settings(response)
    _default(response, {"Database": {"Name": name}}, settings["CreateDatabaseDefaultPermissions"])
    return answer


def response_settings(response: Any) -> dict[str, Any]:
    from moto.lakeformation.models import lakeformation_backends

    account = response.current_account
    settings: dict[str, Any] = lakeformation_backends[account][response.region].get_data_lake_settings(account)
    return settings


def _default(response: Any, resource: dict[str, Any], given: list[dict[str, Any]]) -> None:
    """What is made gets the permissions that are the default there, and its maker gets all."""
    found, caller = kept_of(response), principal_of(response)
    for each in given:
        principal = each["Principal"]["DataLakePrincipalIdentifier"]
        put(found, principal, resource, set(each["Permissions"]), set())
    if caller is not None and not given:
        put(found, caller, resource, {"ALL"}, {"ALL"})


def database_change(needed: str, *, gone: bool = False) -> Callable[[Call, Any], Any]:
    def change(original: Call, response: Any) -> Any:
        caller, name = judged(response), asked(response, "Name")
        if caller is not None and needed not in on_database(caller, name, kept_of(response).state):
            raise denied(needed.title(), name)
        answer = original(response)
        if gone:
            forget(kept_of(response), name)
        return answer

    return change


def create_table(original: Call, response: Any) -> Any:
    database, name = asked(response, "DatabaseName"), asked(response, "TableInput.Name")
    caller, state = judged(response), kept_of(response).state
    if caller is not None:
        if "CREATE_TABLE" not in on_database(caller, database, state):
            raise denied("Create Table", database)
        _check_places(response, caller, database)
    answer = original(response)
    own = response.glue_backend.get_database(database).input.get("CreateTableDefaultPermissions")
    given = response_settings(response)["CreateTableDefaultPermissions"] if own is None else own
    _default(response, {"Table": {"DatabaseName": database, "Name": name}}, given)
    return answer


def _check_places(response: Any, caller: str, database: str, before: str = "") -> None:
    """A table's place, and that of an Iceberg table's metadata: in a registered one only who may use it."""
    table = response.parameters.get("TableInput") or {}
    own = str(response.glue_backend.get_database(database).input.get("LocationUri") or "").rstrip("/")
    inside = [each.rstrip("/") + "/" for each in (own, before) if each]
    told = (table.get("Parameters") or {}).get("metadata_location", "")
    for place in ((table.get("StorageDescriptor") or {}).get("Location") or "", told):
        path = place.replace("s3a://", "s3://", 1)
        if path and not any(f"{path}/".startswith(each) for each in inside):
            check_place(response, caller, path)


def check_place(response: Any, caller: str, path: str) -> None:
    if not may_use(caller, path, kept_of(response).state):
        raise error("AccessDeniedException", f"Insufficient Lake Formation permission(s) on {path}")


def update_table(original: Call, response: Any) -> Any:
    require(response, "ALTER")
    caller, database = judged(response), asked(response, "DatabaseName")
    if caller is not None:
        glue = glue_table(response.current_account, response.region, database, asked(response, "TableInput.Name"))
        _check_places(response, caller, database, at(glue))
    return original(response)


def delete_table(original: Call, response: Any) -> Any:
    require(response, "DROP")
    answer = original(response)
    forget(kept_of(response), asked(response, "DatabaseName"), asked(response, "Name"))
    return answer


def batch_delete_table(original: Call, response: Any) -> Any:
    caller, database = judged(response), asked(response, "DatabaseName")
    names = [each.lower() for each in response.parameters.get("TablesToDelete") or ()]
    for name in names if caller is not None else ():
        glue = glue_table(response.current_account, response.region, database, name)
        access = access_of(response, str(caller), glue)
        if access is None or "DROP" not in access.permissions:
            raise denied("Drop", name)
    answer = original(response)
    for name in names:
        forget(kept_of(response), database, name)
    return answer


def change_partition(original: Call, response: Any) -> Any:
    require(response, "INSERT", "ALTER")
    caller, inputs = judged(response), response.parameters
    parts = inputs.get("PartitionInputList") or [each.get("PartitionInput") for each in inputs.get("Entries") or ()]
    for part in [*parts, inputs.get("PartitionInput")] if caller is not None else ():
        place = ((part or {}).get("StorageDescriptor") or {}).get("Location")
        if place:
            _check_inside(response, str(caller), place)
    return original(response)


def _check_inside(response: Any, caller: str, place: str) -> None:
    glue = glue_table(
        response.current_account, response.region, asked(response, "DatabaseName"), asked(response, "TableName")
    )
    if not f"{place.rstrip('/')}/".startswith(at(glue) or "-"):
        check_place(response, caller, place)


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
    principal = (told.get("QuerySessionContext") or {}).get("AdditionalContext", {}).get("principal", "")
    table, state = described(glue, asked(response, "DatabaseName")), kept_of(response).state
    access = visible(principal, table, state)
    if access is None:
        access_log.refused(principal, table.database, table.name, "DESCRIBE")
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


def vended(access: Access, path: str, state: State) -> bool:
    """Whether Lake Formation opens the table's place: not in hybrid access, for who is left to IAM."""
    place = state.location_of(path or "-")
    return place is not None and (access.governed or not state.locations[place])


def drop_version(original: Call, response: Any) -> Any:
    require(response, "DROP", "ALTER")
    return original(response)


WRAPPED: dict[str, Callable[[Call, Any], Any]] = {
    "get_table": get_table, "get_tables": get_tables, "get_table_version": get_table_version,
    "get_table_versions": get_table_version, "get_partition": get_partitions, "get_partitions": get_partitions,
    "batch_get_partition": get_partitions, "get_partition_indexes": get_partitions, "get_database": get_database,
    "get_databases": get_databases, "create_database": create_database,
    "update_database": database_change("ALTER"), "delete_database": database_change("DROP", gone=True),
    "create_table": create_table, "update_table": update_table, "delete_table": delete_table,
    "batch_delete_table": batch_delete_table, "delete_table_version": drop_version,
    "create_partition": change_partition, "batch_create_partition": change_partition,
    "update_partition": change_partition, "batch_update_partition": change_partition,
    "delete_partition": change_partition, "batch_delete_partition": change_partition,
}  # fmt: skip


def install(endpoint: Endpoint) -> None:
    for name, wrapper in WRAPPED.items():
        _wrap(f"{RESPONSE}.{name}", wrapper)
    add(f"{RESPONSE}.get_unfiltered_table_metadata", get_unfiltered_table_metadata)
    add(f"{RESPONSE}.search_tables", search_tables)


def _wrap(seam: str, wrapper: Callable[[Call, Any], Any]) -> None:
    def wrapped(response: Any) -> Any:
        return wrapper(original, response)

    original = patch(seam, wrapped)
