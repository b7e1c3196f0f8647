"""The plan of governance: what follows from contracts and roles, and that nothing else moves it."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from hypothesis import example, given, settings, strategies as st

from lake.environment import Environment
from lake.governance import plan, readable_whole
from lake.parts import Column, Dataset
from lake.rights import Plan
from lake.roles import ALL, CLASSES, Role, RowFilter

ENVIRONMENT = Environment(
    name="test",
    account="123456789012",
    region="us-east-1",
    buckets={layer: f"{layer}-bucket" for layer in ("bronze", "silver", "gold")},
    databases={layer: f"lake_test_{layer}" for layer in ("bronze", "silver", "gold")},
    ledger="ledger",
    topic_arn="",
    rulesets="lake-test-",
    governance="lake_formation",
)
PATIENTS = Dataset(
    id="clinic.patients",
    source="clinic",
    name="patients",
    layer="silver",
    version="1.0.0",
    hash="",
    columns=(
        Column("patient_id", "string", classification="phi"),
        Column("site_id", "string", classification="internal"),
        Column("region", "int", classification="public"),
        Column("phone", "string", classification="pii"),
    ),
    key=("patient_id",),
    row_filters=(RowFilter("clinic", "site_id"),),
)
OPEN = replace(PATIENTS, id="clinic.sites", name="sites", row_filters=())


def role(name: str = "nurse", classes: tuple[str, ...] = ("internal", "phi"), **rows: tuple[str | int, ...]) -> Role:
    return Role(name, "staff", ("silver",), classes, rows)


def planned(*roles: Role, datasets: tuple[Dataset, ...] = (PATIENTS, OPEN)) -> Plan:
    return plan(replace(ENVIRONMENT, roles=roles), datasets)


def cells(made: Plan, table: str = "clinic_patients") -> list[tuple[str, tuple[str, ...]]]:
    return [(each.rows, each.columns) for each in made.filters if each.table == table]


SEEN = ("patient_id", "site_id", "_version", "_run")


def test_a_table_with_row_filters_is_outside_every_grant_by_tags_and_has_one_filter_for_each_value() -> None:
    made = planned(role(clinic=("north", "o'hare")))
    ways = {each.table: dict((tag.key, tag.values) for tag in each.tags)["lake-test-access"] for each in made.tables}
    assert (ways["clinic_patients"], ways["clinic_sites"]) == (("filters",), ("tags",))
    assert all(("tags",) in [tag.values for tag in each.expression] for each in made.tag_grants if each.kind == "TABLE")
    assert cells(made) == [("site_id = 'north'", SEEN), ("site_id = 'o''hare'", SEEN)]


def test_a_role_that_lists_no_value_of_a_filter_sees_no_row_and_one_that_lists_all_sees_each() -> None:
    assert cells(planned(role())) == []
    assert cells(planned(role(clinic=(ALL,)))) == [("", SEEN)]


def test_a_role_that_sees_some_rows_only_sees_no_table_that_cannot_tell_which_are_its_own() -> None:
    limited = role(classes=CLASSES, clinic=("s1",))
    made = planned(limited)
    assert [each.permission for each in made.tag_grants] == ["DESCRIBE"]  # of the database
    assert {each.filter.table for each in made.filter_grants} == {"clinic_patients"}
    by_region = replace(OPEN, row_filters=(RowFilter("region", "region"),))
    assert not planned(role(classes=CLASSES, clinic=("s1",), region=(ALL,)), datasets=(by_region,)).filter_grants
    assert readable_whole(limited, (OPEN,)) == ()
    assert readable_whole(role(classes=CLASSES, clinic=(ALL,)), (OPEN, PATIENTS)) == ("silver",)


def test_a_role_that_reads_no_layer_is_granted_nothing() -> None:
    assert planned(replace(role(), reads=(), classes=())).tag_grants == ()


def test_two_filters_of_a_table_are_both_to_be_met() -> None:
    both = replace(PATIENTS, row_filters=(RowFilter("clinic", "site_id"), RowFilter("region", "region")))
    made = planned(role(clinic=("a", "b"), region=(1,)), datasets=(both,))
    assert [rows for rows, _ in cells(made)] == ["site_id = 'a' AND region = 1", "site_id = 'b' AND region = 1"]
    assert cells(planned(role(clinic=("a",)), datasets=(both,))) == []


def test_a_cell_filter_hides_its_columns_alone_in_the_rows_of_others() -> None:
    cell = replace(PATIENTS, row_filters=(RowFilter("clinic", "site_id", ("patient_id",)),))
    made = planned(role(clinic=("north",)), datasets=(cell,))
    assert cells(made) == [("", ("site_id", "_version", "_run")), ("site_id = 'north'", SEEN)]
    assert cells(planned(role(), datasets=(cell,))) == [("", ("site_id", "_version", "_run"))]


def test_what_is_raw_or_not_yet_classed_is_for_those_alone_who_may_see_every_class() -> None:
    made = planned(role(), role("engineer", CLASSES, clinic=(ALL,)))
    expressions = {
        each.role: {tag.key: tag.values for tag in each.expression}
        for each in made.tag_grants
        if each.permission == "SELECT"
    }
    assert "unclassed" not in expressions["nurse"]["lake-test-classification"]
    assert "unclassed" in expressions["engineer"]["lake-test-classification"]
    raw = [each for each in made.tables if each.table == "clinic_sites__quarantine"]
    assert [tag.values for each in raw for tag in each.tags] == [("tags",), ("unclassed",)]
    assert {each.role for each in made.filter_grants if "__quarantine" in each.filter.table} == {"engineer"}


def test_the_hash_of_a_row_is_as_closed_as_the_values_in_it() -> None:
    classes = dict(planned(datasets=(OPEN,)).tables[0].columns)
    assert "_hash" in classes["unclassed"]
    only_pii = replace(OPEN, columns=(Column("phone", "string", classification="pii"),))
    assert "_hash" in dict(planned(datasets=(only_pii,)).tables[0].columns)["pii"]


columns = st.lists(
    st.builds(
        Column,
        name=st.sampled_from([f"c{number}" for number in range(8)]),
        type=st.just("string"),
        classification=st.sampled_from(CLASSES),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda each: each.name,
)
roles = st.lists(
    st.builds(
        Role,
        name=st.sampled_from(["a", "b", "c"]),
        team=st.just("staff"),
        reads=st.sampled_from([("silver",), ("silver", "gold")]),
        classes=st.lists(st.sampled_from(CLASSES), unique=True, max_size=4).map(tuple),
        rows=st.dictionaries(st.just("f"), st.sampled_from([("x",), ("x", "y"), (ALL,)]), max_size=1),
    ),
    max_size=3,
    unique_by=lambda each: each.name,
)


@st.composite
def lakes(draw: st.DrawFn) -> tuple[list[Dataset], list[Role]]:
    made = []
    for name in draw(st.lists(st.sampled_from(["p", "q", "r"]), min_size=1, max_size=3, unique=True)):
        held = tuple(draw(columns))
        limit = (RowFilter("f", held[0].name),) if draw(st.booleans()) else ()
        made.append(replace(PATIENTS, id=f"clinic.{name}", name=name, columns=held, row_filters=limit))
    return made, draw(roles)


@settings(max_examples=60, deadline=None)
@given(lakes())
def test_the_order_in_which_contracts_and_roles_are_read_moves_nothing(lake: tuple[list[Dataset], list[Role]]) -> None:
    datasets, held = lake
    straight = plan(replace(ENVIRONMENT, roles=tuple(held)), datasets)
    turned = plan(replace(ENVIRONMENT, roles=tuple(reversed(held))), list(reversed(datasets)))
    assert straight.json() == turned.json()
    assert json.loads(straight.json())["mode"] == "lake_formation"


@settings(max_examples=60, deadline=None)
@given(lakes())
def test_no_filter_shows_a_column_whose_class_the_role_was_not_given(lake: tuple[list[Dataset], list[Role]]) -> None:
    datasets, held = lake
    by_name = {each.name: each for each in held}
    for each in plan(replace(ENVIRONMENT, roles=tuple(held)), datasets).filter_grants:
        if each.filter.columns:
            classes = {
                column.name: column.classification for d in datasets if d.id == each.dataset for column in d.columns
            }
            shown = {classes[name] for name in each.filter.columns if name in classes}
            assert shown <= set(by_name[each.role].classes)


@settings(max_examples=40, deadline=None)
@given(lakes(), st.sampled_from(CLASSES))
def test_a_new_column_moves_the_tags_and_filters_of_its_own_table_alone(
    lake: tuple[list[Dataset], list[Role]], kind: str
) -> None:
    datasets, held = lake
    first, *others = sorted(datasets, key=lambda each: each.id)
    grown = replace(first, columns=(*first.columns, Column("new", "string", classification=kind)))
    environment = replace(ENVIRONMENT, roles=tuple(held))
    before, after = plan(environment, datasets), plan(environment, [grown, *others])
    assert (before.tag_grants, before.named_grants, before.databases) == (
        after.tag_grants, after.named_grants, after.databases,
    )  # fmt: skip
    for each in others:
        assert before.of(each.id) == after.of(each.id)
    assert before.of(first.id).hash != after.of(first.id).hash
    assert "new" in dict(next(each for each in after.tables if each.table == grown.table).columns)[kind]


def test_a_role_has_as_many_filters_of_a_table_as_it_lists_values() -> None:
    assert len(cells(planned(role(clinic=tuple(f"site-{each}" for each in range(100)))))) == 100


VALUES = st.text(
    st.characters(exclude_categories=["Cs"], max_codepoint=0x1F600) | st.sampled_from(",=/+'\"-Aa "), max_size=400
)
TWO = replace(PATIENTS, row_filters=(RowFilter("x", "site_id"), RowFilter("y", "phone", ("phone",))))


@settings(max_examples=80, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=4, unique=True), st.lists(VALUES, max_size=4, unique=True))
@example(["1,y=2", "1"], ["2", "3"])
@example(["a" * 300, "a" * 300 + "b", "A" * 300], ["\u00e9", "e\u0301"])
def test_filters_of_other_rows_or_columns_have_other_names_that_lake_formation_takes(
    x: list[str], y: list[str]
) -> None:
    made = planned(role(x=tuple(x), y=tuple(y)), role("doctor", CLASSES, x=tuple(x), y=tuple(y)), datasets=(TWO,))
    names = [each.name for each in made.filters]
    assert len({name.lower() for name in names}) == len(names) == 2 * len(x) * (len(y) + 1)
    for name in names:
        assert re.fullmatch("[\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff\t]{1,255}", name)
        assert len(name.encode()) <= 255
        assert name == name.lower()
    again = planned(role(y=tuple(y), x=tuple(x)), datasets=(TWO,))
    assert {each.name for each in again.filters} <= set(names)


def test_without_a_role_or_a_value_a_dataset_with_row_filters_is_to_be_applied_again() -> None:
    both, one, narrowed = (
        planned(*roles).of(PATIENTS.id).hash
        for roles in (
            (role(clinic=("north", "south")), role("doctor", clinic=("north",))),
            (role(clinic=("north", "south")),),
            (role(clinic=("north",)),),
        )
    )
    assert len({both, one, narrowed}) == 3


def test_a_filters_name_says_what_it_shows() -> None:
    [shown] = planned(role(clinic=("North",))).filters
    assert shown.name.startswith("lake-test-clinic=north/internal+phi/")
