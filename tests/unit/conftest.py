"""What unit tests share: AWS without AWS, and a ledger whose time the test sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from lake.ledger import Ledger

LEDGER = "headwater-test-ledger"


class Clock:
    """A clock that stands still until it is told to go on; sleeping on it takes no time."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def create_ledger_table(client: Any, name: str = LEDGER) -> None:
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
    index_keys = [{"AttributeName": "gsi_pk", "KeyType": "HASH"}, {"AttributeName": "gsi_sk", "KeyType": "RANGE"}]
    index = {"IndexName": "by_pipeline", "KeySchema": index_keys, "Projection": {"ProjectionType": "ALL"}}
    client.create_table(
        TableName=name,
        KeySchema=keys,
        AttributeDefinitions=[
            {"AttributeName": each, "AttributeType": "S"} for each in ("pk", "sk", "gsi_pk", "gsi_sk")
        ],
        GlobalSecondaryIndexes=[index],
        BillingMode="PAY_PER_REQUEST",
    )


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_ledger(aws: None, clock: Clock) -> Callable[[], Ledger]:
    """Ledgers over one new table, each with a client of its own, as two jobs have."""
    create_ledger_table(boto3.client("dynamodb"))
    return lambda: Ledger(LEDGER, boto3.client("dynamodb"), clock=clock, sleep=clock.sleep)


@pytest.fixture
def ledger(make_ledger: Callable[[], Ledger]) -> Ledger:
    return make_ledger()
