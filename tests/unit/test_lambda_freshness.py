"""The freshness function: how late everything is, told once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from lake.ledger import Ledger
from lake.model import Lake
from lambdas.freshness import handler
from tests.unit.compiled_lake import DATASETS, ENVIRONMENT, PIPELINE
from tests.unit.functions import bare
from tests.unit.ledger_table import LEDGER, Clock

RUN = "tickit-20261120T0000-01"  # what 03:00 on the 21st asks for; its deadline is 04:30
FIRED = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


class CloudWatch:
    def __init__(self) -> None:
        self.calls: list[list[dict[str, Any]]] = []

    def put_metric_data(self, Namespace: str, MetricData: list[dict[str, Any]]) -> None:
        assert Namespace == "Headwater"
        self.calls.append(MetricData)

    def value(self, name: str, **dimensions: str) -> float:
        wanted = {"Environment": "test", **dimensions}
        (found,) = [
            each["Value"]
            for each in self.calls[-1]
            if each["MetricName"] == name and {one["Name"]: one["Value"] for one in each["Dimensions"]} == wanted
        ]
        return float(found)


class Topic:
    def __init__(self) -> None:
        self.subjects: list[str] = []
        self.broken = False

    def publish(self, *, Subject: str, **_: str) -> None:
        if self.broken:
            raise ConnectionError("The topic is not there.")
        self.subjects.append(Subject)


@pytest.fixture
def cloudwatch() -> CloudWatch:
    return CloudWatch()


@pytest.fixture
def topic() -> Topic:
    return Topic()


@pytest.fixture(autouse=True)
def clients(
    ledger: Ledger, clock: Clock, cloudwatch: CloudWatch, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The schedule was first looked at a day ago."""
    bare(handler, monkeypatch)
    known = {"cloudwatch": cloudwatch, "sns": topic, "dynamodb": boto3.client("dynamodb")}
    monkeypatch.setattr(handler, "client", known.__getitem__)
    monkeypatch.setattr(handler, "utc_now", clock)
    monkeypatch.setattr(handler, "Ledger", lambda table, client: Ledger(table, client, clock=clock))
    clock.now = FIRED - timedelta(days=1)
    ledger.first_seen("tickit", PIPELINE["schedule"])


def look(clock: Clock, minutes: float) -> dict[str, int]:
    clock.now = FIRED + timedelta(minutes=minutes)
    return handler.handle({}, None)


def run_started(ledger: Ledger, clock: Clock, status: Any = "running", minutes: float = 1) -> None:
    clock.now = FIRED
    ledger.start(RUN, "tickit")
    clock.now = FIRED + timedelta(minutes=minutes)
    if status != "running":
        ledger.finish(RUN, status)


def test_a_run_that_never_started_is_told_once(clock: Clock, topic: Topic, cloudwatch: CloudWatch) -> None:
    assert [look(clock, minutes)["alerts"] for minutes in (5, 20, 80, 140)] == [0, 1, 0, 0]
    assert topic.subjects == [f"tickit NEVER STARTED: {RUN}"]
    assert cloudwatch.value("MinutesOverdue", Pipeline="tickit") == 50
    assert cloudwatch.value("MinutesOverdue") == 50


def test_a_run_that_takes_too_long_is_told_once(ledger: Ledger, clock: Clock, topic: Topic) -> None:
    run_started(ledger, clock)
    assert [look(clock, minutes)["alerts"] for minutes in (60, 89, 91, 150)] == [0, 0, 1, 0]
    assert topic.subjects == [f"tickit LATE: {RUN}"]


def test_a_run_that_ended_too_late_is_told(ledger: Ledger, clock: Clock, topic: Topic, cloudwatch: CloudWatch) -> None:
    run_started(ledger, clock, "succeeded", minutes=100)
    assert look(clock, 120)["alerts"] == 1
    assert cloudwatch.value("MinutesOverdue") == 0


def test_a_run_that_ended_in_time_is_not(ledger: Ledger, clock: Clock, cloudwatch: CloudWatch) -> None:
    run_started(ledger, clock, "succeeded")
    assert look(clock, 23 * 60) == {"pipelines": 1, "alerts": 0}
    assert cloudwatch.value("MinutesOverdue") == 0


def test_a_failed_run_is_overdue_until_it_is_mended(ledger: Ledger, clock: Clock, cloudwatch: CloudWatch) -> None:
    run_started(ledger, clock, "failed")
    assert look(clock, 150)["alerts"] == 0
    assert cloudwatch.value("MinutesOverdue", Pipeline="tickit") == 60
    ledger.start(RUN, "tickit", attempt=1)
    ledger.finish(RUN, "succeeded")
    look(clock, 200)
    assert cloudwatch.value("MinutesOverdue", Pipeline="tickit") == 0


def test_an_alert_that_could_not_be_sent_is_sent_by_the_next_look(clock: Clock, topic: Topic) -> None:
    topic.broken = True
    with pytest.raises(ConnectionError):
        look(clock, 20)
    topic.broken = False
    assert look(clock, 80)["alerts"] == 1


def test_what_a_schedule_missed_before_it_was_deployed_is_not_told(clock: Clock, aws: None) -> None:
    boto3.client("dynamodb").delete_item(
        TableName=LEDGER,
        Key={"pk": {"S": "PIPELINE#tickit"}, "sk": {"S": f"SCHEDULE#{PIPELINE['schedule']}"}},
    )
    assert look(clock, 60)["alerts"] == 0
    assert look(clock, 120)["alerts"] == 0
    assert look(clock, 24 * 60 + 20)["alerts"] == 1


def test_an_old_dataset_is_overdue_against_its_contract(ledger: Ledger, clock: Clock, cloudwatch: CloudWatch) -> None:
    run_started(ledger, clock, "succeeded")
    clock.now = FIRED - timedelta(hours=22)
    ledger.publish_head("saas.users", 1, RUN, "w", fence=1)
    clock.now = FIRED
    ledger.publish_head("ecommerce.sales", 1, RUN, "w", fence=1)
    look(clock, 180)
    assert cloudwatch.value("FreshnessHours", Dataset="saas.users") == 25
    assert cloudwatch.value("FreshnessHours", Dataset="ecommerce.sales") == 3
    assert cloudwatch.value("StaleDatasets") == 1
    assert cloudwatch.value("MinutesOverdue") == 60


def test_a_pipeline_that_is_started_by_hand_is_never_late(
    clock: Clock, cloudwatch: CloudWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_hand = {**PIPELINE, "schedule": ""}
    bare_lake = Lake.from_dict({"environment": ENVIRONMENT, "datasets": DATASETS, "pipelines": [by_hand]})
    monkeypatch.setattr(handler, "load", lambda: bare_lake)
    assert look(clock, 10_000) == {"pipelines": 0, "alerts": 0}
    assert cloudwatch.value("MinutesOverdue") == 0


def test_a_thousand_metrics_go_in_one_call(cloudwatch: CloudWatch) -> None:
    handler._put([{"MetricName": str(number)} for number in range(2001)])
    assert [len(call) for call in cloudwatch.calls] == [1000, 1000, 1]
