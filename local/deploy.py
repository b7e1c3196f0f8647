"""Deploy a synthesized app to the endpoint by AWS's own calls: assets, bootstrap version, stacks in their order."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError

CREDENTIALS = {"aws_access_key_id": "headwater", "aws_secret_access_key": "headwater"}
REGION = "us-east-1"
BOOTSTRAP_VERSION = ("/cdk-bootstrap/hnb659fds/version", "30")
NO_CHANGE = "No updates are to be performed"
KEPT = ". A destroy keeps what holds data: `./headwater down`, then `./headwater up`, starts empty."
FIRST_MOMENT = (1980, 1, 1, 0, 0, 0)  # the oldest that a zip can say; a package's bytes then follow from its content
WAIT_SECONDS = 600


class DeployError(Exception):
    """A stack did not reach its template; the text names stack, resource and reason."""


@dataclass(frozen=True)
class Deployed:
    """One stack as it is now."""

    stack: str
    action: str  # created | updated | unchanged
    outputs: dict[str, str]
    seconds: float


def deploy(
    assembly: Path, endpoint_url: str, *, region: str = REGION, report: Callable[[Deployed], None] = lambda _: None
) -> list[Deployed]:
    """Bring every stack of a `cdk.out` to its template; one that has it already is left as it is."""
    import boto3
    from botocore.config import Config

    stacks = list(stacks_in_order(assembly))
    session = boto3.session.Session(region_name=region, **CREDENTIALS)
    config = Config(retries={"total_max_attempts": 1}, read_timeout=WAIT_SECONDS, s3={"addressing_style": "path"})
    s3, ssm, cloudformation = (
        session.client(name, endpoint_url=endpoint_url, config=config) for name in ("s3", "ssm", "cloudformation")
    )
    name, version = BOOTSTRAP_VERSION
    try:
        ssm.put_parameter(Name=name, Value=version, Type="String", Overwrite=True)
    except EndpointConnectionError as error:
        raise DeployError(f"The endpoint '{endpoint_url}': expected one that answers. Run `./headwater up`.") from error
    done = []
    for stack in stacks:
        began = time.monotonic()
        publish(assembly, stack, s3)
        template = (assembly / f"{stack['id']}.template.json").read_text()
        action, outputs = bring(cloudformation, stack["name"], template, stack["tags"])
        done.append(Deployed(stack["name"], action, outputs, time.monotonic() - began))
        report(done[-1])
    return done


def stacks_in_order(assembly: Path) -> Iterator[dict[str, Any]]:
    try:
        artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    except FileNotFoundError as error:
        raise DeployError(f"The folder '{assembly}': expected a synthesized app. Run `./headwater synth`.") from error
    stacks = {key: each for key, each in artifacts.items() if each["type"] == "aws:cloudformation:stack"}
    needs = {key: [one for one in each.get("dependencies", []) if one in stacks] for key, each in stacks.items()}
    for key in TopologicalSorter(needs).static_order():
        properties = stacks[key].get("properties", {})
        yield {"id": key, "name": properties.get("stackName", key), "tags": properties.get("tags", {})}


def publish(assembly: Path, stack: dict[str, Any], s3: Any) -> None:
    """Upload the files that a stack names; its template goes with the call that deploys it."""
    listing = assembly / f"{stack['id']}.assets.json"
    if not listing.exists():
        return
    files = json.loads(listing.read_text()).get("files", {})
    wanted = [
        (assembly / each["source"]["path"], each["source"]["packaging"], to["bucketName"], to["objectKey"])
        for each in files.values()
        for to in each["destinations"].values()
        if not each["source"]["path"].endswith(".template.json")
    ]
    for bucket in sorted({bucket for _, _, bucket, _ in wanted}):
        make_bucket(s3, bucket)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda asset: upload(s3, *asset), wanted))


def make_bucket(s3: Any, bucket: str) -> None:
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError:
        s3.create_bucket(Bucket=bucket)


def upload(s3: Any, path: Path, packaging: str, bucket: str, key: str) -> None:
    """The key of an asset is its content's hash: one that is there is the same."""
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError:
        body = packed(path) if packaging == "zip" else path.read_bytes()
        s3.put_object(Bucket=bucket, Key=key, Body=body)


def packed(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), FIRST_MOMENT)
            entry.external_attr = (path.stat().st_mode & 0o777) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()


def bring(cloudformation: Any, stack: str, template: str, tags: dict[str, str]) -> tuple[str, dict[str, str]]:
    """Create or update one stack and wait for its end; what a failed create left is deleted first."""
    request = {
        "StackName": stack,
        "TemplateBody": template,
        "Capabilities": ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Tags": [{"Key": name, "Value": value} for name, value in tags.items()],
    }
    status = status_of(cloudformation, stack)
    if status in ("ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS", "CREATE_FAILED", "DELETE_FAILED"):
        cloudformation.delete_stack(StackName=stack)
        status = status_of(cloudformation, stack)
    action = "updated" if status else "created"
    try:
        call = cloudformation.update_stack if status else cloudformation.create_stack
        identity = call(**request)["StackId"]
    except ClientError as error:
        message = error.response["Error"]["Message"]
        if NO_CHANGE not in message:
            raise DeployError(f"The stack '{stack}': {message}") from error
        action, identity = "unchanged", stack
    described = wait(cloudformation, stack, identity)
    return action, {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}


def status_of(cloudformation: Any, stack: str) -> str | None:
    try:
        status: str = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    except ClientError:
        return None
    return status


def wait(cloudformation: Any, stack: str, identity: str) -> dict[str, Any]:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        described: dict[str, Any] = cloudformation.describe_stacks(StackName=identity)["Stacks"][0]
        status = described["StackStatus"]
        if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return described
        if not status.endswith("_IN_PROGRESS"):
            raise DeployError(f"The stack '{stack}' ended as {status}. {failure(cloudformation, identity)}")
        time.sleep(0.2)
    raise DeployError(f"The stack '{stack}': expected its end within {WAIT_SECONDS} s. Look at its events.")


def failure(cloudformation: Any, identity: str) -> str:
    """The first resource that failed, in the words of its event."""
    events = cloudformation.describe_stack_events(StackName=identity)["StackEvents"]  # newest first
    for event in events:
        if event["ResourceStatus"] in ("CREATE_FAILED", "UPDATE_FAILED", "DELETE_FAILED"):
            reason = event.get("ResourceStatusReason", "no reason given")
            kept = KEPT if "already exists" in reason else ""
            return f"{event['ResourceType']} '{event['LogicalResourceId']}': {reason}{kept}"
    return "Its events name no resource."
