"""Hybrid access: for whom Lake Formation holds, as far as the roles of an environment go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from glue_jobs.formation import Formation
from lake.environment import Environment
from lake.governance import principal, principal_prefix
from lake.parts import GOVERNED

if TYPE_CHECKING:
    from cli.target import Target

DATABASE, TABLES = "database", "all of its tables"  # else one of its tables, by its name


@dataclass(frozen=True, order=True)
class OptIn:
    """One principal, for which Lake Formation decides on a database, on all of its tables or on one."""

    principal: str
    database: str
    what: str

    def request(self, account: str) -> dict[str, Any]:
        resource: dict[str, Any] = {"Database": {"CatalogId": account, "Name": self.database}}
        if self.what != DATABASE:
            which: dict[str, Any] = {"TableWildcard": {}} if self.what == TABLES else {"Name": self.what}
            resource = {"Table": {"CatalogId": account, "DatabaseName": self.database, **which}}
        return {"Principal": {"DataLakePrincipalIdentifier": self.principal}, "Resource": resource}


def wanted(described: Environment) -> set[OptIn]:
    """Each role for each layer, also for those that it reads nothing of: IAM alone shall open none to it.

    In other modes nobody: there an opt-in left over would hide from a role what IAM opens to it.
    """
    if described.governance != "hybrid":
        return set()
    return {
        OptIn(principal(described, role.name), described.databases[layer], what)
        for role in described.roles
        for layer in GOVERNED
        for what in (DATABASE, TABLES)
    }


def align(lake: Target) -> list[tuple[str, OptIn]]:
    """Opt in who is to be and is not, and out who is of ours and is not to be; answers both, `+` and `-`."""
    from contracts.compile import describe

    described, client = describe(lake.environment), lake.client("lakeformation")
    held, needed = set(_held(client, described)), wanted(described)
    gone, missing = sorted(held - needed), sorted(needed - held)
    for each in missing:
        client.create_lake_formation_opt_in(**each.request(described.account))
    for each in gone:
        client.delete_lake_formation_opt_in(**each.request(described.account))
    return [*(("+", each) for each in missing), *(("-", each) for each in gone)]


def _held(client: Any, described: Environment) -> Iterator[OptIn]:
    """Those of our roles, also of roles that are gone, on our databases."""
    governed = {described.databases[layer] for layer in GOVERNED}
    for each in Formation(client).pages("list_lake_formation_opt_ins", "LakeFormationOptInsInfoList"):
        found = _of(each["Principal"]["DataLakePrincipalIdentifier"], each["Resource"])
        if found and found.principal.startswith(principal_prefix(described)) and found.database in governed:
            yield found


def _of(who: str, resource: dict[str, Any]) -> OptIn | None:
    if database := resource.get("Database"):
        return OptIn(who, database["Name"], DATABASE)
    if table := resource.get("Table"):
        return OptIn(who, table["DatabaseName"], TABLES if "TableWildcard" in table else table["Name"])
    return None
