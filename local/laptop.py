"""`up` and `down`: an endpoint in a process of its own, the app deployed to it, the source databases filled."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

import config
from config import ports
from local import deploy, prerequisites, source, synthesis
from local.engines.listening import free_port
from local.own_calls import PERSON_KEY, PERSON_SECRET
from local.state_file import alive, read_state

ROOT = Path(__file__).parents[1]
STATE = ROOT / ".headwater"
START_SECONDS = 60

Report = Callable[[str, float | None], None]
"""Told each phase as it starts (None), and again with its seconds as it ends."""


class LaptopError(Exception):
    """The laptop's lake did not start; its text says why and what to do."""


@dataclass(frozen=True)
class User:
    """The person at the laptop: credentials that the endpoint takes for a human, not for a deployed role."""

    access_key: str
    secret_key: str

    def client_arguments(self) -> dict[str, str]:
        return {"aws_access_key_id": self.access_key, "aws_secret_access_key": self.secret_key}

    def environment(self, url: str, region: str) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


USER = User(PERSON_KEY, PERSON_SECRET)


@dataclass(frozen=True)
class Laptop:
    """A lake that is up."""

    pid: int
    port: int
    source_ports: Mapping[str, int]
    region: str
    state: Path

    @property
    def url(self) -> str:
        # By name: the CDK CLI and moto take a bare address in a URL for the name of a bucket.
        return f"http://localhost:{self.port}"

    def client(self, service: str) -> Any:
        return boto3.client(service, region_name=self.region, endpoint_url=self.url, **USER.client_arguments())


def running(state: Path = STATE) -> Laptop | None:
    """The lake whose state is in the folder `state`, None if there is none or its process is gone."""
    facts = read_state(state)
    if not facts or not alive(facts["pid"]):
        return None
    return Laptop(facts["pid"], facts["port"], facts["source_ports"], facts["region"], state)


def up(
    state: Path = STATE, *, port: int = 0, cold: bool = False, scale: float = 1.0, report: Report = lambda *_: None
) -> Laptop:
    """A lake that is up: the one that runs already, brought up to the app as it is now, or a new one."""
    with _phase(report, "fetch what the laptop needs"):
        prerequisites.fetch()
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    state.chmod(0o700)  # logs can hold rows
    found = running(state)
    source_ports = found.source_ports if found else source.free_ports(config.load("local"))
    with ThreadPoolExecutor() as pool, _phase(report, "synthesize the app, start the endpoint"):
        written = ports.write(source_ports)
        synth = pool.submit(synthesis.synth, state / "cdk.out", validate=False, env="local", source_ports=written)
        lake = found or _start(state, port or free_port(), written, cold)
        synth.result()
    try:
        with _phase(report, "deploy the templates"):
            deploy.deploy(state / "cdk.out", lake.url)
        with _phase(report, "fill the source databases"):
            source.fill(state, lake.client("secretsmanager"), config.load("local", source_ports), scale)
    except BaseException:
        if not found:
            down(state)
        raise
    return lake


def down(state: Path = STATE) -> bool:
    """End the lake and everything it started; False if none was up."""
    lake = running(state)
    if lake is None:
        return False
    os.kill(lake.pid, signal.SIGTERM)
    deadline = time.monotonic() + 20
    while alive(lake.pid) and time.monotonic() < deadline:
        _reap(lake.pid)
        time.sleep(0.05)
    if alive(lake.pid):
        os.kill(lake.pid, signal.SIGKILL)
    return True


def _start(state: Path, port: int, source_ports: str, cold: bool) -> Laptop:
    command = [sys.executable, "-P", "-m", "local.endpoint", "--port", str(port), "--source-ports", source_ports]
    command += ["--state", str(state), *(["--cold"] if cold else [])]
    log = state / "endpoint.log"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment, start_new_session=True)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        lake = running(state)
        if lake is not None and lake.pid == process.pid:
            return lake
        if process.poll() is not None:
            words = log.read_text().strip().splitlines() or ["It gave no reason."]
            raise LaptopError(words[-1])
        time.sleep(0.05)
    process.terminate()
    raise LaptopError(f"The endpoint was not ready after {START_SECONDS} s. Its log is {log}.")


def _reap(pid: int) -> None:
    """A lake that this very process brought up is its child, and stays a zombie until it is waited for."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


class _phase:
    """Reports the start and the seconds of what is inside."""

    def __init__(self, report: Report, name: str) -> None:
        self.report, self.name = report, name

    def __enter__(self) -> None:
        self.began = time.monotonic()
        self.report(self.name, None)

    def __exit__(self, kind: object, *rest: object) -> None:
        if kind is None:
            self.report(self.name, time.monotonic() - self.began)
