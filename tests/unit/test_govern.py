"""The apply job's part of governance: tables brought to the plan, again and again, and nobody else's grants touched."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import pytest

from glue_jobs import governance
from glue_jobs.governance import EVERYONE, GovernanceFailedError, Governor
from lake.filters import CellFilter
from lake.governance import plan
from lake.parts import Column, Dataset
from lake.rights import Plan
from lake.roles import ALL, CLASSES, Role
from tests.unit.lake_formation_client import LakeFormationClient, OutOfOrderError
from tests.unit.test_governance_plan import ENVIRONMENT, PATIENTS, role

TABLE = ("lake_test_silver", "clinic_patients")
NORTH, SOUTH = (
    next(f.name for f in plan(replace(ENVIRONMENT, roles=(role(clinic=(each,)),)), [PATIENTS]).filters)
    for each in ("north", "south")
)
NURSE = "arn:aws:iam::123456789012:role/lake-test-role-nurse"


def planned(*roles: Role, dataset: Dataset = PATIENTS, mode: str = "lake_formation") -> Plan:
    return plan(replace(ENVIRONMENT, roles=roles, governance=mode), [dataset]).of(dataset.id)


def bring(client: LakeFormationClient, wanted: Plan) -> list[str]:
    """What was changed beside the tags, which are said each time."""
    start = len(client.calls)
    Governor(client, ENVIRONMENT).bring(wanted)
    return [each for each in client.calls[start:] if each != "tag"]


@pytest.fixture
def client() -> LakeFormationClient:
    return LakeFormationClient()


def test_a_table_is_tagged_before_its_filters_are_made_and_these_before_they_are_granted(
    client: LakeFormationClient,
) -> None:
    bring(client, planned(role(clinic=("north", "south"))))
    assert client.calls == [*["tag"] * (len(client.calls) - 3), "filter", "filter", "grant"]
    assert client.tags[TABLE] == {"lake-test-access": "filters", "lake-test-classification": "unclassed"}
    assert client.tags[(*TABLE, "phone")] == {"lake-test-classification": "pii"}
    assert client.grants == {(NURSE, (*TABLE, NORTH)), (NURSE, (*TABLE, SOUTH))}
    assert client.filters[*TABLE, NORTH]["RowFilter"] == {"FilterExpression": "site_id = 'north'"}


def test_a_second_time_nothing_changes(client: LakeFormationClient) -> None:
    wanted = planned(role(clinic=("north", "south")), role("engineer", CLASSES, clinic=(ALL,)))
    bring(client, wanted)
    before = deepcopy((client.tags, client.filters, client.grants))
    assert bring(client, wanted) == []
    assert (client.tags, client.filters, client.grants) == before


def test_a_value_taken_from_a_role_takes_its_filter_and_grant_away_and_no_other(client: LakeFormationClient) -> None:
    bring(client, planned(role(clinic=("north", "south"))))
    bring(client, planned(role(clinic=("north",))))
    assert set(client.filters) == {(*TABLE, NORTH)}
    assert client.grants == {(NURSE, (*TABLE, NORTH))}


def test_a_filter_that_two_roles_share_is_taken_from_the_one_that_lost_it_alone(client: LakeFormationClient) -> None:
    bring(client, planned(role(clinic=("north",)), role("doctor", clinic=("north",))))
    bring(client, planned(role("doctor", clinic=("north",))))
    assert client.grants == {(NURSE.replace("nurse", "doctor"), (*TABLE, NORTH))}


def test_what_others_granted_and_filtered_by_hand_stays(client: LakeFormationClient) -> None:
    bring(client, planned(role(clinic=("north",))))
    theirs = Governor(client, ENVIRONMENT)._data(CellFilter("for the audit", *TABLE, rows="region = 1"))
    client.filters[*TABLE, "for the audit"] = theirs
    by_hand = {("arn:aws:iam::123456789012:role/somebody", (*TABLE, name)) for name in (NORTH, "for the audit")}
    client.grants |= by_hand
    client.tags[TABLE]["cost-center"] = "7"
    bring(client, planned(role(clinic=("north",))))
    assert client.filters[*TABLE, "for the audit"] == theirs
    assert client.grants == by_hand | {(NURSE, (*TABLE, NORTH))}
    assert client.tags[TABLE]["cost-center"] == "7"


def test_a_column_of_another_class_leaves_filters_and_gets_its_tag(client: LakeFormationClient) -> None:
    bring(client, planned(role(clinic=("north",))))
    private = tuple(replace(c, classification="pii") if c.name == "patient_id" else c for c in PATIENTS.columns)
    bring(client, planned(role(clinic=("north",)), dataset=replace(PATIENTS, columns=private)))
    assert client.tags[(*TABLE, "patient_id")] == {"lake-test-classification": "pii"}
    [held] = client.filters.values()
    assert held["ColumnNames"] == ["site_id", "_version", "_run"]


def test_a_new_column_is_in_no_filter_before_its_class_says_so(client: LakeFormationClient) -> None:
    bring(client, planned(role(clinic=("north",))))
    grown = replace(PATIENTS, columns=(*PATIENTS.columns, Column("ward", "string", classification="internal")))
    assert bring(client, planned(role(clinic=("north",)), dataset=grown)) == ["filter"]
    [held] = client.filters.values()
    assert "ward" in held["ColumnNames"]


@pytest.mark.parametrize(("mode", "left"), [("lake_formation", set()), ("hybrid", {EVERYONE})])
def test_a_table_from_before_is_closed_to_whom_iam_lets_where_lake_formation_alone_decides(
    client: LakeFormationClient, mode: str, left: set[str]
) -> None:
    client.grants = {(EVERYONE, TABLE)}
    bring(client, planned(mode=mode))
    assert {who for who, _ in client.grants} == left


@pytest.mark.parametrize("raced", [False, True])
def test_databases_are_closed_to_whom_the_account_opens_new_ones(client: LakeFormationClient, raced: bool) -> None:
    ours, theirs = {(EVERYONE, (each,)) for each in ENVIRONMENT.databases.values()}, {(EVERYONE, ("their_lake",))}
    client.grants, client.raced = ours | theirs, raced
    for _ in range(2):
        Governor(client, ENVIRONMENT).close_databases()
        assert client.grants == theirs


def test_wherever_it_is_interrupted_nobody_sees_more_than_before_or_after_and_the_next_time_ends_right(
    client: LakeFormationClient,
) -> None:
    bring(client, planned(role(clinic=("north", "east")), role("engineer", CLASSES, clinic=(ALL,))))
    before, wanted = deepcopy(client), planned(role(clinic=("north", "south")), role("doctor", clinic=("north",)))
    bring(client, wanted)
    after, changes = client, len(client.calls) - len(before.calls)
    assert changes > 5
    for number in range(changes):
        broken = deepcopy(before)
        broken.fail_at = len(broken.calls) + number
        with pytest.raises(OutOfOrderError):
            bring(broken, wanted)
        assert broken.grants <= before.grants | after.grants
        broken.fail_at = -1
        bring(broken, wanted)
        assert (broken.grants, broken.filters, broken.tags) == (after.grants, after.filters, after.tags)


def test_changes_that_came_at_once_are_tried_again(
    client: LakeFormationClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(governance, "PAUSE", 0)
    client.busy = 3
    bring(client, planned(role(clinic=("north",))))
    assert client.grants == {(NURSE, (*TABLE, NORTH))}


def test_a_grant_that_was_not_taken_fails_the_dataset(
    client: LakeFormationClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "create_data_cells_filter", lambda **_: {})
    with pytest.raises(GovernanceFailedError, match=r"refused 1 of a dataset's tags or grants: EntityNotFound"):
        bring(client, planned(role(clinic=("north",))))
