"""Each resource type that docs/fidelity.md lists is made, changed and deleted, as its service itself shows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.services import cloudformation  # noqa: F401  (registers the types)
from local.services.cloudformation.registry import SUPPORTED
from tests.local.cloudformation_samples import SAMPLES, Sample
from tests.local.conftest import RunningEndpoint
from tests.local.test_cloudformation import StackOnTrial, stack

__all__ = ["stack"]


def shown(endpoint: RunningEndpoint, sample: Sample, identity: str) -> str:
    assert sample.look
    service, method, arguments = sample.look
    asked = json.loads(json.dumps(arguments).replace("{id}", identity))
    answer: dict[str, Any] = getattr(endpoint.client(service), method)(**asked)
    answer.pop("ResponseMetadata")
    return str(answer)


def test_every_type_has_a_sample() -> None:
    assert {sample.type for sample in SAMPLES} == SUPPORTED.keys()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.type)
def test_a_type_is_made_changed_and_deleted(sample: Sample, stack: StackOnTrial) -> None:
    tested = {"Type": sample.type, "Properties": sample.given}
    status = stack.deploy({**sample.around, "Tested": tested})
    assert status == "CREATE_COMPLETE", stack.events("CREATE_FAILED")

    changed = {**tested, "Properties": {**sample.given, **sample.change}}
    if sample.look and sample.type != "AWS::KMS::Alias":
        assert sample.shows not in shown(stack.endpoint, sample, stack.resources["Tested"]) or sample.shows == "sample"
    status = stack.deploy({**sample.around, "Tested": changed})
    assert status == "UPDATE_COMPLETE", stack.events("UPDATE_FAILED")
    if sample.look:
        assert sample.shows in shown(stack.endpoint, sample, stack.resources["Tested"])

    assert stack.delete() == "DELETE_COMPLETE", stack.events("DELETE_FAILED")
