"""State machine definitions: what the interpreter cannot do is refused by name, before anything runs."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.exceptions import UnknownServiceError
from moto.core.exceptions import AWSError
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.utils import camel_to_snake_case

SERVICE_TASK = "arn:aws:states:::"
# Optimised integrations and the patterns of each that run here; every aws-sdk action of boto3 runs as request-response.
INTEGRATIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "dynamodb": {"getItem": ("",), "putItem": ("",), "updateItem": ("",), "deleteItem": ("",)},
    "events": {"putEvents": ("",)},
    "glue": {"startJobRun": ("", "sync")},
    "lambda": {"invoke": ("", "waitForTaskToken")},
    "sns": {"publish": ("", "waitForTaskToken")},
    "sqs": {"sendMessage": ("", "waitForTaskToken")},
    "states": {"startExecution": ("", "sync", "sync:2", "waitForTaskToken")},
}
PARAMETERS = {
    "glue:startJobRun": {
        "JobName", "JobRunQueuingEnabled", "JobRunId", "Arguments", "AllocatedCapacity", "Timeout", "MaxCapacity",
        "SecurityConfiguration", "NotificationProperty", "WorkerType", "NumberOfWorkers", "ExecutionClass",
    },
    "lambda:invoke": {"ClientContext", "FunctionName", "InvocationType", "Qualifier", "Payload", "LogType"},
}  # fmt: skip
REFUSED_FIELDS = {
    "Arguments": "JSONata's Arguments",
    "Assign": "variables (Assign)",
    "Credentials": "a task's Credentials",
    "HeartbeatSeconds": "HeartbeatSeconds",
    "HeartbeatSecondsPath": "HeartbeatSecondsPath",
    "ItemBatcher": "ItemBatcher",
    "Output": "JSONata's Output",
}
SDK_SERVICES = {
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "sfn": "stepfunctions",
    "iotdataplane": "iot-data",
    "costexplorer": "ce",
}


class InvalidDefinitionError(AWSError):
    """A definition that is wrong, or that has something that the laptop cannot run."""

    TYPE = "InvalidDefinition"
    STATUS = 400

    def __init__(self, why: str) -> None:
        super().__init__(f"Invalid State Machine Definition: {why}")


def refuse(what: str, where: str) -> InvalidDefinitionError:
    return InvalidDefinitionError(
        f"'{what}' at '{where}': the laptop cannot run it. docs/fidelity.md says what it can."
    )


def broken(why: str, where: str) -> InvalidDefinitionError:
    return InvalidDefinitionError(f"'SCHEMA_VALIDATION_FAILED: {why} at {where}'")


def check(definition: str) -> None:
    """An InvalidDefinitionError that names the first thing that is wrong, or that has no engine here."""
    try:
        machine = json.loads(definition)
    except ValueError as error:
        raise InvalidDefinitionError(f"'INVALID_JSON_DESCRIPTION: {error}'") from error
    if not isinstance(machine, dict):
        raise broken("a definition is an object", "/")
    for where, part in programs(machine, "/"):
        check_language(part, where)
        check_transitions(part, where)
        for name, state in part["States"].items():
            check_state(state, f"{where}States/{name}")
    try:
        AmazonStateLanguageParser.parse(prepared(definition))
    except Exception as error:  # the parser raises whatever it stumbles over
        raise broken(str(error), "/") from error


def programs(part: dict[str, Any], where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The machine, and each branch and item processor inside it."""
    if not isinstance(part.get("States"), dict) or not isinstance(part.get("StartAt"), str):
        raise broken("StartAt and States are required", where)
    yield where, part
    for name, state in part["States"].items():
        below = f"{where}States/{name}/"
        for number, branch in enumerate(state.get("Branches", [])):
            yield from programs(branch, f"{below}Branches[{number}]/")
        for field in ("ItemProcessor", "Iterator"):
            if field in state:
                yield from programs(state[field], f"{below}{field}/")


def check_language(part: dict[str, Any], where: str) -> None:
    if part.get("QueryLanguage", "JSONPath") != "JSONPath":
        raise refuse(f"QueryLanguage {part['QueryLanguage']}", where)


def check_transitions(part: dict[str, Any], where: str) -> None:
    states = part["States"]
    targets = [("StartAt", part["StartAt"])]
    for name, state in states.items():
        targets += [(f"{name}/{field}", state[field]) for field in ("Next", "Default") if field in state]
        for field in ("Catch", "Choices"):
            targets += [(f"{name}/{field}", one["Next"]) for one in state.get(field, []) if "Next" in one]
    for field, target in targets:
        if target not in states:
            raise broken(f"MISSING_TRANSITION_TARGET: Missing 'Next' target: {target}", f"{where}{field}")


def check_state(state: dict[str, Any], where: str) -> None:
    check_language(state, where)
    for field, told in REFUSED_FIELDS.items():
        if field in state:
            raise refuse(told, where)
    if state.get("Type") == "Task":
        check_task(str(state.get("Resource", "")), state.get("Parameters") or {}, where)


def check_task(resource: str, parameters: dict[str, Any], where: str) -> None:
    if ":activity:" in resource:
        raise refuse(f"the activity {resource}", where)
    if not resource.startswith(SERVICE_TASK):
        return  # a function's ARN, or something that the parser refuses
    service, _, rest = resource.removeprefix(SERVICE_TASK).partition(":")
    action, _, pattern = rest.partition(".")
    if service == "aws-sdk":
        check_sdk(action, pattern, where)
    elif pattern not in INTEGRATIONS.get(service, {}).get(action, ()):
        raise refuse(f"the integration {service}:{rest}", where)
    else:
        check_parameters(f"{service}:{action}", parameters, where)


def check_parameters(task: str, parameters: dict[str, Any], where: str) -> None:
    known = PARAMETERS.get(task)
    for name in parameters if known else ():
        if name.removesuffix(".$") not in (known or ()):
            raise broken(f"The field '{name.removesuffix('.$')}' is not supported by Step Functions", where)


def check_sdk(action: str, pattern: str, where: str) -> None:
    service, _, operation = action.partition(":")
    if pattern or camel_to_snake_case(operation) not in sdk_operations(service):
        raise refuse(f"the integration aws-sdk:{action}{'.' if pattern else ''}{pattern}", where)


def sdk_operations(service: str) -> frozenset[str]:
    """The methods of a boto3 client, empty for a service that it does not know."""
    try:
        return frozenset(model_client(SDK_SERVICES.get(service, service)).meta.method_to_api_mapping)
    except UnknownServiceError:
        return frozenset()


@functools.cache
def model_client(service: str) -> Any:
    """A client that is asked for its API's shapes only."""
    session = boto3.session.Session(region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
    return session.client(service)


def prepared(definition: str) -> str:
    """The definition as moto's grammar takes it: a whole ToleratedFailurePercentage is a syntax error there."""

    def with_numbers(part: dict[str, Any]) -> dict[str, Any]:
        found = part.get("ToleratedFailurePercentage")
        return {**part, "ToleratedFailurePercentage": float(found)} if isinstance(found, int) else part

    return json.dumps(json.loads(definition, object_hook=with_numbers))
