"""Step Functions: moto's interpreter runs definitions, but its `.sync` of Glue fails, it cannot redrive, it loses the
error of a stopped execution, tells nobody of a status change, calls services with made-up credentials, and takes
definitions that it cannot run.
"""

from __future__ import annotations

import copy
import json
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from moto.core.base_backend import BackendDict
from moto.core.exceptions import AWSError
from moto.stepfunctions.exceptions import InvalidExecutionInput, ValidationException
from moto.stepfunctions.models import StepFunctionBackend
from moto.stepfunctions.parser.models import StepFunctionsParserBackend

from local.services import iam_services, stepfunctions_api, stepfunctions_tasks
from local.services.role_clients import RoleClients
from local.services.seams import patch
from local.services.stepfunctions_definition import check, refuse
from local.services.stepfunctions_execution import Run
from local.services.stepfunctions_status import StatusReports

if TYPE_CHECKING:
    from local.endpoint import Endpoint

NAMES_KEPT_DAYS = 90
LARGEST_INPUT = 262_144
SERVICE = "Step Functions"

FIDELITY = (
    (SERVICE, "Task, Choice, Pass, Wait, Fail, Succeed, Parallel, inline Map, Retry, Catch, time-outs, JSONPath",
     "moto's interpreter", "real"),
    (SERVICE, "integrations: Lambda, Glue (.sync), SNS, SQS, EventBridge, DynamoDB, aws-sdk", "this endpoint", "real"),
    (SERVICE, "every task calls with the credentials of the state machine's role", "STS of this endpoint", "real"),
    (SERVICE, "redrive: from the failed state, history kept, redrive count", "ours", "real"),
    (SERVICE, "stop: aborts and stops the job run that is waited for", "ours", "real"),
    (SERVICE, "status changes to EventBridge, history to CloudWatch Logs", "ours", "real"),
    (SERVICE, "stop: a child execution that is waited for goes on", "moto's interpreter", "simulated"),
    (SERVICE, "redrive of a failed Map or Parallel", "all its iterations and branches run again", "simulated"),
    (SERVICE, "a task that takes too long: its Glue job run is stopped", "ours", "simulated"),
    (SERVICE, "distributed Map: ItemReader, ResultWriter, tolerated failures; no child executions are listed",
     "moto's interpreter", "simulated"),
    (SERVICE, "X-Ray tracing, encryption configuration", "kept, without effect", "simulated"),
    (SERVICE, "Express state machines, JSONata, variables, ItemBatcher, activities, heartbeats, task credentials, "
     "other .sync integrations, TestState, StartSyncExecution", "", "refused"),
)  # fmt: skip


class StateMachineAlreadyExistsError(AWSError):
    """Another definition has the name."""

    TYPE = "StateMachineAlreadyExists"
    STATUS = 400


class RoleNotTrustingError(AWSError):
    """AccessDeniedException of CreateStateMachine and UpdateStateMachine."""

    TYPE = "AccessDeniedException"
    STATUS = 400


def check_role(role: str, machine: str) -> None:
    try:
        iam_services.check(role, "states", machine.split(":")[3], machine)
    except iam_services.RoleNotAssumedError as error:
        raise RoleNotTrustingError(
            "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume"
            " the provided role."
        ) from error


class StateMachines(StepFunctionsParserBackend):
    """moto's state machines, which start executions of ours."""

    reports: StatusReports

    @staticmethod
    def _validate_definition(definition: str) -> None:
        check(definition)

    def create_state_machine(self, name: str, definition: str, roleArn: str, *args: Any, **kwargs: Any) -> Any:
        check(definition)
        if kwargs.get("sm_type") == "EXPRESS":
            raise refuse("type EXPRESS", name)
        existing = next((machine for machine in self.state_machines if machine.name == name), None)
        if existing is not None and existing.definition != definition:
            raise StateMachineAlreadyExistsError(f"State Machine Already Exists: '{existing.arn}'")
        check_role(roleArn, f"arn:aws:states:{self.region_name}:{self.account_id}:stateMachine:{name}")
        return StepFunctionBackend.create_state_machine(self, name, definition, roleArn, *args, **kwargs)

    def update_state_machine(self, arn: str, *args: Any, **kwargs: Any) -> Any:
        if role := kwargs.get("role_arn"):
            check_role(role, arn)
        return super().update_state_machine(arn, *args, **kwargs)

    def start_execution(
        self, state_machine_arn: str, name: Any = None, execution_input: Any = None, trace_header: Any = None
    ) -> Any:
        given = execution_input or "{}"
        check_input(given)
        called = name or str(uuid.uuid4())
        self._validate_name(called)
        machine = self.describe_state_machine(state_machine_arn)
        self._forget_old(machine)
        existing = machine._handle_name_input_idempotency(called, given)
        if existing is not None:
            return existing
        run = self._run(machine, called, given, trace_header)
        machine.executions.append(run)  # type: ignore[arg-type]
        run.start()
        return run

    def _run(self, machine: Any, name: str, given: str, trace_header: Any) -> Run:
        as_it_is_now = snapshot(machine)
        return Run(
            self.reports,
            name=name,
            sm_type=as_it_is_now.sm_type,
            role_arn=as_it_is_now.roleArn,
            exec_arn=f"{machine.arn.replace(':stateMachine:', ':execution:')}:{name}",
            account_id=self.account_id,
            region_name=self.region_name,
            state_machine=as_it_is_now,
            start_date=self.reports.now(),
            cloud_watch_logging_session=None,
            input_data=given,
            trace_header=trace_header,
            activity_store={},
        )

    def _forget_old(self, machine: Any) -> None:
        """A name is free again 90 days after its execution closed."""
        limit = self.reports.now() - timedelta(days=NAMES_KEPT_DAYS)
        machine.executions[:] = [run for run in machine.executions if run.stop_date is None or run.stop_date > limit]


def snapshot(machine: Any) -> Any:
    """The state machine as this execution runs it, whatever is deployed later."""
    same = copy.copy(machine)
    same.executions = []
    return same


def check_input(given: str) -> None:
    if len(given.encode()) > LARGEST_INPUT:
        raise ValidationException(
            "1 validation error detected: Value at 'input' failed to satisfy constraint: "
            f"Member must have length less than or equal to {LARGEST_INPUT}"
        )
    try:
        json.loads(given)
    except ValueError as error:
        raise InvalidExecutionInput(f"Invalid State Machine Execution Input: '{error}'") from error


def install(endpoint: Endpoint) -> None:
    StateMachines.reports = StatusReports(endpoint)
    patch(
        "moto.stepfunctions.parser.models:stepfunctions_parser_backends",
        BackendDict(StateMachines, "stepfunctions"),
    )
    stepfunctions_tasks.install(RoleClients(endpoint, "states"))
    stepfunctions_api.install()
