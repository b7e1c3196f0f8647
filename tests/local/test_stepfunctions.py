"""Step Functions on the laptop: what a state machine may say, and what its execution then does."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.executions import (
    S,
    ended,
    entered,
    invoke,
    machine,
    make_machine,
    output,
    run,
    start,
    types,
)
from tests.local.functions import make_function, make_role, unique, until

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


def test_a_function_fails_a_task_with_its_own_error_name(endpoint: Any, fails: str) -> None:
    found = run(endpoint, machine(Call=invoke(fails)))
    assert (found["status"], found["error"]) == ("FAILED", "OddError")
    assert json.loads(found["cause"])["errorMessage"] == "odd"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("import os\ndef handle(e, c): os._exit(1)", "Runtime.ExitError"),
        ("import time\ndef handle(e, c): time.sleep(9)", "Sandbox.Timedout"),
    ],
)
def test_a_function_that_ends_badly_fails_a_task_with_lambdas_error_name(endpoint: Any, code: str, error: str) -> None:
    function = make_function(endpoint, code, Timeout=1)
    assert run(endpoint, machine(Call=invoke(function)))["error"] == error


def test_a_function_that_is_not_there_fails_with_lambdas_error_name(endpoint: Any) -> None:
    assert run(endpoint, machine(Call=invoke("nowhere")))["error"] == "Lambda.ResourceNotFoundException"


def test_retry_tries_again_and_catch_goes_on(endpoint: Any, fails: str) -> None:
    retry = [{"ErrorEquals": ["OddError"], "IntervalSeconds": 1, "MaxAttempts": 1, "BackoffRate": 1}]
    catch = [{"ErrorEquals": ["OddError"], "ResultPath": "$.caught", "Next": "After"}]
    definition = machine(Call=invoke(fails, Retry=retry, Catch=catch), After={"Type": "Pass"})
    arn = start(endpoint, definition)
    caught = json.loads(ended(endpoint, arn)["output"])["caught"]
    assert caught["Error"] == "OddError"
    assert types(endpoint, arn).count("TaskFailed") == 2


def test_a_task_calls_as_the_role_of_its_state_machine(endpoint: Any, echo: str) -> None:
    role = make_role(endpoint, "pipeline")
    definition = machine(
        Call=invoke(echo),
        Who={"Type": "Task", "Resource": f"{S}aws-sdk:sts:getCallerIdentity", "Parameters": {}},
    )
    found = run(endpoint, definition, roleArn=role)
    name = role.rpartition("/")[2]
    assert f":assumed-role/{name}/" in json.loads(found["output"])["Arn"]
    assert {"lambda:Invoke", "sts:GetCallerIdentity"} <= {call["action"] for call in endpoint.calls(role=name)} | {
        call["action"].replace("InvokeFunction", "Invoke") for call in endpoint.calls(role=name)
    }


def test_sdk_results_hold_dates_as_text_and_errors_have_the_services_name(endpoint: Any) -> None:
    bucket, s3 = unique("sdk"), endpoint.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"text")

    def sdk(action: str, **parameters: Any) -> dict[str, Any]:
        return {"Type": "Task", "Resource": f"{S}aws-sdk:{action}", "Parameters": parameters}

    listing = output(endpoint, machine(List=sdk("s3:listObjectsV2", Bucket=bucket)))
    assert listing["Contents"][0]["LastModified"].endswith("Z")
    assert output(endpoint, machine(Get=sdk("s3:getObject", Bucket=bucket, Key="k")))["Body"] == "text"
    assert run(endpoint, machine(Get=sdk("s3:getObject", Bucket=bucket, Key="x")))["error"] == "S3.NoSuchKeyException"
    missing = run(endpoint, machine(Get=sdk("glue:getTable", DatabaseName="no", Name="no")))
    assert missing["error"] == "Glue.EntityNotFoundException"


def test_messages_and_events_are_sent(endpoint: Any) -> None:
    queue = endpoint.client("sqs").create_queue(QueueName=unique("queue"))["QueueUrl"]
    topic = endpoint.client("sns").create_topic(Name=unique("topic"))["TopicArn"]
    definition = machine(
        Queue={"Type": "Task", "Resource": f"{S}sqs:sendMessage",
               "Parameters": {"QueueUrl": queue, "MessageBody": {"a": 1}}, "ResultPath": None},
        Topic={"Type": "Task", "Resource": f"{S}sns:publish",
               "Parameters": {"TopicArn": topic, "Message": "m"}, "ResultPath": None},
        Event={"Type": "Task", "Resource": f"{S}events:putEvents",
               "Parameters": {"Entries": [{"Source": "s", "DetailType": "d", "Detail": {"a": 1}}]}},
    )  # fmt: skip
    assert output(endpoint, definition)["FailedEntryCount"] == 0
    message = endpoint.client("sqs").receive_message(QueueUrl=queue)["Messages"][0]
    assert json.loads(message["Body"]) == {"a": 1}


def test_a_task_waits_for_its_token(endpoint: Any) -> None:
    queue = endpoint.client("sqs").create_queue(QueueName=unique("tokens"))["QueueUrl"]
    parameters = {"QueueUrl": queue, "MessageBody": {"token.$": "$$.Task.Token"}}
    arn = start(
        endpoint,
        machine(Ask={"Type": "Task", "Resource": f"{S}sqs:sendMessage.waitForTaskToken", "Parameters": parameters}),
    )
    message = until(lambda: endpoint.client("sqs").receive_message(QueueUrl=queue).get("Messages"))[0]
    token = json.loads(message["Body"])["token"]
    endpoint.client("stepfunctions").send_task_success(taskToken=token, output='{"yes": true}')
    assert json.loads(ended(endpoint, arn)["output"]) == {"yes": True}


def test_a_task_that_takes_too_long_times_out_and_its_late_end_is_not_told(endpoint: Any) -> None:
    slow = make_function(endpoint, "import time\ndef handle(e, c): time.sleep(2)")
    catch = [{"ErrorEquals": ["States.Timeout"], "Next": "After"}]
    definition = machine(Call=invoke(slow, TimeoutSeconds=1, Catch=catch), After={"Type": "Wait", "Seconds": 2})
    arn = start(endpoint, definition)
    assert ended(endpoint, arn)["status"] == "SUCCEEDED"
    assert "TaskTimedOut" in types(endpoint, arn)
    assert "TaskSucceeded" not in types(endpoint, arn)


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


def test_a_child_execution_is_waited_for(endpoint: Any) -> None:
    child = make_machine(endpoint, machine(P={"Type": "Pass", "Result": {"c": 1}}))
    parameters = {"StateMachineArn": child, "Input": {"a": 1}}
    task = {"Type": "Task", "Resource": f"{S}states:startExecution.sync:2", "Parameters": parameters}
    assert output(endpoint, machine(Child=task))["Output"] == {"c": 1}


def test_an_update_counts_for_the_next_execution(endpoint: Any) -> None:
    client = endpoint.client("stepfunctions")
    arn = make_machine(endpoint, machine(W={"Type": "Wait", "Seconds": 1}, P={"Type": "Pass", "Result": "old"}))
    before = client.start_execution(stateMachineArn=arn)["executionArn"]
    client.update_state_machine(
        stateMachineArn=arn, definition=json.dumps(machine(P={"Type": "Pass", "Result": "new"}))
    )
    after = client.start_execution(stateMachineArn=arn)["executionArn"]
    assert [json.loads(ended(endpoint, one)["output"]) for one in (before, after)] == ["old", "new"]


def test_another_definition_under_the_same_name_is_refused(endpoint: Any) -> None:
    client, name = endpoint.client("stepfunctions"), unique("machine")
    role = make_role(endpoint, "machine-role")

    def create(result: int) -> str:
        definition = json.dumps(machine(P={"Type": "Pass", "Result": result}))
        arn: str = client.create_state_machine(name=name, definition=definition, roleArn=role)["stateMachineArn"]
        return arn

    assert create(1) == create(1)
    with pytest.raises(client.exceptions.StateMachineAlreadyExists):
        create(2)


TASK = {"Type": "Task", "Parameters": {}}


@pytest.mark.parametrize(
    ("state", "named"),
    [
        ({"Type": "Pass", "QueryLanguage": "JSONata"}, "JSONata"),
        ({"Type": "Pass", "Assign": {"x": 1}}, "Assign"),
        ({**TASK, "Resource": "arn:aws:states:us-east-1:123456789012:activity:a"}, "activity:a"),
        ({**TASK, "Resource": f"{S}athena:startQueryExecution.sync"}, "athena:startQueryExecution.sync"),
        ({**TASK, "Resource": f"{S}lambda:invoke", "HeartbeatSeconds": 3, "TimeoutSeconds": 9}, "HeartbeatSeconds"),
        ({**TASK, "Resource": f"{S}lambda:invoke", "Credentials": {"RoleArn": "r"}}, "Credentials"),
        ({**TASK, "Resource": f"{S}aws-sdk:glue:startNothing"}, "glue:startNothing"),
        ({**TASK, "Resource": f"{S}aws-sdk:nothing:start"}, "nothing:start"),
        ({**TASK, "Resource": f"{S}glue:startJobRun", "Parameters": {"Name": "x"}}, "Name"),
        ({"Type": "Map", "ItemBatcher": {"MaxItemsPerBatch": 2}, "ItemProcessor": machine(P={"Type": "Pass"})},
         "ItemBatcher"),
        ({"Type": "Pass", "Next": "Nowhere"}, "Nowhere"),
        ({"Type": "Guess"}, "Guess"),
    ],
)  # fmt: skip
def test_what_cannot_run_is_refused_by_name_when_the_machine_is_made(
    endpoint: Any, state: dict[str, Any], named: str
) -> None:
    for definition in (machine(A=state), machine(P={"Type": "Parallel", "Branches": [machine(A=state)]})):
        with pytest.raises(endpoint.client("stepfunctions").exceptions.InvalidDefinition, match=named):
            make_machine(endpoint, definition)


def test_an_express_machine_is_refused_by_name(endpoint: Any) -> None:
    with pytest.raises(ClientError, match="EXPRESS"):
        make_machine(endpoint, machine(P={"Type": "Pass"}), type="EXPRESS")


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


def test_a_distributed_map_reads_its_items_from_s3(endpoint: Any) -> None:
    bucket, s3 = unique("items"), endpoint.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="items.json", Body=json.dumps([1, 2, 3]))
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    reader = {
        "Resource": f"{S}s3:getObject",
        "ReaderConfig": {"InputType": "JSON"},
        "Parameters": {"Bucket": bucket, "Key": "items.json"},
    }
    over = {
        "Type": "Map",
        "ItemReader": reader,
        "ToleratedFailurePercentage": 50,
        "ItemProcessor": {**processor, **machine(P={"Type": "Pass"})},
    }
    assert output(endpoint, machine(Over=over)) == [1, 2, 3]
