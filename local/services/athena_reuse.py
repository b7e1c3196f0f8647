"""Results used again: a SELECT whose like has run lately in the same workgroup is answered with that one's result."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import Any

from local.services import athena_managed
from local.services.athena_executions import Execution

FIDELITY = (("Athena", "results used again, by their age", "ours", "real"),)
MINUTE = 60
DEFAULT_MINUTES = 60
# each time another answer
VOLATILE = re.compile(
    r"\b(now|rand|random|uuid|shuffle|current_date|current_time|current_timestamp|localtime\w*)\b", re.I
)


def wanted(response: Any) -> dict[str, Any]:
    """The age in minutes that a request lets a result have; empty where it asks for none."""
    asked = (response._get_param("ResultReuseConfiguration") or {}).get("ResultReuseByAgeConfiguration") or {}
    if not asked.get("Enabled"):
        return {"Enabled": False}
    return {"Enabled": True, "MaxAgeInMinutes": int(asked.get("MaxAgeInMinutes") or DEFAULT_MINUTES)}


def earlier(execution: Execution, before: Iterable[Execution]) -> Execution | None:
    """The latest execution whose result serves for this one."""
    if not execution.reuse.get("Enabled") or execution.statement.verb != "select" or VOLATILE.search(execution.query):
        return None
    if execution.governed is not None:
        return None  # what may be seen can have changed since
    if athena_managed.holds(execution.folder):  # which Athena does not use again
        return None
    oldest = time.time() - execution.reuse["MaxAgeInMinutes"] * MINUTE
    fitting = [each for each in before if serves(each, execution) and (each.ended or 0) >= oldest]
    return max(fitting, key=lambda each: each.ended or 0, default=None)


def serves(found: Execution, execution: Execution) -> bool:
    return (
        found.state == "SUCCEEDED"
        and found.reused is None
        and found.caller == execution.caller
        and found.folder == execution.folder
        and (found.query, found.context, found.workgroup.name, found.execution_parameters)
        == (execution.query, execution.context, execution.workgroup.name, execution.execution_parameters)
    )
