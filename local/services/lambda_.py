"""Lambda: moto keeps functions and their settings but runs them in Docker only, drops LoggingConfig and
DeadLetterConfig, answers asynchronous invocations synchronously, and reads the oldest EventInvokeConfig.
Here the deployed package runs in a warm worker process with the credentials of the function's own role.
"""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

from moto.awslambda.exceptions import InvalidParameterValueException, LambdaClientError
from moto.awslambda.models import EventInvokeConfig, LambdaFunction

from local.engines.workers import Answer
from local.services import iam_services, lambda_layers
from local.services.lambda_async import AsyncInvocations
from local.services.lambda_functions import Functions
from local.services.lambda_logs import log_group_of, logging_of
from local.services.seams import patch

if TYPE_CHECKING:
    from local.endpoint import Endpoint

MODELS = "moto.awslambda.models"
KEPT_SETTINGS = ("LoggingConfig", "DeadLetterConfig")

FIDELITY = (
    ("Lambda", "invoke, synchronous", "worker process, Python 3.11", "real"),
    ("Lambda", "time-out, crash, error payload, log lines, environment, role", "worker process", "real"),
    ("Lambda", "asynchronous invocation: retries, destinations, dead letters", "ours", "real"),
    ("Lambda", "reserved concurrency", "ours", "real"),
    ("Lambda", "runtimes python3.9 to python3.14", "all run on the laptop's Python 3.11", "simulated"),
    ("Lambda", "concurrency without a reservation", "8 at once of a function; further events wait", "simulated"),
    ("Lambda", "memory size, ephemeral storage, VPC, X-Ray tracing", "kept, without effect", "simulated"),
    ("Lambda", "layers of Python packages in this machine's versions: imported from the venv", "ours", "simulated"),
    ("Lambda", "metrics in a log's lines (embedded metric format)", "ours", "real"),
    ("Lambda", "runtimes that are not Python, images, layers of anything else, SnapStart", "", "refused"),
)


def refuse_what_cannot_run(spec: dict[str, Any]) -> None:
    """An error that names what of a function's settings has no engine here."""
    runtime = spec.get("Runtime")
    if spec.get("PackageType", "Zip") != "Zip":
        raise InvalidParameterValueException(
            f"The package type '{spec['PackageType']}': the laptop runs Zip packages only. Deploy a Zip package."
        )
    if runtime is not None and not runtime.startswith("python3."):
        raise InvalidParameterValueException(
            f"The runtime '{runtime}': the laptop runs Python functions only. Use python3.11."
        )
    if (spec.get("SnapStart") or {}).get("ApplyOn", "None") != "None":
        raise InvalidParameterValueException("SnapStart 'PublishedVersions': the laptop has none. Leave it out.")


def check_role(role: str | None, region: str) -> None:
    """On creation and change, as Lambda does."""
    try:
        if role:
            iam_services.check(role, "lambda", region)
    except iam_services.RoleNotAssumedError as error:
        text = "The role defined for the function cannot be assumed by Lambda."
        raise InvalidParameterValueException(text) from error


def keep_settings(function: Any, spec: dict[str, Any]) -> None:
    kept = {name: spec[name] for name in KEPT_SETTINGS if spec.get(name)}
    function.kept_settings = {**getattr(function, "kept_settings", {}), **kept}


def refuse_what_is_no_package(function: Any) -> None:
    if not zipfile.is_zipfile(io.BytesIO(function.code_bytes)):
        raise InvalidParameterValueException(
            f"Could not unzip the package of function '{function.function_name}': expected a Zip file. Upload one."
        )


def patch_settings() -> None:
    """Refuse what cannot run, and keep the settings that moto drops."""
    create, configuration = LambdaFunction.__init__, LambdaFunction.get_configuration
    update, update_code = LambdaFunction.update_configuration, LambdaFunction.update_function_code

    def make(self: Any, account_id: str, spec: dict[str, Any], region: str, version: str | int = 1) -> None:
        refuse_what_cannot_run(spec)
        check_role(spec.get("Role"), region)
        keep_settings(self, spec)
        create(self, account_id, spec, region, version)
        refuse_what_is_no_package(self)
        self.logs_group_name = log_group_of(self)

    def describe(self: Any, on_create: bool = False) -> dict[str, Any]:
        told: dict[str, Any] = configuration(self, on_create)
        text = {"LogFormat": "Text", "LogGroup": log_group_of(self)}
        return {**told, **self.kept_settings, "LoggingConfig": {**text, **logging_of(self)}}

    def change(self: Any, config_updates: dict[str, Any]) -> dict[str, Any]:
        refuse_what_cannot_run({"Runtime": self.run_time, **config_updates})
        check_role(config_updates.get("Role"), self.region)
        keep_settings(self, config_updates)
        update(self, config_updates)
        return describe(self)

    def change_code(self: Any, updated_spec: dict[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = update_code(self, updated_spec)
        refuse_what_is_no_package(self)
        return told

    patch(f"{MODELS}:LambdaFunction.__init__", make)
    patch(f"{MODELS}:LambdaFunction.update_function_code", change_code)
    patch(f"{MODELS}:LambdaFunction.get_configuration", describe)
    patch(f"{MODELS}:LambdaFunction.update_configuration", change)


def install(endpoint: Endpoint) -> None:
    functions = Functions(endpoint)
    later = AsyncInvocations(endpoint, functions.invoke)
    patch_settings()
    lambda_layers.install()

    def run_for_moto(self: Any, event: Any = None) -> tuple[str, bool, str]:
        answer = functions.invoke(self, json.loads(event) if isinstance(event, str) else event)
        return answer.payload, answer.error, "\n".join(answer.log)

    def invoke(self: Any, function_name: str, qualifier: Any, body: Any, headers: Any, response_headers: Any) -> Any:
        function = self.get_function(function_name, qualifier)
        event = parsed(body)
        match headers.get("X-Amz-Invocation-Type", "RequestResponse"):
            case "DryRun":
                return b""
            case "Event":
                later.accept(function, event)
                return b""
            case _:
                return answered(functions.invoke(function, event), response_headers)

    def put_event_invoke_config(self: Any, function_name: str, config: dict[str, Any]) -> dict[str, Any]:
        function = self.get_function(function_name)
        settings = EventInvokeConfig(function.function_arn, function.last_modified, config)
        function.event_invoke_config[:] = [settings]
        return settings.response()

    patch(f"{MODELS}:LambdaFunction._invoke_lambda", run_for_moto)
    patch(f"{MODELS}:LambdaBackend.invoke", invoke)
    patch(f"{MODELS}:LambdaBackend.put_function_event_invoke_config", put_event_invoke_config)


def parsed(body: Any) -> Any:
    if not body:
        return {}
    try:
        return json.loads(body)
    except ValueError as error:
        raise LambdaClientError(
            "InvalidRequestContentException", f"Could not parse request body into json: {error}"
        ) from error


def answered(answer: Answer, response_headers: dict[str, str]) -> bytes:
    if answer.error:
        response_headers["x-amz-function-error"] = "Unhandled"
    response_headers["x-amz-executed-version"] = "$LATEST"
    response_headers["x-amz-log-result"] = base64.b64encode("\n".join(answer.log).encode()[-4096:]).decode()
    return answer.payload.encode()
