"""A Lambda worker process: imports a handler and answers one event a line, until its standard input closes.

Started as `python -I -S lambda_worker.py ANSWERS TASK_ROOT SITE_PACKAGES HANDLER LOG_FORMAT PACKAGES` with ANSWERS an
open file descriptor. Whatever the function writes to standard output and error is its log. It imports what Lambda's own
Python imports: the deployed package, the standard library, boto3 with what boto3 needs, and PACKAGES, its layers'.
"""

from __future__ import annotations

import decimal
import importlib
import json
import logging
import os
import runpy
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

END_OF_LOG = "\0END-OF-LOG\0"


class Context:
    """What a handler gets as its second argument."""

    def __init__(self, facts: dict[str, Any], deadline: float) -> None:
        self.__dict__.update(facts)
        self.identity = None
        self.client_context = None
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.time()) * 1000))


class LogFormat(logging.Formatter):
    """The line that Lambda makes of a log record, as text or as JSON."""

    request_id = ""
    as_json = False

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        message = record.getMessage()
        if self.as_json:
            line = {"timestamp": f"{moment}Z", "level": record.levelname, "message": message, "logger": record.name}
            if record.exc_info:
                line["stackTrace"] = self.formatException(record.exc_info)
            return json.dumps({**line, "requestId": self.request_id})
        if record.exc_info:
            message = f"{message}\n{self.formatException(record.exc_info)}"
        return f"[{record.levelname}]\t{moment}.{int(record.msecs)}Z\t{self.request_id}\t{message}"


class HandlerError(Exception):
    """The handler cannot be had: `type` is the error type that Lambda gives it."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.type = error_type


def load(handler: str) -> Callable[[Any, Context], Any]:
    module_name, _, function_name = handler.rpartition(".")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise HandlerError("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from error
    except SyntaxError as error:
        raise HandlerError("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}") from error
    try:
        found: Callable[[Any, Context], Any] = getattr(module, function_name)
    except AttributeError as error:
        raise HandlerError(
            "Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'"
        ) from error
    return found


def failure(error: BaseException, request_id: str) -> dict[str, Any]:
    """The error payload of Lambda's Python runtime."""
    trace = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in trace if frame.filename != __file__ and "importlib" not in frame.filename]
    name = error.type if isinstance(error, HandlerError) else type(error).__name__
    return {
        "errorMessage": str(error),
        "errorType": name,
        "requestId": request_id,
        "stackTrace": traceback.format_list(ours),
    }


def encoded(value: Any) -> Any:
    if isinstance(value, decimal.Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


class Worker:
    """One handler, loaded at the first event and kept for the next."""

    def __init__(self, handler: str, log_format: LogFormat) -> None:
        self._name = handler
        self._log_format = log_format
        self._handler: Callable[[Any, Context], Any] | None = None

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        request_id = request["context"]["aws_request_id"]
        self._log_format.request_id = request_id
        try:
            if self._handler is None:
                self._handler = load(self._name)
            deadline = time.time() + request["timeout"]
            result = self._handler(request["event"], Context(request["context"], deadline))
        except Exception as error:
            return self._report(failure(error, request_id))
        try:
            return {"result": json.dumps(result, default=encoded)}
        except (TypeError, ValueError) as error:
            told = HandlerError("Runtime.MarshalError", f"Unable to marshal response: {error}")
            return self._report(failure(told, request_id))

    def _report(self, told: dict[str, Any]) -> dict[str, Any]:
        if self._log_format.as_json:
            print(json.dumps(told))
        else:
            trace = "".join(told["stackTrace"])
            print(f"[ERROR] {told['errorType']}: {told['errorMessage']}\nTraceback (most recent call last):\n{trace}")
        return {"error": told}


def main(argv: list[str]) -> None:
    answers, task_root, site_packages, handler, log_format, packages = argv
    sys.path.insert(0, task_root)
    runtime = runpy.run_path(os.path.join(os.path.dirname(__file__), "runtime_packages.py"))
    sys.meta_path.append(runtime["RuntimePackages"](site_packages, runtime["LAMBDA"] | set(packages.split(","))))
    os.chdir(task_root)
    formatter = LogFormat()
    formatter.as_json = log_format == "JSON"
    to_log = logging.StreamHandler(sys.stdout)
    to_log.setFormatter(formatter)
    logging.getLogger().addHandler(to_log)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    worker = Worker(handler, formatter)
    with os.fdopen(int(answers), "w") as out:
        for line in sys.stdin:
            answer = worker.answer(json.loads(line))
            print(END_OF_LOG, flush=True)
            print(json.dumps(answer), file=out, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
