"""Tasks of state machines: whom they call, as whom, and how they fail."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.local.executions import S, ended, invoke, machine, make_machine, output, run, start, types
from tests.local.functions import make_function, make_role, unique, until

FAILS = "class OddError(Exception): ...\ndef handle(e, c):\n    raise OddError('odd')"
ECHO = "def handle(e, c): return e"


@pytest.fixture(scope="module")
def echo(endpoint: Any) -> str:
    return make_function(endpoint, ECHO)


@pytest.fixture(scope="module")
def fails(endpoint: Any) -> str:
    return make_function(endpoint, FAILS)


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
    assert {"lambda:Invoke", "sts:GetCallerIdentity"} <= {call["action"] for call in endpoint.calls(role=name)}


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


def test_a_child_execution_is_waited_for(endpoint: Any) -> None:
    child = make_machine(endpoint, machine(P={"Type": "Pass", "Result": {"c": 1}}))
    parameters = {"StateMachineArn": child, "Input": {"a": 1}}
    task = {"Type": "Task", "Resource": f"{S}states:startExecution.sync:2", "Parameters": parameters}
    assert output(endpoint, machine(Child=task))["Output"] == {"c": 1}


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
