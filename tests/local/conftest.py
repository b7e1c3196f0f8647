"""One endpoint for the whole session, in a process of its own, as `headwater up` starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from local.endpoint import ACCOUNT, REGION
from local.state_file import read_state

ROOT = Path(__file__).parents[2]
READY_SECONDS = 60


@dataclass(frozen=True)
class RunningEndpoint:
    """The endpoint as its users have it: a URL."""

    url: str
    port: int
    state: Path
    process: subprocess.Popen[bytes]
    account: str = ACCOUNT
    region: str = REGION
    _clients: dict[str, Any] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a person at the laptop, for child processes."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {
            **kept,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "headwater",
            "AWS_SECRET_ACCESS_KEY": "headwater",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                endpoint_url=self.url,
                region_name=self.region,
                aws_access_key_id="headwater",
                aws_secret_access_key="headwater",
                config=Config(retries={"total_max_attempts": 1}, inject_host_prefix=False),
            )
        return self._clients[service]

    def calls(self, **asked: str) -> list[dict[str, Any]]:
        """What the endpoint recorded: `endpoint.calls(role="headwater-local-refine", action="s3:PutObject")`."""
        with urllib.request.urlopen(f"{self.url}/_headwater/calls?{urllib.parse.urlencode(asked)}") as answer:
            calls: list[dict[str, Any]] = json.load(answer)["calls"]
        return calls


def start_endpoint(state: Path, *options: str) -> RunningEndpoint:
    """Start `python -m local.endpoint` on a free port and wait until it says that it is ready."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "endpoint.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "local.endpoint", "--port", "0", "--state", str(state), "--parent-pid",
             str(os.getpid()), *options],
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
    until = time.monotonic() + READY_SECONDS
    while read_state(state).get("pid") != process.pid:
        if process.poll() is not None or time.monotonic() > until:
            pytest.fail(f"The endpoint did not start:\n{(state / 'endpoint.log').read_text()}")
        time.sleep(0.05)
    facts = read_state(state)
    return RunningEndpoint(url=facts["url"], port=facts["port"], state=state, process=process)


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEndpoint]:
    running = start_endpoint(tmp_path_factory.mktemp("endpoint"), "--lazy")
    yield running
    running.process.terminate()
    running.process.wait(30)
