"""A thousand contracts in twenty pipelines deploy like eleven in one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.many_contracts import make
from tests.synth.synthesized import Synthesize, Synthesized

MOST_RESOURCES = 200
LARGEST_POLICY = 10_240  # characters of all inline policies of a role, without white space
LARGEST_TEMPLATE = 1_000_000


@pytest.fixture(scope="module")
def many(synthesize: Synthesize, tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    root: Path = make(tmp_path_factory.mktemp("many"), datasets=1000, pipelines_wanted=20)
    return synthesize("prod", lake_root=str(root))


def test_no_stack_has_more_than_200_resources(many: Synthesized) -> None:
    sizes = {stack: len(template["Resources"]) for stack, template in many.templates.items()}
    assert len(many.resources("StepFunctions::StateMachine")) > 20
    assert max(sizes.values()) < MOST_RESOURCES, sizes


def test_templates_grow_with_pipelines_sources_and_named_queries_only(
    many: Synthesized, synthesize: Synthesize
) -> None:
    shipped = synthesize("prod")
    added = len(many.resources()) - len(shipped.resources())
    each = ("StepFunctions::StateMachine", "Scheduler::Schedule", "IAM::Role", "Athena::NamedQuery")
    assert added == sum(len(many.resources(kind)) - len(shipped.resources(kind)) for kind in each)


def test_no_role_or_template_comes_near_what_aws_takes(many: Synthesized) -> None:
    for role in many.properties("IAM::Role"):
        size = len(json.dumps(role.get("Policies", []), separators=(",", ":")))
        assert size < LARGEST_POLICY, role["RoleName"]
    for template in many.templates.values():
        assert len(json.dumps(template)) < LARGEST_TEMPLATE / 2
