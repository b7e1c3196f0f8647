"""What a role sees of each table, judged from the plan as Lake Formation judges the grants that follow from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from cli.lake_tables import VIEW, LakeTable
from lake.environment import Environment
from lake.filters import CellFilter
from lake.governance import CLASSIFICATION
from lake.rights import Plan, TagGrant
from lake.roles import Role

NAMES = "its columns' names, and no rows"


@dataclass(frozen=True)
class Sight:
    """What a role sees of a table: `rows` is empty for all of them, else one condition for each filter.

    Without columns the table is only shown, and its columns' names with it; `note` says why nothing of it is read.
    """

    role: str
    table: str
    columns: tuple[str, ...]
    rows: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Judge:
    """Of one environment: its plan, its tables by LAYER.NAME, and the layers that IAM alone opens to each role."""

    environment: Environment
    plan: Plan
    tables: Mapping[str, LakeTable]
    whole: Mapping[str, tuple[str, ...]]

    def sights(self, role: Role) -> Iterator[Sight]:
        """By table; of one that is not shown to the role, nothing."""
        for each in self.tables.values():
            if found := self.sight(role, each):
                yield found

    def sight(self, role: Role, table: LakeTable) -> Sight | None:
        if self.plan.mode == "iam":
            seen = Sight(role.name, table.place, table.columns) if table.layer in self.whole[role.name] else None
        else:
            seen = self._granted(role, table)
        return self._through(role, table, seen) if seen and table.kind == VIEW else seen

    def _granted(self, role: Role, table: LakeTable) -> Sight | None:
        grants = [each for each in self.plan.tag_grants if each.role == role.name and each.kind == "TABLE"]
        by_tags = [each for each in grants if each.permission == "SELECT"]
        filters = [
            each
            for each in self._filters.get((role.name, table.name), ())
            if each.database == self.environment.databases[table.layer]
        ]
        columns = [each for each in table.columns if any(_fits(grant, self._tags(table, each)) for grant in by_tags)]
        whole = len(filters) == 1 and not filters[0].rows
        columns += [name for each in filters for name in table.columns if name in (each.columns or table.columns)]
        rows = () if whole else tuple(f"{each.rows or 'all rows'}: {', '.join(each.columns)}" for each in filters)
        if columns:
            return Sight(role.name, table.place, tuple(dict.fromkeys(columns)), rows)
        shown = any(_fits(each, self._tags(table)) for each in grants if each.permission == "DESCRIBE")
        return Sight(role.name, table.place, (), note=NAMES) if shown else None

    def _through(self, role: Role, view: LakeTable, seen: Sight) -> Sight:
        """A view is read with the rights of who reads it, on all that it reads."""
        rows: list[str] = []
        if not seen.columns:
            return seen
        for place in sorted({place for place, _ in view.reads}):
            below = self.sight(role, self.tables[place])
            wanted = {column for table, column in view.reads if table == place}
            if hidden := sorted(wanted - set(below.columns if below else ())):
                note = f"its columns' names: it reads {place}.{hidden[0]}, which the role does not see"
                return Sight(role.name, view.place, (), note=note)
            rows += [f"of {place}, {each}" for each in (below.rows if below else ())]
        return Sight(role.name, view.place, seen.columns, tuple(rows))

    def _tags(self, table: LakeTable, column: str = "") -> dict[str, str]:
        """A table's tags over those of its database, and a column's class over its table's."""
        own = self._tagged.get((self.environment.databases[table.layer], table.name), {"": {}})
        classed = own.get(column, {}) if column else {}
        return {**self._inherited[table.layer], **own[""], **classed}

    @cached_property
    def _inherited(self) -> dict[str, dict[str, str]]:
        return {each.layer: {tag.key: tag.values[0] for tag in each.tags} for each in self.plan.databases}

    @cached_property
    def _tagged(self) -> dict[tuple[str, str], dict[str, dict[str, str]]]:
        """By table, its own tags under no name, and those of each column."""
        key = self.environment.prefix + CLASSIFICATION
        return {
            (each.database, each.table): {
                "": {tag.key: tag.values[0] for tag in each.tags},
                **{column: {key: held} for held, columns in each.columns for column in columns},
            }
            for each in self.plan.tables
        }

    @cached_property
    def _filters(self) -> dict[tuple[str, str], list[CellFilter]]:
        found: dict[tuple[str, str], list[CellFilter]] = {}
        for each in self.plan.filter_grants:
            found.setdefault((each.role, each.filter.table), []).append(each.filter)
        return found


def _fits(grant: TagGrant, tags: Mapping[str, str]) -> bool:
    return all(tags.get(each.key) in each.values for each in grant.expression)


def folded(sights: Iterable[Sight], tables: Mapping[str, LakeTable]) -> Iterator[tuple[str, str, str, str]]:
    """Lines for people: role, table, columns and rows; a layer of which a role sees everything is one line."""
    layers: dict[tuple[str, str], list[Sight]] = {}
    for each in sights:
        layers.setdefault((each.role, each.table.partition(".")[0]), []).append(each)
    for (role, layer), found in layers.items():
        number = sum(each.layer == layer for each in tables.values())
        kinds = {(each.columns == tables[each.table].columns, each.rows, each.note) for each in found}
        if len(found) == number > 1 and kinds in ({(True, (), "")}, {(False, (), NAMES)}):
            yield role, f"{layer}.* ({number} tables)", "none" if found[0].note else "all", found[0].note or "all"
        else:
            for each in found:
                yield role, each.table, _columns(each, tables[each.table]), _rows(each)


def changed(
    moved: Iterable[tuple[str, Sight]], before: Mapping[str, LakeTable], after: Mapping[str, LakeTable]
) -> Iterator[tuple[str, str, str, str, str]]:
    """Lines for people: of a table whose rows are seen as before, the columns that come or go, and no others."""
    pairs: dict[tuple[str, str], dict[str, Sight]] = {}
    for mark, each in moved:
        pairs.setdefault((each.role, each.table), {})[mark] = each
    for (role, place), pair in pairs.items():
        same = len(pair) == 2 and _rows(pair["-"]) == _rows(pair["+"])
        for mark, each in pair.items():
            others = pair["+" if mark == "-" else "-"].columns if same else ()
            own = ", ".join(column for column in each.columns if column not in others)
            columns = own if same else _columns(each, (before if mark == "-" else after)[place])
            if columns:
                yield mark, role, place, columns, _rows(each)


def _columns(sight: Sight, table: LakeTable) -> str:
    """The columns that are seen, or those that are not where they are fewer."""
    hidden = [each for each in table.columns if each not in sight.columns]
    if not sight.columns or not hidden:
        return "all" if sight.columns else "none"
    listed = f"all but {', '.join(hidden)}" if len(hidden) <= len(sight.columns) else ", ".join(sight.columns)
    return f"{len(sight.columns)} of {len(table.columns)}: {listed}"


def _rows(sight: Sight) -> str:
    """The conditions; of a filter on other columns than are seen together, those too."""
    alone = (each.removesuffix(f": {', '.join(sight.columns)}") for each in sight.rows)
    return sight.note or "; ".join(alone) or "all"
