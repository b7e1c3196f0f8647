"""Athena's prepared statements: moto keeps one of a name for all workgroups, and cannot list, change or delete."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import Any

from moto.core.exceptions import JsonRESTError

from local.engines.athena_errors import QueryError
from local.engines.athena_prepared import Deallocate, Execute, Prepare
from local.services.athena_catalogs import LARGEST_LISTING
from local.services.paging import paged
from local.services.seams import add, patch

RESPONSE = "moto.athena.responses:AthenaResponse"
FIDELITY = (("Athena", "prepared statements: PREPARE, EXECUTE, DEALLOCATE PREPARE, and the API's", "ours", "real"),)


@dataclass
class Prepared:
    """A statement kept with a workgroup."""

    name: str
    workgroup: str
    sql: str
    description: str = ""
    changed: float = field(default_factory=time.time)

    def described(self) -> dict[str, Any]:
        return {
            "StatementName": self.name,
            "QueryStatement": self.sql,
            "WorkGroupName": self.workgroup,
            "Description": self.description,
            "LastModifiedTime": self.changed,
        }


def kept(backend: Any) -> dict[tuple[str, str], Prepared]:
    """By workgroup and name; in moto's own place, so that a reset empties it too."""
    found: dict[tuple[str, str], Prepared] = backend.prepared_statements
    return found


def check(backend: Any, group: str, plan: Any) -> None:
    """Fail where a statement names what is not there, or is there already."""
    there = (group, getattr(plan, "name", "")) in kept(backend)
    if isinstance(plan, Prepare) and there:
        raise QueryError("FAILED", f"PreparedStatement {plan.name} already exists in workGroup {group}")
    if isinstance(plan, Execute | Deallocate) and not there:
        raise QueryError("FAILED", f"PreparedStatement {plan.name} was not found in workGroup {group}")


def apply(backend: Any, group: str, plan: Any) -> None:
    """What a PREPARE or DEALLOCATE that has succeeded leaves."""
    if isinstance(plan, Prepare):
        kept(backend)[group, plan.name] = Prepared(plan.name, group, plan.sql)
    if isinstance(plan, Deallocate):
        kept(backend).pop((group, plan.name), None)


def found(response: Any) -> Prepared:
    name, group = response._get_param("StatementName"), response._get_param("WorkGroup")
    try:
        return kept(response.athena_backend)[group, name.lower()]
    except KeyError as error:
        text = f"PreparedStatement {name} was not found in workGroup {group}"
        raise JsonRESTError("ResourceNotFoundException", text) from error


def create(response: Any) -> str:
    name, group = response._get_param("StatementName").lower(), response._get_param("WorkGroup")
    if group not in response.athena_backend.work_groups:
        raise JsonRESTError("InvalidRequestException", f"WorkGroup {group} is not found.")
    statements = kept(response.athena_backend)
    if (group, name) in statements:
        text = f"PreparedStatement {name} already exists in workGroup {group}"
        raise JsonRESTError("InvalidRequestException", text)
    sql, description = response._get_param("QueryStatement"), response._get_param("Description") or ""
    statements[group, name] = Prepared(name, group, sql, description)
    return "{}"


def get(response: Any) -> str:
    return json.dumps({"PreparedStatement": found(response).described()})


def batch_get(response: Any) -> str:
    statements, group = kept(response.athena_backend), response._get_param("WorkGroup")
    names = response._get_param("PreparedStatementNames")
    there = [statements[group, name].described() for name in names if (group, name) in statements]
    missing = [
        {"StatementName": name, "ErrorCode": "STATEMENT_NOT_FOUND", "ErrorMessage": f"{name} was not found"}
        for name in names
        if (group, name) not in statements
    ]
    return json.dumps({"PreparedStatements": there, "UnprocessedPreparedStatementNames": missing})


def list_(response: Any) -> str:
    group = response._get_param("WorkGroup")
    names = [
        {"StatementName": each.name, "LastModifiedTime": each.changed}
        for each in kept(response.athena_backend).values()
        if each.workgroup == group
    ]
    return json.dumps(paged(response, "PreparedStatements", names, LARGEST_LISTING))


def update(response: Any) -> str:
    statement = found(response)
    statement.sql, statement.changed = response._get_param("QueryStatement"), time.time()
    statement.description = response._get_param("Description") or statement.description
    return "{}"


def delete(response: Any) -> str:
    statement = found(response)
    del kept(response.athena_backend)[statement.workgroup, statement.name]
    return "{}"


def install() -> None:
    patch(f"{RESPONSE}.create_prepared_statement", create)
    patch(f"{RESPONSE}.get_prepared_statement", get)
    add(f"{RESPONSE}.batch_get_prepared_statement", batch_get)
    add(f"{RESPONSE}.list_prepared_statements", list_)
    add(f"{RESPONSE}.update_prepared_statement", update)
    add(f"{RESPONSE}.delete_prepared_statement", delete)
