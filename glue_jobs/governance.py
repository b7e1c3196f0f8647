"""Bring a dataset's tables to the plan of governance: closed from the start, tagged, then filtered and granted.

What is not ours stays: others' tags, filters and grants, also on tables of the lake. The deployed templates own the
rest of the plan.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from glue_jobs import views
from glue_jobs.aws import client
from glue_jobs.failures import TransientError
from lake.filters import CellFilter
from lake.governance import CLASSIFICATION, plan, view_tags
from lake.model import Lake
from lake.parts import GOLD, GOVERNED, Dataset, Environment
from lake.rights import Plan, TableTags, Tag

EVERYONE = "IAM_ALLOWED_PRINCIPALS"  # Lake Formation's name for all whom IAM lets
AT_ONCE = 20  # grants of one call
TRIES, PAUSE = 6, 0.5  # of a change that came at the same time as another

Said = dict[str, Any]


class GovernanceFailedError(TransientError):
    """Lake Formation did not take a tag, a filter or a grant; what it was for stays closed."""


def govern(lake: Lake, dataset: Dataset) -> None:
    """Who sees what of the dataset's tables is as planned; where IAM alone decides, that is nothing to do."""
    environment = lake.environment
    if environment.governance == "iam":
        return
    database = environment.databases[dataset.layer]
    kept = (view_tags(environment, dataset.layer, name) for name in views.named(database, dataset))
    part = plan(environment, [dataset]).of(dataset.id)
    Governor(client("lakeformation"), environment).bring(replace(part, tables=(*part.tables, *kept)))


def close(lake: Lake) -> None:
    """Where Lake Formation alone decides, what an account gives to all on each new database is taken from ours."""
    if lake.environment.governance == "lake_formation":
        Governor(client("lakeformation"), lake.environment).close_databases()


def govern_views(lake: Lake, names: Iterable[str]) -> None:
    """These views of gold are seen by who sees gold; what is below them, by who sees that."""
    environment = lake.environment
    if environment.governance != "iam":
        tables = tuple(view_tags(environment, GOLD, each) for each in names)
        Governor(client("lakeformation"), environment).bring(replace(plan(environment, []), tables=tables))


class Governor:
    """Lake Formation as one environment's jobs see it."""

    def __init__(self, client: Any, environment: Environment) -> None:
        self._client = client
        self._environment = environment
        self._ours = f"arn:aws:iam::{environment.account}:role/{environment.prefix}role-"

    def bring(self, plan: Plan) -> None:
        """What hides comes before what shows, so that a failure between leaves less to be seen, never more."""
        for table in plan.tables:
            self._tag(table)
            if plan.mode == "lake_formation":  # a table from before it was: open to all whom IAM lets
                self._close({"Table": self._place(table)})
        wanted = {(each.database, each.table, each.name): each for each in plan.filters}
        held = {key: each for table in plan.tables for key, each in self._held(table)}
        for key in held.keys() - wanted.keys():
            self._remove(key)
        for key, each in wanted.items():
            if key not in held:
                self._call("create_data_cells_filter", TableData=self._data(each))
            elif not _same(held[key], each):
                self._call("update_data_cells_filter", TableData=self._data(each))
        self._grant(plan, [key for key in wanted if key in held])

    def close_databases(self) -> None:
        for layer in GOVERNED:
            database = self._environment.databases[layer]
            self._close({"Database": {"CatalogId": self._environment.account, "Name": database}})

    def _place(self, table: TableTags) -> Said:
        return {"CatalogId": self._environment.account, "DatabaseName": table.database, "Name": table.table}

    def _tag(self, table: TableTags) -> None:
        place = self._place(table)
        self._add_tags({"Table": place}, table.tags)
        for class_, columns in table.columns:
            tag = Tag(self._environment.prefix + CLASSIFICATION, (class_,))
            self._add_tags({"TableWithColumns": {**place, "ColumnNames": list(columns)}}, (tag,))

    def _add_tags(self, resource: Said, tags: Iterable[Tag]) -> None:
        pairs = [
            {"CatalogId": self._environment.account, "TagKey": each.key, "TagValues": list(each.values)}
            for each in tags
        ]
        _check(self._call("add_lf_tags_to_resource", Resource=resource, LFTags=pairs))

    def _close(self, resource: Said) -> None:
        everyone = {"DataLakePrincipalIdentifier": EVERYONE}
        for each in self._open(resource):
            told = {"Principal": everyone, "Resource": each["Resource"], "Permissions": each["Permissions"]}
            try:
                self._call("revoke_permissions", **told)
            except self._client.exceptions.InvalidInputException:
                if self._open(resource):  # else another run was first
                    raise

    def _open(self, resource: Said) -> list[Said]:
        everyone = {"DataLakePrincipalIdentifier": EVERYONE}
        return self._pages("list_permissions", "PrincipalResourcePermissions", Principal=everyone, Resource=resource)

    def _held(self, table: TableTags) -> Iterator[tuple[tuple[str, str, str], Mapping[str, Any]]]:
        """Our filters of a table, by the prefix of their names."""
        for each in self._pages("list_data_cells_filter", "DataCellsFilters", Table=self._place(table)):
            if each["Name"].startswith(self._environment.prefix):
                yield (each["DatabaseName"], each["TableName"], each["Name"]), each

    def _remove(self, key: tuple[str, str, str]) -> None:
        for principal in self._granted(key):
            self._call(
                "revoke_permissions",
                Principal={"DataLakePrincipalIdentifier": principal},
                Resource=self._resource(key),
                Permissions=["SELECT"],
            )
        database, table, name = key
        account = self._environment.account
        self._call(
            "delete_data_cells_filter", TableCatalogId=account, DatabaseName=database, TableName=table, Name=name
        )

    def _grant(self, plan: Plan, older: Iterable[tuple[str, str, str]]) -> None:
        """Each grant of the plan; of a filter that was there before, none of our roles keeps one that is not in it."""
        wanted = {
            (each.principal, (each.filter.database, each.filter.table, each.filter.name)) for each in plan.filter_grants
        }
        held = {(principal, key) for key in older for principal in self._granted(key)}
        gone = sorted(each for each in held - wanted if each[0].startswith(self._ours))
        for how, changes in (("batch_revoke_permissions", gone), ("batch_grant_permissions", sorted(wanted - held))):
            entries = [
                {
                    "Id": str(number),
                    "Principal": {"DataLakePrincipalIdentifier": principal},
                    "Resource": self._resource(key),
                    "Permissions": ["SELECT"],
                }
                for number, (principal, key) in enumerate(changes)
            ]
            for start in range(0, len(entries), AT_ONCE):
                _check(self._call(how, Entries=entries[start : start + AT_ONCE]))

    def _granted(self, key: tuple[str, str, str]) -> list[str]:
        """Whom the filter is granted to."""
        held = self._pages("list_permissions", "PrincipalResourcePermissions", Resource=self._resource(key))
        return [each["Principal"]["DataLakePrincipalIdentifier"] for each in held]

    def _resource(self, key: tuple[str, str, str]) -> Said:
        database, table, name = key
        account = self._environment.account
        place = {"TableCatalogId": account, "DatabaseName": database, "TableName": table, "Name": name}
        return {"DataCellsFilter": place}

    def _data(self, each: CellFilter) -> Said:
        place = self._resource((each.database, each.table, each.name))["DataCellsFilter"]
        columns: Said = {"ColumnNames": list(each.columns)} if each.columns else {"ColumnWildcard": {}}
        rows: Said = {"FilterExpression": each.rows} if each.rows else {"AllRowsWildcard": {}}
        return {**place, **columns, "RowFilter": rows}

    def _pages(self, operation: str, listed: str, **arguments: Any) -> list[Said]:
        found: list[Said] = []
        token: Said = {}
        while True:
            answer = self._call(operation, **arguments, **token)
            found += answer.get(listed, [])
            if not answer.get("NextToken"):
                return found
            token = {"NextToken": answer["NextToken"]}

    def _call(self, operation: str, **arguments: Any) -> Said:
        """Changes that come at once are refused; the datasets of a run are worked at once."""
        call, busy = getattr(self._client, operation), self._client.exceptions.ConcurrentModificationException
        for number in range(TRIES - 1):
            try:
                answer: Said = call(**arguments)
                return answer
            except busy:
                time.sleep(PAUSE * 2**number)
        last: Said = call(**arguments)
        return last


def _same(held: Mapping[str, Any], wanted: CellFilter) -> bool:
    rows = held.get("RowFilter", {}).get("FilterExpression", "")
    # Lake Formation says all rows as an expression too
    return (rows if rows != "true" else "") == wanted.rows and set(held.get("ColumnNames") or ()) == set(wanted.columns)


def _check(answer: Mapping[str, Any]) -> None:
    """Calls for many things answer with what they did not do."""
    if failures := answer.get("Failures"):
        told = failures[0].get("Error", {})
        raise GovernanceFailedError(
            f"Lake Formation refused {len(failures)} of a dataset's tags or grants:"
            f" {told.get('ErrorCode')}: {told.get('ErrorMessage')}.",
            "What they were to show stays hidden. Redrive; if it is refused again, see `Governance` in the runbook.",
        )
