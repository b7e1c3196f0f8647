"""`deploy`, `diff`, `destroy`: how the CDK's command line is called."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.__main__ import app
from local import laptop, prerequisites
from local.laptop import Laptop


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that were called; each succeeds."""
    found: list[list[str]] = []

    def call(command: list[str], **_: Any) -> Any:
        found.append(command)
        return 0

    monkeypatch.setattr(subprocess, "call", call)
    monkeypatch.setattr(subprocess, "run", call)
    monkeypatch.setattr(prerequisites, "fetch", lambda: None)
    return found


def test_a_lake_that_is_up_is_deployed_to_as_it_is(
    calls: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ports = {"saas": 1, "ecommerce": 2, "crm": 3}
    monkeypatch.setattr(laptop, "running", lambda: Laptop(os.getpid(), 4, ports, "us-east-1", tmp_path))
    told = CliRunner().invoke(app, ["deploy", "--env", "local"])
    assert told.exit_code == 0, told.exception
    # `up` has made the bucket and the version of a bootstrapped account: bootstrapping it again fails on both.
    assert ["bootstrap" in command for command in calls] == [False]
    assert {"deploy", "--all", "env=local", "source_ports=saas:1,ecommerce:2,crm:3"} <= {*calls[0]}
