"""Running a deployed function: its package, its environment, its role, its time-out, its log."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any

from moto.awslambda.exceptions import LambdaClientError

from local.engines.workers import Answer, Program, Workers
from local.services.lambda_layers import imported
from local.services.lambda_logs import FunctionLogs, log_group_of, logging_of
from local.services.lambda_package import unpacked
from local.services.role_clients import RoleClients

if TYPE_CHECKING:
    from local.endpoint import Endpoint


class TooManyRequestsError(LambdaClientError):
    """The function's reserved concurrency is in use."""

    code = 429

    def __init__(self) -> None:
        super().__init__("TooManyRequestsException", "Rate Exceeded.")


class Functions:
    """Runs moto's functions: `functions.invoke(function, {"a": 1})`."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._workers = Workers(endpoint.children.start)
        self._logs = FunctionLogs(endpoint, RoleClients(endpoint, "lambda", "lambda-logs"))
        self._running: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._environments: dict[tuple[str, str], dict[str, str]] = {}
        self._packages = endpoint.state / "lambda"
        endpoint.on_stop(self._workers.close)

    def invoke(self, function: Any, event: Any, request_id: str | None = None) -> Answer:
        request = request_id or str(uuid.uuid4())
        name, reserved = function.function_name, function.reserved_concurrency
        with self._lock:
            if reserved is not None and self._running[name] >= int(reserved):
                raise TooManyRequestsError
            self._running[name] += 1
        try:
            program = self._program(function)
            answer = self._workers.invoke(program, event, context_of(function, request), float(function.timeout))
        finally:
            with self._lock:
                self._running[name] -= 1
        answer.log = self._logs.keep(function, request, answer)
        return answer

    def _program(self, function: Any) -> Program:
        settings = logging_of(function)
        return Program(
            function=function.function_name,
            task_root=str(unpacked(function.code_bytes, self._packages)),
            handler=function.handler,
            packages=imported(function),
            environment=tuple(sorted(self._environment(function).items())),
            log_format=settings.get("LogFormat", "Text"),
        )

    def _environment(self, function: Any) -> dict[str, str]:
        """What Lambda sets, and no variable of this machine beyond the search path for programs."""
        name = (function.function_name, function.role)
        if name not in self._environments:
            ours = self._endpoint.child_environment(function.role, function.function_name, "lambda")
            kept = ("PATH", "LANG", "TMPDIR")
            self._environments[name] = {k: v for k, v in ours.items() if k.startswith("AWS_") or k in kept}
        return {
            **self._environments[name],
            "AWS_CONFIG_FILE": "/dev/null",  # no profile of the person at the laptop reaches a function
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": str(function.version),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "AWS_LAMBDA_LOG_GROUP_NAME": log_group_of(function),
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
            "_HANDLER": function.handler,
            "TZ": "UTC",
            **{key: str(value) for key, value in (function.environment_vars or {}).items()},
        }


def context_of(function: Any, request_id: str) -> dict[str, Any]:
    return {
        "aws_request_id": request_id,
        "function_name": function.function_name,
        "function_version": str(function.version),
        "invoked_function_arn": function.function_arn,
        "memory_limit_in_mb": str(function.memory_size),
        "log_group_name": log_group_of(function),
    }
