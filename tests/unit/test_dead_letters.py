"""`headwater dead-letter`: what was refused or given up on is told without its content, shown, and replayed once."""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import config
from cli.__main__ import app
from cli.errors import CommandError
from cli.letters import Letters
from cli.target import Target
from lake import arrivals
from lake.model import Dataset
from local.clinic import Load, Record
from local.clinic.faults import KINDS

NOW = datetime.now(UTC)
ENVIRONMENT = config.load("local")
BUCKET, STREAM = ENVIRONMENT.bucket("bronze"), ENVIRONMENT.resource("clinic-immunizations")
MAPPING = "aws/lambda/0c9b0ae2-7dc4-4b7c-a1cd-000000000001"
DATASET = "clinic.immunizations"


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return Target(ENVIRONMENT, None).lake().dataset(DATASET)


@pytest.fixture
def target(aws: None, monkeypatch: pytest.MonkeyPatch) -> Target:
    found = Target(ENVIRONMENT, None)
    found.client("s3").create_bucket(Bucket=BUCKET)
    found.client("kinesis").create_stream(StreamName=STREAM, ShardCount=1)
    monkeypatch.setattr("cli.target.target", lambda env: found)
    return found


def refuse(target: Target, dataset: Dataset, records: list[Record], arrived: datetime = NOW) -> None:
    """Dead letters as the consumer writes them."""
    for number, record in enumerate(records):
        place = arrivals.dead_letter_key(dataset, arrived, "shardId-0", str(number))
        letter = {
            "dataset": dataset.id,
            "rules": [record.kind.rule if record.kind else "consumer_error"],
            "reason": "It was not as expected.",
            "shard": "shardId-0",
            "sequence": str(number),
            "partition_key": record.key,
            "arrived_at": arrived.isoformat(),
            "data": b64encode(record.data).decode(),
        }
        target.client("s3").put_object(Bucket=BUCKET, Key=place, Body=json.dumps(letter))


def give_up(target: Target, records: list[Record], stream: str = STREAM) -> None:
    """A batch as Lambda writes it to an on-failure destination."""
    payload = {
        "Records": [
            {
                "kinesis": {
                    "partitionKey": record.key,
                    "sequenceNumber": str(number),
                    "data": b64encode(record.data).decode(),
                    "approximateArrivalTimestamp": NOW.timestamp(),
                }
            }
            for number, record in enumerate(records)
        ]
    }
    document = {
        "requestContext": {"condition": "RetryAttemptsExhausted", "approximateInvokeCount": 3},
        "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
        "KinesisBatchInfo": {
            "shardId": "shardId-0",
            "startSequenceNumber": "0",
            "streamArn": f"arn:aws:kinesis:us-east-1:123456789012:stream/{stream}",
        },
        "payload": json.dumps(payload),
    }
    place = f"{MAPPING}/shardId-0/{NOW:%Y/%m/%d/%Y-%m-%dT%H.%M.%S}-{stream}"
    target.client("s3").put_object(Bucket=BUCKET, Key=place, Body=json.dumps(document))


def command(*words: str) -> Any:
    told: Result = CliRunner().invoke(app, ["dead-letter", *words, "--json"])
    assert told.exit_code == 0, told.exception
    return json.loads(told.stdout)


def stream(target: Target) -> list[bytes]:
    kinesis = target.client("kinesis")
    shard = kinesis.list_shards(StreamName=STREAM)["Shards"][0]["ShardId"]
    place = kinesis.get_shard_iterator(StreamName=STREAM, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    return [record["Data"] for record in kinesis.get_records(ShardIterator=place["ShardIterator"])["Records"]]


def malformed(count: int) -> list[Record]:
    load = Load(count * 200, ending=NOW)
    return [record for record in load.records() if record.kind is not None]


def valid(count: int) -> list[Record]:
    return [record for record in Load(count * 2, ending=NOW).records() if record.kind is None][:count]


def test_a_list_counts_by_rule_and_tells_nothing_of_the_records(target: Target, dataset: Dataset) -> None:
    records = malformed(len(KINDS))
    refuse(target, dataset, records)
    give_up(target, valid(3))
    give_up(target, valid(3), "another-stream")
    target.client("s3").put_object(Bucket=BUCKET, Key="aws/lambda/async/another-kind-of-source", Body=b"{}")
    told = command("list", DATASET)
    expected = Counter(kind.rule for kind in KINDS) + Counter(undelivered=3)
    assert {each["rule"]: each["records"] for each in told} == expected
    shown = CliRunner().invoke(app, ["dead-letter", "list"])
    assert "P-0" not in shown.stdout
    assert not [record.key for record in records if record.key in shown.stdout]


def test_show_prints_records_as_they_came_the_last_first(target: Target, dataset: Dataset) -> None:
    refuse(target, dataset, malformed(4), NOW - timedelta(days=2))
    latin = Record("x", b'{"event_id":"\xe9"}')
    refuse(target, dataset, [latin])
    told = command("show", "--limit", "3")
    assert (len(told), told[0]["record"], told[0]["partition_key"]) == (3, '{"event_id":"\\xe9"}', "x")
    assert [each["sequence"] for each in told[1:]] == ["3", "2"]
    assert command("show", "--rule", "consumer_error") == told[:1]
    assert len(command("show", "--days", "1")) == 1
    for words in (["show"], ["list"]):
        assert CliRunner().invoke(app, ["dead-letter", *words]).exit_code == 0


def test_a_replay_puts_back_what_keeps_the_contract_now_and_only_once(target: Target, dataset: Dataset) -> None:
    good, batch = valid(2), valid(700)
    refuse(target, dataset, [*good, *malformed(4)])
    give_up(target, batch)
    assert command("replay") == [{"dataset": DATASET, "replayed": 702, "still_broken": 4}]
    assert Counter(stream(target)) == Counter(record.data for record in [*good, *batch])
    assert command("replay") == [{"dataset": DATASET, "replayed": 0, "still_broken": 4}]
    assert len(stream(target)) == 702
    assert sum(each["records"] for each in command("list")) == 4
    aside = target.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="clinic/immunizations__replayed/")["Contents"]
    assert len(aside) == 3


def test_a_record_that_still_crashes_the_consumer_stays_where_it_is(
    target: Target, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(reader: Any, data: str, arrived: Any) -> Any:
        raise KeyError(data)

    refuse(target, dataset, valid(1))
    monkeypatch.setattr("lambdas.consume.reading.Reader.read", crash)
    assert command("replay") == [{"dataset": DATASET, "replayed": 0, "still_broken": 1}]


def test_a_replay_sends_again_only_what_kinesis_did_not_take(
    target: Target, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[list[bytes]] = []

    class Kinesis:
        def put_records(self, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:
            sent.append([record["Data"] for record in Records])
            failed = len(sent) == 1
            return {"Records": [{"ErrorCode": "X"} if failed and i % 2 else {} for i in range(len(Records))]}

    records = valid(4)
    refuse(target, dataset, records)
    letters = Letters(target, dataset)
    monkeypatch.setattr(letters, "_kinesis", Kinesis())
    monkeypatch.setattr("cli.letters.WAIT_SECONDS", 0)
    letters.replay(letters.found(NOW - timedelta(days=1)))
    assert sent == [[each.data for each in records], [each.data for each in records[1::2]]]


def test_a_stream_that_takes_nothing_leaves_the_letters_where_they_are(
    target: Target, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Kinesis:
        def put_records(self, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:
            return {"Records": [{"ErrorCode": "ProvisionedThroughputExceededException"} for _ in Records]}

    refuse(target, dataset, valid(2))
    letters = Letters(target, dataset)
    monkeypatch.setattr(letters, "_kinesis", Kinesis())
    monkeypatch.setattr("cli.letters.WAIT_SECONDS", 0)
    with pytest.raises(CommandError, match=f"'{STREAM}' did not take 2 records"):
        letters.replay(letters.found(NOW - timedelta(days=1)))
    assert len(letters.found(NOW - timedelta(days=1))) == 2


def test_a_replay_beside_another_leaves_to_it_what_it_put_aside(
    target: Target, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    give_up(target, valid(3))
    letters = Letters(target, dataset)
    found = letters.found(NOW - timedelta(days=1))
    monkeypatch.setattr(Letters, "found", lambda *given: found)
    assert [command("replay", DATASET)[0]["replayed"] for _ in range(2)] == [3, 3]  # silver takes each event once
    monkeypatch.undo()
    assert letters.found(NOW - timedelta(days=1)) == []


def test_a_letter_that_is_put_aside_while_they_are_listed_is_not_told(
    target: Target, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(target, dataset, valid(2))
    gone = arrivals.dead_letter_key(dataset, NOW, "shardId-0", "9")
    listed = Letters._listed
    monkeypatch.setattr(Letters, "_listed", lambda *given, **more: [*listed(*given, **more), (gone, NOW)])
    assert len(Letters(target, dataset).found(NOW - timedelta(days=1))) == 2


def test_a_stray_object_beside_the_dead_letters_is_named(target: Target, dataset: Dataset) -> None:
    place = f"{arrivals.dead_letters(dataset)}{NOW:%Y/%m/%d}/notes.txt"
    for body in (b"no letter", b"[]", b"{}"):
        target.client("s3").put_object(Bucket=BUCKET, Key=place, Body=body)
        with pytest.raises(CommandError, match=place):
            Letters(target, dataset).found(NOW - timedelta(days=1))


def test_a_dataset_that_is_no_stream_is_refused(target: Target) -> None:
    told = CliRunner().invoke(app, ["dead-letter", "list", "saas.users"])
    assert "The dataset 'saas.users' is no stream: expected one of clinic.immunizations" in str(told.exception)
