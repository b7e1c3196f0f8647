"""Bring data cell filters and their grants to the plan: those of a table, or all that nobody needs any more.

A filter is ours by the prefix of its name; others' filters stay, and others' grants on ours as long as we need these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from glue_jobs.formation import Formation, Granted, Said, check, place_of
from lake.environment import Environment
from lake.filters import CellFilter
from lake.governance import principal_prefix
from lake.rights import Plan, TableTags

SELECT = ["SELECT"]

Key = tuple[str, str, str]  # database, table, name


class CellFilters:
    """The filters of one environment."""

    def __init__(self, formation: Formation, environment: Environment) -> None:
        self._formation = formation
        self._environment = environment
        self._ours = principal_prefix(environment)

    def bring(self, plan: Plan) -> None:
        """Those of the plan's tables, and no others of ours on them: what goes goes first."""
        wanted = {_key(each): each for each in plan.filters}
        places = [place_of(self._environment, table.database, table.table) for table in plan.tables]
        held = {key: told for place in places for key, told in self._held(place)}
        for key in held.keys() - wanted.keys():
            self._remove(key)
        for key, each in wanted.items():
            if key not in held:
                self._formation.call("create_data_cells_filter", TableData=self.data(each))
            elif not _same(held[key], each):
                self._formation.call("update_data_cells_filter", TableData=self.data(each))
        granted = _granted(plan)
        before = self._revoke_others([key for key in wanted if key in held], granted)
        new = [(principal, self._resource(key), SELECT) for principal, key in sorted(granted - before)]
        check(self._formation.change("batch_grant_permissions", new))

    def narrow(self, plan: Plan) -> list[Key]:
        """In all of the lake what the plan has not goes; answers the filters that went."""
        wanted, held = {_key(each) for each in plan.filters}, {key for key, _ in self._held({})}
        for key in sorted(held - wanted):
            self._remove(key)
        self._revoke_others(sorted(held & wanted), _granted(plan))
        return sorted(held - wanted)

    def remove_lost(self, tables: Iterable[TableTags]) -> None:
        """On tables that are not among these, which are all that contracts have."""
        held = [key for key, _ in self._held({})]
        known = {(each.database, each.table) for each in tables} if held else set()
        for key in held:
            if key[:2] not in known:
                with suppress(self._formation.absent):  # its table went, and with it what it showed
                    self._remove(key)

    def data(self, each: CellFilter) -> Said:
        place = self._resource(_key(each))["DataCellsFilter"]
        columns: Said = {"ColumnNames": list(each.columns)} if each.columns else {"ColumnWildcard": {}}
        rows: Said = {"FilterExpression": each.rows} if each.rows else {"AllRowsWildcard": {}}
        return {**place, **columns, "RowFilter": rows}

    def _held(self, asked: Said) -> Iterator[tuple[Key, Said]]:
        """Our filters of a table, or all of ours."""
        databases = self._environment.databases.values()
        for each in self._formation.pages("list_data_cells_filter", "DataCellsFilters", **asked):
            if each["Name"].startswith(self._environment.prefix) and each["DatabaseName"] in databases:
                yield (each["DatabaseName"], each["TableName"], each["Name"]), each

    def _remove(self, key: Key) -> None:
        check(self._formation.change("batch_revoke_permissions", list(self._grants(key))))
        database, table, name = key
        account = self._environment.account
        self._formation.call(
            "delete_data_cells_filter", TableCatalogId=account, DatabaseName=database, TableName=table, Name=name
        )

    def _revoke_others(self, filters: Iterable[Key], wanted: set[tuple[str, Key]]) -> set[tuple[str, Key]]:
        """None of our roles, gone ones among them, keeps a grant that is not wanted; answers whose are there."""
        held = {(principal, key) for key in filters for principal, *_ in self._grants(key)}
        gone = sorted(each for each in held - wanted if each[0].startswith(self._ours))
        revoked = [(principal, self._resource(key), SELECT) for principal, key in gone]
        check(self._formation.change("batch_revoke_permissions", revoked))
        return held

    def _grants(self, key: Key) -> Iterator[Granted]:
        return self._formation.granted(Resource=self._resource(key))

    def _resource(self, key: Key) -> Said:
        database, table, name = key
        account = self._environment.account
        place = {"TableCatalogId": account, "DatabaseName": database, "TableName": table, "Name": name}
        return {"DataCellsFilter": place}


def _key(each: CellFilter) -> Key:
    return each.database, each.table, each.name


def _granted(plan: Plan) -> set[tuple[str, Key]]:
    return {(each.principal, _key(each.filter)) for each in plan.filter_grants}


def _same(held: Mapping[str, Any], wanted: CellFilter) -> bool:
    rows = held.get("RowFilter", {}).get("FilterExpression", "")
    # Lake Formation says all rows as an expression too
    return (rows if rows != "true" else "") == wanted.rows and set(held.get("ColumnNames") or ()) == set(wanted.columns)
