"""The alert function: which dataset of which run failed, why, what to do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from lake.alerts import PAGES, Alert, Failure, clean
from lake.ledger import Ledger, Outcome
from lambdas.alert import handler
from tests.unit.compiled_lake import ENVIRONMENT
from tests.unit.functions import bare

RUN = "tickit-20261121T0000-01"
RUNBOOK = Path(__file__).parents[2] / "docs" / "runbook.md"
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:headwater-test-tickit"
JOB_CAUSE = json.dumps({"JobName": "headwater-test-refine", "JobRunState": "FAILED", "ErrorMessage": "Killed."})


class Steps:
    """Step Functions with one execution's history."""

    events: tuple[dict[str, Any], ...] = ()

    def get_execution_history(self, *, reverseOrder: bool, **_: Any) -> dict[str, Any]:
        assert reverseOrder
        return {"events": list(reversed(self.events))}


class Topic:
    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []

    def publish(self, **message: str) -> None:
        assert message["TopicArn"] == ENVIRONMENT["topic_arn"]
        self.sent.append(message)


@pytest.fixture
def topic() -> Topic:
    return Topic()


@pytest.fixture
def steps() -> Steps:
    return Steps()


@pytest.fixture(autouse=True)
def clients(ledger: Ledger, topic: Topic, steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    bare(handler, monkeypatch)
    known = {"sns": topic, "stepfunctions": steps, "dynamodb": boto3.client("dynamodb")}
    monkeypatch.setattr(handler, "client", known.__getitem__)


def event(status: str = "FAILED", name: str = RUN, **detail: Any) -> dict[str, Any]:
    arn = MACHINE.replace("stateMachine", "execution") + f":{name}"
    detail = {"executionArn": arn, "stateMachineArn": MACHINE, "name": name, "status": status, **detail}
    return {"source": "aws.states", "detail-type": "Step Functions Execution Status Change", "detail": detail}


def entered(state: str) -> dict[str, Any]:
    return {"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": state, "input": "{}"}}


def test_it_names_dataset_run_cause_remedy_and_page(ledger: Ledger, topic: Topic) -> None:
    ledger.start(RUN, "tickit")
    ledger.record(
        Outcome(
            RUN,
            0,
            "ingest",
            "ecommerce.sales",
            "failed",
            cause='Table "sales" does not exist.',
            remedy="Bring it back.",
        )
    )
    handler.handle(event(error="DatasetsFailedError", cause="{}"), None)
    (message,) = topic.sent
    assert message["Subject"] == f"tickit FAILED: {RUN} (ecommerce.sales)"
    assert 'ecommerce.sales failed in ingest: Table "sales" does not exist.' in message["Message"]
    assert "To do: Bring it back." in message["Message"]
    assert "Runbook: docs/runbook.md#a-dataset-failed" in message["Message"]


def test_a_killed_job_is_told_of_by_the_execution(ledger: Ledger, topic: Topic, steps: Steps) -> None:
    steps.events = (entered("Plan"), entered("Refine"), {"type": "TaskFailed", "taskFailedEventDetails": {}})
    handler.handle(event(error="States.TaskFailed", cause=JOB_CAUSE), None)
    (message,) = topic.sent
    assert "The run failed in Refine: States.TaskFailed: Killed." in message["Message"]
    assert "#an-execution-failed" in message["Message"]


def test_a_cause_that_the_event_lacks_is_taken_from_the_history(topic: Topic, steps: Steps) -> None:
    cause = json.dumps({"errorType": "RunIdError", "errorMessage": "The run id 'x': expected …", "stackTrace": []})
    failure = {"error": "RunIdError", "cause": cause}
    steps.events = (
        entered("Plan"),
        {"type": "LambdaFunctionFailed", "taskFailedEventDetails": failure},
        {"type": "ExecutionFailed", "executionFailedEventDetails": failure},
    )
    handler.handle(event(name="manual-test"), None)
    assert "failed in Plan: RunIdError: The run id 'x': expected …" in topic.sent[0]["Message"]
    assert topic.sent[0]["Subject"].startswith("headwater-test-tickit FAILED: manual-test")


def test_a_killed_job_does_not_hide_a_dataset_that_failed_before_it(ledger: Ledger, topic: Topic) -> None:
    ledger.record(Outcome(RUN, 0, "ingest", "saas.users", "failed", cause="Password refused."))
    handler.handle(event(error="States.TaskFailed", cause=JOB_CAUSE), None)
    assert "Killed." in topic.sent[0]["Message"]
    assert "saas.users failed in ingest: Password refused." in topic.sent[0]["Message"]


@pytest.mark.parametrize(("status", "remedy"), [("TIMED_OUT", "what it waited for"), ("ABORTED", "Someone stopped it")])
def test_every_bad_end_is_told(status: str, remedy: str, topic: Topic) -> None:
    handler.handle(event(status), None)
    assert status in topic.sent[0]["Subject"]
    assert remedy in topic.sent[0]["Message"]


def test_the_ledger_learns_of_a_run_that_did_not_reach_its_conclusion(ledger: Ledger) -> None:
    handler.handle(event("ABORTED"), None)
    run = ledger.run(RUN)
    assert run
    assert (run.status, run.pipeline) == ("failed", "tickit")


def test_the_message_is_one_line_of_json_in_the_log(ledger: Ledger, capsys: pytest.CaptureFixture[str]) -> None:
    ledger.record(Outcome(RUN, 0, "ingest", "saas.users", "failed", cause="Two\nlines."))
    handler.handle(event(error="DatasetsFailedError"), None)
    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    assert (told["run"], told["failures"][0]["dataset"]) == (RUN, "saas.users")


@pytest.mark.parametrize(
    "cause",
    [
        "connection to jdbc:postgresql://headwater:hunter2@db:5432/saas refused",
        "jdbc:postgresql://db/saas?user=headwater&password=hunter2&ssl=true",
        '{"username": "headwater", "password": "hunter2"}',
        "secret_token: no; Secret = hunter2",
    ],
)
def test_a_message_carries_no_password(cause: str) -> None:
    assert "hunter2" not in clean(cause)


def test_a_message_fits_whatever_happened() -> None:
    failures = tuple(Failure(f"saas.täble_{number}", "refine", clean("x" * 9999), "Mend it.") for number in range(1000))
    alert = Alert("tickit", RUN, "FAILED", failures, "docs/runbook.md", "dev")
    assert len(alert.subject) <= 100
    assert alert.subject.isascii()
    assert "And 975 more." in alert.text
    assert len(alert.text.encode()) < 256 * 1024


def warned(ledger: Ledger, value: int) -> None:
    gate = {"name": "late_sales", "value": value, "passed": value == 0, "severity": "warn", "expected": "= 0"}
    ledger.start(RUN, "tickit")
    ledger.record(Outcome(RUN, 0, "refine", "ecommerce.sales", "succeeded", gates=(gate,)))


def test_a_run_that_succeeded_is_told_of_only_if_a_gate_warned(ledger: Ledger, topic: Topic) -> None:
    warned(ledger, 0)
    assert handler.handle(event("SUCCEEDED"), None) == {"alert": ""}
    assert topic.sent == []


def test_a_warning_names_dataset_gate_value_and_what_was_expected(ledger: Ledger, topic: Topic) -> None:
    warned(ledger, 3)
    ledger.finish(RUN, "succeeded")
    handler.handle(event("SUCCEEDED"), None)
    [message] = topic.sent
    assert message["Subject"].startswith("tickit SUCCEEDED")
    assert "Warning: ecommerce.sales: the gate 'late_sales' is 3, expected = 0" in message["Message"]
    assert "#a-run-warned" in message["Message"]
    run = ledger.run(RUN)
    assert run is not None
    assert run.status == "succeeded"


def test_the_runbook_has_the_page_of_every_alert() -> None:
    headings = [line.removeprefix("## ") for line in RUNBOOK.read_text().splitlines() if line.startswith("## ")]
    assert set(PAGES) <= {heading.lower().replace(" ", "-") for heading in headings}


def test_a_crawl_that_failed_is_told_without_the_ledger(ledger: Ledger, topic: Topic) -> None:
    cause = '["headwater-test-crawl-crm"] failed. ["headwater-test-crawl-crm: the password is wrong"]'
    handler.handle(event(name="a-name-of-its-own", error="CrawlersFailedError", cause=cause), None)
    (message,) = topic.sent
    assert "headwater-test-crawl-crm: the password is wrong" in message["Message"]
    assert "start the state machine again" in message["Message"]
    assert "explain" not in message["Message"]


def test_an_alert_that_comes_after_the_redrive_began_does_not_fail_the_run_again(ledger: Ledger, topic: Topic) -> None:
    for attempt in (0, 1):
        ledger.start(RUN, "tickit", attempt)
        ledger.record(Outcome(RUN, attempt, "ingest", "ecommerce.sales", "failed", cause="No table."))
    handler.handle(event(error="DatasetsFailedError", redriveCount=0), None)
    run = ledger.run(RUN)
    assert run
    assert (run.status, run.attempt) == ("running", 1)
    handler.handle(event(error="DatasetsFailedError", redriveCount=1), None)
    run = ledger.run(RUN)
    assert run
    assert run.status == "failed"
