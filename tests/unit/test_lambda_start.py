"""The start function: one execution for each interval, however often the schedule delivers."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from lake.model import UnknownPipelineError
from lambdas.start import handler
from tests.unit.functions import bare

EVENT = {"pipeline": "tickit", "scheduled": "2026-11-21T03:00:00Z"}
MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:headwater-test-tickit"
DEFINITION = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}


@pytest.fixture(autouse=True)
def machine(aws: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    bare(handler, monkeypatch)
    client = boto3.client("stepfunctions")
    role = "arn:aws:iam::123456789012:role/headwater-test-tickit"
    client.create_state_machine(name="headwater-test-tickit", definition=json.dumps(DEFINITION), roleArn=role)
    return client


def test_the_execution_is_named_by_its_run_and_knows_its_pipeline(machine: Any) -> None:
    assert handler.handle(EVENT, None) == {"run": "tickit-20261120T0000-01", "started": True}
    (execution,) = machine.list_executions(stateMachineArn=MACHINE)["executions"]
    assert execution["name"] == "tickit-20261120T0000-01"
    described = machine.describe_execution(executionArn=execution["executionArn"])
    assert json.loads(described["input"]) == {"pipeline": "tickit"}


def test_maintenance_is_named_by_its_scheduled_time_and_asked_for_nothing(machine: Any) -> None:
    role = machine.describe_state_machine(stateMachineArn=MACHINE)["roleArn"]
    machine.create_state_machine(
        name=MACHINE.replace("tickit", "maintain").rpartition(":")[2], definition=json.dumps(DEFINITION), roleArn=role
    )
    told = handler.handle({"pipeline": "maintain", "scheduled": "2026-11-21T05:30:00Z"}, None)
    assert told == {"run": "maintain-20261121T0530-01", "started": True}
    found = machine.list_executions(stateMachineArn=MACHINE.replace("tickit", "maintain"))["executions"]
    assert machine.describe_execution(executionArn=found[0]["executionArn"])["input"] == "{}"


def test_a_second_delivery_starts_nothing(machine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    handler.handle(EVENT, None)
    # AWS answers an open execution's name and input with that execution; only a closed one is refused.
    refused = machine.exceptions.ExecutionAlreadyExists(
        {"Error": {"Code": "ExecutionAlreadyExists", "Message": "Execution Already Exists"}}, "StartExecution"
    )

    class Closed:
        def start_execution(self, **_: str) -> None:
            raise refused

    monkeypatch.setattr(handler, "client", lambda service: Closed())
    assert handler.handle(EVENT, None) == {"run": "tickit-20261120T0000-01", "started": False}
    assert len(machine.list_executions(stateMachineArn=MACHINE)["executions"]) == 1


def test_a_machine_that_is_not_deployed_is_an_error(machine: Any) -> None:
    machine.delete_state_machine(stateMachineArn=MACHINE)
    with pytest.raises(machine.exceptions.StateMachineDoesNotExist):
        handler.handle(EVENT, None)


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"pipeline": "tickit"},
        {**EVENT, "scheduled": "<aws.scheduler.scheduled-time>"},
        {**EVENT, "scheduled": "2026-11-21T03:00:00"},
        {**EVENT, "scheduled": 5},
        {"scheduled": EVENT["scheduled"]},
    ],
)
def test_an_event_without_pipeline_and_time_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(handler.ScheduleInputError, match=r"expected a pipeline and a scheduled time"):
        handler.handle(event, None)


def test_an_unknown_pipeline_is_refused() -> None:
    with pytest.raises(UnknownPipelineError, match="Did you mean 'tickit'"):
        handler.handle({**EVENT, "pipeline": "tickets"}, None)
