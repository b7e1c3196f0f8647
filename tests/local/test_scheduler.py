"""EventBridge Scheduler on the laptop: schedules fire when they say, as the role that they say."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.functions import make_function, make_role, unique, until
from tests.local.own_endpoint import OwnEndpoint, started


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnEndpoint]:
    yield from started(tmp_path_factory)


@pytest.fixture(scope="module")
def role(laptop: OwnEndpoint) -> str:
    return make_role(laptop, "schedule-role")


class Inbox:
    """A queue as a target, and what came."""

    def __init__(self, laptop: OwnEndpoint) -> None:
        self._sqs = laptop.client("sqs")
        self._url = self._sqs.create_queue(QueueName=unique("inbox"))["QueueUrl"]
        asked = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        self.arn: str = asked["Attributes"]["QueueArn"]

    def open_to(self, service: str) -> None:
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sqs:*", "Resource": self.arn}
        self._sqs.set_queue_attributes(
            QueueUrl=self._url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}
        )

    def next(self) -> dict[str, Any]:
        asked = {"QueueUrl": self._url, "MessageAttributeNames": ["All"]}
        message: dict[str, Any] = until(lambda: self._sqs.receive_message(**asked).get("Messages"), 5)[0]
        self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return message

    def is_empty(self) -> bool:
        time.sleep(0.4)
        return "Messages" not in self._sqs.receive_message(QueueUrl=self._url)


@pytest.fixture
def inbox(laptop: OwnEndpoint) -> Inbox:
    return Inbox(laptop)


def make_schedule(laptop: OwnEndpoint, role: str, arn: str, expression: str, **settings: Any) -> str:
    target = {"Arn": arn, "RoleArn": role, **settings.pop("Target", {})}
    name = unique("schedule")
    laptop.client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression=expression,
        FlexibleTimeWindow=settings.pop("FlexibleTimeWindow", {"Mode": "OFF"}),
        Target=target,
        **settings,
    )
    return name


def test_a_schedule_fires_with_its_context_in_the_input(laptop: OwnEndpoint, role: str, inbox: Inbox) -> None:
    given = json.dumps({"time": "<aws.scheduler.scheduled-time>", "id": "<aws.scheduler.execution-id>",
                        "try": "<aws.scheduler.attempt-number>", "arn": "<aws.scheduler.schedule-arn>"})  # fmt: skip
    name = make_schedule(laptop, role, inbox.arn, "cron(0 * * * ? *)", Target={"Input": given})
    assert inbox.is_empty()
    laptop.advance(hours=1)
    told = json.loads(inbox.next()["Body"])
    moment = datetime.fromisoformat(told["time"])
    assert (moment.minute, moment.second) == (0, 0)
    assert timedelta() <= laptop.now() - moment < timedelta(hours=1)
    assert told["try"] == "1"
    assert len(told["id"]) == 36
    assert told["arn"].endswith(f"schedule/default/{name}")
    laptop.client("scheduler").delete_schedule(Name=name)


def test_every_interval_that_passed_is_fired(laptop: OwnEndpoint, role: str, inbox: Inbox) -> None:
    given = json.dumps({"time": "<aws.scheduler.scheduled-time>"})
    name = make_schedule(laptop, role, inbox.arn, "cron(0 * * * ? *)", Target={"Input": given})
    laptop.advance(hours=3)
    times = sorted(datetime.fromisoformat(json.loads(inbox.next()["Body"])["time"]) for _ in range(3))
    assert [later - earlier for earlier, later in itertools.pairwise(times)] == [timedelta(hours=1)] * 2
    laptop.client("scheduler").delete_schedule(Name=name)
    laptop.advance(hours=2)
    assert inbox.is_empty()


def test_a_function_is_invoked_as_the_schedules_role(laptop: OwnEndpoint, inbox: Inbox) -> None:
    role = make_role(laptop, "caller")
    function = make_function(laptop, "def handle(e, c): print('got', e['pipeline'])")
    arn = laptop.client("lambda").get_function_configuration(FunctionName=function)["FunctionArn"]
    make_schedule(laptop, role, arn, "rate(1 hour)", Target={"Input": '{"pipeline": "tickit"}'})
    logs = laptop.client("logs")

    def lines() -> list[str]:
        try:
            events = logs.filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
        except ClientError:
            return []
        return [event["message"] for event in events]

    until(lambda: "got tickit" in lines(), 5)  # a rate without a start date fires at once
    calls = laptop.calls(role=role.rpartition("/")[2])
    assert [call["action"].partition(":")[0] for call in calls] == ["lambda"]


def test_a_time_zone_moves_the_hour(laptop: OwnEndpoint, role: str, inbox: Inbox) -> None:
    given = json.dumps({"time": "<aws.scheduler.scheduled-time>"})
    make_schedule(
        laptop,
        role,
        inbox.arn,
        "cron(30 6 * * ? *)",
        ScheduleExpressionTimezone="Asia/Kolkata",
        Target={"Input": given},
    )
    laptop.advance(days=1)
    moment = datetime.fromisoformat(json.loads(inbox.next()["Body"])["time"])
    assert (moment.hour, moment.minute) == (1, 0)


def test_at_fires_once_and_the_schedule_goes_when_it_says_so(laptop: OwnEndpoint, role: str, inbox: Inbox) -> None:
    moment = laptop.now() + timedelta(minutes=10)
    name = make_schedule(laptop, role, inbox.arn, f"at({moment:%Y-%m-%dT%H:%M:%S})", ActionAfterCompletion="DELETE")
    laptop.advance(minutes=11)
    assert inbox.next()
    laptop.advance(hours=1)
    assert inbox.is_empty()
    with pytest.raises(ClientError, match="ResourceNotFound"):
        laptop.client("scheduler").get_schedule(Name=name)


def test_a_disabled_schedule_does_not_fire_until_it_is_enabled(laptop: OwnEndpoint, role: str, inbox: Inbox) -> None:
    name = make_schedule(laptop, role, inbox.arn, "cron(0 * * * ? *)", State="DISABLED")
    laptop.advance(hours=2)
    assert inbox.is_empty()
    scheduler = laptop.client("scheduler")
    scheduler.update_schedule(
        Name=name, State="ENABLED", ScheduleExpression="cron(0 * * * ? *)", FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": inbox.arn, "RoleArn": role},
    )  # fmt: skip
    laptop.advance(hours=1)
    assert inbox.next()
    scheduler.delete_schedule(Name=name)


def test_start_and_end_bound_a_schedule(laptop: OwnEndpoint, role: str, inbox: Inbox) -> None:
    now = laptop.now()
    given = json.dumps({"time": "<aws.scheduler.scheduled-time>"})
    begins, ends = now + timedelta(hours=2), now + timedelta(hours=4, minutes=30)
    make_schedule(laptop, role, inbox.arn, "rate(1 hour)", StartDate=begins, EndDate=ends, Target={"Input": given})
    laptop.advance(hours=8)
    times = sorted(datetime.fromisoformat(json.loads(inbox.next()["Body"])["time"]) for _ in range(3))
    assert times[0] == begins.replace(microsecond=0)
    assert times[-1] <= ends
    assert inbox.is_empty()


def test_a_rule_with_a_rate_fires_after_each_interval(laptop: OwnEndpoint, inbox: Inbox) -> None:
    events, name = laptop.client("events"), unique("rule")
    rule = events.put_rule(Name=name, ScheduleExpression="rate(5 minutes)")["RuleArn"]
    inbox.open_to("events.amazonaws.com")
    events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": inbox.arn}])
    assert inbox.is_empty()
    for _ in range(2):
        laptop.advance(minutes=5, seconds=1)
        event = json.loads(inbox.next()["Body"])
        assert (event["detail-type"], event["resources"]) == ("Scheduled Event", [rule])
    assert inbox.is_empty()
    events.disable_rule(Name=name)


def test_what_cannot_be_delivered_goes_to_the_dead_letters(laptop: OwnEndpoint, role: str, inbox: Inbox) -> None:
    gone = "arn:aws:lambda:us-east-1:123456789012:function:gone"
    given = {"Input": '{"a": 1}', "DeadLetterConfig": {"Arn": inbox.arn}}
    name = make_schedule(laptop, role, gone, "rate(1 hour)", Target=given)
    letter = inbox.next()
    assert json.loads(letter["Body"]) == {"a": 1}
    told = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
    assert told["ERROR_CODE"] == "ResourceNotFoundException"
    assert told["TARGET_ARN"] == gone
    assert told["SCHEDULE_ARN"].endswith(name)
    laptop.client("scheduler").delete_schedule(Name=name)


@pytest.mark.parametrize(
    ("arn", "expression", "named"),
    [
        ("arn:aws:sqs:us-east-1:123456789012:q", "cron(0 6 ? * 2#1 *)", "#"),
        ("arn:aws:sqs:us-east-1:123456789012:q", "every day", "every day"),
        ("arn:aws:scheduler:::aws-sdk:sfn:startExecution", "rate(1 day)", "aws-sdk"),
        ("arn:aws:kinesis:us-east-1:123456789012:stream/s", "rate(1 day)", "kinesis"),
    ],
)
def test_what_could_never_fire_is_refused_by_name(
    laptop: OwnEndpoint, role: str, arn: str, expression: str, named: str
) -> None:
    with pytest.raises(ClientError, match=named):
        make_schedule(laptop, role, arn, expression)
