"""The stream's stack: nothing is lost between a stream and bronze, and somebody is told of all that goes wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.stream import Stream
from tests.synth.synthesized import ROOT, Synthesized

HOUR = 3600


@pytest.fixture
def settings(lake: Synthesized) -> Stream:
    (found,) = lake.environment.streams.values()
    return found


def test_a_stream_is_encrypted_with_the_lakes_key_and_keeps_a_week(lake: Synthesized, settings: Stream) -> None:
    (stream,) = lake.properties("Kinesis::Stream")
    assert stream["StreamEncryption"]["EncryptionType"] == "KMS"
    assert "key" in stream["StreamEncryption"]["KeyId"]["Ref"].lower()
    assert stream["RetentionPeriodHours"] == settings.retention_hours == 7 * 24
    mode = "PROVISIONED" if settings.shards else "ON_DEMAND"
    assert (stream["StreamModeDetails"], stream.get("ShardCount")) == ({"StreamMode": mode}, settings.shards)


def test_a_mapping_begins_with_the_oldest_and_gives_up_into_bronze(lake: Synthesized, settings: Stream) -> None:
    (mapping,) = lake.properties("Lambda::EventSourceMapping")
    bronze = f"arn:aws:s3:::{lake.environment.bucket('bronze')}"
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": bronze}}
    assert mapping["BatchSize"] == settings.batch_size
    assert mapping["MaximumBatchingWindowInSeconds"] == settings.window_seconds
    assert mapping["ParallelizationFactor"] == settings.parallelization
    assert mapping["MaximumRecordAgeInSeconds"] == settings.max_record_age_hours * HOUR
    assert mapping["MaximumRetryAttempts"] == settings.retries


def test_a_consumer_may_read_its_stream_and_add_to_bronze_alone(lake: Synthesized) -> None:
    role = lake.named("IAM::Role", "RoleName")[lake.environment.resource("consume-clinic-immunizations-function")]
    statements = [each for policy in role["Policies"] for each in policy["PolicyDocument"]["Statement"]]
    actions = {action for each in statements for action in each["Action"] if isinstance(each["Action"], list)}
    actions |= {each["Action"] for each in statements if isinstance(each["Action"], str)}
    assert {action for action in actions if action.startswith("s3:")} == {"s3:PutObject", "s3:ListBucket"}
    assert not {action for action in actions if action.startswith("kinesis:Put")}
    bronze = f"arn:aws:s3:::{lake.environment.bucket('bronze')}"
    written = [each["Resource"] for each in statements if each["Action"] == "s3:PutObject"]
    assert written == [
        [f"{bronze}/clinic/immunizations/*", f"{bronze}/clinic/immunizations__dead_letters/*"],
        f"{bronze}/aws/lambda/*",
    ]


ALARMS = {
    "clinic-immunizations-behind": ("AWS/Lambda", "IteratorAge"),
    "clinic-immunizations-slow": ("Headwater/Streams", "EventToBronzeSeconds"),
    "clinic-immunizations-dead-letters": ("Headwater/Streams", "DeadLetters"),
    "clinic-immunizations-not-written": ("Headwater/Streams", "FailedBatches"),
    "clinic-immunizations-undelivered": ("AWS/Lambda", "OnFailureDestinationDeliveredEventCount"),
    "clinic-immunizations-lost": ("AWS/Lambda", "DroppedEventCount"),
    "clinic-immunizations-not-kept": ("AWS/Lambda", "DestinationDeliveryFailures"),
    "clinic-immunizations-write-throttled": ("AWS/Kinesis", "WriteProvisionedThroughputExceeded"),
    "clinic-immunizations-consumer-throttled": ("AWS/Lambda", "Throttles"),
    "clinic-immunizations-consumer-errors": ("AWS/Lambda", "Errors"),
    "clinic-api-errors": ("AWS/ApiGateway", "5XXError"),
    "clinic-api-throttled": ("Headwater/Streams", "ClinicThrottled"),
}
UNREAD = "clinic-immunizations-unread"


def test_all_that_can_go_wrong_with_a_stream_is_watched(lake: Synthesized) -> None:
    alarms = lake.named("CloudWatch::Alarm", "AlarmName")
    found = {noun: alarms[lake.environment.resource(noun)] for noun in ALARMS}
    assert {noun: _metric(each) for noun, each in found.items()} == ALARMS
    (counted,) = lake.properties("Logs::MetricFilter")
    assert counted["FilterPattern"] == '{ $.status = "429" }'
    assert counted["MetricTransformations"][0]["MetricName"] == "ClinicThrottled"


def test_dead_letters_are_an_alarm_by_their_part_of_all_records(lake: Synthesized) -> None:
    alarm = lake.named("CloudWatch::Alarm", "AlarmName")[lake.environment.resource("clinic-immunizations-dead-letters")]
    told = {
        each["Id"]: each.get("Expression") or each["MetricStat"]["Metric"]["MetricName"] for each in alarm["Metrics"]
    }
    assert sorted(told.values()) == ["100 * part / whole", "DeadLetters", "Records"]
    assert alarm["Threshold"] == 2


def _metric(alarm: dict[str, Any]) -> tuple[str, str]:
    """What an alarm is about: of a part of a whole the part."""
    if "Metrics" in alarm:
        alarm = next(each["MetricStat"]["Metric"] for each in alarm["Metrics"] if each["Id"] == "part")
    return alarm["Namespace"], alarm["MetricName"]


def test_a_stream_that_nobody_reads_is_told_though_no_iterator_has_an_age_then(lake: Synthesized) -> None:
    alarm = lake.named("CloudWatch::Alarm", "AlarmName")[lake.environment.resource(UNREAD)]
    metrics = {each["Id"]: each["MetricStat"]["Metric"] for each in alarm["Metrics"] if "MetricStat" in each}
    names = {noun: each["MetricName"] for noun, each in metrics.items()}
    assert names == {"metric": "IncomingRecords", "other": "PolledEventCount"}
    [expression] = [each["Expression"] for each in alarm["Metrics"] if "Expression" in each]
    assert expression == "IF(FILL(other, 0) == 0, metric, 0)"


def test_each_alarm_of_a_stream_leads_to_its_row_of_the_runbook(dev: Synthesized) -> None:
    runbook = (Path(ROOT) / "docs" / "runbook.md").read_text().partition("\n## Streams\n")[2]
    for noun in (*ALARMS, UNREAD):
        alarm = dev.named("CloudWatch::Alarm", "AlarmName")[dev.environment.resource(noun)]
        row = alarm["AlarmDescription"].rpartition("See docs/runbook.md, Streams: ")[2].removesuffix(".")
        assert noun.endswith(row)
        assert f"\n| `{row}` |" in runbook
