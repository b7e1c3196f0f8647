"""What goes wrong at night: a table vanishes, a job dies, a password is wrong; and that a redrive puts it right."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import pytest

from local import tickit
from local.engines.spark_child import HEADWATER_RUN
from tests.local.ticket_lake import TicketLake, ticket_lake

SCALE = 0.02


@dataclass
class Twins:
    """Two lakes with one history: what befalls `lake` must not show when `undisturbed` has seen the same sources."""

    lake: TicketLake
    undisturbed: TicketLake
    first: dict[str, str]

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
        yield Twins(lake, undisturbed, undisturbed.fingerprints())


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


def test_a_job_process_killed_during_refine_leaves_nothing_that_a_redrive_does_not_put_right(twins: Twins) -> None:
    lake = twins.lake
    twins.a_day_passes()
    run = lake.start()
    job_run = _running(lake, "refine")
    time.sleep(0.8)  # at work, not at its end
    _kill(job_run, "python")
    assert lake.wait(run).status == "FAILED"

    left = lake.snapshots()
    time.sleep(5)
    assert lake.snapshots() == left, "a dead job committed late"
    assert lake.redrive(run).status == "SUCCEEDED"
    assert lake.fingerprints() == twins.undisturbed.fingerprints()


def test_a_killed_jvm_fails_the_run_and_a_redrive_puts_it_right(
    twins: Twins, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with ticket_lake(tmp_path_factory.mktemp("cold"), scale=SCALE, cold=True) as lake:
        run = lake.start()
        job_run = _running(lake, "refine")
        time.sleep(6)  # its JVM takes a while to start, and should be at work
        _kill(job_run, "java")
        assert lake.wait(run).status == "FAILED"

        left = lake.snapshots()
        time.sleep(3)
        assert lake.snapshots() == left, "a dead JVM committed late"
        assert lake.redrive(run).status == "SUCCEEDED"
        assert lake.fingerprints() == twins.first


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


def _running(lake: TicketLake, job: str, seconds: float = 120) -> str:
    """The id of the job's run, once it is running."""
    glue, name, until = lake.client("glue"), lake.environment.resource(job), time.monotonic() + seconds
    while time.monotonic() < until:
        for each in glue.get_job_runs(JobName=name)["JobRuns"]:
            if each["JobRunState"] == "RUNNING":
                found: str = each["Id"]
                return found
        time.sleep(0.05)
    pytest.fail(f"The job {name} was not running within {seconds} s.")


def _kill(job_run: str, program: str) -> None:
    """Kill the one process of a job run that is this program, as the kernel does when memory is short."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(HEADWATER_RUN) == job_run and process.name().startswith(program):
                process.kill()
                return
    pytest.fail(f"The job run {job_run} has no process '{program}'.")
