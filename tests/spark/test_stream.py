"""A stream's events from bronze to gold: each once, in its latest version, whichever run meets them and how often."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from pyspark.sql import SparkSession, functions as F

from glue_jobs import ingest, refine
from glue_jobs.changes import STATUS, Known, classify
from glue_jobs.work import work
from lake.arrivals import manifest_key
from lake.ledger import Outcome
from tests.spark.clinic import EVENTS, Clinic, event
from tests.spark.conftest import mocked_ledger

TWO_DAYS = -48 * 60  # minutes: further back than a run looks


@pytest.fixture(scope="module")
def clinic(spark: SparkSession, warehouse: Path) -> Iterator[Clinic]:
    """One lake, of which each test is a run after those before it."""
    with mocked_ledger() as ledger:
        yield Clinic(spark, ledger, warehouse, "stream")


def counts(outcome: Outcome) -> dict[str, int]:
    assert outcome.status == "succeeded", f"{outcome.cause} {outcome.remedy}"
    names = ("inserted", "updated", "unchanged", "superseded", "quarantined")
    found = {name: getattr(outcome, name) for name in names}
    assert outcome.read == sum(found.values())
    return {name: number for name, number in found.items() if number}


def test_events_come_in_once_in_their_latest_version(clinic: Clinic) -> None:
    clinic.arrive(event(1), event(2), event(2), event(3, minutes=9, status="entered_in_error"), minutes=10)
    clinic.arrive(event(3), event(4), minutes=11)  # out of order
    assert counts(clinic.run()) == {"inserted": 4, "superseded": 2}
    assert clinic.rows("event_id", "status") == [
        ("event-0001", "completed"),
        ("event-0002", "completed"),
        ("event-0003", "entered_in_error"),
        ("event-0004", "completed"),
    ]


def test_bronze_is_in_the_catalog_from_the_first_run_on(clinic: Clinic) -> None:
    tables = boto3.client("glue").get_tables(DatabaseName="stream_bronze")["TableList"]
    found = {each["Name"]: each["Parameters"]["storage.location.template"] for each in tables}
    assert found == {
        "clinic_immunizations": "s3://stream-bronze/clinic/immunizations/${day}/",
        "clinic_immunizations__dead_letters": "s3://stream-bronze/clinic/immunizations__dead_letters/${day}/",
    }


def test_a_run_that_finds_nothing_new_makes_no_snapshot(clinic: Clinic) -> None:
    before, head = clinic.snapshots(), clinic.ledger.head(EVENTS)
    assert counts(clinic.run()) == {"unchanged": 4, "superseded": 2}
    assert clinic.snapshots() == before
    now = clinic.ledger.head(EVENTS)
    assert head
    assert now
    assert now.watermark > head.watermark  # so that the next one does not look further back


def test_corrections_win_and_what_contradicts_itself_removes_nothing(clinic: Clinic) -> None:
    clinic.arrive(event(1, minutes=15, dose_number=2), event(2, minutes=-5, lot_number="LOT-2"), minutes=20)
    clinic.arrive(event(4, lot_number="LOT-9"), event(5, site_id="site-002"), event(5, site_id="site-003"), minutes=21)
    clinic.arrive(event(6, birth_date="2026-11-18"), minutes=22)  # which the consumer's rules let pass
    outcome = clinic.run()
    assert counts(outcome) == {"inserted": 1, "updated": 1, "unchanged": 3, "superseded": 4, "quarantined": 3}
    assert outcome.rules == {"key_conflict": 2, "given_after_birth": 1}
    assert clinic.rows("event_id", "dose_number", "lot_number", "site_id") == [
        ("event-0001", 2, "LOT-1", "site-001"),
        ("event-0002", 1, "LOT-1", "site-001"),
        ("event-0003", 1, "LOT-1", "site-001"),
        ("event-0004", 1, "LOT-1", "site-001"),
        ("event-0005", 1, "LOT-1", "site-002"),
    ]


def test_what_is_read_again_is_not_quarantined_twice(clinic: Clinic) -> None:
    before = clinic.snapshots()
    assert counts(clinic.run()) == {"unchanged": 5, "superseded": 4, "quarantined": 3}
    assert clinic.snapshots() == before
    assert clinic.quarantined() == [
        ("event-0004", ["key_conflict"], "open"),
        ("event-0005", ["key_conflict"], "open"),
        ("event-0006", ["given_after_birth"], "open"),
    ]


def test_an_object_that_came_late_is_found_by_the_look_back_and_an_older_one_by_a_backfill(clinic: Clinic) -> None:
    clinic.arrive(event(4, lot_number="LOT-0"), minutes=5)  # its batch was tried for hours, and arrived first
    clinic.arrive(event(7, minutes=TWO_DAYS), event(2, minutes=TWO_DAYS), minutes=TWO_DAYS + 3)
    assert counts(clinic.run()) == {"updated": 1, "unchanged": 4, "superseded": 4, "quarantined": 4}
    assert ("event-0004", "LOT-0") in clinic.rows("event_id", "lot_number")
    head = clinic.ledger.head(EVENTS)
    assert counts(clinic.backfill(TWO_DAYS)) == {"inserted": 1, "superseded": 1}
    assert counts(clinic.backfill(TWO_DAYS + 60)) == {}
    now = clinic.ledger.head(EVENTS)
    assert head
    assert now
    assert now.watermark == head.watermark  # a backfill does not say how far runs have read


def test_an_object_that_is_not_what_was_written_is_named(clinic: Clinic) -> None:
    key = clinic.arrive(event(8), event(9), minutes=12)
    path = clinic.warehouse / clinic.bucket / key
    whole = path.read_bytes()
    name, s3 = key.rpartition("/")[2], boto3.client("s3")
    for body in (whole[:-20], b"no gzip at all", b""):
        path.write_bytes(body)
        s3.put_object(Bucket=clinic.bucket, Key=key, Body=body)
        failed = clinic.run()
        assert (failed.step, failed.status) == ("ingest", "failed")
        assert name in failed.cause
        assert "earlier version" in failed.remedy
    path.unlink()
    s3.delete_object(Bucket=clinic.bucket, Key=key)


def test_a_load_without_its_list_or_one_of_its_objects_says_which(clinic: Clinic) -> None:
    key = clinic.arrive(event(1), minutes=10)
    job, path = clinic.job(), clinic.warehouse / clinic.bucket / key
    work(job, "ingest", ingest.pending(job), ingest.ingest)
    whole = path.read_bytes()
    path.unlink()
    [gone] = work(job, "refine", refine.pending(job), refine.refine)
    assert key.rpartition("/")[2] in gone.cause
    path.write_bytes(whole[:-20])
    [cut] = work(job, "refine", refine.pending(job), refine.refine)
    assert "no whole gzip file" in cut.cause
    path.write_bytes(whole)
    manifest = manifest_key(clinic.dataset, str(job.run), 0)
    s3 = boto3.client("s3")
    for spoil in (partial(s3.put_object, Body=b'["cut'), s3.delete_object):
        spoil(Bucket=clinic.bucket, Key=manifest)
        [failed] = work(job, "refine", refine.pending(job), refine.refine)
        assert manifest in failed.cause
        assert "new run" in failed.remedy
    path.unlink()
    s3.delete_object(Bucket=clinic.bucket, Key=key)


def test_a_replay_reads_all_of_bronze_and_changes_nothing(clinic: Clinic) -> None:
    before = clinic.snapshots()
    assert counts(clinic.run("replay")) == {"unchanged": 6, "superseded": 5, "quarantined": 4}
    assert clinic.snapshots() == before


def test_maintenance_compacts_the_buckets_of_a_table_and_keeps_its_rows(clinic: Clinic) -> None:
    rows = clinic.rows("event_id", "event_time", "lot_number")
    [table, *_] = clinic.maintain().tables
    assert table["before"]["deletes"]
    assert not table["after"]["deletes"]
    assert clinic.rows("event_id", "event_time", "lot_number") == rows
    before = clinic.snapshots()
    clinic.run()
    assert clinic.snapshots() == before


def test_gold_counts_doses_and_patients_of_groups_of_five_or_more(clinic: Clinic) -> None:
    clinic.arrive(
        event(11, patient_id="PAT-0001", administered_at="2026-11-16T00:00:00Z"),
        event(14),
        event(12, vaccine_code="08", patient_id="PAT-0012", birth_date="2019-01-01", series_doses=1),
        event(13, vaccine_code="08", status="not_done", birth_date="2019-12-31"),
        minutes=30,
    )
    assert clinic.run().inserted == 4
    assert [each.cause for each in clinic.build()] == ["", ""]
    # events 1, 2, 4, 7, 11 and 14 are shots of vaccine 208 at site 1, in the week of Monday, 16 November; of 08, and at
    # site 2, there is one each: who had it could be told
    monday = "2026-11-16"
    doses = [(*each[:2], str(each[2]), *each[3:]) for each in clinic.gold("gold.doses_by_vaccine_site_week")]
    assert doses == [("208", "site-001", monday, 6, 5)]
    # PAT-0001 alone has both doses of 208, of six patients born in 2020; event 3 was reported in error
    coverage = [(*each[:5], str(each[5])) for each in clinic.gold("gold.coverage_by_cohort")]
    assert coverage == [(2020, "208", 6, 6, 1, "0.1667")]


def test_however_events_fall_to_runs_the_same_rows_are_in_the_table(spark: SparkSession) -> None:
    chance = random.Random(5)
    events = [(chance.randrange(120), chance.randrange(3), chance.choice("ab"), place) for place in range(500)]
    first: dict[tuple[int, int], str] = {}
    for number, version, content, _ in events:  # in the order of their arrival
        first.setdefault((number, version), content)
    expected = {(number, *max((v, c) for (n, v), c in first.items() if n == number)) for number, _ in first}
    objects_in_time = [each for each in events if chance.random() < 0.5]  # others lie in objects that come late
    held = after(spark, objects_in_time, set())
    assert held != expected
    assert after(spark, events, held) == expected
    assert after(spark, events, expected) == expected


def after(spark: SparkSession, events: list[tuple[int, int, str, int]], held: set[tuple[int, int, str]]) -> set[Any]:
    """The table's rows once a load of these events is merged into those that it held."""
    came: list[Any] = [(n, v, f"{v}{c}", [], 0, f"{place:05}") for n, v, c, place in events]
    columns = "id int, _version int, _hash string, _rules array<string>, _lane bigint, _arrival string"
    table = [(n, v, f"{v}{c}") for n, v, c in held]
    kept = spark.createDataFrame(table, "id int, _version int, _hash string") if table else None
    judged = classify(spark.createDataFrame(came, columns), kept, ("id",), Known(first=True))
    changes = judged.where(F.col(STATUS).isin("inserted", "updated")).collect()
    rows = {n: (n, v, c) for n, v, c in held} | {each.id: (each.id, each._version, each._hash[1:]) for each in changes}
    assert len({each.id for each in changes}) == len(changes)
    return set(rows.values())
