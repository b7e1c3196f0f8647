"""Definitions of state machines: what is taken, and what is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.executions import S, ended, machine, make_machine
from tests.local.functions import make_role, unique

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


def test_an_update_counts_for_the_next_execution(endpoint: Any) -> None:
    client = endpoint.client("stepfunctions")
    arn = make_machine(endpoint, machine(W={"Type": "Wait", "Seconds": 1}, P={"Type": "Pass", "Result": "old"}))
    before = client.start_execution(stateMachineArn=arn)["executionArn"]
    client.update_state_machine(
        stateMachineArn=arn, definition=json.dumps(machine(P={"Type": "Pass", "Result": "new"}))
    )
    after = client.start_execution(stateMachineArn=arn)["executionArn"]
    shown = client.describe_state_machine_for_execution(executionArn=before)["definition"]
    assert json.loads(shown)["StartAt"] == "W"
    assert [json.loads(ended(endpoint, one)["output"]) for one in (before, after)] == ["old", "new"]
