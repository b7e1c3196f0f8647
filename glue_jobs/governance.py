"""Bring a dataset's tables to the plan of governance: closed from the start, tagged, then filtered and granted.

What is not ours stays: others' tags, filters and grants, also on tables of the lake. The deployed templates own the
rest of the plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from glue_jobs import views
from glue_jobs.aws import client
from glue_jobs.cell_filters import CellFilters
from glue_jobs.formation import Formation, Granted, Said, check, place_of
from lake.environment import Environment
from lake.governance import BY_FILTERS, BY_TAGS, CLASSIFICATION, VALUES, plan, tables, view_tags, way_to
from lake.model import Lake
from lake.parts import GOLD, GOVERNED, Dataset
from lake.rights import Plan, TableTags, Tag
from lake.roles import SENSITIVE

EVERYONE = "IAM_ALLOWED_PRINCIPALS"  # Lake Formation's name for all whom IAM lets
CLOSED, LARGEST = "lake_formation", 1000  # the mode in which that group has nothing; grants of one page
PASSES = 3  # over what is open: another run may close it too


def govern(lake: Lake, dataset: Dataset) -> None:
    """Who sees what of the dataset's tables is as planned; where IAM alone decides, that is nothing to do."""
    environment = lake.environment
    if environment.governance == "iam":
        return
    database = environment.databases[dataset.layer]
    names, way = views.named(database, dataset), way_to(dataset)
    kept = (view_tags(environment, dataset.layer, name, way) for name in names)
    part = plan(environment, [dataset]).of(dataset.id)
    Governor(client("lakeformation"), environment).bring(replace(part, tables=(*part.tables, *kept)))


def close(lake: Lake) -> None:
    """Before any table is applied: close what is open to everyone, and delete filters of tables without a contract."""
    environment = lake.environment
    if environment.governance == "iam":
        return
    governor = Governor(client("lakeformation"), environment)
    governor.close()
    datasets = map(lake.dataset, lake.dataset_ids())
    governor.filters.remove_lost(table for each in datasets for table in tables(environment, each))


def govern_views(lake: Lake, names: Iterable[str]) -> None:
    """These views of gold are seen by who sees gold; what is below them, by who sees that."""
    environment = lake.environment
    if environment.governance != "iam":
        shown = tuple(view_tags(environment, GOLD, each) for each in names)
        Governor(client("lakeformation"), environment).bring(replace(plan(environment, []), tables=shown))


class Governor:
    """Lake Formation as one environment's jobs see it."""

    def __init__(self, client: Any, environment: Environment) -> None:
        self._formation = Formation(client)
        self._environment = environment
        self.filters = CellFilters(self._formation, environment)

    def bring(self, plan: Plan) -> None:
        """What hides comes before what shows, so that a failure between leaves less to be seen, never more."""
        for table in plan.tables:
            self._tag(table)
            if plan.mode == CLOSED:  # a table from before it was: open to all whom IAM lets
                self._close_table(table)
        self.filters.bring(plan)

    def hide(self, plan: Plan) -> list[tuple[str, str]]:
        """Columns and tables that the plan hides from some who see them now; answers each new value, and its place.

        What the plan shows waits for the run that applies it.
        """
        key, found = self._environment.prefix + CLASSIFICATION, list[tuple[str, str]]()
        for table in plan.tables:
            try:
                told = self._formation.call("get_resource_lf_tags", Resource=self._place(table))
            except self._formation.absent:
                continue
            place = f"{table.database}.{table.table}"
            for tag in _hiding(_values(told.get("LFTagsOnTable")), table.tags):
                self._add_tags(self._place(table), (tag,))
                found.append((tag.values[0], place))
            held = {each["Name"]: _values(each["LFTags"]) for each in told.get("LFTagsOnColumns", ())}
            for class_, columns in table.columns:
                tag = Tag(key, (class_,))
                if hidden := [name for name in columns if _hiding(held.get(name, {}), (tag,))]:
                    self._add_tags(self._columns(table, hidden), (tag,))
                    found += [(class_, f"{place}.{name}") for name in hidden]
        return found

    def close(self) -> list[Said]:
        """Where Lake Formation alone decides, nothing of the lake is open to all whom IAM lets.

        Databases, and all that lies in them: tables of no contract, and bronze, which no apply comes to. They are
        listed for the account, in pages of a thousand grants: a call for each table would be more.
        """
        if self._environment.governance != CLOSED:
            return []
        closed: list[Said] = []
        for _ in range(PASSES):
            found = list(self._open())
            if not found:
                return closed
            failures = self._formation.change("batch_revoke_permissions", found)
            closed += [resource for _, resource, _ in found]
        check(failures)
        return closed

    def _open(self) -> Iterable[Granted]:
        ours = {self._environment.databases[layer] for layer in GOVERNED}
        for each in self._formation.granted(MaxResults=LARGEST):
            principal, resource, _ = each
            if principal == EVERYONE and _database(resource) in ours:
                yield each

    def _close_table(self, table: TableTags) -> None:
        def opened() -> list[Granted]:
            return [each for each in self._formation.granted(Resource=self._place(table)) if each[0] == EVERYONE]

        failures = self._formation.change("batch_revoke_permissions", opened())
        if failures and opened():  # else another run was first
            check(failures)

    def _place(self, table: TableTags) -> Said:
        return place_of(self._environment, table.database, table.table)

    def _tag(self, table: TableTags) -> None:
        place = self._place(table)
        self._add_tags(place, table.tags)
        for class_, columns in table.columns:
            tag = Tag(self._environment.prefix + CLASSIFICATION, (class_,))
            self._add_tags(self._columns(table, columns), (tag,))

    def _columns(self, table: TableTags, names: Iterable[str]) -> Said:
        return {"TableWithColumns": {**self._place(table)["Table"], "ColumnNames": list(names)}}

    def _add_tags(self, resource: Said, tags: Iterable[Tag]) -> None:
        pairs = [
            {"CatalogId": self._environment.account, "TagKey": each.key, "TagValues": list(each.values)}
            for each in tags
        ]
        check(self._formation.call("add_lf_tags_to_resource", Resource=resource, LFTags=pairs).get("Failures", ()))


def _database(resource: Said) -> str | None:
    """The database that a resource is, or is in."""
    [(kind, place)] = resource.items()
    found: str | None = place.get("Name" if kind == "Database" else "DatabaseName")
    return found


def _values(tags: Iterable[Said] | None) -> dict[str, str]:
    return {each["TagKey"]: each["TagValues"][0] for each in tags or ()}


def _hiding(held: Mapping[str, str], wanted: Iterable[Tag]) -> list[Tag]:
    """Tags of another value than is held, and one that fewer may see: pii and phi are apart, and any may hide."""
    order = (BY_TAGS, BY_FILTERS, *VALUES)
    return [
        each
        for each in wanted
        if each.key in held
        and held[each.key] != each.values[0]
        and (each.values[0] in SENSITIVE or order.index(each.values[0]) > order.index(held[each.key]))
    ]
