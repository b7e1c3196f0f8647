"""The one definition of all batch pipelines, as what a redrive relies on."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

TEXT = (Path(__file__).parents[2] / "state_machines" / "load_pipeline.asl.json").read_text()
STATES: dict[str, dict[str, Any]] = json.loads(TEXT)["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
JOBS = {name: state for name, state in TASKS.items() if "glue" in state["Resource"]}


def test_its_placeholders_are_those_that_a_pipeline_fills() -> None:
    functions, jobs = (
        {"PlanFunction", "ConcludeFunction"},
        {"ApplyJob", "IngestJob", "RefineJob", "MaskJob", "ModelJob"},
    )
    assert set(re.findall(r"\$\{(\w+)\}", TEXT)) == {"Pipeline", *functions, *jobs}


def test_a_redrive_resumes_where_it_failed() -> None:
    assert not [name for name, state in STATES.items() if "Catch" in state or state["Type"] == "Fail"]


@pytest.mark.parametrize("state", TASKS.values(), ids=TASKS)
def test_every_task_knows_its_run_and_its_attempt(state: dict[str, Any]) -> None:
    told = json.dumps(state["Parameters"])
    assert "$$.Execution.Name" in told
    assert "$$.Execution.RedriveCount" in told


@pytest.mark.parametrize("state", JOBS.values(), ids=JOBS)
def test_every_job_is_waited_for_and_leaves_the_plan_as_it_was(state: dict[str, Any]) -> None:
    assert state["Resource"].endswith("startJobRun.sync")
    assert state["ResultPath"] is None


def test_every_way_leads_to_the_conclusion() -> None:
    def next_states(state: dict[str, Any]) -> list[str]:
        return [step["Next"] for step in (state, *state.get("Choices", ())) if "Next" in step] + (
            [state["Default"]] if "Default" in state else []
        )

    assert [name for name, state in STATES.items() if "Done" in next_states(state)] == ["Again"]
    assert [name for name, state in STATES.items() if "Again" in next_states(state)] == ["Conclude"]
    reached = {"Plan"}
    for _ in STATES:
        reached |= {each for name in reached for each in next_states(STATES[name])}
    assert reached == set(STATES)
