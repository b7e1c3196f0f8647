"""Lake Formation in memory, as far as the apply job calls it; `fail_at` makes one of the calls fail."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

Place = tuple[str, ...]


class ConcurrentModificationException(Exception):
    """Two changes came at once."""


class InvalidInputException(Exception):
    """A revocation of what is not granted."""


class OutOfOrderError(Exception):
    """A call that a test lets fail."""


class LakeFormationClient:
    """Tags, filters and grants by the place that they are on; `calls` are the changes, in their order."""

    exceptions = SimpleNamespace(
        ConcurrentModificationException=ConcurrentModificationException, InvalidInputException=InvalidInputException
    )

    def __init__(self) -> None:
        self.tags: dict[Place, dict[str, str]] = {}
        self.filters: dict[Place, dict[str, Any]] = {}
        self.grants: set[tuple[str, Place]] = set()
        self.calls: list[str] = []
        self.fail_at = -1
        self.busy = 0
        self.raced = False

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

    def list_data_cells_filter(self, *, Table: dict[str, Any], NextToken: str = "0") -> dict[str, Any]:
        found = [each for place, each in sorted(self.filters.items()) if place[:2] == _table(Table)]
        at = int(NextToken)
        return {"DataCellsFilters": found[at : at + 2], "NextToken": str(at + 2) if found[at + 2 :] else ""}

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

    def list_permissions(self, *, Resource: dict[str, Any], Principal: dict[str, str] | None = None) -> dict[str, Any]:
        [place] = _places(Resource)
        by = Principal and Principal["DataLakePrincipalIdentifier"]
        return {
            "PrincipalResourcePermissions": [
                {"Principal": {"DataLakePrincipalIdentifier": who}, "Resource": Resource, "Permissions": ["SELECT"]}
                for who, on in sorted(self.grants)
                if on == place and by in (None, who)
            ]
        }

    def batch_grant_permissions(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        self._changes("grant")
        missing = [each for each in Entries if _places(each["Resource"])[0] not in self.filters]
        self.grants |= {_grant(each) for each in Entries if each not in missing}
        told = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "there is no such filter"}
        return {"Failures": [{"RequestEntry": each, "Error": told} for each in missing]}

    def batch_revoke_permissions(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        self._changes("revoke")
        self.grants -= {_grant(each) for each in Entries}
        return {}

    def revoke_permissions(self, **entry: Any) -> dict[str, Any]:
        self._changes("revoke")
        if self.raced:  # somebody else was first
            self.grants.discard(_grant(entry))
        if _grant(entry) not in self.grants:
            raise InvalidInputException("No permissions revoked.")
        self.grants.remove(_grant(entry))
        return {}


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
    return told["DatabaseName"], told["Name"]


def _filter(told: dict[str, Any]) -> Place:
    return told["DatabaseName"], told["TableName"], told["Name"]
