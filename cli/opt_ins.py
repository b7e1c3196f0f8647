"""Hybrid access: for whom Lake Formation holds, as far as the roles of an environment go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.errors import CommandError
from lake.governance import principal
from lake.parts import GOVERNED

if TYPE_CHECKING:
    from cli.target import Target

DATABASE, TABLES = "database", "all of its tables"


@dataclass(frozen=True, order=True)
class OptIn:
    """One principal, for which Lake Formation decides on a database or on all of its tables."""

    principal: str
    database: str
    what: str

    def request(self, account: str) -> dict[str, Any]:
        place = {"CatalogId": account}
        resource = (
            {"Database": {**place, "Name": self.database}}
            if self.what == DATABASE
            else {"Table": {**place, "DatabaseName": self.database, "TableWildcard": {}}}
        )
        return {"Principal": {"DataLakePrincipalIdentifier": self.principal}, "Resource": resource}


def wanted(lake: Target) -> list[OptIn]:
    """Each role for each layer, also for those that it reads nothing of: IAM alone shall open none to it."""
    from contracts.compile import describe

    environment = lake.environment
    if environment.governance != "hybrid":
        raise CommandError(
            f"The environment '{environment.name}': expected mode hybrid, and it has '{environment.governance}', in"
            " which nobody opts in. See `governance:` in its file."
        )
    described = describe(environment)
    return sorted(
        OptIn(principal(described, role), environment.database(layer), what)
        for role in environment.roles
        for layer in GOVERNED
        for what in (DATABASE, TABLES)
    )


def opt_in(lake: Target) -> list[OptIn]:
    """Opt in whoever is not yet; answers those."""
    client = lake.client("lakeformation")
    held = set(_held(client))
    missing = [each for each in wanted(lake) if each not in held]
    for each in missing:
        client.create_lake_formation_opt_in(**each.request(lake.environment.account))
    return missing


def _held(client: Any) -> Iterator[OptIn]:
    token: dict[str, str] = {}
    while True:
        answer = client.list_lake_formation_opt_ins(**token)
        for each in answer.get("LakeFormationOptInsInfoList", ()):
            who = each["Principal"]["DataLakePrincipalIdentifier"]
            if database := each["Resource"].get("Database"):
                yield OptIn(who, database["Name"], DATABASE)
            elif (table := each["Resource"].get("Table")) and "TableWildcard" in table:
                yield OptIn(who, table["DatabaseName"], TABLES)
        if not answer.get("NextToken"):
            return
        token = {"NextToken": answer["NextToken"]}
