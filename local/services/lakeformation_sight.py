"""What of Lake Formation's own lists a caller sees: an administrator all, others what is about their own rights.

"Returns a list of the principal permissions on the resource, filtered by the permissions of the caller"
(docs.aws.amazon.com/lake-formation/latest/APIReference/API_ListPermissions.html).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from local.engines.lake_formation import DATABASE_PERMISSIONS, TABLE_PERMISSIONS, Access, Grant, visible
from local.engines.lake_formation_permissions import may_grant, on_database
from local.services.lakeformation_judging import judged
from local.services.lakeformation_state import described, error, glue_table, kept_of

TABLES = ("Table", "TableWithColumns", "DataCellsFilter")
SELECT = frozenset({"SELECT"})


def table_access(response: Any, database: str, name: str) -> Access | None:
    """What the caller sees of a table; of an administrator nothing is asked."""
    glue = glue_table(response.current_account, response.region, database, name)
    return visible(judged(response) or "", described(glue, database), kept_of(response).state)


def of_table(response: Any, database: str, name: str, columns: Iterable[str]) -> list[str]:
    """The columns that the caller may be told of; an error where it is told of none, nor of the table."""
    if judged(response) is None:
        return list(columns)
    access = table_access(response, database, name)
    if access is None:
        raise error("AccessDeniedException", f"Insufficient Lake Formation permission(s): Required Describe on {name}")
    return [each for each in columns if each in access.described]


def of_database(response: Any, name: str) -> None:
    caller = judged(response)
    if caller is not None and not on_database(caller, name, kept_of(response).state):
        raise error("AccessDeniedException", f"Insufficient Lake Formation permission(s): Required Describe on {name}")


def grants(response: Any, found: Iterable[Grant]) -> Iterator[Grant]:
    """Its own grants, and of others' on tables and databases the permissions that it has there too."""
    caller = judged(response)
    for each in found:
        if caller in (None, each.principal):
            yield each
            continue
        held = each.permissions & _held(response, str(caller), each)
        if held:
            yield replace(each, permissions=held, grantable=each.grantable & held)


def _held(response: Any, caller: str, grant: Grant) -> frozenset[str]:
    ((kind, told),) = grant.resource.items()
    state = kept_of(response).state
    if kind == "Database":
        return _all(on_database(caller, told["Name"], state), DATABASE_PERMISSIONS)
    if kind not in TABLES:
        return frozenset()
    name = told.get("TableName") or told.get("Name")
    if name is None:  # every table of a database
        return grant.permissions if may_grant(caller, grant.resource, grant.permissions, state) else frozenset()
    glue = glue_table(response.current_account, response.region, told["DatabaseName"], name)
    table = described(glue, told["DatabaseName"])
    access = visible(caller, table, state)
    if access is None:
        return frozenset()
    return _all(access.permissions if access.whole(table) else access.permissions - SELECT, TABLE_PERMISSIONS)


def _all(held: frozenset[str], every: frozenset[str]) -> frozenset[str]:
    """Who has each permission has ALL."""
    return held | {"ALL"} if held >= every else held


def sees_filter(response: Any, key: tuple[str, str, str]) -> bool:
    """A filter's rows are told to who may make filters of its table, and to whom it is granted."""
    caller, state = judged(response), kept_of(response).state
    if caller is None or may_grant(caller, {"Table": {"DatabaseName": key[0], "Name": key[1]}}, SELECT, state):
        return True
    named = dict(zip(("DatabaseName", "TableName", "Name"), key, strict=True))
    return any(each.resource == {"DataCellsFilter": named} for each in state.held_by(caller))
