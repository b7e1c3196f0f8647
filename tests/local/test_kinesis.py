"""Kinesis on the laptop: numbers, limits and failures of records as clients of AWS meet them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.functions import unique
from tests.local.own_endpoint import OwnEndpoint, started

ON_DEMAND = {"StreamMode": "ON_DEMAND"}
THROTTLED = "ProvisionedThroughputExceededException"


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnEndpoint]:
    yield from started(tmp_path_factory)


def make_stream(endpoint: OwnEndpoint, **options: Any) -> str:
    name = unique("stream")
    endpoint.client("kinesis").create_stream(StreamName=name, **(options or {"ShardCount": 1}))
    return name


def put(endpoint: OwnEndpoint, name: str, events: list[bytes], **options: Any) -> dict[str, Any]:
    records = [{"Data": event, "PartitionKey": f"key-{at}", **options} for at, event in enumerate(events)]
    answer: dict[str, Any] = endpoint.client("kinesis").put_records(StreamName=name, Records=records)
    return answer


def read(
    endpoint: OwnEndpoint, name: str, shard: str, kind: str = "TRIM_HORIZON", **after: str
) -> list[dict[str, Any]]:
    kinesis = endpoint.client("kinesis")
    iterator = kinesis.get_shard_iterator(StreamName=name, ShardId=shard, ShardIteratorType=kind, **after)
    found: list[dict[str, Any]] = kinesis.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    return found


def test_a_sequence_number_is_of_one_record_and_rises_in_its_shard(endpoint: OwnEndpoint) -> None:
    name = make_stream(endpoint, StreamModeDetails=ON_DEMAND)
    outcomes = put(endpoint, name, [b"x"] * 100)["Records"]
    numbers = [each["SequenceNumber"] for each in outcomes]
    assert len(set(numbers)) == 100
    assert {len(number) for number in numbers} == {56}
    assert len({each["ShardId"] for each in outcomes}) == 4
    for shard in {each["ShardId"] for each in outcomes}:
        ours = [int(each["SequenceNumber"]) for each in outcomes if each["ShardId"] == shard]
        assert ours == sorted(ours)
        assert [int(each["SequenceNumber"]) for each in read(endpoint, name, shard)] == ours


def test_a_record_comes_back_as_it_was_put(endpoint: OwnEndpoint) -> None:
    name = make_stream(endpoint)
    first, second = put(endpoint, name, [b'{"a": 1}', b"\xff\x00"])["Records"]
    record, other = read(endpoint, name, first["ShardId"])
    assert (record["Data"], record["PartitionKey"]) == (b'{"a": 1}', "key-0")
    assert abs((record["ApproximateArrivalTimestamp"] - endpoint.now()).total_seconds()) < 60
    assert other["Data"] == b"\xff\x00"
    after = {"StartingSequenceNumber": first["SequenceNumber"]}
    (found,) = read(endpoint, name, first["ShardId"], "AFTER_SEQUENCE_NUMBER", **after)
    assert found["SequenceNumber"] == second["SequenceNumber"]


def test_a_provisioned_shard_refuses_what_is_too_much_for_a_second_record_by_record(endpoint: OwnEndpoint) -> None:
    name = make_stream(endpoint)
    outcomes = [each for _ in range(4) for each in put(endpoint, name, [b"x"] * 500)["Records"]]
    refused = [each for each in outcomes if "ErrorCode" in each]
    assert {each["ErrorCode"] for each in refused} == {THROTTLED}
    assert 300 < len(refused) < 1000  # what the calls took is allowed more
    assert "Rate exceeded for shard shardId-000000000000" in refused[0]["ErrorMessage"]
    endpoint.advance(seconds=1)
    assert put(endpoint, name, [b"x"])["FailedRecordCount"] == 0
    big = put(endpoint, name, [b"x" * 900_000] * 3)
    assert big["FailedRecordCount"] == 2
    with pytest.raises(ClientError, match=THROTTLED):
        endpoint.client("kinesis").put_record(StreamName=name, Data=b"x" * 900_000, PartitionKey="a")


def test_a_stream_on_demand_takes_it_all(endpoint: OwnEndpoint) -> None:
    name = make_stream(endpoint, StreamModeDetails=ON_DEMAND)
    assert sum(put(endpoint, name, [b"x"] * 500)["FailedRecordCount"] for _ in range(6)) == 0


@pytest.mark.parametrize(("events", "options", "says"), [
    ([b"x"] * 501, {}, "'records' failed to satisfy constraint: Member must have length less than or equal to 500"),
    ([b"x", b"x" * 1_048_576], {}, "'records.2.member.data' failed to satisfy constraint"),
    ([b"x" * 1_000_000] * 11, {}, "Records size exceeds 10 MB limit"),
    ([b"x"], {"PartitionKey": "k" * 257}, "'records.1.member.partitionKey' failed to satisfy constraint"),
    ([b"x"], {"ExplicitHashKey": str(2**128)}, "Invalid ExplicitHashKey"),
])  # fmt: skip
def test_a_request_beyond_the_limits_is_refused_whole(
    endpoint: OwnEndpoint, events: list[bytes], options: dict[str, Any], says: str
) -> None:
    name = make_stream(endpoint)
    with pytest.raises(ClientError, match=re.escape(says)):
        put(endpoint, name, events, **options)
    assert not read(endpoint, name, "shardId-000000000000")


def test_a_stream_forgets_what_is_older_than_its_retention(endpoint: OwnEndpoint) -> None:
    name = make_stream(endpoint)
    put(endpoint, name, [b"old"])
    endpoint.advance(hours=25)
    put(endpoint, name, [b"new"])
    assert [each["Data"] for each in read(endpoint, name, "shardId-000000000000")] == [b"new"]


def test_what_is_in_a_shard_that_was_split_stays_there(endpoint: OwnEndpoint) -> None:
    name, kinesis = make_stream(endpoint), endpoint.client("kinesis")
    put(endpoint, name, [b"before"] * 10)
    kinesis.update_shard_count(StreamName=name, TargetShardCount=2, ScalingType="UNIFORM_SCALING")
    after = {each["ShardId"] for each in put(endpoint, name, [b"after"] * 50)["Records"]}
    assert after == {"shardId-000000000001", "shardId-000000000002"}
    assert [each["Data"] for each in read(endpoint, name, "shardId-000000000000")] == [b"before"] * 10
    assert sum(len(read(endpoint, name, shard)) for shard in after) == 50
