"""What `forget` asks for, refuses and shows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from cli import execution, forget
from cli.errors import CommandError
from lake.certificate import NAMELESS, certificate
from tests.unit.test_erasure import LAKE, PEOPLE


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "Expected --subject ID, or --run RUN"),
        ({"subject": "7", "run": "forget-20260101T0000-01"}, "Give one of them"),
        ({"run": "tickit-20260101T0000-01"}, "expected one of an erasure"),
    ],
)
def test_an_erasure_is_begun_or_waited_for(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        forget.forget(**{"subject": None, "run": None, **asked})


def test_a_certificate_shows_counts_first_and_then_what_is_left_with_its_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    done = [
        {"table": "bronze.a", "done": {"rows": 3, "versions": 0}, "after": {"loads": 2}},
        {"table": "silver.a", "done": {"rows": 1}, "after": {}},
    ]
    expires = {"store": "landing", "rule": "expires", "by": "2026-01-31", "why": "Files."}
    forget.show(certificate("run", PEOPLE, "d16e57", done, [expires], LAKE.environment))
    lines = [" ".join(each.split()) for each in capsys.readouterr().out.splitlines()]
    assert lines.index("bronze.a 3 0") < lines.index("silver.a 1 0") < lines.index("landing expires 2026-01-31 Files.")
    [left] = [each for each in lines if each.startswith("bronze.a, without an id not searchable 2 loads: ")]
    assert NAMELESS[:20] in left


def test_a_count_of_what_would_go_shows_no_list_of_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    forget.show({"stores": [{"store": "silver.a", "rule": "would be rewritten", "rows": 1}]})
    lines = [" ".join(each.split()) for each in capsys.readouterr().out.splitlines()]
    assert " ".join(each for each in lines if each) == "Would be rewritten store rows silver.a 1"


def test_a_job_that_somebody_stopped_is_said_in_a_sentence() -> None:
    cause = json.dumps({"Id": "jr_1", "JobName": "lake-forget", "JobRunState": "STOPPED", "Arguments": {}})
    at = datetime.now(UTC)
    described = {"status": "FAILED", "error": "States.TaskFailed", "cause": cause, "startDate": at, "stopDate": at}
    states = SimpleNamespace(describe_execution=lambda **_: described)
    lake: Any = SimpleNamespace(client=lambda _: states, endpoint_url="", execution=lambda run: run)
    with pytest.raises(CommandError, match=r"FAILED: The run jr_1 of job lake-forget is STOPPED\. Cure that, then"):
        forget.conclude(
            SimpleNamespace(environment=SimpleNamespace(name="local")),  # type: ignore[arg-type]
            execution.follow(lake, "forget-20260101T0000-01"),
            json=False,
        )
