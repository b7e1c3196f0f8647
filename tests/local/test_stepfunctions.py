"""Step Functions on the laptop: how executions run, end and are told."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.executions import ended, entered, invoke, machine, make_machine, output, run, start, types
from tests.local.functions import make_function, unique, until

FAILS = "class OddError(Exception): ...\ndef handle(e, c):\n    raise OddError('odd')"
ECHO = "def handle(e, c): return e"


@pytest.fixture(scope="module")
def echo(endpoint: Any) -> str:
    return make_function(endpoint, ECHO)


@pytest.fixture(scope="module")
def fails(endpoint: Any) -> str:
    return make_function(endpoint, FAILS)


def test_states_run_in_order_and_choices_choose(endpoint: Any) -> None:
    choice = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.n", "NumericGreaterThan": 3, "Next": "Large"}],
        "Default": "Small",
    }
    definition = machine(
        Begin={"Type": "Pass", "Result": 5, "ResultPath": "$.n"},
        Wait={"Type": "Wait", "Seconds": 0},
        Decide=choice,
        Small={"Type": "Fail", "Error": "Small", "Cause": "it is"},
        Large={"Type": "Pass", "Parameters": {"is.$": "States.Format('{} is large', $.n)"}},
    )
    assert output(endpoint, definition, {"a": 1}) == {"is": "5 is large"}


def test_the_context_object_tells_the_execution_the_state_and_the_redrive_count(endpoint: Any) -> None:
    parameters = {
        "name.$": "$$.Execution.Name",
        "count.$": "$$.Execution.RedriveCount",
        "text.$": "States.Format('{}', $$.Execution.RedriveCount)",
        "state.$": "$$.State.Name",
        "machine.$": "$$.StateMachine.Name",
        "started.$": "$$.Execution.StartTime",
        "given.$": "$$.Execution.Input.a",
    }
    arn = start(endpoint, machine(Only={"Type": "Pass", "Parameters": parameters}), {"a": 1})
    told = json.loads(ended(endpoint, arn)["output"])
    assert told["name"] == arn.rpartition(":")[2]
    assert (told["count"], told["text"], told["state"], told["given"]) == (0, "0", "Only", 1)
    assert told["machine"] == arn.split(":")[-2]
    assert told["started"].endswith("Z")


def test_map_and_parallel_keep_the_order_of_their_results(endpoint: Any, echo: str) -> None:
    item = machine(Call=invoke(echo, {"v.$": "$.v"}, OutputPath="$.Payload.v"))
    over = {
        "Type": "Map",
        "ItemsPath": "$.items",
        "MaxConcurrency": 2,
        "ItemSelector": {"v.$": "$$.Map.Item.Value"},
        "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, **item},
        "ResultPath": "$.mapped",
    }
    branches = [machine(One={"Type": "Pass", "Result": 1}), machine(Two={"Type": "Pass", "Result": 2})]
    both = {"Type": "Parallel", "Branches": branches, "ResultPath": "$.both"}
    assert output(endpoint, machine(Over=over, Both=both), {"items": [3, 1, 2]}) == {
        "items": [3, 1, 2],
        "mapped": [3, 1, 2],
        "both": [1, 2],
    }


def test_a_failed_branch_fails_the_execution(endpoint: Any, fails: str) -> None:
    slow = machine(Slow={"Type": "Wait", "Seconds": 30})
    both = {"Type": "Parallel", "Branches": [machine(Call=invoke(fails)), slow]}
    found = run(endpoint, machine(Both=both))
    assert (found["status"], found["error"]) == ("FAILED", "OddError")


def test_an_execution_that_takes_too_long_times_out(endpoint: Any) -> None:
    slow = make_function(endpoint, "import time\ndef handle(e, c): time.sleep(3)")
    began = time.monotonic()
    arn = start(endpoint, {**machine(Call=invoke(slow)), "TimeoutSeconds": 1})
    found = ended(endpoint, arn)
    assert time.monotonic() - began < 2.5
    assert found["status"] == "TIMED_OUT"
    assert found["stopDate"] >= found["startDate"]
    assert types(endpoint, arn)[-1] == "ExecutionTimedOut"


def test_a_stopped_execution_is_aborted_at_once_and_stays_so(endpoint: Any) -> None:
    slow = make_function(endpoint, "import time\ndef handle(e, c): time.sleep(2)")
    arn = start(endpoint, machine(Call=invoke(slow), After={"Type": "Pass"}))
    until(lambda: "TaskStarted" in types(endpoint, arn))
    client = endpoint.client("stepfunctions")
    client.stop_execution(executionArn=arn, error="Enough", cause="seen")
    found = client.describe_execution(executionArn=arn)
    assert (found["status"], found["error"], found["cause"]) == ("ABORTED", "Enough", "seen")
    time.sleep(2.2)
    assert client.describe_execution(executionArn=arn)["status"] == "ABORTED"
    assert types(endpoint, arn)[-2:] == ["TaskStateAborted", "ExecutionAborted"]
    assert entered(endpoint, arn) == ["Call"]


def test_a_name_is_one_execution(endpoint: Any) -> None:
    client, arn = endpoint.client("stepfunctions"), make_machine(endpoint, machine(W={"Type": "Wait", "Seconds": 1}))
    first = client.start_execution(stateMachineArn=arn, name="same", input='{"a": 1}')
    again = client.start_execution(stateMachineArn=arn, name="same", input='{"a": 1}')
    assert first["executionArn"] == again["executionArn"]
    with pytest.raises(client.exceptions.ExecutionAlreadyExists):
        client.start_execution(stateMachineArn=arn, name="same", input='{"a": 2}')
    ended(endpoint, first["executionArn"])
    with pytest.raises(client.exceptions.ExecutionAlreadyExists):
        client.start_execution(stateMachineArn=arn, name="same", input='{"a": 1}')


@pytest.mark.parametrize("name", ["a b", "a*b", "x" * 81])
def test_a_bad_execution_name_is_refused(endpoint: Any, name: str) -> None:
    arn = make_machine(endpoint, machine(P={"Type": "Pass"}))
    with pytest.raises(ClientError, match=r"InvalidName|ValidationException"):
        endpoint.client("stepfunctions").start_execution(stateMachineArn=arn, name=name)


def test_input_that_is_no_json_is_refused(endpoint: Any) -> None:
    arn = make_machine(endpoint, machine(P={"Type": "Pass"}))
    with pytest.raises(endpoint.client("stepfunctions").exceptions.InvalidExecutionInput):
        endpoint.client("stepfunctions").start_execution(stateMachineArn=arn, input="{")


def test_history_can_be_read_backwards_and_in_pages(endpoint: Any) -> None:
    arn = start(endpoint, machine(A={"Type": "Pass"}, B={"Type": "Pass"}))
    ended(endpoint, arn)
    client = endpoint.client("stepfunctions")
    newest = client.get_execution_history(executionArn=arn, reverseOrder=True, maxResults=1)
    assert [event["type"] for event in newest["events"]] == ["ExecutionSucceeded"]
    older = client.get_execution_history(executionArn=arn, reverseOrder=True, nextToken=newest["nextToken"])
    assert older["events"][-1]["type"] == "ExecutionStarted"


def test_executions_are_listed_newest_first_by_status(endpoint: Any) -> None:
    client, arn = endpoint.client("stepfunctions"), make_machine(endpoint, machine(P={"Type": "Pass"}))
    for name in ("first", "second"):
        ended(endpoint, client.start_execution(stateMachineArn=arn, name=name)["executionArn"])
    found = client.list_executions(stateMachineArn=arn, statusFilter="SUCCEEDED")["executions"]
    assert [one["name"] for one in found] == ["second", "first"]
    assert found[0]["redriveCount"] == 0
    assert client.list_executions(stateMachineArn=arn, statusFilter="FAILED")["executions"] == []


def test_history_reaches_the_log_group_of_the_machine(endpoint: Any) -> None:
    group, logs = unique("/aws/vendedlogs/states/machine"), endpoint.client("logs")
    logs.create_log_group(logGroupName=group)
    destination = f"arn:aws:logs:us-east-1:{endpoint.account}:log-group:{group}:*"
    settings = {
        "level": "ALL",
        "includeExecutionData": True,
        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": destination}}],
    }
    found = run(endpoint, machine(P={"Type": "Pass"}), {"a": 1}, loggingConfiguration=settings)

    def lines() -> list[dict[str, Any]]:
        return [json.loads(event["message"]) for event in logs.filter_log_events(logGroupName=group)["events"]]

    until(lambda: len(lines()) == 4)
    assert [line["type"] for line in lines()] == [
        "ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded",
    ]  # fmt: skip
    assert {line["execution_arn"] for line in lines()} == {found["executionArn"]}
