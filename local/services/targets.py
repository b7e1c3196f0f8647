"""Delivery to a target of a rule, a schedule or a function: as a role, or as a service that its policy lets in."""

from __future__ import annotations

import fnmatch
import json
import time
import uuid
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from local.endpoint import Endpoint
    from local.services.role_clients import RoleClients

SUPPORTED = ("lambda", "sqs", "sns", "states", "events", "logs")


class UnsupportedTargetError(Exception):
    """A target of a service that nothing here delivers to."""

    def __init__(self, arn: str) -> None:
        super().__init__(f"The target '{arn}': the laptop delivers to {', '.join(SUPPORTED)}. Use one of them.")


class NotPermittedError(Exception):
    """The target's resource policy does not let the service in."""


def service_of(arn: str) -> str:
    parts = arn.split(":")
    service = parts[2] if len(parts) > 5 else ""
    if service not in SUPPORTED:
        raise UnsupportedTargetError(arn)
    return service


def send(client_of: Any, arn: str, body: str, parameters: dict[str, Any] | None = None) -> None:
    """Hand the body to the target with the client that `client_of(service)` answers."""
    given = parameters or {}
    match service_of(arn):
        case "lambda":
            client_of("lambda").invoke(FunctionName=arn, Payload=body.encode(), InvocationType="Event")
        case "states":
            name = {"name": given["Name"]} if "Name" in given else {}
            client_of("stepfunctions").start_execution(stateMachineArn=arn, input=body, **name)
        case "sns":
            client_of("sns").publish(TopicArn=arn, Message=body)
        case "sqs":
            group = given.get("MessageGroupId")
            fifo = {"MessageGroupId": group} if group else {}
            client_of("sqs").send_message(QueueUrl=queue_url(client_of, arn), MessageBody=body, **fifo)
        case "events":
            put_event(client_of("events"), arn, body, given)
        case "logs":
            put_log_line(client_of("logs"), arn, body)


def send_as_role(
    clients: RoleClients, role: str, arn: str, body: str, parameters: dict[str, Any] | None = None, source: str = ""
) -> None:
    send(lambda service: clients.of(service, role, source), arn, body, parameters)


def send_as_service(
    endpoint: Endpoint, principal: str, source_arn: str, arn: str, body: str, parameters: dict[str, Any] | None = None
) -> None:
    """As `events.amazonaws.com`, for one: the target's own policy must allow it, as on AWS."""
    policy = resource_policy(endpoint, arn)
    if not allows(policy, principal, source_arn, endpoint.account):
        raise NotPermittedError(
            f"The target '{arn}': its policy does not let {principal} in for {source_arn}. Give it that permission."
        )
    send(endpoint.client, arn, body, parameters)


def queue_url(client_of: Any, arn: str) -> str:
    account, name = arn.split(":")[4:6]
    url: str = client_of("sqs").get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
    return url


def put_event(client: Any, arn: str, body: str, given: dict[str, Any]) -> None:
    event = json.loads(body)
    source, kind = given.get("Source"), given.get("DetailType")
    entry = {
        "Source": source or event.get("source", "lambda"),
        "DetailType": kind or event.get("detail-type", "Lambda Function Invocation Result"),
        "Detail": json.dumps(event["detail"]) if "detail" in event and not source else body,
        "EventBusName": arn,
    }
    client.put_events(Entries=[entry])


def put_log_line(client: Any, arn: str, body: str) -> None:
    group, stream = arn.split("log-group:")[1].removesuffix(":*"), str(uuid.uuid4())
    client.create_log_stream(logGroupName=group, logStreamName=stream)
    event = {"timestamp": int(time.time() * 1000), "message": body}
    client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])


def resource_policy(endpoint: Endpoint, arn: str) -> dict[str, Any] | None:
    """The policy of a function, a queue or a topic; None for targets that need none."""
    try:
        match service_of(arn):
            case "lambda":
                text = endpoint.client("lambda").get_policy(FunctionName=arn)["Policy"]
            case "sqs":
                url = queue_url(endpoint.client, arn)
                asked = endpoint.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
                text = asked.get("Attributes", {}).get("Policy", "{}")
            case "sns":
                text = endpoint.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"].get("Policy", "{}")
            case _:
                return None
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException" and ":lambda:" in arn:
            return {}
        raise
    policy: dict[str, Any] = json.loads(text or "{}")
    return policy


def allows(policy: dict[str, Any] | None, principal: str, source_arn: str, account: str) -> bool:
    """Whether a statement lets the service in for this source; a condition that we do not know lets nothing in."""
    if policy is None:
        return True
    facts = {"aws:sourcearn": source_arn, "aws:sourceaccount": account}
    return any(
        statement.get("Effect") == "Allow"
        and principal in listed((statement.get("Principal") or {}), "Service")
        and all(holds(test, wanted, facts) for test, wanted in (statement.get("Condition") or {}).items())
        for statement in policy.get("Statement", [])
    )


def listed(principal: Any, kind: str) -> list[str]:
    if not isinstance(principal, dict):
        return []
    named = principal.get(kind, [])
    return [named] if isinstance(named, str) else list(named)


def holds(test: str, wanted: dict[str, Any], facts: dict[str, str]) -> bool:
    if test not in ("ArnLike", "ArnEquals", "StringLike", "StringEquals"):
        return False
    like = test.endswith("Like") or test == "ArnEquals"
    for key, values in wanted.items():
        fact = facts.get(key.lower())
        options = [values] if isinstance(values, str) else values
        if fact is None or not any(fnmatch.fnmatchcase(fact, one) if like else fact == one for one in options):
            return False
    return True
