"""What a principal may do beside reading tables: see databases, use places, pass permissions on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.engines.lake_formation import (
    DATABASE_PERMISSIONS,
    TABLE_PERMISSIONS,
    Described,
    State,
    covers,
    expanded,
    expression_of,
    matches,
)


def on_database(principal: str, database: str, state: State) -> frozenset[str]:
    """A principal's permissions on a database; who has anything on a table in it sees that it is there."""
    if principal in state.admins or (database,) in state.open:
        return DATABASE_PERMISSIONS
    found: set[str] = set()
    for grant in state.held_by(principal):
        ((kind, resource),) = grant.resource.items()
        match kind:
            case "Database" if resource["Name"] == database:
                found |= {*expanded(grant.permissions, DATABASE_PERMISSIONS), "DESCRIBE"}
            case "Table" | "TableWithColumns" | "DataCellsFilter" if resource["DatabaseName"] == database:
                found.add("DESCRIBE")
            case "LFTagPolicy" if resource["ResourceType"] == "DATABASE":
                if matches(expression_of(resource), state.effective(database)):
                    found |= {*expanded(grant.permissions, DATABASE_PERMISSIONS), "DESCRIBE"}
            case "LFTagPolicy":
                places = [place for place in state.tags if place[0] == database]
                if any(matches(expression_of(resource), state.effective(*place)) for place in places):
                    found.add("DESCRIBE")
    return frozenset(found)


def may_use(principal: str, path: str, state: State) -> bool:
    """Whether a principal may make a table or a partition at a place: what is not registered is left to IAM."""
    path = path.replace("s3a://", "s3://", 1).rstrip("/") + "/"
    if principal in state.admins or state.location_of(path) is None:
        return True
    located = (grant.resource.get("DataLocation") for grant in state.held_by(principal))
    places = ["s3://" + each["ResourceArn"].rpartition(":")[2].rstrip("/") + "/" for each in located if each]
    return any(path.startswith(place) for place in places)


def may_grant(principal: str, resource: Mapping[str, Any], permissions: frozenset[str], state: State) -> bool:
    """Whether a principal may pass permissions on a resource on: what it has by name there, with the grant option."""
    if principal in state.admins:
        return True
    ((kind, told),) = resource.items()
    if kind not in ("Table", "TableWithColumns", "DataCellsFilter", "Database"):
        return False
    database = told.get("DatabaseName") or told["Name"]
    name = told.get("TableName") or (told.get("Name") if kind != "Database" else None)
    held: set[str] = set()
    for grant in state.held_by(principal):
        ((of, has),) = grant.resource.items()
        if kind == of == "Database" and has["Name"] == database:
            held |= expanded(grant.grantable, DATABASE_PERMISSIONS | {"ALL"})
        if kind != "Database" and of == "Table" and covers(has, Described(database, name or "*", ())):
            held |= expanded(grant.grantable, TABLE_PERMISSIONS | {"ALL"})
    return permissions <= held
