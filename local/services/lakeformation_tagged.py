"""What has which LF-tags, and what is found by them, as far as the caller sees it."""

from __future__ import annotations

from typing import Any

from moto.glue.models import glue_backends

from local.engines.lake_formation import Place, expression_of, matches
from local.engines.lake_formation_permissions import on_database
from local.services.lakeformation_grants import LARGEST_PAGE
from local.services.lakeformation_judging import judged
from local.services.lakeformation_resources import check_names, check_resource, check_tag, same
from local.services.lakeformation_sight import of_database, of_table, table_access
from local.services.lakeformation_state import absent, columns_of, glue_table, invalid, kept_of
from local.services.paging import paged


def of_resource(response: Any) -> dict[str, Any]:
    """GetResourceLFTags: those in effect, or those assigned to the very resource."""
    asked, own = same(response._get_param("Resource")), bool(response._get_param("ShowAssignedLFTags"))
    ((kind, told),) = check_resource(response, response._get_param("Resource")).items()
    account, region = response.current_account, response.region
    if kind == "Database":
        of_database(response, told["Name"])
        return _answer(response, (told["Name"],), [], own=own)
    if kind not in ("Table", "TableWithColumns") or "Name" not in told:
        raise invalid("LF-tags are assigned to a database, a table, or named columns.")
    glue = glue_table(account, region, told["DatabaseName"], told["Name"])
    names = asked[kind].get("ColumnNames") or [each["Name"].lower() for each in columns_of(glue)]
    names = of_table(response, told["DatabaseName"], told["Name"], names)
    check_names(glue, names)
    return _answer(response, (told["DatabaseName"], told["Name"]), names, own=own)


def _answer(response: Any, place: Place, columns: list[str], *, own: bool) -> dict[str, Any]:
    state, account = kept_of(response).state, response.current_account

    def tags(at: Place) -> list[dict[str, Any]]:
        found = state.tags.get(at, {}) if own else state.effective(*at)
        return [{"CatalogId": account, "TagKey": key, "TagValues": [tag]} for key, tag in sorted(found.items())]

    answer: dict[str, Any] = {}
    if database := tags(place[:1]):
        answer["LFTagOnDatabase"] = database
    if len(place) > 1 and (table := tags(place)):
        answer["LFTagsOnTable"] = table
    named = [{"Name": column, "LFTags": found} for column in columns if (found := tags((*place, column)))]
    return {**answer, "LFTagsOnColumns": named} if named else answer


def search_tables(response: Any) -> dict[str, Any]:
    state, wanted = kept_of(response).state, _expression(response)
    found = []
    for database in glue_backends[response.current_account][response.region].databases.values():
        for table in database.tables.values():
            place = database.name, table.name
            columns = [each["Name"].lower() for each in columns_of(table.as_dict())]
            if judged(response) is not None:
                access = table_access(response, *place)
                if access is None:
                    continue
                columns = [each for each in columns if each in access.described]
            if any(matches(wanted, state.effective(*at)) for at in (place, *((*place, each) for each in columns))):
                named = {"CatalogId": response.current_account, "DatabaseName": place[0], "Name": place[1]}
                found.append({"Table": named, **_answer(response, place, columns, own=False)})
    return paged(response, "TableList", found, LARGEST_PAGE)


def search_databases(response: Any) -> dict[str, Any]:
    state, wanted = kept_of(response).state, _expression(response)
    caller = judged(response)
    names = [each for each in glue_backends[response.current_account][response.region].databases
             if matches(wanted, state.effective(each)) and (caller is None or on_database(caller, each, state))
            ]  # fmt: skip
    account = response.current_account
    found = [
        {
            "Database": {"CatalogId": account, "Name": name},
            "LFTags": _answer(response, (name,), [], own=False)["LFTagOnDatabase"],
        }
        for name in names
    ]
    return paged(response, "DatabaseList", found, LARGEST_PAGE)


def _expression(response: Any) -> Any:
    expression = same({"Expression": response._get_param("Expression")})
    for key, values in expression_of(expression):
        check_tag(kept_of(response), key, list(values))
    if not expression_of(expression):
        raise absent("Expression: expected LF-tags.")
    return expression_of(expression)
