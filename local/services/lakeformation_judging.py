"""A request to the Glue catalog before Lake Formation's judge: who asks, for which table, and with what access."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.core.exceptions import JsonRESTError

from local.engines.lake_formation import Access, visible
from local.services import access_log
from local.services.lakeformation_state import described, error, glue_table, kept_of, key_of, principal_of

Call = Callable[[Any], Any]


def denied(needed: str, name: str) -> JsonRESTError:
    return error("AccessDeniedException", f"Insufficient Lake Formation permission(s): Required {needed} on {name}")


def judged(response: Any) -> str | None:
    """Who calls, where Lake Formation may have a say: not the person at the laptop, not an administrator."""
    caller = principal_of(response)
    return None if caller is None or caller in kept_of(response).state.admins else caller


def access_of(response: Any, caller: str, glue: dict[str, Any]) -> Access | None:
    return visible(caller, described(glue, str(glue["DatabaseName"]).lower()), kept_of(response).state)


def asked(response: Any, *names: str) -> str:
    """The first of the parameters that a request has, in lower case; `A.B` is B inside A."""
    for name in names:
        outer, _, inner = name.partition(".")
        found = response.parameters.get(outer)
        if inner:
            found = (found or {}).get(inner)
        if found:
            return str(found).lower()
    return ""


def require(response: Any, *needed: str) -> Access | None:
    """The caller's access to the table that a request names; an error without one of the permissions needed."""
    caller, database = judged(response), asked(response, "DatabaseName")
    if caller is None:
        return None
    name = asked(response, "TableName", "Name", "TableInput.Name")
    try:
        glue = glue_table(response.current_account, response.region, database, name)
    except JsonRESTError:
        return None  # moto says what is not there
    access = access_of(response, caller, glue)
    if access is None or not set(needed) & access.permissions:
        access_log.refused(key_of(response), database, name, needed[0])
        raise denied(needed[0].title(), name)
    return access if access.governed else None


def require_administrator(response: Any) -> None:
    """Tags, places and settings are an administrator's."""
    if (caller := judged(response)) is not None:
        raise error("AccessDeniedException", f"Insufficient Lake Formation permission(s) for {caller}")
