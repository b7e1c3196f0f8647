"""What no state machine may do, and that ours do not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from datalake.definition import DefinitionError, check
from tests.synth.synthesized import Synthesized

WAITING = "arn:aws:states:::glue:startJobRun.sync"
TASK = {"Type": "Task", "Resource": WAITING, "TimeoutSeconds": 60, "End": True}


def _definition(task: dict[str, Any], **states: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": "Work", "States": {"Work": {**TASK, **task}, **states}}


def _refused(definition: dict[str, Any], problem: str) -> None:
    with pytest.raises(DefinitionError, match=problem):
        check("tickit", definition, {})


def test_a_task_that_waits_and_ends_is_accepted() -> None:
    check("tickit", _definition({}), {})


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:states:::glue:startJobRun",
        "arn:aws:states:::aws-sdk:glue:startJobRun",
        "arn:aws:states:::aws-sdk:glue:startCrawler",
        "arn:aws:states:::athena:startQueryExecution",
        "arn:aws:states:::states:startExecution",
        "arn:aws:states:::batch:submitJob",
        "arn:aws:states:::ecs:runTask",
        "arn:aws:states:::sagemaker:createTrainingJob",
        "arn:aws:states:::elasticmapreduce:addStep",
        "arn:aws:states:::aws-sdk:lambda:invokeAsync",
    ],
)
def test_a_start_that_does_not_wait_is_refused(resource: str) -> None:
    _refused(_definition({"Resource": resource}), r"state 'Work' starts '.*' and does not wait")


@pytest.mark.parametrize("suffix", [".sync", ".sync:2", ".waitForTaskToken"])
def test_a_start_that_waits_is_accepted(suffix: str) -> None:
    check("tickit", _definition({"Resource": f"arn:aws:states:::states:startExecution{suffix}"}), {})


@pytest.mark.parametrize("parameters", [{"InvocationType": "Event"}, {"InvocationType.$": "$.how"}])
def test_a_function_that_is_only_told_to_start_is_refused(parameters: dict[str, str]) -> None:
    task = {"Resource": "arn:aws:states:::lambda:invoke", "Parameters": parameters}
    _refused(_definition(task), "does not wait")


def test_a_task_that_nobody_knows_is_refused() -> None:
    _refused(_definition({"Resource": "glue"}), "calls 'glue': expected a service integration")


def test_a_task_without_a_time_out_is_refused() -> None:
    task = {key: value for key, value in TASK.items() if key != "TimeoutSeconds"}
    _refused({"StartAt": "Work", "States": {"Work": task}}, "state 'Work' has no TimeoutSeconds")


@pytest.mark.parametrize(
    "errors", [["States.ALL"], ["States.TaskFailed"], ["States.Timeout"], ["Glue.ThrottlingException", "Boom"]]
)
def test_a_retry_of_an_error_that_lasts_is_refused(errors: list[str]) -> None:
    _refused(_definition({"Retry": [{"ErrorEquals": errors}]}), f"retries '{errors[-1]}'")


def test_a_retry_of_transient_errors_is_accepted() -> None:
    check("tickit", _definition({"Retry": [{"ErrorEquals": ["Glue.ThrottlingException"]}]}), {})


def test_a_catch_that_leads_to_fail_is_refused() -> None:
    task = {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Broken"}]}
    _refused(_definition(task, Broken={"Type": "Fail"}), "state 'Work' has a Catch that leads to Fail by 'Broken'")


def test_a_catch_that_leads_to_fail_by_other_states_is_refused() -> None:
    task = {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Tell"}]}
    tell = {**TASK, "Next": "Which"}
    which = {"Type": "Choice", "Choices": [{"Variable": "$.a", "IsNull": True, "Next": "Broken"}], "Default": "Done"}
    _refused(_definition(task, Tell=tell, Which=which, Broken={"Type": "Fail"}, Done={"Type": "Succeed"}), "by 'Tell'")


def test_a_catch_that_mends_is_accepted() -> None:
    task = {"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Mend"}]}
    check("tickit", _definition(task, Mend={**TASK}), {})


@pytest.mark.parametrize("key", ["ItemProcessor", "Iterator", "Branches"])
def test_states_inside_others_obey_too(key: str) -> None:
    inner = {"StartAt": "Inner", "States": {"Inner": {**TASK, "Resource": "arn:aws:states:::glue:startJobRun"}}}
    around = {
        "Type": "Parallel" if key == "Branches" else "Map",
        key: [inner] if key == "Branches" else inner,
        "End": True,
    }
    _refused({"StartAt": "Around", "States": {"Around": around}}, "state 'Inner' starts")


def test_a_placeholder_that_nothing_fills_is_refused() -> None:
    task = {"Resource": "${PlanFuction}"}
    with pytest.raises(DefinitionError, match=r"placeholder '\$\{PlanFuction\}': expected one of PlanFunction"):
        check("tickit", _definition(task), {"PlanFunction": "arn"})


def test_every_state_machine_that_is_deployed_obeys(lake: Synthesized) -> None:
    machines = lake.properties("StepFunctions::StateMachine")
    assert machines
    for machine in machines:
        check(machine["StateMachineName"], json.loads(machine["DefinitionString"]), machine["DefinitionSubstitutions"])
