"""Data cells filters: made, changed, listed, deleted, each with a row filter that Lake Formation takes."""

from __future__ import annotations

import uuid
from typing import Any

from local.engines.lake_formation import Filter
from local.engines.lake_formation_filters import FilterError, check
from local.engines.lake_formation_permissions import may_grant
from local.services.lakeformation_grants import LARGEST_PAGE
from local.services.lakeformation_resources import check_names, excluded_of, same
from local.services.lakeformation_sight import sees_filter
from local.services.lakeformation_state import absent, columns_of, error, glue_table, invalid, kept_of, principal_of
from local.services.paging import paged

Key = tuple[str, str, str]


def create(response: Any) -> dict[str, Any]:
    key, told = _asked(response)
    if key in kept_of(response).filters:
        raise error("AlreadyExistsException", f"Data cells filter already exists: {key[2]}")
    _keep(response, key, told)
    return {}


def update(response: Any) -> dict[str, Any]:
    key, told = _asked(response)
    before = _found(response, key)
    if told.get("VersionId") not in (None, before["VersionId"]):
        raise error("ConcurrentModificationException", f"The data cells filter {key[2]} has been changed since.")
    _keep(response, key, told)
    return {}


def get(response: Any) -> dict[str, Any]:
    key = _key(response._get_param)
    if not sees_filter(response, key):
        raise error("AccessDeniedException", f"Insufficient Lake Formation permission(s) on {key[1]}")
    return {"DataCellsFilter": _found(response, key)}


def delete(response: Any) -> dict[str, Any]:
    key, found = _key(response._get_param), kept_of(response)
    _found(response, key)
    _check_rights(response, key)
    with found.lock:
        del found.filters[key], found.state.filters[key]
        named = dict(zip(("DatabaseName", "TableName", "Name"), key, strict=True))
        for principal, grants in list(found.state.grants.items()):
            found.state.grants[principal] = [each for each in grants if each.resource != {"DataCellsFilter": named}]
    return {}


def list_(response: Any) -> dict[str, Any]:
    table = same(response._get_param("Table") or {})
    wanted = [table[name] for name in ("DatabaseName", "Name") if name in table]
    there = ((key, told) for key, told in sorted(kept_of(response).filters.items()) if sees_filter(response, key))
    found = [told for key, told in there if list(key[: len(wanted)]) == wanted]
    return paged(response, "DataCellsFilters", found, LARGEST_PAGE)


def _key(told: Any) -> Key:
    database, table, name = (str(told(each) or "").lower() for each in ("DatabaseName", "TableName", "Name"))
    return database, table, name


def _found(response: Any, key: Key) -> dict[str, Any]:
    told = kept_of(response).filters.get(key)
    if told is None:
        raise absent(f"Data cells filter not found: {key[2]}")
    return told


def _asked(response: Any) -> tuple[Key, dict[str, Any]]:
    told: dict[str, Any] = response._get_param("TableData")
    key = _key(told.get)
    glue = glue_table(response.current_account, response.region, *key[:2])
    if glue.get("TableType") == "VIRTUAL_VIEW":
        raise invalid("Data filters are not supported on views.")
    if bool(told.get("ColumnNames")) == (told.get("ColumnWildcard") is not None):
        raise invalid("Either ColumnNames or ColumnWildcard must be given.")
    check_names(glue, [*(told.get("ColumnNames") or ()), *excluded_of(told)])
    rows = told.get("RowFilter") or {}
    if ("FilterExpression" in rows) == ("AllRowsWildcard" in rows):
        raise invalid("RowFilter: expected a FilterExpression or AllRowsWildcard.")
    if text := rows.get("FilterExpression"):
        try:
            check(text, {each["Name"]: each.get("Type", "string") for each in columns_of(glue)})
        except FilterError as found:
            raise invalid(str(found)) from found
    _check_rights(response, key)
    return key, told


def _check_rights(response: Any, key: Key) -> None:
    """A filter is made by who has SELECT on the whole table with the grant option."""
    caller = principal_of(response)
    table = {"Table": {"DatabaseName": key[0], "Name": key[1]}}
    if caller is not None and not may_grant(caller, table, frozenset({"SELECT"}), kept_of(response).state):
        raise error("AccessDeniedException", f"Insufficient Lake Formation permission(s) on {key[1]}")


def _keep(response: Any, key: Key, told: dict[str, Any]) -> None:
    found, named = kept_of(response), [each.lower() for each in told.get("ColumnNames") or ()]
    rows = told["RowFilter"].get("FilterExpression")
    plain = None if rows is None or rows.strip().lower() == "true" else rows
    with found.lock:
        found.filters[key] = {
            **told,
            "TableCatalogId": response.current_account,
            **dict(zip(("DatabaseName", "TableName", "Name"), key, strict=True)),
            "VersionId": str(uuid.uuid4()),
        }
        found.state.filters[key] = Filter(plain, tuple(named) or None, tuple(excluded_of(told)))
