"""State machines and executions for the tests of Step Functions."""

from __future__ import annotations

import json
from typing import Any

from tests.local.functions import PATIENCE, make_role, unique, until

S = "arn:aws:states:::"


def machine(**states: dict[str, Any]) -> dict[str, Any]:
    """A definition of the states in order; the last one ends."""
    names = list(states)
    linked = {}
    for name, following in zip(names, [*names[1:], None], strict=True):
        state = dict(states[name])
        if state["Type"] not in ("Choice", "Fail", "Succeed") and "Next" not in state and "End" not in state:
            state |= {"Next": following} if following else {"End": True}
        linked[name] = state
    return {"StartAt": names[0], "States": linked}


def invoke(function: str, payload: Any = None, **more: Any) -> dict[str, Any]:
    parameters = {"FunctionName": function, "Payload": payload or {}}
    return {"Type": "Task", "Resource": f"{S}lambda:invoke", "Parameters": parameters, **more}


def make_machine(endpoint: Any, definition: dict[str, Any], **settings: Any) -> str:
    role = settings.pop("roleArn", None) or make_role(endpoint, "machine-role")
    arn: str = endpoint.client("stepfunctions").create_state_machine(
        name=unique("machine"), definition=json.dumps(definition), roleArn=role, **settings
    )["stateMachineArn"]
    return arn


def start(endpoint: Any, definition: dict[str, Any], given: Any = None, **settings: Any) -> str:
    """The ARN of a new execution of a new state machine."""
    machine_arn = make_machine(endpoint, definition, **settings)
    arn: str = endpoint.client("stepfunctions").start_execution(
        stateMachineArn=machine_arn, name=unique("execution"), input=json.dumps(given or {})
    )["executionArn"]
    return arn


def ended(endpoint: Any, arn: str, seconds: float = PATIENCE) -> dict[str, Any]:
    """DescribeExecution once it does not run any more."""

    def described() -> dict[str, Any] | None:
        found: dict[str, Any] = endpoint.client("stepfunctions").describe_execution(executionArn=arn)
        return found if found["status"] != "RUNNING" else None

    found: dict[str, Any] = until(described, seconds)
    return found


def run(endpoint: Any, definition: dict[str, Any], given: Any = None, **settings: Any) -> dict[str, Any]:
    return ended(endpoint, start(endpoint, definition, given, **settings))


def output(endpoint: Any, definition: dict[str, Any], given: Any = None) -> Any:
    found = run(endpoint, definition, given)
    assert found["status"] == "SUCCEEDED", found
    return json.loads(found["output"])


def history(endpoint: Any, arn: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = endpoint.client("stepfunctions").get_execution_history(executionArn=arn)["events"]
    return events


def types(endpoint: Any, arn: str) -> list[str]:
    return [event["type"] for event in history(endpoint, arn)]


def entered(endpoint: Any, arn: str) -> list[str]:
    """The names of the states in the order in which they were entered."""
    details = [event.get("stateEnteredEventDetails") for event in history(endpoint, arn)]
    return [detail["name"] for detail in details if detail]
