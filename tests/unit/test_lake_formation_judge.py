"""What a principal sees of a table equals what a model finds that asks each grant about each cell."""

from __future__ import annotations

import random
from typing import Any

import pytest

from local.engines.lake_formation import EVERYONE, Described, Filter, Grant, State, visible
from local.engines.lake_formation_filters import FilterError, check
from local.engines.lake_formation_permissions import on_database

COLUMNS = ("id", "name", "email", "clinic")
CLASSES = ("public", "pii", "phi")
ROLE = "arn:aws:iam::123456789012:role/r"
TABLE = Described("d", "t", COLUMNS)
FILTERS = {
    "all": Filter(None, ("id", "name")), "north": Filter("north"), "south": Filter("south", None, ("email",)),
}  # fmt: skip
ROWS = ("north", "south", "east")  # of each row the one filter that has it


def grants(dice: random.Random) -> list[dict[str, Any]]:
    some = dice.sample(COLUMNS, dice.randint(1, 3))
    return [
        {"Table": {"DatabaseName": "d", "Name": dice.choice(("t", "other"))}},
        {"TableWithColumns": {"DatabaseName": "d", "Name": "t", "ColumnNames": some}},
        {"TableWithColumns": {"DatabaseName": "d", "Name": "t", "ColumnWildcard": {"ExcludedColumnNames": some}}},
        {"DataCellsFilter": {"DatabaseName": "d", "TableName": "t", "Name": dice.choice(list(FILTERS))}},
        {"LFTagPolicy": {"ResourceType": "TABLE", "Expression": [
            {"TagKey": "class", "TagValues": dice.sample(CLASSES, dice.randint(1, 2))},
            {"TagKey": "access", "TagValues": ["tags"]}]}},
    ]  # fmt: skip


def seen(state: State, column: str, row: str) -> bool:
    """Whether any grant has the cell."""
    tags = {**state.tags["d",], **state.tags["d", "t"], **state.tags.get(("d", "t", column), {})}
    return any("SELECT" in each.permissions and has(each.resource, column, row, tags) for each in state.grants[ROLE])


def has(resource: Any, column: str, row: str, tags: dict[str, str]) -> bool:
    ((kind, told),) = resource.items()
    match kind:
        case "Table":
            return bool(told["Name"] == "t")
        case "TableWithColumns" if "ColumnNames" in told:
            return column in told["ColumnNames"]
        case "TableWithColumns":
            return column not in told["ColumnWildcard"]["ExcludedColumnNames"]
        case "DataCellsFilter":
            return FILTERS[told["Name"]].covers(column) and FILTERS[told["Name"]].rows in (None, row)
    return all(tags.get(each["TagKey"]) in each["TagValues"] for each in told["Expression"])


@pytest.mark.parametrize("seed", range(300))
def test_what_is_seen_is_what_some_grant_has(seed: int) -> None:
    dice = random.Random(seed)
    held = [
        Grant(ROLE, each, frozenset({"SELECT" if dice.random() < 0.8 else "DESCRIBE"}))
        for each in dice.sample(grants(dice), dice.randint(0, 4))
    ]  # fmt: skip
    tags: dict[tuple[str, ...], dict[str, str]] = {("d",): {"access": "tags", "class": dice.choice(CLASSES)}}
    tags["d", "t"] = {"access": "filters"} if dice.random() < 0.3 else {"class": dice.choice(CLASSES)}
    for column in dice.sample(COLUMNS, 2):
        tags["d", "t", column] = {"class": dice.choice(CLASSES)}
    filters = {("d", "t", name): each for name, each in FILTERS.items()}
    state = State(grants={ROLE: held}, tags=tags, filters=filters)
    access = visible(ROLE, TABLE, state)
    for column in COLUMNS:
        for row in ROWS:
            there = access is not None and column in access.cells
            found = there and (access.cells[column] == () or row in access.cells[column])  # type: ignore[union-attr]
            assert found == seen(state, column, row), (column, row, held)


def test_what_is_left_to_iam_is_seen_as_a_whole_unless_one_is_opted_in() -> None:
    state = State(open={("d", "t")}, grants={EVERYONE: []})
    access = visible(ROLE, TABLE, state)
    assert access is not None
    assert access.whole(TABLE)
    assert not access.governed
    state.opt_ins[ROLE] = [{"Table": {"DatabaseName": "d", "Name": "t"}}]
    assert visible(ROLE, TABLE, state) is None


@pytest.mark.parametrize(
    "part",
    [{"TableWithColumns": {"DatabaseName": "d", "Name": "t", "ColumnNames": ["id"]}},
     {"TableWithColumns": {"DatabaseName": "d", "Name": "t", "ColumnWildcard": {"ExcludedColumnNames": ["id"]}}},
     {"DataCellsFilter": {"DatabaseName": "d", "TableName": "t", "Name": "every column"}}],
)  # fmt: skip
def test_a_view_is_seen_as_a_whole_or_not_at_all(part: dict[str, Any]) -> None:
    view = Described("d", "t", COLUMNS, view=True)
    state = State(filters={("d", "t", "every column"): Filter("north")})
    state.grants[ROLE] = [Grant(ROLE, part, frozenset({"SELECT", "DESCRIBE"}))]
    access = visible(ROLE, view, state)
    assert access is not None
    assert not access.cells
    assert access.permissions == {"DESCRIBE"}
    state.grants[ROLE].append(Grant(ROLE, {"Table": {"DatabaseName": "d", "Name": "t"}}, frozenset({"SELECT"})))
    access = visible(ROLE, view, state)
    assert access is not None
    assert access.whole(view)


def test_who_has_nothing_sees_no_database() -> None:
    state = State(
        grants={ROLE: [Grant(ROLE, {"Table": {"DatabaseName": "d", "TableWildcard": {}}}, frozenset({"ALL"}))]}
    )
    assert not on_database(ROLE, "other", state)
    assert on_database(ROLE, "d", state) == {"DESCRIBE"}


@pytest.mark.parametrize(
    "text",
    ["id = clinic", "lower(name) = 'a'", "id = 1; drop", "id IN (SELECT 1)", "nothing = 1", "id = 1 ORDER BY 1",
     "id = 1 --", "EXISTS (SELECT 1)", "1 = 1", "born > '2020'"],
)  # fmt: skip
def test_a_row_filter_is_comparisons_with_constants_alone(text: str) -> None:
    types = {"id": "int", "name": "string", "clinic": "string", "born": "date"}
    with pytest.raises(FilterError):
        check(text, types)
    check("(id > 1 AND name LIKE 'a%') OR NOT clinic IN ('x', 'y') OR id BETWEEN 1 AND -2 OR name IS NOT NULL", types)
