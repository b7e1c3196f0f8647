"""Redrive: an execution that failed goes on from the state that failed, once its cause is gone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.local.executions import ended, entered, history, invoke, machine, start, types
from tests.local.functions import make_function, package, until
from tests.local.own_endpoint import OwnEndpoint, started

ECHO = "def handle(e, c): return e"
FAILS = "def handle(e, c): raise ValueError('not yet')"


@pytest.fixture(scope="module")
def own_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnEndpoint]:
    yield from started(tmp_path_factory)


def redrive(endpoint: Any, arn: str, **more: Any) -> dict[str, Any]:
    endpoint.client("stepfunctions").redrive_execution(executionArn=arn, **more)
    return ended(endpoint, arn)


def mend(endpoint: Any, function: str, code: str = ECHO) -> None:
    endpoint.client("lambda").update_function_code(FunctionName=function, ZipFile=package(code))


def three(second: str) -> dict[str, Any]:
    """Three states, of which the second calls a function; each adds what it saw to the state's data."""
    seen = {"count.$": "$$.Execution.RedriveCount"}
    return machine(
        First={"Type": "Pass", "Parameters": seen, "ResultPath": "$.first"},
        Second=invoke(second, {"count.$": "$$.Execution.RedriveCount"}, ResultPath="$.second", OutputPath="$"),
        Third={"Type": "Pass", "Parameters": seen, "ResultPath": "$.third"},
    )


def test_a_redrive_runs_the_failed_state_and_what_follows_with_the_input_that_it_had(endpoint: Any) -> None:
    function = make_function(endpoint, FAILS)
    arn = start(endpoint, three(function), {"given": 1})
    assert ended(endpoint, arn)["status"] == "FAILED"
    before = history(endpoint, arn)
    mend(endpoint, function)
    found = redrive(endpoint, arn)
    assert (found["status"], found["redriveCount"]) == ("SUCCEEDED", 1)
    assert found["redriveDate"] > found["startDate"]
    assert "error" not in found
    data = json.loads(found["output"])
    assert (data["given"], data["first"], data["third"]) == (1, {"count": 0}, {"count": 1})
    assert data["second"]["Payload"] == {"count": 1}
    assert entered(endpoint, arn) == ["First", "Second", "Second", "Third"]
    after = history(endpoint, arn)
    assert after[: len(before)] == before
    assert after[len(before)]["type"] == "ExecutionRedriven"
    assert after[len(before)]["executionRedrivenEventDetails"] == {"redriveCount": 1}
    assert [event["id"] for event in after] == list(range(1, len(after) + 1))


def test_an_execution_can_be_redriven_again_and_again(endpoint: Any) -> None:
    function = make_function(endpoint, FAILS)
    arn = start(endpoint, three(function))
    ended(endpoint, arn)
    assert redrive(endpoint, arn)["status"] == "FAILED"
    mend(endpoint, function)
    found = redrive(endpoint, arn)
    assert (found["status"], found["redriveCount"]) == ("SUCCEEDED", 2)
    assert json.loads(found["output"])["third"] == {"count": 2}
    assert types(endpoint, arn).count("ExecutionRedriven") == 2


def test_the_time_of_the_redrive_is_in_the_context_object(endpoint: Any) -> None:
    function = make_function(endpoint, FAILS)
    then = {"Type": "Pass", "Parameters": {"at.$": "$$.Execution.RedriveTime"}}
    arn = start(endpoint, machine(Call=invoke(function), Then=then))
    ended(endpoint, arn)
    mend(endpoint, function)
    found = redrive(endpoint, arn)
    assert json.loads(found["output"])["at"].startswith(found["redriveDate"].strftime("%Y-%m-%dT%H:%M"))


def test_a_stopped_and_a_timed_out_execution_can_be_redriven(endpoint: Any) -> None:
    slow = make_function(endpoint, "import time\ndef handle(e, c): time.sleep(40)", Timeout=60)
    stopped = start(endpoint, machine(Call=invoke(slow), Then={"Type": "Pass"}))
    late = start(endpoint, {**machine(Call=invoke(slow), Then={"Type": "Pass"}), "TimeoutSeconds": 1})
    until(lambda: "TaskStarted" in types(endpoint, stopped))
    endpoint.client("stepfunctions").stop_execution(executionArn=stopped)
    assert [ended(endpoint, arn)["status"] for arn in (stopped, late)] == ["ABORTED", "TIMED_OUT"]
    mend(endpoint, slow)
    for arn in (stopped, late):
        assert redrive(endpoint, arn)["status"] == "SUCCEEDED"
        assert entered(endpoint, arn) == ["Call", "Call", "Then"]


def test_what_an_earlier_attempt_ends_late_does_not_touch_the_redrive(endpoint: Any, tmp_path: Path) -> None:
    gone_on = tmp_path / "gone-on"
    code = f"import os, time\ndef handle(e, c):\n    while not os.path.exists('{gone_on}'): time.sleep(0.05)\n"
    slow = make_function(endpoint, f"{code}    raise ValueError('late')", Timeout=60)
    arn = start(endpoint, machine(Call=invoke(slow), Then={"Type": "Wait", "Seconds": 2}))
    until(lambda: "TaskStarted" in types(endpoint, arn))
    endpoint.client("stepfunctions").stop_execution(executionArn=arn)
    mend(endpoint, slow)
    endpoint.client("stepfunctions").redrive_execution(executionArn=arn)
    until(lambda: "Then" in entered(endpoint, arn))
    gone_on.touch()
    assert ended(endpoint, arn)["status"] == "SUCCEEDED"
    assert "TaskFailed" not in types(endpoint, arn)


def test_an_execution_that_runs_or_succeeded_cannot_be_redriven(endpoint: Any) -> None:
    client = endpoint.client("stepfunctions")
    running = start(endpoint, machine(W={"Type": "Wait", "Seconds": 30}))
    done = start(endpoint, machine(P={"Type": "Pass"}))
    ended(endpoint, done)
    for arn, status in ((running, "RUNNING"), (done, "SUCCEEDED")):
        with pytest.raises(client.exceptions.ExecutionNotRedrivable, match=f"{status} and cannot be redriven"):
            client.redrive_execution(executionArn=arn)
        found = client.describe_execution(executionArn=arn)
        assert found["redriveStatus"] == "NOT_REDRIVABLE"
        assert found["redriveStatusReason"] == f"Execution is {status} and cannot be redriven"
    client.stop_execution(executionArn=running)


def test_a_failed_execution_says_that_it_can_be_redriven(endpoint: Any) -> None:
    arn = start(endpoint, machine(F={"Type": "Fail", "Error": "E"}))
    assert ended(endpoint, arn)["redriveStatus"] == "REDRIVABLE"
    assert redrive(endpoint, arn)["status"] == "FAILED"
    machine_arn = endpoint.client("stepfunctions").describe_execution(executionArn=arn)["stateMachineArn"]
    listed = endpoint.client("stepfunctions").list_executions(stateMachineArn=machine_arn, redriveFilter="REDRIVEN")
    assert [one["redriveCount"] for one in listed["executions"]] == [1]


def test_the_same_token_is_one_redrive(endpoint: Any) -> None:
    function = make_function(endpoint, FAILS)
    arn = start(endpoint, machine(Call=invoke(function)))
    ended(endpoint, arn)
    for _ in range(2):
        endpoint.client("stepfunctions").redrive_execution(executionArn=arn, clientToken="once")
        found = ended(endpoint, arn)
    assert found["redriveCount"] == 1


def test_a_redrive_runs_the_definition_that_the_execution_began_with(endpoint: Any) -> None:
    function, client = make_function(endpoint, FAILS), endpoint.client("stepfunctions")
    arn = start(endpoint, machine(Call=invoke(function), Then={"Type": "Pass", "Result": "old"}))
    machine_arn = ended(endpoint, arn)["stateMachineArn"]
    client.update_state_machine(
        stateMachineArn=machine_arn, definition=json.dumps(machine(Other={"Type": "Pass", "Result": "new"}))
    )
    mend(endpoint, function)
    assert json.loads(redrive(endpoint, arn)["output"]) == "old"


def test_a_redrive_begins_its_retries_anew(endpoint: Any) -> None:
    function = make_function(endpoint, FAILS)
    retry = [{"ErrorEquals": ["ValueError"], "IntervalSeconds": 1, "MaxAttempts": 1, "BackoffRate": 1}]
    arn = start(endpoint, machine(Call=invoke(function, Retry=retry)))
    ended(endpoint, arn)
    redrive(endpoint, arn)
    assert types(endpoint, arn).count("TaskFailed") == 4


def test_a_failed_map_is_redriven(endpoint: Any) -> None:
    function = make_function(endpoint, "def handle(e, c):\n    if e['v'] == 2: raise ValueError('two')\n    return e")
    item = machine(Call=invoke(function, {"v.$": "$"}, OutputPath="$.Payload.v"))
    over = {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": item}
    arn = start(endpoint, machine(Over=over, Then={"Type": "Pass"}), {"items": [1, 2, 3]})
    assert ended(endpoint, arn)["error"] == "ValueError"
    mend(endpoint, function)
    assert json.loads(redrive(endpoint, arn)["output"]) == [1, 2, 3]


def test_two_weeks_after_its_end_an_execution_cannot_be_redriven(own_endpoint: OwnEndpoint) -> None:
    client = own_endpoint.client("stepfunctions")
    arn = start(own_endpoint, machine(F={"Type": "Fail"}))
    ended(own_endpoint, arn)
    own_endpoint.advance(days=13, hours=23)
    assert client.describe_execution(executionArn=arn)["redriveStatus"] == "REDRIVABLE"
    own_endpoint.advance(hours=2)
    assert client.describe_execution(executionArn=arn)["redriveStatusReason"] == "Execution redrivable period exceeded"
    with pytest.raises(client.exceptions.ExecutionNotRedrivable):
        client.redrive_execution(executionArn=arn)


def test_a_name_is_free_again_after_ninety_days(own_endpoint: OwnEndpoint) -> None:
    client = own_endpoint.client("stepfunctions")
    arn = start(own_endpoint, machine(P={"Type": "Pass"}))
    found = ended(own_endpoint, arn)
    own_endpoint.advance(days=91)
    again = client.start_execution(stateMachineArn=found["stateMachineArn"], name=found["name"])
    assert again["startDate"] - found["startDate"] > timedelta(days=90)


def test_a_redrive_begins_at_once(endpoint: Any) -> None:
    arn = start(endpoint, machine(F={"Type": "Fail"}))
    ended(endpoint, arn)
    began = time.monotonic()
    redrive(endpoint, arn)
    assert time.monotonic() - began < 5
