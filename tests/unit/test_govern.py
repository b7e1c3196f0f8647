"""The apply job's part of governance: tables brought to the plan, again and again, and nobody else's grants touched."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import pytest

from glue_jobs import formation, governance, views
from glue_jobs.formation import GovernanceFailedError
from glue_jobs.governance import EVERYONE, Governor
from lake.filters import CellFilter
from lake.governance import plan
from lake.model import Lake
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


@pytest.mark.parametrize(("dataset", "way"), [(PATIENTS, "filters"), (replace(PATIENTS, row_filters=()), "tags")])
def test_a_view_of_old_names_is_reached_as_its_table_is(
    client: LakeFormationClient, monkeypatch: pytest.MonkeyPatch, dataset: Dataset, way: str
) -> None:
    monkeypatch.setattr(governance, "client", lambda service: client)
    monkeypatch.setattr(views, "named", lambda database, dataset: iter([f"{dataset.table}__v1"]))
    lake = Lake.from_dict({"environment": {}})
    lake.environment = replace(ENVIRONMENT, roles=(role(clinic=("north",)),))
    governance.govern(lake, dataset)
    assert client.tags["lake_test_silver", "clinic_patients__v1"]["lake-test-access"] == way


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
    theirs = Governor(client, ENVIRONMENT).filters.data(CellFilter("for the audit", *TABLE, rows="region = 1"))
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


@pytest.mark.parametrize(
    ("mode", "races", "left"), [("lake_formation", 0, set()), ("lake_formation", 1, set()), ("hybrid", 0, {EVERYONE})]
)
def test_a_table_from_before_is_closed_to_whom_iam_lets_where_lake_formation_alone_decides(
    client: LakeFormationClient, mode: str, races: int, left: set[str]
) -> None:
    client.grants, client.races = {(EVERYONE, TABLE)}, races
    bring(client, planned(mode=mode))
    assert {who for who, _ in client.grants} == left


@pytest.mark.parametrize("races", [0, 2])
def test_what_is_open_to_whom_iam_lets_is_closed_whether_a_contract_has_it_or_not(
    client: LakeFormationClient, races: int
) -> None:
    databases = [each for layer, each in ENVIRONMENT.databases.items() if layer != "discovered"]
    named = ("clinic_patients", "clinic_patients__dead_letters", "by_hand", "of_a_contract_gone", "*")
    tables = [(each, name) for each in databases for name in named]
    theirs: set[tuple[str, tuple[str, ...]]] = {(EVERYONE, ("their_lake",)), (EVERYONE, ("their_lake", "t"))}
    theirs |= {(NURSE, tables[0]), (NURSE, (databases[0],))}
    client.grants = theirs | {(EVERYONE, (each,)) for each in databases} | {(EVERYONE, place) for place in tables}
    client.races = races
    assert len(Governor(client, ENVIRONMENT).close()) >= len(databases) + len(tables) - races
    assert client.grants == theirs
    changed, asked = len(client.calls), len(client.asked)
    assert Governor(client, ENVIRONMENT).close() == []
    assert len(client.calls) == changed
    assert "resource" not in client.asked[asked:]  # a call for pages, not for each table


def test_what_a_contract_hides_more_is_hidden_before_a_run_and_nothing_is_shown(client: LakeFormationClient) -> None:
    before = replace(PATIENTS, row_filters=())
    bring(client, planned(dataset=before))
    classes = {"region": "phi", "phone": "phi", "site_id": "public"}  # were public, pii, internal
    columns = tuple(replace(each, classification=classes.get(each.name, "phi")) for each in before.columns)
    wanted = planned(dataset=replace(PATIENTS, columns=(*columns, Column("later", "int", classification="phi"))))
    missing = planned(dataset=replace(PATIENTS, id="clinic.visits", name="visits"))
    governor, place = Governor(client, ENVIRONMENT), ".".join(TABLE)
    hidden = [("filters", place), ("phi", f"{place}.region"), ("phi", f"{place}.phone"), ("phi", f"{place}._hash")]
    assert governor.hide(wanted) == [*hidden, ("filters", f"{place}__quarantine")]
    assert client.tags[(*TABLE, "site_id")] == {"lake-test-classification": "internal"}
    assert (*TABLE, "later") not in client.tags
    assert governor.hide(wanted) == governor.hide(missing) == []


def test_in_other_modes_what_is_iams_stays(client: LakeFormationClient) -> None:
    client.grants = {(EVERYONE, TABLE)}
    assert Governor(client, replace(ENVIRONMENT, governance="hybrid")).close() == []
    assert client.grants == {(EVERYONE, TABLE)}


def test_a_close_that_is_refused_fails(client: LakeFormationClient, monkeypatch: pytest.MonkeyPatch) -> None:
    client.grants = {(EVERYONE, TABLE)}
    refused = {"Failures": [{"Error": {"ErrorCode": "AccessDeniedException", "ErrorMessage": "no"}}]}
    monkeypatch.setattr(client, "batch_revoke_permissions", lambda **_: refused)
    with pytest.raises(GovernanceFailedError, match="AccessDeniedException: no"):
        Governor(client, ENVIRONMENT).close()


def test_filters_of_a_table_that_no_contract_has_any_more_go_with_their_grants(client: LakeFormationClient) -> None:
    bring(client, planned(role(clinic=("north",))))
    other = replace(PATIENTS, id="clinic.visits", name="visits")
    bring(client, planned(role(clinic=("north",)), dataset=other))
    theirs = Governor(client, ENVIRONMENT).filters.data(CellFilter("for the audit", *TABLE, rows="region = 1"))
    client.filters[*TABLE, "for the audit"] = theirs
    governed = Governor(client, ENVIRONMENT).filters
    governed.remove_lost(planned(dataset=other).tables)
    assert {place[:2] for place, told in client.filters.items() if told != theirs} == {(TABLE[0], "clinic_visits")}
    assert theirs in client.filters.values()
    assert {place[1] for _, place in client.grants} == {"clinic_visits"}


def test_all_of_the_lake_is_narrowed_to_its_plan_and_widened_by_nothing(client: LakeFormationClient) -> None:
    bring(client, planned(role(clinic=("north", "south")), role("doctor", clinic=("north",))))
    wanted = planned(role("doctor", clinic=("north", "east")))
    removed = Governor(client, ENVIRONMENT).filters.narrow(wanted)
    assert removed == [(*TABLE, SOUTH)]
    assert client.grants == {(NURSE.replace("nurse", "doctor"), (*TABLE, NORTH))}
    assert Governor(client, ENVIRONMENT).filters.narrow(replace(wanted, filter_grants=())) == [(*TABLE, NORTH)]
    assert (client.filters, client.grants) == ({}, set())


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
    monkeypatch.setattr(formation, "PAUSE", 0)
    client.busy = 3
    bring(client, planned(role(clinic=("north",))))
    assert client.grants == {(NURSE, (*TABLE, NORTH))}


def test_a_grant_that_was_not_taken_fails_the_dataset(
    client: LakeFormationClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "create_data_cells_filter", lambda **_: {})
    with pytest.raises(GovernanceFailedError, match=r"refused 1 of the lake's tags or grants: EntityNotFound"):
        bring(client, planned(role(clinic=("north",))))
