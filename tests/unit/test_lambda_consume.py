"""The consumer: each record ends as a line of bronze or as a dead letter, once, however often its batch comes."""

from __future__ import annotations

import base64
import gzip
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from lake.model import Lake
from lambdas.consume import handler, reading
from tests.unit.compiled_lake import ENVIRONMENT
from tests.unit.functions import bare

ARRIVED = 1795305600.123  # 2026-11-22T00:00:00.123Z
BUCKET = ENVIRONMENT["buckets"]["bronze"]
LETTERS = "clinic/shots__dead_letters/2026/11/22/shardId-000000000001-"
EVENT = {"event_id": "e1", "event_time": "2026-11-21T23:00:00Z", "dose": 2}


def column(name: str, type_: str, required: bool = False) -> dict[str, Any]:
    return {"name": name, "type": type_, "source": name, "required": required}


def rule(name: str, column: str, **about: Any) -> dict[str, Any]:
    return {"name": name, "expression": f"{column} …", "description": f"What {name} says.", "column": column, **about}


SHOTS = {
    "id": "clinic.shots",
    "source": "clinic",
    "name": "shots",
    "layer": "silver",
    "version": "1.0.0",
    "hash": "hash-of-shots",
    "load_mode": "stream",
    "cursor": "event_time",
    "key": ["event_id"],
    "columns": [
        column("event_id", "string", required=True),
        column("event_time", "timestamp", required=True),
        column("dose", "int", required=True),
        column("number", "bigint"),
        column("weight", "double"),
        column("price", "decimal(5,2)"),
        column("given", "boolean"),
        column("born", "date"),
        column("status", "string"),
    ],
    "rules": [
        rule("id_pattern", "event_id", pattern="^[a-z0-9]+$"),
        rule("time_plausible", "event_time", minimum="2020-01-01T00:00:00Z", minutes_ahead=15),
        rule("dose_range", "dose", minimum=1, maximum=20),
        rule("born_plausible", "born", minimum="1900-01-01", minutes_ahead=0),
        rule("status_known", "status", values=["completed", "not_done"]),
        {"name": "after_birth", "expression": "event_time >= born"},
    ],
}
LAKE = Lake.from_dict({"environment": ENVIRONMENT, "datasets": [SHOTS], "pipelines": []})


class Context:
    function_name = "consume-clinic-shots"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:consume-clinic-shots"
    aws_request_id = "request"


@pytest.fixture
def bronze(aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty bucket, and the function as in a new container."""
    monkeypatch.setenv("DATASET", "clinic.shots")
    bare(handler, monkeypatch, LAKE)
    handler.consumed.cache_clear()
    boto3.client("s3").create_bucket(Bucket=BUCKET)


@pytest.fixture
def out(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What the function has written since, its log and its metrics."""
    return lambda: capsys.readouterr().out


def encoded(data: bytes | dict[str, Any]) -> bytes:
    return data if isinstance(data, bytes) else json.dumps(data, separators=(",", ":")).encode()


def records(*data: bytes | dict[str, Any], start: int = 1) -> list[dict[str, Any]]:
    return [
        {
            "eventID": f"shardId-000000000001:{start + number}",
            "kinesis": {
                "partitionKey": "key",
                "sequenceNumber": str(start + number),
                "data": base64.b64encode(encoded(each)).decode(),
                "approximateArrivalTimestamp": ARRIVED,
            },
        }
        for number, each in enumerate(data)
    ]


def consume(*data: bytes | dict[str, Any], start: int = 1) -> Any:
    log: Any = handler.logger.logger_handler
    log.stream = sys.stdout  # this test's, not that of the import
    return handler.handle({"Records": records(*data, start=start)}, Context())


def objects() -> dict[str, bytes]:
    s3 = boto3.client("s3")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())]
    return {key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}


def lines() -> list[dict[str, Any]]:
    found = [body for key, body in objects().items() if key.endswith(".gz")]
    return [json.loads(line) for body in found for line in gzip.decompress(body).splitlines()]


def letters() -> list[dict[str, Any]]:
    return [json.loads(body) for key, body in objects().items() if key.startswith(LETTERS)]


def test_a_batch_is_one_object_named_after_its_first_arrival_and_its_ends(bronze: None) -> None:
    assert consume(EVENT, {**EVENT, "event_id": "e2"}, start=7) == {"batchItemFailures": []}
    assert list(objects()) == ["clinic/shots/2026/11/22/000000123-shardId-000000000001-7-8.json.gz"]
    place = {"_arrived_at": "2026-11-22T00:00:00.123Z", "_shard": "shardId-000000000001"}
    assert lines() == [
        {**EVENT, **place, "_sequence": "7"},
        {**EVENT, "event_id": "e2", **place, "_sequence": "8"},
    ]


def test_a_batch_that_comes_again_writes_the_same_bytes(bronze: None) -> None:
    consume(EVENT, b"{", {**EVENT, "event_id": "e2"})
    first = objects()
    consume(EVENT, b"{", {**EVENT, "event_id": "e2"})
    assert objects() == first
    assert len(first) == 2


def test_half_of_a_batch_leaves_the_object_of_the_whole_alone(bronze: None) -> None:
    consume(EVENT, {**EVENT, "event_id": "e2"})
    whole = objects()
    consume(EVENT)
    assert objects().items() > whole.items()


def test_a_poison_record_in_a_thousand_delays_only_itself(bronze: None) -> None:
    events = [{**EVENT, "event_id": f"e{number}"} for number in range(1000)]
    assert consume(*events[:500], b"\xff\xfe poison", *events[500:]) == {"batchItemFailures": []}
    assert [line["event_id"] for line in lines()] == [each["event_id"] for each in events]
    assert [letter["sequence"] for letter in letters()] == ["501"]


def test_a_dead_letter_says_which_rules_why_and_where(bronze: None) -> None:
    data = encoded({**EVENT, "event_id": "Jane Doe", "dose": "12"})
    consume(EVENT, data)
    assert letters() == [
        {
            "dataset": "clinic.shots",
            "rules": ["id_pattern", "type_dose"],
            "reason": "What id_pattern says. The field 'dose': expected a whole number of 32 bits.",
            "shard": "shardId-000000000001",
            "sequence": "2",
            "partition_key": "key",
            "arrived_at": "2026-11-22T00:00:00.123Z",
            "data": base64.b64encode(data).decode(),
        }
    ]


VALUES: list[tuple[str, Any, list[str]]] = [
    ("event_id", None, ["required_event_id"]),
    ("event_id", 1, ["type_event_id"]),
    ("event_id", ["e"], ["type_event_id"]),
    ("event_time", "yesterday", ["type_event_time"]),
    ("event_time", "2026-11-21T23:00:00", ["type_event_time"]),  # of which zone?
    ("event_time", "2026-11-21 23:00:00Z", ["type_event_time"]),
    ("event_time", "2026-W47-6T23:00:00Z", ["type_event_time"]),
    ("event_time", "2026-02-30T23:00:00Z", ["type_event_time"]),
    ("event_time", "2026-11-21T23:00:00+0100", ["type_event_time"]),
    ("event_time", "2026-11-21T23:00:00+19:00", ["type_event_time"]),
    ("event_time", "2026-11-21T23:00:00.1234567890Z", ["type_event_time"]),
    ("event_time", "2026-11-21T23:00:Z", ["type_event_time"]),
    ("event_time", "2026-11-21T23:00Z", ["type_event_time"]),
    ("event_time", "2026-11-21T23:00:00.Z", ["type_event_time"]),
    ("event_time", "", ["type_event_time"]),
    ("event_time", 1795305600, ["type_event_time"]),
    ("event_time", {"at": 1}, ["type_event_time"]),
    ("event_time", "1970-01-01T00:00:00Z", ["time_plausible"]),
    ("event_time", "0001-01-01T00:00:00+05:00", ["time_plausible"]),
    ("event_time", "2026-11-22T00:15:00.124Z", ["time_plausible"]),
    ("event_time", "2026-11-22T00:15:00.123Z", []),
    ("event_time", "2026-11-22T01:00:00.123456789+01:00", []),
    ("dose", True, ["type_dose"]),
    ("dose", 2.0, ["type_dose"]),
    ("dose", 2**31, ["type_dose"]),
    ("dose", 0, ["dose_range"]),
    ("dose", 21, ["dose_range"]),
    ("number", 2**63 - 1, []),
    ("number", 2**63, ["type_number"]),
    ("number", 10**30, ["type_number"]),
    ("weight", 3, []),
    ("weight", 3.5e300, []),
    ("weight", "3", ["type_weight"]),
    ("price", 123.45, []),
    ("price", 999, []),
    ("price", 1000, ["type_price"]),
    ("price", 1.005, ["type_price"]),
    ("price", "1.00", ["type_price"]),
    ("given", False, []),
    ("given", "false", ["type_given"]),
    ("born", "2026-11-22", []),
    ("born", "2026-11-23", ["born_plausible"]),
    ("born", "1899-12-31", ["born_plausible"]),
    ("born", "20261122", ["type_born"]),
    ("born", "2026-11-22T00:00:00Z", ["type_born"]),
    ("born", {}, ["type_born"]),
    ("status", "not_done", []),
    ("status", None, []),
    ("status", "unknown", ["status_known"]),
    ("extra", {"kept": [1, {"as": "it came"}]}, []),
]


def test_a_value_is_judged_by_its_contract(bronze: None) -> None:
    consume(*({**EVENT, field: value} for field, value, _ in VALUES))
    refused = {int(letter["sequence"]) - 1: letter["rules"] for letter in letters()}
    kept = {int(line["_sequence"]) - 1: line for line in lines()}
    judged = [(field, value, refused.get(number, [])) for number, (field, value, _) in enumerate(VALUES)]
    assert judged == VALUES
    assert [kept[number][field] for number, (field, _, rules) in enumerate(VALUES) if not rules] == [
        value for _, value, rules in VALUES if not rules
    ]


NO_EVENTS: list[tuple[bytes, list[str]]] = [
    (b"", ["not_json"]),
    (b"{", ["not_json"]),
    (b"\xef\xbb\xbf{}", ["not_json"]),
    (b'{"event_id":"\xe9"}', ["not_json"]),
    (b'{"event_id":"\\ud800"}', ["not_json"]),
    (b'{"event_id":NaN}', ["not_json"]),
    (b'{"event_id":' + b"9" * 400 + b"}", ["not_json"]),
    (b"[" * 100_000, ["not_json"]),
    (b'{"a":' * 300 + b"1" + b"}" * 300, ["too_deep"]),
    (b'{"event_id":0.' + b"1" * 1000 + b"}", ["number_too_long"]),  # valid JSON that Spark does not read
    (b"[]", ["not_an_object"]),
    (b"null", ["not_an_object"]),
    (b'{"event_id":"a","event_id":"b"}', ["duplicate_key"]),
    (b'{"event_id":"a","Event_ID":"b"}', ["duplicate_key"]),
    (b'{"more":{"a":1,"A":2}}', ["duplicate_key"]),
    (b'{"_arrived_at":1}', ["reserved_field"]),
    (b"{}", ["required_event_id", "required_event_time", "required_dose"]),
]


def test_what_is_no_event_is_a_dead_letter(bronze: None) -> None:
    consume(*(data for data, _ in NO_EVENTS))
    assert lines() == []
    found = {int(letter["sequence"]) - 1: letter for letter in letters()}
    assert [(base64.b64decode(found[number]["data"]), found[number]["rules"]) for number in sorted(found)] == NO_EVENTS


def test_an_event_is_one_line_and_else_as_it_came(bronze: None) -> None:
    pretty = (
        b' {\r\n  "event_id": "e1",\n"event_time":"2026-11-21T23:00:00Z", "dose" : 2, "n": 1.10, "t": "\\u00e9\\n"}\n'
    )
    consume(pretty)
    (body,) = objects().values()
    assert gzip.decompress(body).count(b"\n") == 1
    assert gzip.decompress(body).startswith(pretty.strip().replace(b"\r\n", b"  ").replace(b"\n", b" ")[:-1])
    assert lines()[0]["t"] == "é\n"


def test_an_event_of_a_megabyte_is_kept_whole(bronze: None) -> None:
    consume({**EVENT, "note": "x" * 1_000_000})
    assert len(lines()[0]["note"]) == 1_000_000


def test_a_record_that_crashes_the_consumer_is_a_dead_letter_and_the_batch_goes_on(
    bronze: None, monkeypatch: pytest.MonkeyPatch, out: Callable[[], str]
) -> None:
    def crash(reader: Any, data: str, arrived: Any) -> Any:
        if base64.b64decode(data) == b"crash":
            raise KeyError("Jane Doe")
        return read(reader, data, arrived)

    read = reading.Reader.read
    monkeypatch.setattr(reading.Reader, "read", crash)
    assert consume(EVENT, b"crash") == {"batchItemFailures": []}
    assert len(lines()) == 1
    assert letters()[0]["rules"] == ["consumer_error"]
    assert "KeyError" in letters()[0]["reason"]
    told = out()
    assert "KeyError in crash, line" in told
    assert "Jane Doe" not in letters()[0]["reason"] + told


def test_a_new_container_makes_one_client_though_many_objects_are_written_at_once(
    bronze: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, make = [], boto3.client

    def slowly(*args: Any, **options: Any) -> Any:
        made.append(args)
        time.sleep(0.05)  # as long as another thread takes to ask for one too
        return make(*args, **options)

    monkeypatch.setattr(boto3, "client", slowly)
    consume(EVENT, b"{", b"[", b"1")
    assert made == [("s3",)]


@pytest.mark.parametrize("fails", ["json.gz", "dead_letters"])
def test_where_s3_fails_the_whole_batch_comes_again(
    bronze: None, monkeypatch: pytest.MonkeyPatch, fails: str, out: Callable[[], str]
) -> None:
    put = handler.put

    def fail(bucket: str, key: str, body: bytes) -> None:
        if fails in key:
            raise ClientError({"Error": {"Code": "SlowDown", "Message": "Please reduce."}}, "PutObject")
        put(bucket, key, body)

    with monkeypatch.context() as patch:
        patch.setattr(handler, "put", fail)
        assert consume(EVENT, b"{") == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    told = out()
    assert "SlowDown" in told
    assert f"{LETTERS.partition('__')[0]}/2026/11/22/000000123-shardId-000000000001-1-2.json.gz" in told
    assert '"FailedBatches":[1.0]' in told
    assert consume(EVENT, b"{") == {"batchItemFailures": []}
    assert len(lines()) == len(letters()) == 1


def test_counts_and_delays_are_metrics_of_the_dataset(bronze: None, out: Callable[[], str]) -> None:
    consume(EVENT, b"{", {**EVENT, "dose": 0})
    told = [json.loads(line) for line in out().splitlines()]
    (metrics,) = [each for each in told if "_aws" in each]
    assert (metrics["Dataset"], metrics["Records"], metrics["DeadLetters"]) == ("clinic.shots", [3], [2])
    assert len(metrics["EventToBronzeSeconds"]) == 1
    (directive,) = metrics["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("Headwater/Streams", [["Dataset"]])


def test_a_field_that_silver_calls_otherwise_is_one_all_the_same(
    bronze: None, monkeypatch: pytest.MonkeyPatch, out: Callable[[], str]
) -> None:
    happened = {**column("event_time", "timestamp", required=True), "source": "eventTime"}
    columns: Any = SHOTS["columns"]
    shots = {**SHOTS, "columns": [happened if each["name"] == "event_time" else each for each in columns]}
    bare(handler, monkeypatch, Lake.from_dict({"environment": ENVIRONMENT, "datasets": [shots], "pipelines": []}))
    event = {"eventTime" if name == "event_time" else name: value for name, value in EVENT.items()}
    assert consume(event) == {"batchItemFailures": []}
    assert [line["eventTime"] for line in lines()] == [EVENT["event_time"]]
    assert '"EventToBronzeSeconds"' in out()


def test_logs_hold_no_value_of_any_event(bronze: None, out: Callable[[], str]) -> None:
    consume({**EVENT, "event_id": "Jane Doe"}, b'{"name":"Jane Doe"', {**EVENT, "born": "2030-01-01"})
    told = out()
    assert '"born_plausible":1' in told
    assert "Jane Doe" not in told
    assert "2030-01-01" not in told
