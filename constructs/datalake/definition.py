"""State machine definitions, refused at synth where a failure could pass unseen or a redrive could not resume."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

State = dict[str, Any]

TRANSIENT_ERRORS = frozenset(
    {
        "Glue.ConcurrentRunsExceededException",
        "Glue.InternalServiceException",
        "Glue.OperationTimeoutException",
        "Glue.ThrottlingException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.ServiceException",
        "Lambda.TooManyRequestsException",
        "Athena.InternalServerException",
        "Athena.TooManyRequestsException",
    }
)

INTEGRATION = re.compile(
    r"^arn:aws[\w-]*:states:::(aws-sdk:)?(?P<service>[\w-]+):(?P<action>\w+)(?P<waits>\.sync(:2)?|\.waitForTaskToken)?$"
)
FUNCTION = re.compile(r"^(arn:aws[\w-]*:(lambda|states):[^:]+:[^:]+:(function|activity):.+|\$\{\w+\})$")
# These answer before the work that they start is done.
# Crawlers have no .sync: a start counts as waited for where a state of the same scope looks how it goes on.
LOOKS = {"startCrawler": "getCrawler"}
STARTS = re.compile(r"^(start|run|submit|addStep$|createCluster$|invokeAsync)|^create\w*Job$")


class DefinitionError(ValueError):
    """A state machine's definition breaks a rule that every one of ours keeps."""


def check(name: str, definition: State, substitutions: Mapping[str, str]) -> None:
    """Refuse starts that do not wait, Tasks without time-out, Catches that lead to Fail, retries of lasting errors."""
    problems = [*_unknown_substitutions(definition, substitutions)]
    for scope in _scopes(definition):
        for state_name, state in scope.items():
            problems += [f"state '{state_name}' {problem}" for problem in _problems(state, scope)]
    if problems:
        raise DefinitionError(
            f"State machine '{name}' was refused. " + "; ".join(problems) + ". Change its definition."
        )


def _unknown_substitutions(definition: State, substitutions: Mapping[str, str]) -> Iterator[str]:
    used = set(re.findall(r"\$\{(\w+)\}", str(definition)))
    for placeholder in sorted(used - set(substitutions)):
        yield f"placeholder '${{{placeholder}}}': expected one of {', '.join(sorted(substitutions))}"


def _scopes(definition: State) -> Iterator[dict[str, State]]:
    """The states of the definition, then those inside each Map and Parallel: a transition never leaves its scope."""
    states: dict[str, State] = definition["States"]
    yield states
    for state in states.values():
        inner = [state[key] for key in ("ItemProcessor", "Iterator") if key in state] + state.get("Branches", [])
        for nested in inner:
            yield from _scopes(nested)


def _problems(state: State, scope: dict[str, State]) -> Iterator[str]:
    if state["Type"] == "Task":
        yield from _task_problems(state, scope)
    for retry in state.get("Retry", []):
        lasting = sorted(set(retry["ErrorEquals"]) - TRANSIENT_ERRORS)
        if lasting:
            yield f"retries '{', '.join(lasting)}': expected only transient errors, named one by one"
    for catch in state.get("Catch", []):
        if _reaches_fail(catch["Next"], scope):
            yield f"has a Catch that leads to Fail by '{catch['Next']}': without it, a redrive resumes at this state"


def _task_problems(task: State, scope: dict[str, State]) -> Iterator[str]:
    if not {"TimeoutSeconds", "TimeoutSecondsPath"} & set(task):
        yield "has no TimeoutSeconds: every Task must end"
    resource: str = task["Resource"]
    call = INTEGRATION.match(resource)
    if call is None:
        if not FUNCTION.match(resource):
            yield f"calls '{resource}': expected a service integration, a function or an activity"
    elif call["waits"] or _is_looked_after(call["action"], scope):
        return
    elif STARTS.match(call["action"]) or _invokes_without_waiting(task):
        yield f"starts '{resource}' and does not wait: expected .sync or .waitForTaskToken at its end"


def _is_looked_after(action: str, scope: dict[str, State]) -> bool:
    look = LOOKS.get(action)
    return look is not None and any(state.get("Resource", "").endswith(f":{look}") for state in scope.values())


def _invokes_without_waiting(task: State) -> bool:
    arguments = task.get("Parameters") or task.get("Arguments") or {}
    kinds = [value for key, value in arguments.items() if key.removesuffix(".$") == "InvocationType"]
    return any(kind != "RequestResponse" for kind in kinds)


def _reaches_fail(start: str, scope: dict[str, State]) -> bool:
    waiting, seen = [start], set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        state = scope[name]
        if state["Type"] == "Fail":
            return True
        waiting += [step["Next"] for step in [state, *state.get("Choices", [])] if "Next" in step]
        waiting += [state["Default"]] if "Default" in state else []
    return False
