"""Event source mappings on the laptop: a function gets a stream's records as Lambda's own pollers give them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.event_streams import EventStream, faults, records_of
from tests.local.functions import unique, until
from tests.local.own_endpoint import OwnEndpoint, started


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnEndpoint]:
    yield from started(tmp_path_factory)


REFUSES = 'if any(data == "poison" for _, data, _ in records): raise ValueError("poison")'
PARTLY = """
    bad = [number for number, data, _ in records if data == "poison"]
    records = [each for each in records if not bad or each[0] < bad[0]]"""
REPORTS = 'return {"batchItemFailures": [{"itemIdentifier": number} for number in bad]}'


def test_batches_hold_at_most_so_many_records_in_their_order(endpoint: OwnEndpoint) -> None:
    stream = EventStream(endpoint)
    stream.put(range(25))
    stream.map(BatchSize=10)
    stream.drained()
    assert [len(batch) for batch in stream.batches()] == [10, 10, 5]
    assert stream.taken() == [str(number) for number in range(25)]


def test_an_event_holds_what_lambda_puts_in_it(endpoint: OwnEndpoint) -> None:
    stream = EventStream(endpoint, answers='print("EVENT", json.dumps(event))')
    (put,) = stream.put(["hello"], ["a key"])
    stream.map()
    stream.drained()
    logs = endpoint.client("logs")
    lines = logs.filter_log_events(logGroupName=f"/aws/lambda/{stream.function}", filterPattern="")["events"]
    (record,) = json.loads(next(x["message"][6:] for x in lines if x["message"].startswith("EVENT")))["Records"]
    assert record["eventID"] == f"{put['ShardId']}:{put['SequenceNumber']}"
    assert record["kinesis"]["sequenceNumber"] == put["SequenceNumber"]
    assert record["kinesis"]["partitionKey"] == "a key"
    assert record["kinesis"]["data"] == "aGVsbG8="
    assert record["kinesis"]["approximateArrivalTimestamp"] > 1_000_000_000
    assert (record["eventSource"], record["eventSourceARN"]) == ("aws:kinesis", stream.arn)
    assert record["eventName"] == "aws:kinesis:record"


def test_a_batch_holds_no_more_than_six_megabytes(endpoint: OwnEndpoint) -> None:
    stream = EventStream(endpoint, answers="print(len(json.dumps(event)))")
    endpoint.client("kinesis").update_stream_mode(StreamARN=stream.arn, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    for letter in "abcdefg":
        stream.put([letter * 1_000_000])
    stream.map()
    stream.drained()
    assert [len(batch) for batch in stream.batches()] == [4, 3]


def test_a_window_gathers_what_comes_within_it(endpoint: OwnEndpoint) -> None:
    stream = EventStream(endpoint)
    stream.map(MaximumBatchingWindowInSeconds=1)
    stream.put(["first"])
    stream.put(["second"])
    stream.drained()
    assert [len(batch) for batch in stream.batches()] == [2]


def test_a_poison_record_among_a_thousand_delays_itself_alone(endpoint: OwnEndpoint) -> None:
    stream = EventStream(endpoint, does=REFUSES)
    events = [str(number) for number in range(1000)]
    events[613] = "poison"
    stream.put(events)
    stream.map(BisectBatchOnFunctionError=True, MaximumRetryAttempts=1)
    stream.drained(40)
    assert stream.taken() == [event for event in events if event != "poison"]
    (undelivered,) = stream.undelivered()
    assert records_of(undelivered) == ["poison"]
    assert undelivered["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert undelivered["requestContext"]["approximateInvokeCount"] == 2
    assert undelivered["KinesisBatchInfo"]["batchSize"] == 1


def test_a_record_that_is_never_taken_holds_up_its_own_lane_alone(endpoint: OwnEndpoint) -> None:
    stream = EventStream(endpoint, does=REFUSES)
    keys = [f"key-{number % 20}" for number in range(200)]
    stream.put(["poison", *range(1, 200)], keys)
    mapping = stream.map(BisectBatchOnFunctionError=True, ParallelizationFactor=10, BatchSize=50)
    others = {str(number) for number in range(1, 200) if number % 20 != 0}
    until(lambda: len(others & set(stream.taken())) > 150, 20)
    taken = stream.taken()
    assert not {str(number) for number in range(20, 200, 20)} & set(taken)  # of the same key: they wait for it
    assert len(taken) == len(set(taken))
    endpoint.client("lambda").delete_event_source_mapping(UUID=mapping)


def test_without_bisection_the_whole_batch_is_given_up(endpoint: OwnEndpoint) -> None:
    stream = EventStream(endpoint, does=REFUSES)
    stream.put(["good", "poison", "good too"])
    mapping = stream.map(MaximumRetryAttempts=1, MetricsConfig={"Metrics": ["EventCount"]})
    stream.drained()
    stream.put(["later"])
    stream.drained()
    assert stream.taken() == ["later"]
    assert records_of(stream.undelivered()[0]) == ["good", "poison", "good too"]
    assert sum(stream.metric("OnFailureDestinationDeliveredEventCount", EventSourceMappingUUID=mapping)) == 3
    assert sum(stream.metric("PolledEventCount", EventSourceMappingUUID=mapping)) == 4


def test_a_queue_is_told_where_the_records_are_and_not_what_they_hold(endpoint: OwnEndpoint) -> None:
    stream, sqs = EventStream(endpoint, does=REFUSES), endpoint.client("sqs")
    url = sqs.create_queue(QueueName=unique("failed"))["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    (put,) = stream.put(["poison"])
    stream.map(MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": queue}})
    stream.drained()
    told = json.loads(sqs.receive_message(QueueUrl=url)["Messages"][0]["Body"])
    assert told["KinesisBatchInfo"]["startSequenceNumber"] == put["SequenceNumber"]
    assert "payload" not in told


def test_a_batch_is_cut_where_a_function_reports_a_failure_and_nowhere_else(endpoint: OwnEndpoint) -> None:
    stream = EventStream(endpoint, does=PARTLY, answers=REPORTS)
    stream.put(["one", "two", "poison", "three"])
    stream.map(
        FunctionResponseTypes=["ReportBatchItemFailures"], BisectBatchOnFunctionError=True, MaximumRetryAttempts=0
    )
    stream.drained()
    assert stream.taken() == ["one", "two"]
    assert [records_of(each) for each in stream.undelivered()] == [["poison", "three"]]


@pytest.mark.parametrize("answer", ['{"batchItemFailures": [{"itemIdentifier": ""}]}', '"fine"',
                                    '{"batchItemFailures": [{"itemIdentifier": "123"}]}',
                                    '{"batchItemFailures": [{"id": "123"}]}'])  # fmt: skip
def test_an_answer_that_names_no_record_fails_the_whole_batch(endpoint: OwnEndpoint, answer: str) -> None:
    stream = EventStream(endpoint, answers=f"return {answer}")
    stream.put(["a", "b"])
    stream.map(FunctionResponseTypes=["ReportBatchItemFailures"], MaximumRetryAttempts=0)
    stream.drained()
    assert records_of(stream.undelivered()[0]) == ["a", "b"]


def test_records_of_one_key_keep_their_order_while_batches_run_beside_each_other(endpoint: OwnEndpoint) -> None:
    stream = EventStream(endpoint, does="time.sleep(0.05)")
    keys = [f"key-{number % 7}" for number in range(210)]
    stream.put(range(210), keys)
    stream.map(BatchSize=10, ParallelizationFactor=4)
    stream.drained()
    taken = [(key, int(data)) for batch in stream.batches() for _, data, key in batch]
    assert sorted(number for _, number in taken) == list(range(210))
    for key in set(keys):
        numbers = [number for each, number in taken if each == key]
        assert numbers == sorted(numbers)


def test_records_that_grew_too_old_go_to_the_destination(endpoint: OwnEndpoint) -> None:
    stream = EventStream(endpoint, does=REFUSES)
    stream.put(["poison"])
    stream.map(MaximumRecordAgeInSeconds=60)
    until(lambda: stream.state()["last_result"].startswith("PROBLEM"))
    endpoint.advance(seconds=61)
    stream.put(["young"])
    stream.drained()
    (undelivered,) = stream.undelivered()
    assert undelivered["requestContext"]["condition"] == "RecordAgeExceeded"
    assert records_of(undelivered) == ["poison"]
    assert stream.taken() == ["young"]


def test_a_killed_function_loses_nothing(endpoint: OwnEndpoint) -> None:
    marker = unique("killed")
    once = f'''
    try: s3.head_object(Bucket=os.environ["BUCKET"], Key="{marker}")
    except Exception:
        s3.put_object(Bucket=os.environ["BUCKET"], Key="{marker}", Body=b"[]")
        os.kill(os.getpid(), signal.SIGKILL)'''
    stream = EventStream(endpoint, does=once)
    stream.put(range(100))
    stream.map(BisectBatchOnFunctionError=True)
    stream.drained()
    assert stream.taken() == [str(number) for number in range(100)]
    assert not stream.undelivered()


def test_a_throttled_function_is_asked_again(endpoint: OwnEndpoint) -> None:
    stream = EventStream(endpoint)
    client = endpoint.client("lambda")
    client.put_function_concurrency(FunctionName=stream.function, ReservedConcurrentExecutions=0)
    stream.put(["patient"])
    stream.map(MaximumRetryAttempts=0)
    until(lambda: "Rate Exceeded" in stream.state()["last_result"])
    client.delete_function_concurrency(FunctionName=stream.function)
    stream.drained()
    assert stream.taken() == ["patient"]


def test_a_disabled_mapping_reads_on_where_it_was(endpoint: OwnEndpoint) -> None:
    stream, client = EventStream(endpoint), endpoint.client("lambda")
    mapping = stream.map(BatchSize=1)
    stream.put(["before"])
    stream.drained()
    assert client.get_event_source_mapping(UUID=mapping)["LastProcessingResult"] == "OK"
    client.update_event_source_mapping(UUID=mapping, Enabled=False)
    stream.put(["one", "two"])
    assert stream.state()["waiting"] == 2
    client.update_event_source_mapping(UUID=mapping, Enabled=True, BatchSize=10)
    stream.drained()
    assert [[data for _, data, _ in batch] for batch in stream.batches()] == [["before"], ["one", "two"]]
    client.delete_event_source_mapping(UUID=mapping)
    with pytest.raises(ClientError, match="does not exist"):
        client.get_event_source_mapping(UUID=mapping)


def test_a_mapping_that_begins_with_the_latest_passes_over_what_was_there(endpoint: OwnEndpoint) -> None:
    stream = EventStream(endpoint)
    stream.put(["old"])
    stream.map(StartingPosition="LATEST")
    stream.put(["new"])
    stream.drained()
    assert stream.taken() == ["new"]


def test_a_split_shard_is_read_before_its_children(endpoint: OwnEndpoint) -> None:
    stream, kinesis = EventStream(endpoint), endpoint.client("kinesis")
    stream.put(range(20))
    kinesis.update_shard_count(StreamName=stream.name, TargetShardCount=2, ScalingType="UNIFORM_SCALING")
    stream.put(range(20, 60))
    stream.map(BatchSize=5)
    stream.drained()
    taken = [int(data) for data in stream.taken()]
    assert taken[:20] == list(range(20))
    assert sorted(taken) == list(range(60))


def test_the_age_of_records_is_measured(endpoint: OwnEndpoint) -> None:
    stream = EventStream(endpoint)
    stream.put(["a"])
    stream.map()
    stream.drained()
    (age,) = stream.metric("IteratorAge", FunctionName=stream.function)
    assert 0 <= age < 60_000


@pytest.mark.parametrize(("setting", "named"), [
    ({"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}}, "FilterCriteria"),
    ({"TumblingWindowInSeconds": 5}, "TumblingWindowInSeconds"),
    ({"ParallelizationFactor": 11}, "ParallelizationFactor '11': expected 1 to 10"),
    ({"MaximumRecordAgeInSeconds": 5}, "MaximumRecordAgeInSeconds '5'"),
    ({"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:kinesis:us-east-1:1:stream/x"}}}, "destination"),
])  # fmt: skip
def test_a_setting_that_has_no_effect_is_refused(endpoint: OwnEndpoint, setting: dict[str, Any], named: str) -> None:
    stream = EventStream(endpoint)
    with pytest.raises(ClientError, match=re.escape(named)):
        stream.map(**setting)


def test_nothing_is_lost_though_puts_fail_now_and_then(endpoint: OwnEndpoint) -> None:
    stream = EventStream(endpoint)
    faults(endpoint, "s3_put=0.2&put_records=0.1&seed=7")
    try:
        todo = list(range(600))
        while todo:
            outcomes = [each for first in range(0, len(todo), 500) for each in stream.put(todo[first : first + 500])]
            todo = [event for event, outcome in zip(todo, outcomes, strict=True) if "ErrorCode" in outcome]
        stream.map(BatchSize=50, BisectBatchOnFunctionError=True)
        stream.drained(40)
    finally:
        struck = faults(endpoint, "s3_put=0&put_records=0")["struck"]
    assert struck["put_records"] > 20
    assert set(stream.taken()) == {str(number) for number in range(600)}
