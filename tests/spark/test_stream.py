"""A stream's events from bronze to gold: each once, in its latest version, whichever run meets them and how often."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from pyspark.sql import SparkSession

from lake.ledger import Outcome
from tests.spark.clinic import Clinic, event
from tests.spark.conftest import mocked_ledger

DAY = 24 * 60.0


@pytest.fixture(scope="module")
def clinic(spark: SparkSession, warehouse: Path) -> Iterator[Clinic]:
    with mocked_ledger() as ledger:
        yield Clinic(spark, ledger, warehouse, "stream")


def counts(outcome: Outcome) -> dict[str, int]:
    assert outcome.status == "succeeded", f"{outcome.cause} {outcome.remedy}"
    names = ("inserted", "updated", "unchanged", "superseded", "quarantined")
    return {name: found for name in names if (found := getattr(outcome, name))}


def test_events_come_in_once_in_their_latest_version(clinic: Clinic) -> None:
    clinic.arrive(event(1), event(2), event(2), event(3, minutes=9, status="entered_in_error"), minutes=10)
    clinic.arrive(event(3), event(4, dose_number=2), minutes=11)  # out of order
    outcome = clinic.run()
    assert counts(outcome) == {"inserted": 4, "superseded": 2}
    assert clinic.rows("event_id", "status") == [
        ("event-0001", "completed"),
        ("event-0002", "completed"),
        ("event-0003", "entered_in_error"),
        ("event-0004", "completed"),
    ]


def test_a_run_that_finds_nothing_new_makes_no_snapshot(clinic: Clinic) -> None:
    before = clinic.snapshots()
    assert counts(clinic.run()) == {"unchanged": 4, "superseded": 2}
    assert clinic.snapshots() == before


def test_bronze_is_in_the_catalog_before_any_event_is_loaded(clinic: Clinic) -> None:
    tables = boto3.client("glue").get_tables(DatabaseName="stream_bronze")["TableList"]
    assert {each["Name"] for each in tables} == {"clinic_immunizations", "clinic_immunizations__dead_letters"}
    parameters = next(each["Parameters"] for each in tables if each["Name"] == "clinic_immunizations")
    assert parameters["storage.location.template"] == "s3://stream-bronze/clinic/immunizations/${day}/"
