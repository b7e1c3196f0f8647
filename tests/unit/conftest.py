"""What unit tests share: AWS without AWS, and a ledger whose time the test sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import boto3
import pytest
from moto import mock_aws
from moto.dynamodb.responses import DynamoHandler

from lake.ledger import Ledger
from local.services.dynamodb import whole
from tests.unit.ledger_table import LEDGER, Clock, create_ledger_table


@pytest.fixture(scope="session")
def session() -> boto3.Session:
    """One for all tests: a session reads its service models once, which takes longer than a test."""
    return boto3.Session("testing", "testing", region_name="us-east-1")


@pytest.fixture
def aws(session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    answer = DynamoHandler.call_action
    monkeypatch.setattr(DynamoHandler, "call_action", lambda handler: whole(answer, handler))
    with mock_aws(config={"core": {"reset_boto3_session": False}}):
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
