"""Whose rows an erasure reaches, what becomes of each store, and the order in which its state machine tells it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from glue_jobs import aws as clients, forget, objects
from glue_jobs.stream_erasure import ids, leaves, mentions
from lake.certificate import EXPIRES, NAMELESS, NOT_SEARCHABLE, REQUESTS, REWRITTEN, certificate, summed
from lake.items import utc_now
from lake.model import Lake
from lake.parts import Column
from lake.retained_stores import stores_beside
from lake.subjects import UnknownSubjectError, canonical, carried, digest, holders, made_from, marks, root_of, roots
from tests.unit.compiled_lake import ENVIRONMENT

PEOPLE = "saas.people"
MACHINE = Path(__file__).parents[2] / "state_machines" / "forget_subject.asl.json"
STATES: dict[str, dict[str, Any]] = json.loads(MACHINE.read_text())["States"]
RETENTION = {
    "landing": 30,
    "bronze": 60,
    "results": 7,
    "sandbox": 30,
    "logs": 90,
    "scratch": 1,
    "noncurrent": 5,
    "log_groups": 7,
}


def dataset(name: str, *columns: str, keys: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """`keys` are foreign keys of one column or, joined by +, of several: COLUMN to SOURCE.NAME.COLUMN."""
    source, _, short = name.partition(".")
    references = [
        {"name": f"foreign_key_{each}", "columns": each.split("+"), "dataset": to.rpartition(".")[0],
         "parent_columns": to.rpartition(".")[2].split("+")}
        for each, to in (keys or {}).items()
    ]  # fmt: skip
    return {
        "id": name, "source": source, "name": short, "layer": "gold" if source == "gold" else "silver",
        "version": "1.0.0", "hash": name, "key": [columns[0]], "references": references,
        "columns": [{"name": each, "type": "int", "source": each} for each in columns], **more,
    }  # fmt: skip


def lake_of(*datasets: dict[str, Any]) -> Lake:
    return Lake.from_dict({"environment": ENVIRONMENT, "datasets": list(datasets)})


PERSON = dataset(PEOPLE, "person", "manager", keys={"manager": "saas.people.person"}, subject="person")
SALE = dataset(
    "shop.sales", "sale", "buyer", "seller", "item",
    keys={"buyer": "saas.people.person", "seller": "saas.people.person", "item": "shop.items.item"},
)  # fmt: skip
ITEM = dataset("shop.items", "item")
WISH = dataset("crm.wishes", "wish", "of", keys={"of": "crm.profiles.profile"})
PROFILE = dataset("crm.profiles", "profile", keys={"profile": "saas.people.person"})
BADGE = dataset("crm.badges", "badge", "site", "who", keys={"site+who": "crm.passes.site+person"})
PASS = dataset("crm.passes", "site", "person", keys={"person": "saas.people.person"})
PATIENT = dataset("clinic.shots", "shot", "patient", subject="patient")
MASKED = dataset("shop.sales__masked", "sale", masked_of="shop.sales", inputs=["shop.sales"])
TOTALS = dataset("gold.totals", "buyer", sql="SELECT", inputs=["shop.sales__masked"])
BEST = dataset("gold.best", "buyer", sql="SELECT", inputs=["gold.totals", "shop.items"])
STOCK = dataset("gold.stock", "item", sql="SELECT", inputs=["shop.items"])
LAKE = lake_of(PERSON, SALE, ITEM, WISH, PROFILE, BADGE, PASS, PATIENT, MASKED, TOTALS, BEST, STOCK)


def test_a_person_is_reached_by_foreign_keys_however_far_they_lead() -> None:
    assert holders(LAKE, PEOPLE) == {
        PEOPLE: ("person", "manager"),
        "shop.sales": ("buyer", "seller"),
        "crm.wishes": ("of",),
        "crm.profiles": ("profile",),
        "crm.badges": ("who",),
        "crm.passes": ("person",),
    }
    assert holders(LAKE, "clinic.shots") == {"clinic.shots": ("patient",)}


def test_foreign_keys_that_lead_in_a_circle_come_to_an_end() -> None:
    one = dataset("a.one", "x", keys={"x": "a.two.x"})
    two = dataset("a.two", "x", keys={"x": "a.one.x"})
    assert carried(lake_of(one, two), lake_of(one, two).dataset("a.one")) == {}
    known = lake_of({**one, "subject": "x"}, two)
    assert holders(known, "a.one") == {"a.one": ("x",), "a.two": ("x",)}


def test_tables_made_of_those_are_made_anew_and_no_others() -> None:
    assert made_from(LAKE, holders(LAKE, PEOPLE)) == ["gold.best", "gold.totals", "shop.sales__masked"]
    assert made_from(LAKE, holders(LAKE, "clinic.shots")) == []


def test_ids_of_different_datasets_are_of_different_people() -> None:
    assert roots(LAKE) == ["clinic.shots", PEOPLE]
    assert root_of(LAKE, PEOPLE).id == PEOPLE
    assert root_of(lake_of(PERSON, ITEM), None).id == PEOPLE
    for said in (None, "shop.items", "shop.sales"):
        with pytest.raises(UnknownSubjectError, match=r"clinic\.shots, saas\.people"):
            root_of(LAKE, said)
    assert len({digest(b"key", root, "7") for root in roots(LAKE)} | {digest(b"other", PEOPLE, "7")}) == 3


def test_an_id_is_read_as_its_column_is_and_no_error_repeats_it() -> None:
    people = LAKE.dataset(PEOPLE)
    assert [canonical(people, each) for each in ("7", "007", " 7 ")] == ["7", "7", "7"]
    with pytest.raises(UnknownSubjectError, match=r"a whole number, as person of saas\.people is") as refused:
        canonical(people, "secret-name")
    assert "secret-name" not in str(refused.value)
    texts = replace(people, columns=tuple(replace(each, type="string") for each in people.columns))
    assert canonical(texts, "007  ") == "007"
    for people_or_texts, nobody in ((texts, ""), (texts, "  "), (people, ""), (people, "1_0")):
        with pytest.raises(UnknownSubjectError, match="The subject's id: expected"):
            canonical(people_or_texts, nobody)


def test_every_store_that_is_not_rewritten_has_a_date_or_a_reason() -> None:
    environment = {
        **ENVIRONMENT,
        "buckets": {each: f"{each}-bucket" for each in ("silver", "gold", *RETENTION)},
        "retention": RETENTION,
        "record_hours": {"clinic.shots": 36, "clinic.others": 24},
        "stream_hours": {"clinic.shots": 168, "clinic.others": 168},
    }
    lake = Lake.from_dict({"environment": environment, "datasets": [PERSON, {**PATIENT, "load_mode": "stream"}]})
    stores = stores_beside(lake, [PEOPLE, "clinic.shots"])
    days = {
        "landing (landing-bucket)": 37, "results (results-bucket)": 8, "sandbox (sandbox-bucket)": 37,
        "logs (logs-bucket)": 91, "scratch (scratch-bucket)": 2, "bronze (aws/lambda/)": 67,
        "stream of clinic.shots": 8, "late events of clinic.shots in bronze": 70,
        "Athena's history of queries": 45, "CloudWatch's logs": 8, "histories of executions": 90,
    }  # fmt: skip
    found = {each["store"]: each["by"] for each in stores if each["rule"] == EXPIRES}
    assert found == {store: f"{utc_now() + timedelta(days=number):%Y-%m-%d}" for store, number in days.items()}
    assert [each["store"] for each in stores if each["rule"] == NOT_SEARCHABLE] == [
        "source saas",
        f"ledger ({lake.environment.ledger})",
        "prepared statements",
        "texts",
        "copies outside",
    ]
    assert all(each["why"] for each in stores)
    assert not [each for each in stores_beside(lake, [PEOPLE]) if "clinic" in each["store"] or "aws/" in each["store"]]


def test_the_certificate_adds_up_what_each_attempt_did_and_says_who_by_digest_only() -> None:
    lines = [
        {"table": "bronze.a", "done": {"rows": 3, "versions": 1}, "after": {"loads": 2}},
        {"table": "silver.a", "done": {"rows": 2}, "after": {}},
        {"table": "bronze.a", "done": {"rows": 1, "letters": 2}, "after": {"loads": 1}},
    ]
    made = certificate("run", PEOPLE, "d16e57", summed(lines), [{"store": "texts"}], LAKE.environment)
    assert made["stores"] == [
        {"store": "bronze.a", "rule": REWRITTEN, "rows": 4, "versions": 1, "letters": 2},
        {"store": "silver.a", "rule": REWRITTEN, "rows": 2},
        {"store": "bronze.a, without an id", "rule": NOT_SEARCHABLE, "loads": 1, "why": NAMELESS},
        {"store": "texts"},
    ]
    assert (made["subject_of"], made["subject"]) == (PEOPLE, "hmac-sha256:d16e57")


def test_every_value_of_a_dead_letter_is_looked_at() -> None:
    letter = {"patient": " 7 ", "more": [{"who": 8}, None, True], "7x": {}}
    assert list(leaves(letter)) == ["7", "8", "True"]


def test_a_whole_number_in_a_text_is_told_from_a_longer_one() -> None:
    for text, told in ((b"of 42.", True), (b"id=0042;", True), (b"4.2e1", True), (b"x42", True), (b"420 142", False)):
        assert mentions(text, "42", "int") is told
    assert mentions(b"no JSON: PAT-1", "PAT-1", "string")


def test_an_event_is_known_by_whichever_name_its_id_had() -> None:
    people = replace(
        LAKE.dataset(PEOPLE), columns=(Column("person", "int", "number", id="p"), Column("boss", "int", "boss"))
    )
    found = marks(people, ["person", "boss"], [{"p": "number"}, {"p": "nr", "boss": "chief"}, {"p": "id"}])
    assert [each.names for each in found] == [("number", "nr", "id"), ("boss", "chief")]
    for event in ({"number": "0042"}, {"nr": "42.0", "boss": "7"}, {"chief": ["1", " 42 "]}):
        assert "42" in ids(event, found)
    assert ids({"number": None, "nr": "", "other": "42"}, found) == set()


def test_a_request_that_another_erasure_deletes_meanwhile_is_passed_over(
    aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients.client.cache_clear()
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="scratch")
    s3.put_object(Bucket="scratch", Key=f"{REQUESTS}here.json", Body=b'{"subject": "7"}')
    monkeypatch.setattr(objects, "keys", lambda *_: iter([f"{REQUESTS}gone.json", f"{REQUESTS}here.json"]))
    assert list(forget.requests("scratch")) == [(f"{REQUESTS}here.json", {"subject": "7"})]
    clients.client.cache_clear()


def test_nothing_ends_before_the_certificate_but_a_dry_run_and_a_failure_has_no_other_way() -> None:
    follows = {name: state.get("Next", state.get("Default")) for name, state in STATES.items()}
    assert follows == {
        "Rows": "DryRun", "DryRun": "Mask", "Mask": "Model", "Model": "Remains", "Remains": "Conclude",
        "Conclude": "Again", "Again": "Done", "Done": None,
    }  # fmt: skip
    choices = {
        name: [each["Next"] for each in state["Choices"]] for name, state in STATES.items() if "Choices" in state
    }
    assert choices == {"DryRun": ["Conclude"], "Again": ["Rows"]}
    assert not [name for name, state in STATES.items() if "Catch" in state]
