"""Glue Data Quality: moto has none of it. Here rulesets are kept and shown; a run that evaluates one is refused by
name, since no engine of ours runs DQDL.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from moto.core.responses import ActionResult
from moto.glue.exceptions import AlreadyExistsException, EntityNotFoundException, InvalidInputException

from local.services.glue_runs import utc_now
from local.services.seams import add

RESPONSES = "moto.glue.responses"
LARGEST = 65_536
PAGE = 1000

FIDELITY = (
    ("Glue", "Data Quality rulesets: made, changed, read, listed by table and name, deleted", "ours", "real"),
    ("Glue", "Data Quality rulesets: their DQDL is not parsed, their rules not counted", "", "simulated"),
    ("Glue", "Data Quality: evaluation and recommendation runs, results, statistics", "", "refused"),
)  # fmt: skip

Ruleset = dict[str, Any]
Action = Callable[["Rulesets", Mapping[str, Any]], Mapping[str, Any]]


class Rulesets:
    """The rulesets of one account and region."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, Ruleset] = {}

    def create(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        _refuse_length("CreateDataQualityRuleset", asked["Ruleset"])
        with self._lock:
            if asked["Name"] in self._held:
                raise AlreadyExistsException(f"Ruleset {asked['Name']}")
            kept = ("Name", "Description", "Ruleset", "TargetTable")
            now = utc_now()
            made = {name: asked[name] for name in kept if name in asked}
            self._held[asked["Name"]] = {**made, "CreatedOn": now, "LastModifiedOn": now}
        return {"Name": asked["Name"]}

    def update(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        changed = {name: asked[name] for name in ("Description", "Ruleset") if name in asked}
        if "Ruleset" in changed:
            _refuse_length("UpdateDataQualityRuleset", changed["Ruleset"])
        with self._lock:
            self._find(asked["Name"]).update(changed, LastModifiedOn=utc_now())
        return {"Name": asked["Name"], **changed}

    def get(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        with self._lock:
            return dict(self._find(asked["Name"]))

    def delete(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        with self._lock:
            self._find(asked["Name"])
            del self._held[asked["Name"]]
        return {}

    def list(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        with self._lock:
            fitting = [each for _, each in sorted(self._held.items()) if _fits(each, asked.get("Filter") or {})]
        found = [{name: value for name, value in each.items() if name != "Ruleset"} for each in fitting]
        start = int(asked.get("NextToken") or 0)
        end = start + min(int(asked.get("MaxResults") or PAGE), PAGE)
        return {"Rulesets": found[start:end], **({"NextToken": str(end)} if end < len(found) else {})}

    def _find(self, name: str) -> Ruleset:
        if name not in self._held:
            raise EntityNotFoundException(f"Ruleset {name} not found.")
        return self._held[name]


@cache
def install() -> None:
    """Once in a process, for the endpoint as for tests that call moto without it."""

    def answer(action: Action) -> Callable[[Any], ActionResult]:
        def answered(response: Any) -> ActionResult:
            held = vars(response.glue_backend).setdefault("rulesets", Rulesets())  # forgotten when moto resets
            return ActionResult(action(held, response.parameters))

        return answered

    for name in ("create", "update", "get", "delete"):
        add(f"{RESPONSES}:GlueResponse.{name}_data_quality_ruleset", answer(getattr(Rulesets, name)))
    add(f"{RESPONSES}:GlueResponse.list_data_quality_rulesets", answer(Rulesets.list))


def _refuse_length(operation: str, text: str) -> None:
    if not 0 < len(text) <= LARGEST:
        raise InvalidInputException(operation, f"A ruleset of {len(text)} characters: expected 1 to {LARGEST}.")


def _fits(ruleset: Ruleset, wanted: Mapping[str, Any]) -> bool:
    if unknown := sorted(set(wanted) - {"Name", "Description", "TargetTable"}):
        raise NotImplementedError(f"the filter {unknown[0]}")
    target = ruleset.get("TargetTable") or {}
    return all(
        value.items() <= target.items() if name == "TargetTable" else ruleset.get(name) == value
        for name, value in wanted.items()
    )
