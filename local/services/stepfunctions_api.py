"""The calls of Step Functions whose answers moto leaves out or leaves thin: describe, list, stop, redrive, history."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import AWSError
from moto.core.responses import ActionResult

from local.services.seams import add, patch

if TYPE_CHECKING:
    from local.services.stepfunctions_execution import Run

RESPONSES = "moto.stepfunctions.responses:StepFunctionResponse"


class StateMachineTypeNotSupportedError(AWSError):
    """The operation is for Express state machines only, which the laptop does not run."""

    TYPE = "StateMachineTypeNotSupported"
    STATUS = 400


def described(run: Run) -> dict[str, Any]:
    """DescribeExecution of a run."""
    reason = run.why_not_redrivable()
    found = {
        **listed(run),
        "input": run.execution_input,
        "inputDetails": {"included": True},
        "redriveStatus": "NOT_REDRIVABLE" if reason else "REDRIVABLE",
        "redriveStatusReason": reason,
        "error": run.error,
        "cause": run.cause,
    }
    if run.status == "SUCCEEDED":
        found.update(output=json.dumps(run.output), outputDetails={"included": True})
    return {name: value for name, value in found.items() if value is not None}


def listed(run: Run) -> dict[str, Any]:
    found = {
        "executionArn": run.exec_arn,
        "stateMachineArn": run.state_machine.arn,
        "name": run.name,
        "status": run.status,
        "startDate": run.start_date,
        "stopDate": run.stop_date,
        "redriveCount": run.redrive_count,
        "redriveDate": run.redrive_date,
    }
    return {name: value for name, value in found.items() if value is not None}


def describe_execution(self: Any) -> ActionResult:
    return ActionResult(described(self.stepfunction_backend.describe_execution(self._get_param("executionArn"))))


def list_executions(self: Any) -> ActionResult:
    found, next_token = self.stepfunction_backend.list_executions(
        self._get_param("stateMachineArn"),
        status_filter=self._get_param("statusFilter"),
        max_results=self._get_int_param("maxResults"),
        next_token=self._get_param("nextToken"),
    )
    wanted = {"REDRIVEN": True, "NOT_REDRIVEN": False}.get(self._get_param("redriveFilter"))
    runs = [listed(run) for run in found if wanted is None or bool(run.redrive_count) is wanted]
    return ActionResult({"executions": runs, "nextToken": next_token})


def stop_execution(self: Any) -> ActionResult:
    run = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    run.stop(run.reports.now(), self._get_param("error"), self._get_param("cause"))
    return ActionResult({"stopDate": run.stop_date})


def redrive_execution(self: Any) -> ActionResult:
    run = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    return ActionResult({"redriveDate": run.redrive(self._get_param("clientToken"))})


def start_sync_execution(self: Any) -> ActionResult:
    raise StateMachineTypeNotSupportedError("This operation is not supported by this type of state machine")


def get_execution_history(self: Any) -> ActionResult:
    run = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
    events = run.attempt.events()
    if self._get_bool_param("reverseOrder"):
        events.reverse()
    begin = int(self._get_param("nextToken") or 0)
    end = begin + (self._get_int_param("maxResults") or 1000)
    more = {"nextToken": str(end)} if end < len(events) else {}
    return ActionResult({"events": events[begin:end], **more})


def describe_state_machine_for_execution(self: Any) -> ActionResult:
    """As it was when the execution began."""
    machine = self.stepfunction_backend.describe_execution(self._get_param("executionArn")).state_machine
    return ActionResult(
        {
            "stateMachineArn": machine.arn,
            "name": machine.name,
            "definition": machine.definition,
            "roleArn": machine.roleArn,
            "updateDate": machine.update_date,
            "loggingConfiguration": machine.loggingConfiguration,
            "tracingConfiguration": machine.tracingConfiguration,
            "encryptionConfiguration": machine.encryptionConfiguration,
        }
    )


def install() -> None:
    for action in (
        describe_execution,
        describe_state_machine_for_execution,
        get_execution_history,
        list_executions,
        stop_execution,
    ):
        patch(f"{RESPONSES}.{action.__name__}", action)
    for action in (redrive_execution, start_sync_execution):
        add(f"{RESPONSES}.{action.__name__}", action)
