"""Lambda on the laptop: deployed packages run, fail and log as on AWS."""

from __future__ import annotations

import base64
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import start_endpoint
from tests.local.functions import make_function, make_role, package, unique, until


def invoke(endpoint: Any, name: str, event: Any = None, **options: Any) -> tuple[Any, dict[str, Any]]:
    answer = endpoint.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event or {}), **options)
    return json.loads(answer["Payload"].read() or "null"), answer


def log_of(endpoint: Any, group: str) -> list[str]:
    logs = endpoint.client("logs")
    streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
    return [
        event["message"]
        for stream in streams
        for event in logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    ]


def test_a_function_gets_its_event_its_context_and_its_environment(endpoint: Any) -> None:
    code = """
import os
def handle(event, context):
    return {"event": event, "name": context.function_name, "left": context.get_remaining_time_in_millis(),
            "mode": os.environ["MODE"], "home": os.environ.get("HOME"), "arn": context.invoked_function_arn}
"""
    name = make_function(endpoint, code, Environment={"Variables": {"MODE": "fast"}})
    result, answer = invoke(endpoint, name, {"a": [1]})
    assert answer["StatusCode"] == 200
    assert "FunctionError" not in answer
    assert result["event"] == {"a": [1]}
    assert (result["name"], result["mode"], result["home"]) == (name, "fast", None)
    assert result["arn"].endswith(f":function:{name}")
    assert 5_000 < result["left"] <= 10_000


def test_a_warm_function_keeps_its_module_and_answers_in_50_ms(endpoint: Any) -> None:
    name = make_function(
        endpoint, "count = 0\ndef handle(event, context):\n    global count\n    count += 1\n    return count"
    )
    assert [invoke(endpoint, name)[0] for _ in range(3)] == [1, 2, 3]
    started = time.perf_counter()
    for _ in range(10):
        invoke(endpoint, name)
    assert (time.perf_counter() - started) / 10 < 0.05


def test_a_function_calls_with_the_credentials_of_its_role(endpoint: Any) -> None:
    role = make_role(endpoint, "reader")
    code = "import boto3\ndef handle(event, context):\n    return boto3.client('sts').get_caller_identity()['Arn']"
    name = make_function(endpoint, code, Role=role)
    result, _ = invoke(endpoint, name)
    assert f"assumed-role/{role.rpartition('/')[2]}/" in result
    calls = endpoint.calls(role=role.rpartition("/")[2])
    assert "sts:GetCallerIdentity" in [call["action"] for call in calls]


def test_an_exception_is_told_with_its_type_and_its_trace(endpoint: Any) -> None:
    name = make_function(
        endpoint, "class LateError(Exception): ...\ndef handle(e, c):\n    raise LateError('too late')"
    )
    result, answer = invoke(endpoint, name)
    assert answer["FunctionError"] == "Unhandled"
    assert (result["errorType"], result["errorMessage"]) == ("LateError", "too late")
    assert "raise LateError" in result["stackTrace"][0]
    assert result["requestId"]


def test_a_function_that_takes_too_long_is_ended(endpoint: Any) -> None:
    name = make_function(endpoint, "import time\ndef handle(e, c):\n    print('began')\n    time.sleep(30)", Timeout=1)
    started = time.monotonic()
    result, answer = invoke(endpoint, name)
    assert time.monotonic() - started < 4
    assert answer["FunctionError"] == "Unhandled"
    assert result["errorType"] == "Sandbox.Timedout"
    assert result["errorMessage"].endswith("Task timed out after 1.00 seconds")
    assert "began" in log_of(endpoint, f"/aws/lambda/{name}")


def test_a_worker_that_is_killed_is_told_and_replaced(endpoint: Any) -> None:
    code = "import os\ndef handle(e, c):\n    if e.get('die'): os.kill(os.getpid(), 9)\n    return 'alive'"
    name = make_function(endpoint, code)
    result, _ = invoke(endpoint, name, {"die": True})
    assert result["errorType"] == "Runtime.ExitError"
    assert "signal: kill" in result["errorMessage"]
    assert invoke(endpoint, name)[0] == "alive"


def test_a_worker_that_exits_is_told(endpoint: Any) -> None:
    name = make_function(endpoint, "import os\ndef handle(e, c):\n    os._exit(3)")
    result, _ = invoke(endpoint, name)
    assert "exit status 3" in result["errorMessage"]


@pytest.mark.parametrize(
    ("handler", "code", "error"),
    [
        ("nowhere.handle", "", "Runtime.ImportModuleError"),
        ("handler.missing", "", "Runtime.HandlerNotFound"),
        ("handler.handle", "def handle(:", "Runtime.UserCodeSyntaxError"),
        ("handler.handle", "def handle(e, c): return {1, 2}", "Runtime.MarshalError"),
        ("handler.handle", "import yaml\ndef handle(e, c): ...", "Runtime.ImportModuleError"),
        ("handler.handle", "import local\ndef handle(e, c): ...", "Runtime.ImportModuleError"),
    ],
)
def test_a_handler_that_cannot_run_is_told_as_lambda_does(endpoint: Any, handler: str, code: str, error: str) -> None:
    name = make_function(endpoint, code, Handler=handler)
    assert invoke(endpoint, name)[0]["errorType"] == error


def test_the_log_holds_what_the_function_wrote_between_start_and_report(endpoint: Any) -> None:
    code = """
import logging, os
def handle(event, context):
    print("one\\ntwo")
    logging.getLogger().warning("careful %s", 3)
    os.system("echo from a child")
"""
    name = make_function(endpoint, code)
    invoke(endpoint, name)
    lines = log_of(endpoint, f"/aws/lambda/{name}")
    assert lines[0].startswith("START RequestId: ")
    assert lines[1:3] == ["one", "two"]
    assert lines[3].startswith("[WARNING]\t")
    assert lines[3].endswith("\tcareful 3")
    assert lines[4] == "from a child"
    assert lines[-1].startswith("REPORT RequestId: ")


def test_logging_config_names_the_group_and_the_format(endpoint: Any) -> None:
    group = unique("/own/group")
    code = "import logging\ndef handle(e, c): logging.getLogger().error('broken')"
    name = make_function(endpoint, code, LoggingConfig={"LogGroup": group, "LogFormat": "JSON"})
    invoke(endpoint, name)
    lines = [json.loads(line) for line in log_of(endpoint, group)]
    assert [line.get("type") for line in (lines[0], lines[-1])] == ["platform.start", "platform.report"]
    assert (lines[1]["level"], lines[1]["message"]) == ("ERROR", "broken")
    settings = endpoint.client("lambda").get_function_configuration(FunctionName=name)["LoggingConfig"]
    assert settings == {"LogGroup": group, "LogFormat": "JSON"}


def test_the_end_of_the_log_comes_with_the_answer_when_asked(endpoint: Any) -> None:
    name = make_function(endpoint, "def handle(e, c): print('told')")
    _, answer = invoke(endpoint, name, LogType="Tail")
    assert "told" in base64.b64decode(answer["LogResult"]).decode()


def test_new_code_and_new_environment_take_effect(endpoint: Any) -> None:
    name = make_function(endpoint, "def handle(e, c): return 1")
    assert invoke(endpoint, name)[0] == 1
    client = endpoint.client("lambda")
    client.update_function_code(
        FunctionName=name, ZipFile=package("import os\ndef handle(e, c): return os.environ.get('A')")
    )
    assert invoke(endpoint, name)[0] is None
    client.update_function_configuration(FunctionName=name, Environment={"Variables": {"A": "2"}})
    assert invoke(endpoint, name)[0] == "2"


def test_reserved_concurrency_throttles(endpoint: Any) -> None:
    name = make_function(endpoint, "def handle(e, c): return 1")
    endpoint.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError, match="TooManyRequestsException"):
        invoke(endpoint, name)


def test_an_asynchronous_event_answers_at_once_and_runs(endpoint: Any) -> None:
    name = make_function(endpoint, "import time\ndef handle(e, c):\n    time.sleep(1)\n    print('ran', e['n'])")
    started = time.monotonic()
    _, answer = invoke(endpoint, name, {"n": 5}, InvocationType="Event")
    assert answer["StatusCode"] == 202
    assert time.monotonic() - started < 0.7
    until(lambda: "ran 5" in endpoint_log(endpoint, name))


def test_a_failed_asynchronous_event_reaches_the_on_failure_destination(endpoint: Any) -> None:
    queue = endpoint.client("sqs").create_queue(QueueName=unique("failed"))["QueueUrl"]
    arn = endpoint.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    name = make_function(endpoint, "def handle(e, c): raise KeyError('x')")
    endpoint.client("lambda").put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": arn}}
    )
    invoke(endpoint, name, {"n": 5}, InvocationType="Event")
    message = until(lambda: endpoint.client("sqs").receive_message(QueueUrl=queue).get("Messages"))[0]
    record = json.loads(message["Body"])
    assert record["requestPayload"] == {"n": 5}
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["responsePayload"]["errorType"] == "KeyError"


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"Runtime": "nodejs22.x"}, "nodejs22.x"),
        ({"SnapStart": {"ApplyOn": "PublishedVersions"}}, "SnapStart"),
    ],
)
def test_what_has_no_engine_is_refused_by_name(endpoint: Any, settings: dict[str, Any], named: str) -> None:
    with pytest.raises(ClientError, match=named):
        make_function(endpoint, "", **settings)


def test_a_package_that_is_no_zip_is_refused(endpoint: Any) -> None:
    with pytest.raises(ClientError, match="expected a Zip file"):
        endpoint.client("lambda").create_function(
            FunctionName=unique("function"), Role=make_role(endpoint, "r"), Code={"ZipFile": b"text"},
            Runtime="python3.11", Handler="handler.handle",
        )  # fmt: skip


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_the_endpoint(tmp_path: Path, how: signal.Signals) -> None:
    running = start_endpoint(tmp_path, "--lazy")
    code = "import os, subprocess\ndef handle(e, c): return [os.getpid(), subprocess.Popen(['sleep', '60']).pid]"
    worker, child = invoke(running, make_function(running, code))[0]
    assert os.path.exists(f"/proc/{worker}")
    running.process.send_signal(how)
    running.process.wait(10)
    until(lambda: not os.path.exists(f"/proc/{worker}"), 3)
    if how is signal.SIGTERM:
        until(lambda: not os.path.exists(f"/proc/{child}"), 3)
    else:
        os.kill(child, signal.SIGKILL)


def test_an_unknown_function_is_not_found(endpoint: Any) -> None:
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        invoke(endpoint, "nowhere")


def endpoint_log(endpoint: Any, name: str) -> list[str]:
    try:
        return log_of(endpoint, f"/aws/lambda/{name}")
    except ClientError:
        return []
