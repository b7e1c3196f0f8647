"""Changes of the Glue catalog that Lake Formation must allow: databases, tables, partitions, and where they lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local.engines.lake_formation_permissions import may_use, on_database
from local.services.lakeformation_grants import forget, put
from local.services.lakeformation_judging import Call, access_of, asked, denied, judged, require
from local.services.lakeformation_places import at
from local.services.lakeformation_state import error, glue_table, kept_of, principal_of


def create_database(original: Call, response: Any) -> Any:
    _check_database_place(response)
    answer, name = original(response), asked(response, "DatabaseInput.Name")
    settings = response_settings(response)
    _default(response, {"Database": {"Name": name}}, settings["CreateDatabaseDefaultPermissions"])
    return answer


def _check_database_place(response: Any) -> None:
    """A database's tables may lie where it lies, so its place is asked for as theirs is."""
    caller, place = judged(response), (response.parameters.get("DatabaseInput") or {}).get("LocationUri")
    if caller is not None and place:
        check_place(response, caller, place.replace("s3a://", "s3://", 1))


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
        _check_database_place(response)
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


def drop_version(original: Call, response: Any) -> Any:
    require(response, "DROP", "ALTER")
    return original(response)


CHANGES: dict[str, Callable[[Call, Any], Any]] = {
    "create_database": create_database, "update_database": database_change("ALTER"),
    "delete_database": database_change("DROP", gone=True),
    "create_table": create_table, "update_table": update_table, "delete_table": delete_table,
    "batch_delete_table": batch_delete_table, "delete_table_version": drop_version,
    "create_partition": change_partition, "batch_create_partition": change_partition,
    "update_partition": change_partition, "batch_update_partition": change_partition,
    "delete_partition": change_partition, "batch_delete_partition": change_partition,
}  # fmt: skip
