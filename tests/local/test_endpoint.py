"""The endpoint's process: it starts, answers, records who called, and leaves nothing behind."""

from __future__ import annotations

from tests.local.conftest import RunningEndpoint


def test_it_answers(endpoint: RunningEndpoint) -> None:
    assert endpoint.client("sts").get_caller_identity()["Account"] == endpoint.account
