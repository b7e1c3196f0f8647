"""The CDK's own command line, as `headwater deploy|diff|destroy` call it, against the endpoint as against AWS."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from local import prerequisites, synthesis
from tests.local.conftest import RunningEndpoint, start_endpoint

STAGING = "cdk-hnb659fds-assets-123456789012-us-east-1"
BEFORE, AFTER = "5491", "5492"  # the source's port: the one thing that a deployer may change from outside


class Cli:
    """`cdk` with the environment of a person at the laptop."""

    def __init__(self, endpoint: RunningEndpoint) -> None:
        self.folder = endpoint.state  # not the project's, where bootstrap would synthesize the app first
        self.environment = {
            **endpoint.environment,
            **prerequisites.node_environment(),
            "CDK_DISABLE_LEGACY_EXPORT_WARNING": "1",
            "CI": "true",  # all output to standard output
        }

    def __call__(self, *arguments: str | Path) -> str:
        command = [*prerequisites.cdk(), *map(str, arguments), "--no-notices", "--no-color"]
        began = time.monotonic()
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=180,
        )
        print(f"cdk {arguments[0]}: {time.monotonic() - began:.1f} s")
        assert done.returncode == 0, done.stdout[-6000:]
        return done.stdout


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEndpoint]:
    """One of its own: what is deployed here must not be in the way of others."""
    running = start_endpoint(tmp_path_factory.mktemp("cdk-endpoint"), "--lazy")
    yield running
    running.process.terminate()
    running.process.wait(30)


@pytest.fixture(scope="module")
def assemblies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The app synthesized twice: as it is, and changed."""
    made = {}
    for port in (BEFORE, AFTER):
        made[port] = tmp_path_factory.mktemp(f"assembly-{port}")
        synthesis.synth(made[port], validate=False, env="local", source_ports=f"saas:{port}")
    return made


@pytest.mark.skipif(os.environ.get("HEADWATER_OFFLINE") == "1", reason="the CDK CLI is fetched from npm")
def test_bootstrap_deploy_change_diff_deploy_destroy(endpoint: RunningEndpoint, assemblies: dict[str, Path]) -> None:
    cdk = Cli(endpoint)
    cdk("bootstrap", f"aws://{endpoint.account}/{endpoint.region}")

    cdk("deploy", "--all", "--app", assemblies[BEFORE], "--require-approval", "never")
    assert connection_url(endpoint).endswith(f":{BEFORE}/saas")
    assert "There were no differences" in cdk("diff", "--all", "--app", assemblies[BEFORE])

    difference = cdk("diff", "--all", "--app", assemblies[AFTER])
    assert f":{AFTER}/saas" in difference
    changed = ("headwater-local-catalog", "--exclusively", "--app", assemblies[AFTER])
    cdk("deploy", *changed, "--require-approval", "never")
    assert connection_url(endpoint).endswith(f":{AFTER}/saas")

    cdk("destroy", "--all", "--app", assemblies[AFTER], "--force")
    stacks = endpoint.client("cloudformation").list_stacks()["StackSummaries"]
    assert {each["StackName"] for each in stacks if each["StackStatus"] != "DELETE_COMPLETE"} == {"CDKToolkit"}
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        endpoint.client("glue").get_connection(Name="headwater-local-saas")

    endpoint.client("cloudformation").delete_stack(StackName="CDKToolkit")
    endpoint.client("s3").head_bucket(Bucket=STAGING)  # the bootstrap's template retains it


def connection_url(endpoint: RunningEndpoint) -> str:
    found = endpoint.client("glue").get_connection(Name="headwater-local-saas")["Connection"]
    url: str = found["ConnectionProperties"]["JDBC_CONNECTION_URL"]
    return url
