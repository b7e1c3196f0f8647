"""Taking records into a stream: the limits of AWS, and an outcome for each record."""

from __future__ import annotations

import binascii
import hashlib
import threading
from typing import TYPE_CHECKING, Any

from moto.cloudwatch.models import cloudwatch_backends
from moto.core.exceptions import JsonRESTError

from local.services.faults import FAULTS
from local.services.kinesis_shards import LISTENERS, Record

if TYPE_CHECKING:
    from local.endpoint import Endpoint

MOST_RECORDS = 500
MOST_BYTES = 10 << 20
LARGEST_RECORD = 1 << 20
LONGEST_KEY = 256
THROTTLED = "ProvisionedThroughputExceededException"
FAILED = "InternalFailure"

ONE_AT_A_TIME = threading.RLock()  # moto's streams are not safe between threads


class KinesisError(JsonRESTError):
    """A request that Kinesis refuses whole, in its words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(error_type=code, message=message)


def too_long(value: str, path: str, most: int) -> KinesisError:
    constraint = f"Member must have length less than or equal to {most}"
    return KinesisError(
        "ValidationException", f"1 validation error detected: Value{value} at '{path}' failed to satisfy "
        f"constraint: {constraint}"
    )  # fmt: skip


def size_of(record: dict[str, Any], position: int) -> int:
    """A record's bytes, key and data; an error for what no stream takes."""
    key, path = record.get("PartitionKey"), f"records.{position}.member"
    if not isinstance(key, str) or not key:
        told = f"1 validation error detected: Value at '{path}.partitionKey' failed to satisfy constraint: "
        raise KinesisError("ValidationException", f"{told}Member must have length greater than or equal to 1")
    if len(key) > LONGEST_KEY:
        raise too_long(f" '{key}'", f"{path}.partitionKey", LONGEST_KEY)
    try:
        data = len(binascii.a2b_base64(record.get("Data") or "", strict_mode=True))
    except (binascii.Error, ValueError, TypeError) as error:
        raise KinesisError("SerializationException", f"The data of record {position}: expected base64.") from error
    size = data + len(key.encode())
    if size > LARGEST_RECORD:
        raise too_long("", f"{path}.data", LARGEST_RECORD)
    return size


def shard_of(stream: Any, record: dict[str, Any]) -> Any:
    explicit = record.get("ExplicitHashKey")
    if explicit:
        hashed = int(explicit) if str(explicit).isdigit() else 1 << 128
        if hashed >= 1 << 128:
            raise KinesisError("InvalidArgumentException", f"Invalid ExplicitHashKey. '{explicit}'")
    else:
        digest = hashlib.md5(record["PartitionKey"].encode(), usedforsecurity=False).digest()
        hashed = int.from_bytes(digest, "big")
    return next(
        shard
        for shard in stream.shards.values()
        if shard.is_open and shard.starting_hash <= hashed <= shard.ending_hash
    )


class Puts:
    """Takes records in, each with its own outcome."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def put(self, stream: Any, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        sizes = [size_of(record, position) for position, record in enumerate(records, 1)]
        if sum(sizes) > MOST_BYTES:
            raise KinesisError("InvalidArgumentException", f"Records size exceeds {MOST_BYTES >> 20} MB limit")
        self.forget_expired(stream)
        now = self._endpoint.clock.now().timestamp()
        with ONE_AT_A_TIME:
            outcomes = [self._put_one(stream, record, size, now) for record, size in zip(records, sizes, strict=True)]
        for listener in LISTENERS:
            listener.set()
        self._measure(stream, sizes, outcomes)
        return outcomes

    def forget_expired(self, stream: Any) -> None:
        """Drop what is older than the stream keeps."""
        oldest = self._endpoint.clock.now().timestamp() - stream.retention_period_hours * 3600
        with ONE_AT_A_TIME:
            for shard in list(stream.shards.values()):
                for gone in shard.journal.forget(oldest):
                    del shard.records[gone.sequence_number]

    def _put_one(self, stream: Any, record: dict[str, Any], size: int, now: float) -> dict[str, Any]:
        shard = shard_of(stream, record)
        if stream.stream_mode.get("StreamMode") != "ON_DEMAND" and not shard.journal.allowance.takes(size, now):
            whose = f"shard {shard.shard_id} in stream {stream.stream_name} under account {stream.account_id}"
            return {"ErrorCode": THROTTLED, "ErrorMessage": f"Rate exceeded for {whose}."}
        if FAULTS.strikes("put_records"):
            return {"ErrorCode": FAILED, "ErrorMessage": "Internal Service Failure"}
        number = shard.journal.number(stream.creation_datetime.timestamp(), now)
        explicit = record.get("ExplicitHashKey") or ""
        arrival = round(now, 3)  # Kinesis knows milliseconds
        put = Record(record["PartitionKey"], record.get("Data") or "", number, explicit, arrival, size)
        shard.records[number] = put
        shard.journal.add(put)
        return {"SequenceNumber": str(number), "ShardId": shard.shard_id}

    def _measure(self, stream: Any, sizes: list[int], outcomes: list[dict[str, Any]]) -> None:
        taken = [size for size, outcome in zip(sizes, outcomes, strict=True) if "ShardId" in outcome]
        throttled = sum(outcome.get("ErrorCode") == THROTTLED for outcome in outcomes)
        values = {
            "IncomingBytes": (sum(taken), "Bytes"),
            "IncomingRecords": (len(taken), "Count"),
            "WriteProvisionedThroughputExceeded": (throttled, "Count"),
            "PutRecords.TotalRecords": (len(sizes), "Count"),
            "PutRecords.ThrottledRecords": (throttled, "Count"),
            "PutRecords.FailedRecords": (len(sizes) - len(taken) - throttled, "Count"),
        }
        dimensions = [{"Name": "StreamName", "Value": stream.stream_name}]
        cloudwatch_backends[stream.account_id][stream.region].put_metric_data(
            namespace="AWS/Kinesis",
            metric_data=[
                {"MetricName": name, "Value": value, "Unit": unit, "Dimensions": dimensions}
                for name, (value, unit) in values.items()
            ],
        )
