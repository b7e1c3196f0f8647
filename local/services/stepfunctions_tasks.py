"""What tasks call: services of this endpoint, as the state machine's role, in AWS's shapes and error names."""

from __future__ import annotations

import re
import sys
import threading
from datetime import date, datetime
from typing import Any

from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from moto.glue.models import glue_backends
from moto.stepfunctions.models import stepfunctions_backends
from moto.stepfunctions.parser.api import HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk import (
    StateTaskServiceAwsSdk,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.utils import boto_client
from moto.stepfunctions.parser.asl.utils.encoding import to_json_str

from local.services.role_clients import RoleClients
from local.services.seams import patch
from local.services.stepfunctions_definition import SDK_SERVICES, model_client

STATES = "moto.stepfunctions.parser.asl.component.state.exec"
SERVICES = f"{STATES}.state_task.service"
POLL_SECONDS = 0.1
GOOD_STATES = {"SUCCEEDED"}
BAD_STATES = {"FAILED", "TIMEOUT", "ERROR", "STOPPED", "EXPIRED"}


class TaskGivenUpError(Exception):
    """The task was waited for no longer: the execution was stopped, or it took too long."""


def with_text(value: Any, dates: Any) -> Any:
    """The value as JSON can hold it; `dates` says how a point in time is written."""
    if isinstance(value, dict):
        return {key: with_text(one, dates) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [with_text(one, dates) for one in value]
    if isinstance(value, datetime | date):
        return dates(value)
    if isinstance(value, StreamingBody):
        return value.read().decode("utf-8", "replace")
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value


def as_iso(moment: Any) -> str:
    return str(moment.isoformat()).replace("+00:00", "Z")


def as_milliseconds(moment: Any) -> int:
    return int(moment.timestamp() * 1000)


def sdk_error_prefix(task: Any) -> str:
    """The service's name in error names, as the Java SDK writes it: DynamoDb, S3, SecretsManager."""
    words = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+", api_of(task).service_model.service_id)
    return "".join(word.capitalize() for word in words)


def api_of(task: Any, service: str | None = None) -> Any:
    name = task._get_boto_service_name(service)
    return model_client(SDK_SERVICES.get(name, name)).meta


def shape_of(task: Any, which: str, service: str | None, action: str | None) -> Any:
    api = api_of(task, service)
    operation = api.method_to_api_mapping.get(task._get_boto_service_action(action))
    return getattr(api.service_model.operation_model(operation), which) if operation else None


def give_parameters(
    task: Any, parameters: dict[str, Any], boto_service_name: Any = None, service_action_name: Any = None
) -> None:
    shape = shape_of(task, "input_shape", boto_service_name, service_action_name)
    if shape is not None:
        task._to_boto_request(parameters, shape)


def give_result(task: Any, response: Any, boto_service_name: Any = None, service_action_name: Any = None) -> None:
    """In place, since moto keeps the object: text for dates and bodies, and Step Functions' upper first letters."""
    if not isinstance(response, dict):
        return
    shape = shape_of(task, "output_shape", boto_service_name, service_action_name)
    members = shape.members if shape is not None else {}
    for key in list(response):
        name = key[:1].upper() + key[1:] if key in members else key
        response[name] = with_text(response.pop(key), as_iso)


def wait_for_job_run(task: Any, env: Any, resource_runtime_part: Any, state_credentials: Any, **_: Any) -> None:
    """`.sync` of Glue: until the job run ends; one that is waited for no longer is stopped, as AWS does."""
    started = env.stack.pop()
    glue = task._get_glue_client(resource_runtime_part, state_credentials)
    name, run_id = started["JobName"], started["JobRunId"]
    ended = end_of(env, name, run_id)
    while env.is_running():
        job_run = glue.get_job_run(JobName=name, RunId=run_id)["JobRun"]
        told = {**with_text(job_run, as_milliseconds), "JobName": name}
        if job_run["JobRunState"] in GOOD_STATES:
            env.stack.append(told)
            return
        if job_run["JobRunState"] in BAD_STATES:
            raise FailureEventException(task_failed(task, env, to_json_str(told, separators=(",", ":"))))
        while env.is_running() and not ended.wait(POLL_SECONDS):
            pass  # to ask Glue each time would take a tenth of what the job run has
    glue.batch_stop_job_run(JobName=name, JobRunIds=[run_id])
    raise TaskGivenUpError(f"The job run '{run_id}' of '{name}' was stopped: its task is waited for no longer.")


def end_of(env: Any, name: str, run_id: str) -> threading.Event:
    """Set once the job run is over."""
    at = env.aws_execution_details
    job_run: Any = glue_backends[at.account][at.region].get_job_run(name, run_id)
    ended: threading.Event = job_run.work.done
    return ended


def task_failed(task: Any, env: Any, cause: str) -> FailureEvent:
    failed = StatesErrorNameType.StatesTaskFailed
    details = {
        "resource": task._get_sfn_resource(),
        "resourceType": task._get_sfn_resource_type(),
        "error": failed.to_name(),
        "cause": cause,
    }
    return FailureEvent(
        env=env,
        error_name=StatesErrorName(typ=failed),
        event_type=HistoryEventType.TaskFailed,
        event_details=EventDetails(taskFailedEventDetails=details),  # type: ignore[typeddict-item]
    )


def sdk_failure(task: Any, error: ClientError) -> tuple[str, str]:
    """The error name and the cause of an aws-sdk task, as AWS writes them."""
    service = sdk_error_prefix(task)
    shape = type(error).__name__
    name = service if shape == "ClientError" else shape
    name = name if name.endswith("Exception") else f"{name}Exception"
    told = error.response["ResponseMetadata"]
    details = f"Service: {service}, Status Code: {told['HTTPStatusCode']}, Request ID: {told.get('RequestId', '')}"
    return f"{service}.{name}", f"{error.response['Error']['Message']} ({details})"


def error_of_branch(error_name: str) -> Any:
    """Of a branch or an iteration: moto takes it for the user's own, which must not begin with `States.`."""
    try:
        return StatesErrorName.from_name(error_name)
    except ValueError:
        return CustomErrorName(error_name)


def install(clients: RoleClients) -> None:
    def client_for(region: str, service: str, state_credentials: Any = None) -> Any:
        role = state_credentials.role_arn
        machines = stepfunctions_backends[role.split(":")[4]][region].state_machines
        source = next((each.arn for each in machines if each.roleArn == role), "")
        return clients.of(SDK_SERVICES.get(service, service), role, source)

    ours = boto_client.boto_client_for
    for module in list(sys.modules.values()):
        if getattr(module, "boto_client_for", None) is ours:
            patch(f"{module.__name__}:boto_client_for", client_for)
    patch(f"{STATES}.state_parallel.branches_decl:CustomErrorName", error_of_branch)
    patch(f"{STATES}.state_map.iteration.iteration_worker:CustomErrorName", error_of_branch)
    before = StateTaskServiceAwsSdk._from_error

    def from_error(task: Any, env: Any, ex: Exception) -> Any:
        if isinstance(ex, ClientError):
            return task._get_task_failure_event(env, *sdk_failure(task, ex))
        return before(task, env, ex)

    patch(f"{SERVICES}.state_task_service:StateTaskService._normalise_parameters", give_parameters)
    patch(f"{SERVICES}.state_task_service:StateTaskService._normalise_response", give_result)
    patch(f"{SERVICES}.state_task_service_glue:StateTaskServiceGlue._eval_integration_pattern", wait_for_job_run)
    patch(f"{SERVICES}.state_task_service_callback:_DELAY_SECONDS_SYNC_CONDITION_CHECK", POLL_SECONDS)
    patch(f"{SERVICES}.state_task_service_aws_sdk:StateTaskServiceAwsSdk._from_error", from_error)
