"""EventBridge on the laptop: rules bring events to their targets, or to the dead letters with the reason."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.executions import ended, machine, make_machine, start
from tests.local.functions import make_function, make_role, unique, until


def make_queue(endpoint: Any, *, open_to: str = "events.amazonaws.com") -> tuple[str, str]:
    """The URL and the ARN of a queue that lets the service send."""
    sqs = endpoint.client("sqs")
    url = sqs.create_queue(QueueName=unique("queue"))["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    if open_to:
        statement = {"Effect": "Allow", "Principal": {"Service": open_to}, "Action": "sqs:SendMessage", "Resource": arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url, arn


def received(endpoint: Any, url: str, seconds: float = 5.0) -> dict[str, Any]:
    sqs = endpoint.client("sqs")
    asked = {"QueueUrl": url, "MessageAttributeNames": ["All"]}
    message: dict[str, Any] = until(lambda: sqs.receive_message(**asked).get("Messages"), seconds)[0]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return message


def nothing_comes(endpoint: Any, url: str) -> bool:
    time.sleep(0.4)
    return "Messages" not in endpoint.client("sqs").receive_message(QueueUrl=url)


def make_rule(endpoint: Any, target: dict[str, Any], pattern: dict[str, Any] | None = None, **settings: Any) -> str:
    """A rule for the pattern, or with `ScheduleExpression`; its ARN."""
    events, name = endpoint.client("events"), unique("rule")
    matching = {"EventPattern": json.dumps(pattern)} if pattern else {}
    arn: str = events.put_rule(Name=name, **matching, **settings)["RuleArn"]
    events.put_targets(Rule=name, Targets=[{"Id": "1", **target}])
    return arn


def put(endpoint: Any, source: str, **detail: Any) -> dict[str, Any]:
    entry = {"Source": source, "DetailType": "Test", "Detail": json.dumps(detail)}
    answer: dict[str, Any] = endpoint.client("events").put_events(Entries=[entry])
    return answer


def test_each_change_of_an_executions_status_is_an_event(endpoint: Any) -> None:
    url, arn = make_queue(endpoint)
    made = make_machine(endpoint, machine(F={"Type": "Fail", "Error": "E", "Cause": "because"}))
    make_rule(endpoint, {"Arn": arn}, {"source": ["aws.states"], "detail": {"stateMachineArn": [made]}})
    client = endpoint.client("stepfunctions")
    execution = client.start_execution(stateMachineArn=made, name="one", input='{"a": 1}')["executionArn"]
    ended(endpoint, execution)
    client.redrive_execution(executionArn=execution)
    found = [json.loads(received(endpoint, url)["Body"]) for _ in range(4)]
    told = sorted((event["detail"]["redriveCount"], event["detail"]["status"]) for event in found)
    assert told == [(0, "FAILED"), (0, "RUNNING"), (1, "FAILED"), (1, "RUNNING")]
    failed = next(event for event in found if event["detail"]["status"] == "FAILED")
    assert failed["detail-type"] == "Step Functions Execution Status Change"
    assert (failed["source"], failed["resources"]) == ("aws.states", [execution])
    assert failed["time"].endswith("Z")
    detail = failed["detail"]
    assert (detail["name"], detail["input"], detail["error"], detail["cause"]) == ("one", '{"a": 1}', "E", "because")
    assert detail["stopDate"] >= detail["startDate"] > 1_600_000_000_000
    assert detail["redriveStatus"] == "REDRIVABLE"


def test_a_rule_matches_by_prefix(endpoint: Any) -> None:
    url, arn = make_queue(endpoint)
    name = unique("prefixed")
    pattern = {"source": ["aws.states"], "detail": {"status": ["SUCCEEDED"], "stateMachineArn": [{"prefix": "arn:"}],
                                                    "name": [{"prefix": name}]}}  # fmt: skip
    make_rule(endpoint, {"Arn": arn}, pattern)
    made = make_machine(endpoint, machine(P={"Type": "Pass"}))
    for execution in (f"{name}-1", unique("other")):
        endpoint.client("stepfunctions").start_execution(stateMachineArn=made, name=execution)
    assert json.loads(received(endpoint, url)["Body"])["detail"]["name"] == f"{name}-1"
    assert nothing_comes(endpoint, url)


def test_an_aborted_and_a_timed_out_execution_are_told(endpoint: Any) -> None:
    url, arn = make_queue(endpoint)
    pattern = {"source": ["aws.states"], "detail": {"status": ["ABORTED", "TIMED_OUT"]}}
    make_rule(endpoint, {"Arn": arn}, pattern)
    waits = machine(W={"Type": "Wait", "Seconds": 30})
    stopped = start(endpoint, waits)
    endpoint.client("stepfunctions").stop_execution(executionArn=stopped, cause="enough")
    late = start(endpoint, {**waits, "TimeoutSeconds": 1})
    found = {
        (detail := json.loads(received(endpoint, url)["Body"])["detail"])["executionArn"]: detail for _ in range(2)
    }
    assert (found[stopped]["status"], found[stopped]["cause"]) == ("ABORTED", "enough")
    assert found[late]["status"] == "TIMED_OUT"


def test_a_function_is_invoked_when_it_lets_the_rule_in(endpoint: Any) -> None:
    url, _queue = make_queue(endpoint)
    dead, letters = make_queue(endpoint)
    code = f"""
import boto3, json
def handle(event, context):
    boto3.client("sqs").send_message(QueueUrl={url!r}, MessageBody=json.dumps(event))
"""
    name, source = make_function(endpoint, code), unique("source")
    arn = endpoint.client("lambda").get_function_configuration(FunctionName=name)["FunctionArn"]
    rule = make_rule(endpoint, {"Arn": arn, "DeadLetterConfig": {"Arn": letters}}, {"source": [source]})
    put(endpoint, source, n=1)
    letter = received(endpoint, dead)
    assert json.loads(letter["Body"])["detail"] == {"n": 1}
    told = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert (told["RULE_ARN"], told["TARGET_ARN"], told["ERROR_CODE"]) == (rule, arn, "NO_PERMISSIONS")
    endpoint.client("lambda").add_permission(
        FunctionName=name,
        StatementId="s",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule,
    )
    put(endpoint, source, n=2)
    assert json.loads(received(endpoint, url)["Body"])["detail"] == {"n": 2}


def test_a_permission_for_another_rule_does_not_count(endpoint: Any) -> None:
    dead, letters = make_queue(endpoint)
    name, source = make_function(endpoint, "def handle(e, c): ..."), unique("source")
    arn = endpoint.client("lambda").get_function_configuration(FunctionName=name)["FunctionArn"]
    make_rule(endpoint, {"Arn": arn, "DeadLetterConfig": {"Arn": letters}}, {"source": [source]})
    endpoint.client("lambda").add_permission(
        FunctionName=name, StatementId="s", Action="lambda:InvokeFunction", Principal="events.amazonaws.com",
        SourceArn="arn:aws:events:us-east-1:123456789012:rule/other",
    )  # fmt: skip
    put(endpoint, source)
    assert received(endpoint, dead)


def test_a_state_machine_is_started_with_the_role_of_the_target(endpoint: Any) -> None:
    made, source = make_machine(endpoint, machine(P={"Type": "Pass"})), unique("source")
    role = make_role(endpoint, "rule-role")
    make_rule(endpoint, {"Arn": made, "RoleArn": role, "InputPath": "$.detail"}, {"source": [source]})
    put(endpoint, source, given=1)
    client = endpoint.client("stepfunctions")
    found = until(lambda: client.list_executions(stateMachineArn=made)["executions"])[0]
    assert json.loads(ended(endpoint, found["executionArn"])["input"]) == {"given": 1}
    calls = endpoint.calls(role=role.rpartition("/")[2])
    assert [call["action"] for call in calls] == ["states:StartExecution"]


def test_a_topic_gets_what_the_template_makes_of_the_event(endpoint: Any) -> None:
    url, queue = make_queue(endpoint, open_to="")
    sns, source = endpoint.client("sns"), unique("source")
    topic = sns.create_topic(Name=unique("topic"))["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
    }
    sns.set_topic_attributes(
        TopicArn=topic, AttributeName="Policy", AttributeValue=json.dumps({"Statement": [statement]})
    )
    transformer = {
        "InputPathsMap": {"who": "$.detail.who", "n": "$.detail.n", "none": "$.detail.none"},
        "InputTemplate": '{"text": "<who> said \\"<n>\\"", "n": <n>, "who": <who>, "none": <none>, '
        '"rule": <aws.events.rule-name>}',
    }
    rule = make_rule(endpoint, {"Arn": topic, "InputTransformer": transformer}, {"source": [source]})
    put(endpoint, source, who="Ann", n=3)
    assert json.loads(received(endpoint, url)["Body"]) == {
        "text": 'Ann said "3"',
        "n": 3,
        "who": "Ann",
        "none": None,
        "rule": rule.rpartition("/")[2],
    }


def test_a_template_may_be_plain_text_and_an_input_constant(endpoint: Any) -> None:
    source, (url, queue) = unique("source"), make_queue(endpoint)
    transformer = {"InputPathsMap": {"who": "$.detail.who"}, "InputTemplate": "Hello <who>"}
    make_rule(endpoint, {"Arn": queue, "InputTransformer": transformer}, {"source": [source]})
    make_rule(endpoint, {"Arn": queue, "Input": '{"fixed": 1}'}, {"source": [source]})
    put(endpoint, source, who="Ann")
    assert {received(endpoint, url)["Body"] for _ in range(2)} == {"Hello Ann", '{"fixed": 1}'}


def test_a_disabled_rule_and_a_rule_with_a_schedule_match_nothing(endpoint: Any) -> None:
    source, (url, queue) = unique("source"), make_queue(endpoint)
    make_rule(endpoint, {"Arn": queue}, {"source": [source]}, State="DISABLED")
    make_rule(endpoint, {"Arn": queue}, ScheduleExpression="rate(1 day)")
    put(endpoint, source)
    assert nothing_comes(endpoint, url)


def test_nobody_can_speak_for_aws(endpoint: Any) -> None:
    answer = put(endpoint, "aws.states", status="FAILED")
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSource"


@pytest.mark.parametrize(
    ("target", "named"),
    [
        ({"Arn": "arn:aws:kinesis:us-east-1:123456789012:stream/s"}, "kinesis"),
        ({"Arn": "arn:aws:sqs:us-east-1:123456789012:q", "EcsParameters": {"TaskDefinitionArn": "x"}}, "EcsParameters"),
        ({"Arn": "arn:aws:sqs:us-east-1:123456789012:q", "InputPath": "$..deep"}, "deep"),
        ({"Arn": "arn:aws:states:us-east-1:123456789012:stateMachine:m"}, "RoleArn"),
    ],
)
def test_a_target_that_has_no_delivery_is_refused_by_name(endpoint: Any, target: dict[str, Any], named: str) -> None:
    with pytest.raises(ClientError, match=named):
        make_rule(endpoint, target, {"source": ["x"]})


@pytest.mark.parametrize(
    "expression", ["rate(1 minutes)", "rate(0 hours)", "cron(0 6 * * *)", "cron(0 6 L * ? *)", "daily"]
)
def test_an_expression_that_cannot_fire_is_refused(endpoint: Any, expression: str) -> None:
    with pytest.raises(ClientError, match="ScheduleExpression is not valid"):
        make_rule(endpoint, {"Arn": make_queue(endpoint)[1]}, ScheduleExpression=expression)


def test_a_target_that_is_gone_is_not_tried_again(endpoint: Any) -> None:
    (dead, letters), source = make_queue(endpoint), unique("source")
    gone = "arn:aws:states:us-east-1:123456789012:stateMachine:gone"
    target = {"Arn": gone, "RoleArn": make_role(endpoint, "rule-role"), "DeadLetterConfig": {"Arn": letters}}
    make_rule(endpoint, target, {"source": [source]})
    put(endpoint, source)
    told = received(endpoint, dead)["MessageAttributes"]
    assert told["ERROR_CODE"]["StringValue"] == "StateMachineDoesNotExist"
    assert told["RETRY_ATTEMPTS"]["StringValue"] == "0"
