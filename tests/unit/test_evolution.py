"""What a change of a contract means for readers: graded so that no reader of an old version is ever surprised."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from lake.evolution import ADDITIVE, IMPOSSIBLE, MAJOR, Layout, compare, grade, statements, widens
from lake.parts import Column, Dataset
from lake.tables import Field, Table

TYPES = ("int", "bigint", "float", "double", "string", "date", "decimal(8,2)", "decimal(10,2)", "decimal(10,3)")
A, B = Column("a", "int", required=True, id="1"), Column("b", "string", id="2")
OLD = Layout((A, B), ("a",), ("bucket(4, a)",), ("a desc",))


def kinds(old: Layout, new: Layout) -> set[tuple[str, str]]:
    return {(each.kind, each.grade) for each in compare(old, new)}


def with_columns(*columns: Column) -> Layout:
    return replace(OLD, columns=columns)


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (OLD, set()),
        (with_columns(B, A), set()),
        (with_columns(A, B, Column("c", "date")), {("add", ADDITIVE)}),
        (with_columns(A, B, Column("c", "date", required=True)), {("add", IMPOSSIBLE)}),
        (with_columns(replace(A, type="bigint"), B), {("widen", ADDITIVE)}),
        (with_columns(A, replace(B, type="int")), {("retype", IMPOSSIBLE)}),
        (with_columns(A, replace(B, description="said")), {("describe", ADDITIVE)}),
        (with_columns(A, replace(B, name="c")), {("rename", MAJOR)}),
        (with_columns(A, replace(B, name="c", required=True)), {("rename", MAJOR), ("require", MAJOR)}),
        (with_columns(A), {("drop", MAJOR)}),
        (with_columns(A, replace(B, id="3", type="int")), {("drop", MAJOR), ("add", ADDITIVE)}),
        (replace(OLD, columns=(A,), append=True), {("drop", IMPOSSIBLE)}),
        (replace(OLD, key=("a", "b")), {("key", IMPOSSIBLE)}),
        (replace(OLD, partition_by=("b",)), {("partition", MAJOR)}),
        (replace(OLD, sort_by=()), {("sort", ADDITIVE)}),
        (
            Layout((replace(A, name="z"), B), ("z",), ("bucket(4, z)",), ("z desc",)),
            {("rename", MAJOR)},
        ),
        (
            Layout((B,), ("b",), (), ()),
            {("drop", IMPOSSIBLE), ("key", IMPOSSIBLE), ("partition", MAJOR), ("sort", ADDITIVE)},
        ),
    ],
)  # fmt: skip
def test_each_change_has_its_grade(new: Layout, expected: set[tuple[str, str]]) -> None:
    assert kinds(OLD, new) == expected


def test_a_column_that_is_renamed_and_widened_is_widened_by_its_new_name() -> None:
    changes = compare(OLD, with_columns(replace(A, name="z", type="bigint"), B))
    assert statements("t", changes)[:2] == [
        "ALTER TABLE t RENAME COLUMN `a` TO `z`",
        "ALTER TABLE t ALTER COLUMN `z` TYPE bigint",
    ]


columns = st.builds(
    Column,
    name=st.sampled_from("abcdef"),
    type=st.sampled_from(TYPES),
    required=st.booleans(),
    id=st.sampled_from("123456"),
)
layouts = st.lists(columns, min_size=1, max_size=5, unique_by=(lambda each: each.id, lambda each: each.name)).map(
    lambda found: Layout(tuple(found))
)


@given(layouts, layouts)
def test_a_reader_of_the_old_version_goes_on_wherever_all_changes_are_additive(old: Layout, new: Layout) -> None:
    """A reader selects by name, and holds each value in the type, and as required, as it was."""
    after = {each.name: each for each in new.columns}
    safe = all(
        each.name in after
        and after[each.name].id == each.id
        and widens(each.type, after[each.name].type)
        and after[each.name].required == each.required
        for each in old.columns
    )
    filled = all(not each.required for each in new.columns if each.id not in old.by_id())
    assert (grade(compare(old, new)) == ADDITIVE) == (safe and filled)


@given(layouts, layouts)
def test_the_same_version_asks_for_nothing_and_a_way_there_has_a_way_back(old: Layout, new: Layout) -> None:
    assert compare(old, old) == []
    renamed = {(each.old, each.new) for each in compare(old, new) if each.kind == "rename"}
    assert {(each.new, each.old) for each in compare(new, old) if each.kind == "rename"} == renamed
    assert all(each.remedy for each in compare(old, new) if each.grade == IMPOSSIBLE)


@pytest.mark.parametrize("new", TYPES)
def test_a_narrower_type_is_never_additive(new: str) -> None:
    for old in TYPES:
        if old != new and widens(old, new):
            assert not widens(new, old)


def test_a_table_made_before_ids_were_kept_is_known_by_its_names() -> None:
    table = Table((Field(1, "a", "int", required=True), Field(2, "b", "string"), Field(3, "_run", "string")), {})
    dataset = _dataset(A, B)
    assert compare(table.layout(dataset), Layout((A, B))) == []
    assert table.version(dataset) == "1.0.0"


def _dataset(*columns: Column) -> Dataset:
    return Dataset("s.d", "s", "d", "silver", "2.0.0", "", columns, ("a",))
