"""What Lake Formation keeps of an account, and who calls it for which table of the catalog."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.glue.models import glue_backends
from moto.iam.models import iam_backends
from moto.lakeformation.models import lakeformation_backends
from moto.sts.models import sts_backends

from local.engines.lake_formation import Described, State
from local.own_calls import OWN_KEY, PERSON_KEY
from local.services.athena_callers import caller

_ROLES: dict[str, str] = {}  # the principal of each access key, once it is known


@dataclass
class Kept:
    """One account's, beside the judge's state: tags and their values, places as they were registered, settings."""

    state: State = field(default_factory=State)
    tags: dict[str, list[str]] = field(default_factory=dict)
    places: dict[str, dict[str, Any]] = field(default_factory=dict)  # by ARN
    filters: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    opt_ins: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)


def kept(account: str, region: str) -> Kept:
    """In moto's own place, so that a reset empties it too."""
    backend: Any = lakeformation_backends[account][region]
    found: Kept | None = getattr(backend, "kept", None)
    if found is None:
        found = backend.kept = Kept()
    return found


def kept_of(response: Any) -> Kept:
    return kept(response.current_account, response.region)


def error(kind: str, text: str) -> JsonRESTError:
    return JsonRESTError(kind, text)


def invalid(text: str) -> JsonRESTError:
    return error("InvalidInputException", text)


def absent(text: str) -> JsonRESTError:
    return error("EntityNotFoundException", text)


def principal_of(response: Any) -> str | None:
    """The role or user that calls; None for the person at the laptop and for the endpoint itself."""
    return principal_of_key(key_of(response), response.current_account)


def key_of(response: Any) -> str:
    """The access key that a call came with."""
    return str(caller(response)["key"])


def principal_of_key(key: str, account: str) -> str | None:
    if key in (OWN_KEY, PERSON_KEY, ""):
        return None
    if key not in _ROLES:
        role = sts_backends[account]["aws"].get_assumed_role_from_access_key(key)
        user = None if role else iam_backends[account]["aws"].get_user_from_access_key_id(key)
        found = role.role_arn if role is not None else user.arn if user is not None else None
        if found is None:
            return None
        _ROLES[key] = str(found)
    return _ROLES[key]


def governed(key: str, account: str, region: str) -> str | None:
    """Who calls, where Lake Formation has something to say of it: some table is closed, or some place is registered."""
    principal, state = principal_of_key(key, account), kept(account, region).state
    if principal is None or principal in state.admins:
        return None
    if state.locations or state.opt_ins.get(principal):
        return principal
    databases = glue_backends[account][region].databases
    closed = any(
        (name,) not in state.open
        or any((name, table) not in state.open and (name, "*") not in state.open for table in database.tables)
        for name, database in list(databases.items())
    )
    return principal if closed else None


def glue_table(account: str, region: str, database: str, name: str) -> Any:
    """moto's own table; an error where it is not there."""
    databases = glue_backends[account][region].databases
    if database not in databases:
        raise absent(f"Database not found: {database}")
    if name not in databases[database].tables:
        raise absent(f"Table not found: {name}")
    return databases[database].tables[name].as_dict()


def described(glue: dict[str, Any], database: str) -> Described:
    names = [each["Name"].lower() for each in columns_of(glue)]
    return Described(database, str(glue["Name"]).lower(), tuple(names), glue.get("TableType") == "VIRTUAL_VIEW")


def columns_of(glue: dict[str, Any]) -> list[dict[str, Any]]:
    """A table's columns and its partition keys."""
    return [*((glue.get("StorageDescriptor") or {}).get("Columns") or ()), *(glue.get("PartitionKeys") or ())]
