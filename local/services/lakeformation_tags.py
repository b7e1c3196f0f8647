"""LF-tags: their values, and what they are assigned to."""

from __future__ import annotations

from typing import Any

from local.engines.lake_formation import Place, expression_of
from local.engines.lake_formation_permissions import may_grant
from local.services.lakeformation_grants import LARGEST_PAGE
from local.services.lakeformation_judging import judged, require_administrator
from local.services.lakeformation_resources import check_resource, check_tag, lowered
from local.services.lakeformation_state import error, invalid, kept_of
from local.services.paging import paged

LARGEST_CALL = 50  # values of a tag in one call, tags of a resource
LARGEST_TAG = 1000


def create(response: Any) -> dict[str, Any]:
    require_administrator(response)
    found, key, values = kept_of(response), *_asked(response)
    if key in found.tags:
        raise error("AlreadyExistsException", f"Tag key already exists: {key}")
    found.tags[key] = values
    return {}


def _asked(response: Any) -> tuple[str, list[str]]:
    values = list(dict.fromkeys(each.lower() for each in response._get_param("TagValues") or ()))
    if not 1 <= len(values) <= LARGEST_CALL:
        raise invalid(f"TagValues, {len(values)} of them: expected 1 to {LARGEST_CALL}.")
    return response._get_param("TagKey").lower(), values


def get(response: Any) -> dict[str, Any]:
    key = response._get_param("TagKey").lower()
    check_tag(kept_of(response), key, [])
    return {"CatalogId": response.current_account, "TagKey": key, "TagValues": kept_of(response).tags[key]}


def update(response: Any) -> dict[str, Any]:
    require_administrator(response)
    found, key = kept_of(response), response._get_param("TagKey").lower()
    gone = [each.lower() for each in response._get_param("TagValuesToDelete") or ()]
    new = [each.lower() for each in response._get_param("TagValuesToAdd") or ()]
    check_tag(found, key, gone)
    values = list(dict.fromkeys([*(each for each in found.tags[key] if each not in gone), *new]))
    if not values or len(values) > LARGEST_TAG or set(gone) & set(new):
        raise invalid(f"The values of the tag '{key}': expected 1 to {LARGEST_TAG}, none both added and deleted.")
    found.tags[key] = values
    for tags in found.state.tags.values():
        if tags.get(key) in gone:
            del tags[key]
    return {}


def delete(response: Any) -> dict[str, Any]:
    require_administrator(response)
    found, key = kept_of(response), response._get_param("TagKey").lower()
    check_tag(found, key, [])
    with found.lock:
        del found.tags[key]
        for tags in found.state.tags.values():
            tags.pop(key, None)
        for principal, grants in list(found.state.grants.items()):
            found.state.grants[principal] = [each for each in grants if not _names(each.resource, key)]
    return {}


def _names(resource: Any, key: str) -> bool:
    """Whether a grant is by this tag, or on it."""
    ((kind, told),) = resource.items()
    if kind == "LFTagPolicy":
        return any(each == key for each, _ in expression_of(told))
    return bool(kind == "LFTag" and told["TagKey"] == key)


def list_(response: Any) -> dict[str, Any]:
    account = response.current_account
    tags = [
        {"CatalogId": account, "TagKey": key, "TagValues": values} for key, values in kept_of(response).tags.items()
    ]
    return paged(response, "LFTags", tags, LARGEST_PAGE)


def places_of(response: Any) -> list[Place]:
    """The database, the table, or each of the columns that a request names."""
    ((kind, told),) = check_resource(response, response._get_param("Resource")).items()
    match kind:
        case "Database":
            return [(told["Name"],)]
        case "Table" if "Name" in told:
            return [(told["DatabaseName"], told["Name"])]
        case "TableWithColumns" if told.get("ColumnNames"):
            return [(told["DatabaseName"], told["Name"], column) for column in told["ColumnNames"]]
    raise invalid("LF-tags are assigned to a database, a table, or named columns.")


def assign(response: Any) -> dict[str, Any]:
    places = places_of(response)
    failures, found = [], kept_of(response)
    _check_rights(response, places[0])
    with found.lock:
        for asked in response._get_param("LFTags"):
            key, values = asked["TagKey"].lower(), lowered(asked["TagValues"])
            if key not in found.tags or len(values) != 1 or values[0] not in found.tags[key]:
                told = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "Tag or tag value does not exist."}
                failures.append({"LFTag": asked, "Error": told})
                continue
            for place in places:
                found.state.tags.setdefault(place, {})[key] = values[0]
    return {"Failures": failures}


def _check_rights(response: Any, place: Place) -> None:
    """ASSOCIATE on the tag, and everything that the resource has with the grant option."""
    caller, state = judged(response), kept_of(response).state
    if caller is None:
        return
    keys = {each["TagKey"].lower() for each in response._get_param("LFTags")}
    held = {
        each.resource["LFTag"]["TagKey"]
        for each in state.held_by(caller)
        if "LFTag" in each.resource and "ASSOCIATE" in each.permissions
    }
    resource = {"Database": {"Name": place[0]}} if len(place) == 1 else _table(place)
    every = frozenset({"DESCRIBE", "ALTER", "DROP"})
    if not keys <= held or not may_grant(caller, resource, every, state):
        raise error("AccessDeniedException", f"Insufficient Lake Formation permission(s) on {'.'.join(place)}")


def _table(place: Place) -> dict[str, Any]:
    return {"Table": {"DatabaseName": place[0], "Name": place[1]}}


def remove(response: Any) -> dict[str, Any]:
    places = places_of(response)
    failures, found = [], kept_of(response)
    _check_rights(response, places[0])
    with found.lock:
        for asked in response._get_param("LFTags"):
            key, values = asked["TagKey"].lower(), lowered(asked["TagValues"])
            there = [place for place in places if found.state.tags.get(place, {}).get(key) in values]
            if not there:
                told = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "Tag is not assigned to the resource."}
                failures.append({"LFTag": asked, "Error": told})
            for place in there:
                del found.state.tags[place][key]
    return {"Failures": failures}
