"""Lake Formation's permissions: granted, revoked and listed, one entry for each principal and resource."""

from __future__ import annotations

from typing import Any

from moto.core.exceptions import JsonRESTError

from local.engines.lake_formation import EVERYONE, TABLE_PERMISSIONS, Grant
from local.engines.lake_formation_permissions import may_grant
from local.services.lakeformation_resources import (
    check_permissions,
    check_principal,
    check_resource,
    path_of,
    same,
    shown,
)
from local.services.lakeformation_sight import grants as seen
from local.services.lakeformation_state import Kept, error, invalid, kept_of, principal_of
from local.services.paging import paged

FILTERS_OF_A_PRINCIPAL = 100  # on one table
LARGEST_PAGE = 1000
LISTED_KINDS = {
    "CATALOG": ("Catalog",), "DATABASE": ("Database",), "TABLE": ("Table", "TableWithColumns", "DataCellsFilter"),
    "DATA_LOCATION": ("DataLocation",), "LF_TAG": ("LFTag",), "LF_TAG_POLICY": ("LFTagPolicy",),
    "LF_TAG_POLICY_DATABASE": ("LFTagPolicy",), "LF_TAG_POLICY_TABLE": ("LFTagPolicy",),
}  # fmt: skip


ENTRY = ("Principal", "Resource", "Permissions", "PermissionsWithGrantOption")


def grant(response: Any) -> dict[str, Any]:
    _grant(response, {name: response._get_param(name) for name in ENTRY})
    return {}


def revoke(response: Any) -> dict[str, Any]:
    _revoke(response, {name: response._get_param(name) for name in ENTRY})
    return {}


def batch_grant(response: Any) -> dict[str, Any]:
    return _batch(response, _grant)


def batch_revoke(response: Any) -> dict[str, Any]:
    return _batch(response, _revoke)


def _batch(response: Any, change: Any) -> dict[str, Any]:
    failures = []
    for entry in response._get_param("Entries"):
        try:
            change(response, entry)
        except JsonRESTError as failure:
            told = {"ErrorCode": failure.error_type, "ErrorMessage": failure.message}
            failures.append({"RequestEntry": entry, "Error": told})
    return {"Failures": failures}


def _asked(response: Any, entry: dict[str, Any]) -> tuple[dict[str, Any], set[str], set[str]]:
    resource = check_resource(response, entry.get("Resource"))
    given, passed = entry.get("Permissions") or [], entry.get("PermissionsWithGrantOption") or []
    check_permissions(resource, given, passed)
    caller, state = principal_of(response), kept_of(response).state
    if caller is not None and not may_grant(caller, resource, frozenset({*given, *passed}), state):
        raise error("AccessDeniedException", f"Insufficient Lake Formation permission(s) for {caller}")
    return resource, set(given), set(passed)


def _grant(response: Any, entry: dict[str, Any]) -> None:
    resource, given, passed = _asked(response, entry)
    principal, found = check_principal(response, entry.get("Principal")), kept_of(response)
    with found.lock:
        if "DataCellsFilter" in resource:
            _check_number(found, principal, resource["DataCellsFilter"])
        put(found, principal, resource, given | passed, passed)


def _check_number(found: Kept, principal: str, told: dict[str, Any]) -> None:
    table = told["DatabaseName"], told["TableName"]
    others = {
        each.resource["DataCellsFilter"]["Name"]
        for each in found.state.grants.get(principal, ())
        if (of := each.resource.get("DataCellsFilter")) and (of["DatabaseName"], of["TableName"]) == table
    }
    if len(others | {told["Name"]}) > FILTERS_OF_A_PRINCIPAL:
        text = f"A principal can have {FILTERS_OF_A_PRINCIPAL} data filters on a table: {principal}, {'.'.join(table)}"
        raise error("ResourceNumberLimitExceededException", text)


def put(found: Kept, principal: str, resource: dict[str, Any], given: set[str], passed: set[str]) -> None:
    """Add permissions to those that the principal has on the resource."""
    there = found.state.grants.setdefault(principal, [])
    before = next((each for each in there if each.resource == resource), Grant(principal, resource, frozenset()))
    after = Grant(principal, resource, before.permissions | given, before.grantable | passed)
    found.state.grants[principal] = [*(each for each in there if each.resource != resource), after]
    if principal == EVERYONE:
        _mark(found, resource, open_=True)


def _revoke(response: Any, entry: dict[str, Any]) -> None:
    resource, given, passed = _asked(response, entry)
    principal, found = entry["Principal"]["DataLakePrincipalIdentifier"], kept_of(response)
    with found.lock:
        there = found.state.grants.get(principal, [])
        before = next((each for each in there if each.resource == resource), None)
        wanted = given | passed
        if before is None or not (wanted & before.permissions or "ALL" in before.permissions | wanted):
            raise invalid(f"No permissions revoked. Grantee does not have: {sorted(wanted)}")
        left = _left(before.permissions, given, resource)
        passing = _left(before.grantable, given | passed, resource)
        after = Grant(principal, resource, left, passing & left)
        found.state.grants[principal] = [*(each for each in there if each != before), *([after] if left else [])]
        if principal == EVERYONE and not left:
            _mark(found, resource, open_=False)


def _left(has: frozenset[str], gone: set[str], resource: dict[str, Any]) -> frozenset[str]:
    if "ALL" in gone:
        return frozenset()
    if "ALL" in has and gone and "Table" in resource:
        return TABLE_PERMISSIONS - gone
    return has - gone


def _mark(found: Kept, resource: dict[str, Any], *, open_: bool) -> None:
    """What has a grant to everyone is left to IAM."""
    ((kind, told),) = resource.items()
    if kind not in ("Database", "Table"):
        return
    place = (told["Name"],) if kind == "Database" else (told["DatabaseName"], told.get("Name", "*"))
    (found.state.open.add if open_ else found.state.open.discard)(place)


def forget(found: Kept, database: str, table: str | None = None) -> None:
    """A database or a table is gone: with it all that was said of it."""

    def of_it(resource: Any) -> bool:
        ((kind, told),) = resource.items()
        if kind == "Database":
            return table is None and told["Name"] == database
        named = told.get("TableName") or (told.get("Name") if kind in ("Table", "TableWithColumns") else None)
        return told.get("DatabaseName") == database and (table is None or named == table)

    state, place = found.state, (database,) if table is None else (database, table)
    with found.lock:
        for principal, grants in list(state.grants.items()):
            state.grants[principal] = [each for each in grants if not of_it(each.resource)]
        state.open -= {each for each in state.open if each[: len(place)] == place}
        for kept in (state.tags, state.filters, found.filters):
            for key in [key for key in kept if key[: len(place)] == place]:
                del kept[key]  # type: ignore[arg-type]


def list_(response: Any) -> dict[str, Any]:
    principal = (response._get_param("Principal") or {}).get("DataLakePrincipalIdentifier")
    resource, kind = response._get_param("Resource"), response._get_param("ResourceType")
    if principal and not resource:
        raise invalid("Resource is mandatory if Principal is set in the input.")
    wanted = same(resource) if resource else None
    rows = [
        each
        for grants in kept_of(response).state.grants.values()
        for each in grants
        if principal in (None, each.principal) and (wanted is None or about(each.resource, wanted))
        and (kind is None or of_kind(each.resource, kind))
    ]  # fmt: skip
    entries = [entry for each in seen(response, rows) for entry in entries_of(each, response.current_account)]
    return paged(response, "PrincipalResourcePermissions", entries, LARGEST_PAGE)


def of_kind(resource: Any, kind: str) -> bool:
    ((is_, told),) = resource.items()
    policy = kind.removeprefix("LF_TAG_POLICY_") if kind.startswith("LF_TAG_POLICY_") else None
    return is_ in LISTED_KINDS.get(kind, ()) and policy in (None, told.get("ResourceType"))


def about(resource: Any, wanted: dict[str, Any]) -> bool:
    """Whether a grant is on the resource asked for; those on a table's columns are the table's too."""
    ((kind, told),), ((asked, of),) = resource.items(), wanted.items()
    if asked == "Table" and kind == "TableWithColumns":
        return (told["DatabaseName"], told["Name"]) == (of["DatabaseName"], of.get("Name"))
    if asked == kind == "TableWithColumns" and "ColumnNames" not in of:
        return (told["DatabaseName"], told["Name"]) == (of["DatabaseName"], of["Name"])
    if asked == kind == "DataLocation":
        return path_of(told["ResourceArn"]) == path_of(of["ResourceArn"])
    return bool(resource == wanted)


def entries_of(found: Grant, account: str) -> list[dict[str, Any]]:
    """As the API lists a grant: SELECT on a whole table is one on all of its columns."""
    resource = found.resource
    parts = [(resource, found.permissions, found.grantable)]
    if "Table" in resource and "SELECT" in found.permissions:
        table = {key: value for key, value in resource["Table"].items() if key != "TableWildcard"}
        if "Name" in table:
            columns = {"TableWithColumns": {**table, "ColumnWildcard": {}}}
            only, rest = frozenset({"SELECT"}), found.permissions - {"SELECT"}
            parts = [(columns, only, found.grantable & only), (resource, rest, found.grantable - only)]
    return [
        {
            "Principal": {"DataLakePrincipalIdentifier": found.principal},
            "Resource": shown(dict(of), account),
            "Permissions": sorted(given),
            "PermissionsWithGrantOption": sorted(passed),
        }
        for of, given, passed in parts
        if given
    ]
