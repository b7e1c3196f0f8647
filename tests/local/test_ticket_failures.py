"""What goes wrong at night: a table vanishes, a password is wrong; and that a redrive puts it right."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from local import tickit
from tests.local.ticket_lake import TicketLake, ticket_lake

SCALE = 0.02


@dataclass
class Twins:
    """Two lakes with one history: what befalls `lake` must not show when `undisturbed` has seen the same sources."""

    lake: TicketLake
    undisturbed: TicketLake

    def a_day_passes(self) -> None:
        """Rows change in both lakes' sources, and the undisturbed one loads them."""
        for each in (self.lake, self.undisturbed):
            with each.source("saas") as connection:
                connection.execute("UPDATE users SET city = city || '!' WHERE userid BETWEEN 100 AND 140")
                connection.execute("UPDATE category SET catdesc = catdesc || '!' WHERE catid = 3")
            with each.source("ecommerce") as connection:
                shift = "UPDATE sales SET saletime = saletime + INTERVAL 1 HOUR WHERE salesid BETWEEN 50 AND 80"
                connection.execute(shift)
        assert self.undisturbed.run().status == "SUCCEEDED"


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    with (
        ticket_lake(tmp_path_factory.mktemp("undisturbed"), scale=SCALE) as undisturbed,
        ticket_lake(tmp_path_factory.mktemp("disturbed"), scale=SCALE) as lake,
    ):
        assert undisturbed.run().status == "SUCCEEDED"
        assert lake.run().status == "SUCCEEDED"
        yield Twins(lake, undisturbed)


def test_a_vanished_table_fails_its_dataset_alone_and_a_redrive_works_it_alone(twins: Twins) -> None:
    lake, alerts = twins.lake, _listen(twins.lake)
    twins.a_day_passes()
    before = lake.snapshots()
    tickit.vanish(lake.admin, "saas.category")
    failed = lake.run()

    assert failed.status == "FAILED"
    assert "saas.category" in failed.cause
    after = lake.snapshots()
    silver, gold = lake.environment.database("silver"), lake.environment.database("gold")
    assert after[f"{silver}.saas_users"] != before[f"{silver}.saas_users"], "a sibling is published"
    assert after[f"{silver}.saas_category"] == before[f"{silver}.saas_category"]
    assert [each for each in before if each.startswith(gold) and after[each] != before[each]] == []
    alert = _alert(lake, alerts)
    for word in (failed.run, "saas.category", 'Table "category" does not exist', "runbook"):
        assert word in alert, word

    tickit.restore(lake.admin, "saas.category")
    assert lake.redrive(failed.run).status == "SUCCEEDED"
    assert set(lake.outcomes(failed.run, "ingest", attempt=1)) == {"saas.category"}
    assert set(lake.outcomes(failed.run, "refine", attempt=1)) == {"saas.category"}
    assert lake.fingerprints() == twins.undisturbed.fingerprints()


def test_a_wrong_password_is_said_without_saying_it_and_put_right_by_the_secret(twins: Twins) -> None:
    lake = twins.lake
    secrets, name = lake.client("secretsmanager"), lake.environment.secret("saas")
    right = secrets.get_secret_value(SecretId=name)["SecretString"]
    secrets.put_secret_value(SecretId=name, SecretString=json.dumps({**json.loads(right), "password": "w-r-o-n-g"}))
    failed = lake.run()
    secrets.put_secret_value(SecretId=name, SecretString=right)

    assert failed.status == "FAILED"
    outcome = lake.outcomes(failed.run, "ingest")["saas.users"]
    assert 'Source "saas" refused the user name or password' in outcome.cause
    assert "secret" in outcome.remedy
    logged = lake.client("logs").filter_log_events(logGroupName=f"{lake.environment.job_log_groups}/error")
    assert "w-r-o-n-g" not in json.dumps([outcome.cause, outcome.remedy, failed.cause, logged])
    assert lake.redrive(failed.run).status == "SUCCEEDED"


def _listen(lake: TicketLake) -> str:
    """A queue that hears the lake's alerts, as an on-call engineer's mail does."""
    sqs = lake.client("sqs")
    queue: str = sqs.create_queue(QueueName="on-call")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    lake.client("sns").subscribe(TopicArn=lake.environment.topic_arn, Protocol="sqs", Endpoint=arn)
    return queue


def _alert(lake: TicketLake, queue: str, seconds: float = 30) -> str:
    """The first alert that arrives."""
    sqs, until = lake.client("sqs"), time.monotonic() + seconds
    while time.monotonic() < until:
        for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", []):
            text: str = json.loads(message["Body"])["Message"]
            return text
    pytest.fail(f"No alert came within {seconds} s.")
