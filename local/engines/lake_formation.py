"""What Lake Formation lets a principal see of a table: grants by name, by tag expression and by data filter, added up.

Pure: it knows nothing of moto. A grant never takes away. Several filters add up cell by cell: a row is seen where any
filter has it, and of that row a cell is NULL unless a grant has its column for that row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

EVERYONE = "IAM_ALLOWED_PRINCIPALS"  # a resource with a grant to this group is left to IAM
TABLE_PERMISSIONS = frozenset({"ALTER", "DELETE", "DESCRIBE", "DROP", "INSERT", "SELECT"})
DATABASE_PERMISSIONS = frozenset({"ALTER", "CREATE_TABLE", "DESCRIBE", "DROP"})
Place = tuple[str, ...]  # (database,), (database, table) or (database, table, column)
Tags = Mapping[str, str]
Expression = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Grant:
    """What one principal has on one resource, which is as the API writes it: {"Table": {…}}."""

    principal: str
    resource: Mapping[str, Any]
    permissions: frozenset[str]
    grantable: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Filter:
    """A data cells filter: `rows` None for every row; `columns` None for all but the excluded."""

    rows: str | None
    columns: tuple[str, ...] | None = None
    excluded: tuple[str, ...] = ()

    def covers(self, column: str) -> bool:
        return column in self.columns if self.columns is not None else column not in self.excluded


@dataclass(frozen=True)
class Described:
    """A table as far as a judgement needs it; its partition keys are columns too."""

    database: str
    name: str
    columns: tuple[str, ...]
    view: bool = False


@dataclass(frozen=True)
class Access:
    """What is seen: of each column in `cells` the rows for which one of its filters holds, all where it has none."""

    permissions: frozenset[str]
    cells: Mapping[str, tuple[str, ...]]
    described: tuple[str, ...]
    governed: bool = True

    @property
    def filtered(self) -> bool:
        return any(self.cells.values())

    def whole(self, table: Described) -> bool:
        """Every cell of the table."""
        return set(self.cells) >= set(table.columns) and not self.filtered


@dataclass
class State:
    """All that Lake Formation keeps of one account; names and tags are in lower case."""

    admins: set[str] = field(default_factory=set)
    grants: dict[str, list[Grant]] = field(default_factory=dict)  # by principal
    open: set[Place] = field(default_factory=set)  # left to IAM; (database, "*") for every table of it
    tags: dict[Place, dict[str, str]] = field(default_factory=dict)
    filters: dict[tuple[str, str, str], Filter] = field(default_factory=dict)
    locations: dict[str, bool] = field(default_factory=dict)  # s3://bucket/prefix, and whether access is hybrid
    opt_ins: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)

    def held_by(self, principal: str) -> Iterator[Grant]:
        yield from self.grants.get(principal, ())
        account = principal.split(":")[4] if principal.count(":") > 4 else ""
        yield from self.grants.get(f"{account}:IAMPrincipals", ())

    def effective(self, *place: str) -> dict[str, str]:
        """A resource's tags: its own over those of what it lies in."""
        return {key: tag for depth in range(1, len(place) + 1) for key, tag in self.tags.get(place[:depth], {}).items()}

    def location_of(self, path: str) -> str | None:
        """The registered location that a path lies in, the innermost."""
        path = path.replace("s3a://", "s3://", 1).rstrip("/") + "/"
        fitting = [each for each in self.locations if path.startswith(each.rstrip("/") + "/")]
        return max(fitting, key=len, default=None)


def visible(principal: str, table: Described, state: State) -> Access | None:
    """What a principal may see of a table; None where the table is not there for it."""
    if principal in state.admins or (is_open(table, state) and not _opted_in(principal, table, state)):
        return Access(TABLE_PERMISSIONS, dict.fromkeys(table.columns, ()), table.columns, governed=False)
    permissions: set[str] = set()
    cells: dict[str, tuple[str, ...]] = {}
    for grant in state.held_by(principal):
        given, columns = _granted(grant, table, state)
        permissions |= given
        for column, rows in columns.items():
            both = () if rows is None or cells.get(column) == () else (*cells.get(column, ()), rows)
            cells[column] = tuple(sorted(set(both)))
    if table.view and (set(cells) != set(table.columns) or any(cells.values())):
        cells = {}  # a view is granted as a whole or not at all
        permissions.discard("SELECT")
    if not permissions:
        return None
    ordered = {column: cells[column] for column in table.columns if column in cells}
    return Access(frozenset({*permissions, "DESCRIBE"}), ordered, tuple(ordered) or table.columns)


def vended(access: Access, path: str, state: State) -> bool:
    """Whether Lake Formation opens the table's place: not in hybrid access, for who is left to IAM."""
    place = state.location_of(path or "-")
    return place is not None and (access.governed or not state.locations[place])


def is_open(table: Described, state: State) -> bool:
    return (table.database, table.name) in state.open or (table.database, "*") in state.open


def _granted(grant: Grant, table: Described, state: State) -> tuple[frozenset[str], dict[str, str | None]]:
    """A grant's permissions on a table, and the columns that it lets be read, each with its row filter."""
    ((kind, resource),) = grant.resource.items()
    given = expanded(grant.permissions, TABLE_PERMISSIONS)
    columns: dict[str, str | None] = {}
    if kind in ("Table", "TableWithColumns") and not covers(resource, table):
        return frozenset(), {}
    match kind:
        case "Table":
            columns = dict.fromkeys(table.columns)
        case "TableWithColumns":
            columns = dict.fromkeys(each for each in table.columns if column_named(resource, each))
        case "DataCellsFilter" if (resource["DatabaseName"], resource["TableName"]) == (table.database, table.name):
            found = state.filters.get((table.database, table.name, resource["Name"]))
            columns = {each: found.rows for each in table.columns if found.covers(each)} if found else {}
        case "LFTagPolicy" if resource["ResourceType"] == "TABLE":
            wanted = expression_of(resource)
            columns = dict.fromkeys(
                each for each in table.columns if matches(wanted, state.effective(table.database, table.name, each))
            )
            if not matches(wanted, state.effective(table.database, table.name)):
                given &= {"SELECT", "DESCRIBE"} if columns else set()
        case _:
            return frozenset(), {}
    if "SELECT" not in given:
        return given, {}
    return (given if columns else given - {"SELECT"}), columns


def expanded(permissions: frozenset[str], every: frozenset[str]) -> frozenset[str]:
    return every if permissions & {"ALL", "SUPER"} else permissions & every


def covers(resource: Mapping[str, Any], table: Described) -> bool:
    everything = "TableWildcard" in resource
    return resource["DatabaseName"] == table.database and (everything or resource.get("Name") == table.name)


def column_named(resource: Mapping[str, Any], column: str) -> bool:
    """Whether a grant on columns has this one: it lists them, or all but some."""
    if resource.get("ColumnNames"):
        return column in resource["ColumnNames"]
    return column not in ((resource.get("ColumnWildcard") or {}).get("ExcludedColumnNames") or ())


def expression_of(resource: Mapping[str, Any]) -> Expression:
    return tuple((each["TagKey"], tuple(each["TagValues"])) for each in resource["Expression"])


def matches(expression: Expression, tags: Tags) -> bool:
    """Every key of the expression has one of its values; `*` stands for any value."""
    return bool(expression) and all(
        key in tags and ("*" in values or tags[key] in values) for key, values in expression
    )


def _opted_in(principal: str, table: Described, state: State) -> bool:
    """Whether Lake Formation holds for a principal on a table that is otherwise left to IAM."""
    for resource in state.opt_ins.get(principal, ()):
        ((kind, told),) = resource.items()
        match kind:
            case "Catalog":
                return True
            case "Database" if told["Name"] == table.database:
                return True
            case "Table" | "TableWithColumns" if covers(told, table):
                return True
            case "LFTagPolicy" if matches(expression_of(told), state.effective(table.database, table.name)):
                return True
    return False
