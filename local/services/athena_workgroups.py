"""Athena's workgroups and the named queries in them: moto has no change of either, no end of a named query, answers for
those that are not there with an error of its own, and lists them all at once.
"""

from __future__ import annotations

import json
import time
from typing import Any

from moto.core.exceptions import JsonRESTError

from local.services.athena_catalogs import LARGEST_LISTING
from local.services.paging import paged
from local.services.seams import add, patch

RESPONSE = "moto.athena.responses:AthenaResponse"
FIDELITY = (("Athena", "workgroups and named queries: made, changed, listed, deleted", "moto, mended", "real"),)
PRIMARY = "primary"
STARTED = time.time()


def invalid(message: str) -> JsonRESTError:
    return JsonRESTError("InvalidRequestException", message)


def workgroup(response: Any, name: str | None = None) -> Any:
    wanted = name or response._get_param("WorkGroup") or PRIMARY
    found = response.athena_backend.work_groups.get(wanted)
    if found is None:
        raise invalid(f"WorkGroup {wanted} is not found.")
    return found


def described(found: Any) -> dict[str, Any]:
    moment = getattr(found, "created", STARTED)
    return {"Name": found.name, "State": found.state, "Description": found.description or "", "CreationTime": moment}


def get_work_group(response: Any) -> str:
    found = workgroup(response)
    return json.dumps({"WorkGroup": {**described(found), "Configuration": found.configuration}})


def list_work_groups(response: Any) -> str:
    groups = [
        {**described(each), "EngineVersion": each.configuration["EngineVersion"]}
        for each in response.athena_backend.work_groups.values()
    ]
    return json.dumps(paged(response, "WorkGroups", groups, LARGEST_LISTING))


def update_work_group(response: Any) -> str:
    found = workgroup(response)
    found.description = response._get_param("Description") or found.description
    found.state = response._get_param("State") or found.state
    found.configuration = updated(found.configuration, response._get_param("ConfigurationUpdates") or {})
    return "{}"


def updated(configuration: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A configuration after its updates: `RemoveX` ends X, `XUpdates` changes parts of X."""
    result = dict(configuration)
    for name, value in changes.items():
        if name.startswith("Remove"):
            if value:
                result.pop(name.removeprefix("Remove"), None)
        elif name.endswith("Updates"):
            inner = name.removesuffix("Updates")
            result[inner] = updated(result.get(inner) or {}, value)
        else:
            result[name] = value
    return result


def delete_work_group(response: Any) -> str:
    backend, found = response.athena_backend, workgroup(response)
    if found.name == PRIMARY:
        raise invalid("Cannot delete primary workgroup.")
    kept = [each.id for each in backend.named_queries.values() if each.workgroup is found]
    held = [*kept, *(each for each in backend.executions.values() if each.workgroup is found)]
    if held and not response._get_param("RecursiveDeleteOption"):
        raise invalid(f"WorkGroup {found.name} is not empty.")
    for query in kept:
        del backend.named_queries[query]
    del backend.work_groups[found.name]
    return "{}"


def named_query(response: Any) -> Any:
    wanted = response._get_param("NamedQueryId")
    found = response.athena_backend.named_queries.get(wanted)
    if found is None:
        raise invalid(f"NamedQuery {wanted} was not found")
    return found


def shown(query: Any) -> dict[str, Any]:
    told = {"Name": query.name, "Description": query.description, "Database": query.database}
    rest = {"QueryString": query.query_string, "NamedQueryId": query.id, "WorkGroup": query.workgroup.name}
    return {name: value for name, value in {**told, **rest}.items() if value is not None}


def get_named_query(response: Any) -> str:
    return json.dumps({"NamedQuery": shown(named_query(response))})


def batch_get_named_query(response: Any) -> str:
    kept, wanted = response.athena_backend.named_queries, response._get_param("NamedQueryIds")
    unknown = {"ErrorCode": "INVALID_INPUT", "ErrorMessage": "NamedQuery was not found"}
    missing = [{"NamedQueryId": each, **unknown} for each in wanted if each not in kept]
    found = [shown(kept[each]) for each in wanted if each in kept]
    return json.dumps({"NamedQueries": found, "UnprocessedNamedQueryIds": missing})


def list_named_queries(response: Any) -> str:
    group = workgroup(response)
    ids = [each.id for each in response.athena_backend.named_queries.values() if each.workgroup is group]
    return json.dumps(paged(response, "NamedQueryIds", ids, LARGEST_LISTING))


def update_named_query(response: Any) -> str:
    query = named_query(response)
    query.name, query.query_string = response._get_param("Name"), response._get_param("QueryString")
    query.description = response._get_param("Description") or query.description
    return "{}"


def delete_named_query(response: Any) -> str:
    del response.athena_backend.named_queries[named_query(response).id]
    return "{}"


def install() -> None:
    def create_work_group(response: Any) -> Any:
        name = response._get_param("Name")
        if name in response.athena_backend.work_groups:
            raise invalid(f"WorkGroup {name} is already created")
        answer = create(response)
        workgroup(response, name).created = time.time()
        return answer

    create = patch(f"{RESPONSE}.create_work_group", create_work_group)
    for moto_has in (get_work_group, list_work_groups, delete_work_group, get_named_query, list_named_queries):
        patch(f"{RESPONSE}.{moto_has.__name__}", moto_has)
    for moto_lacks in (update_work_group, batch_get_named_query, update_named_query, delete_named_query):
        add(f"{RESPONSE}.{moto_lacks.__name__}", moto_lacks)
