"""A stream, a function of a test's own, and a mapping between them."""

from __future__ import annotations

import base64
import json
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.local.functions import make_function, make_role, unique, until

# Writes what it was given, in the order of its invocations, then does what the test asks of its records.
SEEN = """
import base64, json, os, signal, time
import boto3
s3 = boto3.client("s3")
def handle(event, context):
    records = [(each["kinesis"]["sequenceNumber"], base64.b64decode(each["kinesis"]["data"]).decode(), each)
               for each in event["Records"]]
    {does}
    body = json.dumps([[number, data, each["kinesis"]["partitionKey"]] for number, data, each in records])
    shard = event["Records"][0]["eventID"].split(":")[0]
    s3.put_object(Bucket=os.environ["BUCKET"], Key=f"{{time.time_ns()}}-{{shard}}", Body=body.encode())
    {answers}
"""


@dataclass
class EventStream:
    """`stream.put(...)`, `stream.map(...)`, `stream.batches()`."""

    endpoint: Any
    shards: int = 1
    does: str = "pass"
    answers: str = "return None"
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        client = self.endpoint.client
        self.name, self.bucket, self.failed = unique("stream"), unique("seen"), unique("failed")
        client("kinesis").create_stream(StreamName=self.name, ShardCount=self.shards)
        self.arn = client("kinesis").describe_stream_summary(StreamName=self.name)["StreamDescriptionSummary"][
            "StreamARN"
        ]
        for bucket in (self.bucket, self.failed):
            client("s3").create_bucket(Bucket=bucket)
        code = SEEN.format(does=self.does, answers=self.answers)
        role = make_role(self.endpoint, "consumer")
        options = {"Environment": {"Variables": {"BUCKET": self.bucket}}, **self.settings}
        self.function = make_function(self.endpoint, code, Role=role, **options)

    def put(self, events: Sequence[Any], keys: list[str] | None = None) -> list[dict[str, Any]]:
        named = keys or [f"key-{index}" for index in range(len(events))]
        outcomes = []
        for first in range(0, len(events), 500):
            records = [
                {"Data": str(event).encode(), "PartitionKey": key}
                for event, key in zip(events[first : first + 500], named[first : first + 500], strict=True)
            ]
            answer = self.endpoint.client("kinesis").put_records(StreamName=self.name, Records=records)
            outcomes += answer["Records"]
        return outcomes

    def map(self, **settings: Any) -> str:
        given = {"StartingPosition": "TRIM_HORIZON", "BatchSize": 10_000, **settings}
        if settings.get("DestinationConfig") is None:
            given["DestinationConfig"] = {"OnFailure": {"Destination": f"arn:aws:s3:::{self.failed}"}}
        made = self.endpoint.client("lambda").create_event_source_mapping(
            EventSourceArn=self.arn, FunctionName=self.function, **given
        )
        self.mapping = str(made["UUID"])
        return str(made["UUID"])

    def state(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.endpoint.url}/_headwater/event_sources") as answer:
            states: dict[str, Any] = json.load(answer)
        found: dict[str, Any] = states[self.mapping]
        return found

    def drained(self, seconds: float = 20.0) -> None:
        until(lambda: not (state := self.state())["waiting"] and not state["in_flight"], seconds)

    def batches(self) -> list[list[list[str]]]:
        """What the function took, invocation by invocation: sequence number, data and key of each record."""
        return [json.loads(body) for body in self._objects(self.bucket)]

    def taken(self) -> list[str]:
        return [data for batch in self.batches() for _, data, _ in batch]

    def undelivered(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self._objects(self.failed)]

    def _objects(self, bucket: str) -> list[bytes]:
        s3 = self.endpoint.client("s3")
        keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
        return [s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in sorted(keys)]

    def metric(self, name: str, **dimensions: str) -> list[float]:
        named = [{"Name": key, "Value": value} for key, value in dimensions.items()]
        found = self.endpoint.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda", MetricName=name, Dimensions=named, StartTime=0, EndTime=4_000_000_000, Period=60,
            Statistics=["Sum", "Maximum"],
        )  # fmt: skip
        return [point["Sum"] for point in found["Datapoints"]]


def records_of(undelivered: dict[str, Any]) -> list[str]:
    """The data of the records in an object of an on-failure destination."""
    event = json.loads(undelivered["payload"])
    return [base64.b64decode(each["kinesis"]["data"]).decode() for each in event["Records"]]


def faults(endpoint: Any, asked: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{endpoint.url}/_headwater/faults?{asked}") as answer:
        told: dict[str, Any] = json.load(answer)
    return told
