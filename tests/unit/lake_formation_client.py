"""Lake Formation in memory, as far as the apply job calls it; `fail_at` makes one of the calls fail."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

Place = tuple[str, ...]


class ConcurrentModificationException(Exception):
    """Two changes came at once."""


class EntityNotFoundException(Exception):
    """A table or a filter that is not there."""


class OutOfOrderError(Exception):
    """A call that a test lets fail."""


class LakeFormationClient:
    """Tags, filters and grants by the place that they are on; `calls` are the changes, in their order."""

    exceptions = SimpleNamespace(
        ConcurrentModificationException=ConcurrentModificationException,
        EntityNotFoundException=EntityNotFoundException,
    )

    def __init__(self) -> None:
        self.tags: dict[Place, dict[str, str]] = {}
        self.filters: dict[Place, dict[str, Any]] = {}
        self.grants: set[tuple[str, Place]] = set()
        self.calls: list[str] = []
        self.fail_at = -1
        self.busy = 0
        self.races = 0  # how often somebody else is first to revoke
        self.asked: list[str] = []  # what was listed

    def _changes(self, operation: str) -> None:
        if self.busy:
            self.busy -= 1
            raise ConcurrentModificationException
        if len(self.calls) == self.fail_at:
            raise OutOfOrderError(operation)
        self.calls.append(operation)

    def add_lf_tags_to_resource(self, *, Resource: dict[str, Any], LFTags: list[dict[str, Any]]) -> dict[str, Any]:
        self._changes("tag")
        for place in _places(Resource):
            self.tags.setdefault(place, {}).update({each["TagKey"]: each["TagValues"][0] for each in LFTags})
        return {"Failures": []}

    def get_resource_lf_tags(self, *, Resource: dict[str, Any]) -> dict[str, Any]:
        [place] = _places(Resource)
        if place not in self.tags:
            raise EntityNotFoundException(place)
        columns = {on[2]: held for on, held in self.tags.items() if on[:2] == place and len(on) > 2}
        return {
            "LFTagsOnTable": _tags(self.tags[place]),
            "LFTagsOnColumns": [{"Name": name, "LFTags": _tags(held)} for name, held in columns.items()],
        }

    def list_data_cells_filter(self, *, Table: dict[str, Any] | None = None, NextToken: str = "0") -> dict[str, Any]:
        found = [told for place, told in sorted(self.filters.items()) if Table is None or place[:2] == _table(Table)]
        return _paged("DataCellsFilters", found, NextToken)

    def create_data_cells_filter(self, *, TableData: dict[str, Any]) -> dict[str, Any]:
        self._changes("filter")
        assert _filter(TableData) not in self.filters
        self.filters[_filter(TableData)] = TableData
        return {}

    def update_data_cells_filter(self, *, TableData: dict[str, Any]) -> dict[str, Any]:
        self._changes("filter")
        assert _filter(TableData) in self.filters
        self.filters[_filter(TableData)] = TableData
        return {}

    def delete_data_cells_filter(self, *, TableCatalogId: str, **place: str) -> dict[str, Any]:
        self._changes("unfilter")
        del self.filters[_filter(place)]
        return {}

    def list_permissions(
        self, *, Resource: dict[str, Any] | None = None, MaxResults: int = 100, NextToken: str = "0"
    ) -> dict[str, Any]:
        """Those on a resource, or all."""
        self.asked.append("resource" if Resource else "account")
        found = [
            {"Principal": {"DataLakePrincipalIdentifier": who}, "Resource": _resource(on), "Permissions": ["ALL"]}
            for who, on in sorted(self.grants)
            if Resource is None or on == _places(Resource)[0]
        ]
        return _paged("PrincipalResourcePermissions", found, NextToken)

    def batch_grant_permissions(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        self._changes("grant")
        missing = [each for each in Entries if _places(each["Resource"])[0] not in self.filters]
        self.grants |= {_grant(each) for each in Entries if each not in missing}
        told = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "there is no such filter"}
        return {"Failures": [{"RequestEntry": each, "Error": told} for each in missing]}

    def batch_revoke_permissions(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        self._changes("revoke")
        if self.races:
            self.races -= 1
            self.grants.discard(_grant(Entries[0]))
        missing = [each for each in Entries if _grant(each) not in self.grants]
        self.grants -= {_grant(each) for each in Entries}
        told = {"ErrorCode": "InvalidInputException", "ErrorMessage": "No permissions revoked."}
        return {"Failures": [{"RequestEntry": each, "Error": told} for each in missing]}


def _tags(held: dict[str, str]) -> list[dict[str, Any]]:
    return [{"TagKey": key, "TagValues": [value]} for key, value in held.items()]


def _paged(name: str, found: list[dict[str, Any]], token: str) -> dict[str, Any]:
    """Two on a page."""
    at = int(token)
    return {name: found[at : at + 2], "NextToken": str(at + 2) if found[at + 2 :] else ""}


def _resource(place: Place) -> dict[str, Any]:
    if place[1:] == ("*",):
        return {"Table": {"DatabaseName": place[0], "TableWildcard": {}}}
    if len(place) == 1:
        return {"Database": {"Name": place[0]}}
    if len(place) == 2:
        return {"Table": {"DatabaseName": place[0], "Name": place[1]}}
    return {"DataCellsFilter": dict(zip(("DatabaseName", "TableName", "Name"), place, strict=True))}


def _grant(entry: dict[str, Any]) -> tuple[str, Place]:
    return entry["Principal"]["DataLakePrincipalIdentifier"], _places(entry["Resource"])[0]


def _places(resource: dict[str, Any]) -> list[Place]:
    [(kind, told)] = resource.items()
    if kind == "DataCellsFilter":
        return [_filter(told)]
    if kind == "Database":
        return [(told["Name"],)]
    return [(*_table(told), each) for each in told["ColumnNames"]] if kind == "TableWithColumns" else [_table(told)]


def _table(told: dict[str, Any]) -> Place:
    return told["DatabaseName"], told.get("Name", "*")


def _filter(told: dict[str, Any]) -> Place:
    return told["DatabaseName"], told["TableName"], told["Name"]
