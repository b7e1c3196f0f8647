"""Deploying an assembly by AWS's own calls: in order, repeatable, and with one sentence for what went wrong."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path
from typing import Any

import pytest

from local.deploy import DeployError, deploy, packed
from tests.local.conftest import RunningEndpoint


class Assembly:
    """A `cdk.out` written by hand: `assembly.stack("name", {...resources})`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.artifacts: dict[str, Any] = {}

    def stack(self, name: str, resources: dict[str, Any], *needs: str, **outputs: Any) -> None:
        template = {"Resources": resources, "Outputs": {key: {"Value": value} for key, value in outputs.items()}}
        (self.folder / f"{name}.template.json").write_text(json.dumps(template))
        self.artifacts[name] = {"type": "aws:cloudformation:stack", "dependencies": list(needs), "properties": {}}
        (self.folder / "manifest.json").write_text(json.dumps({"artifacts": self.artifacts}))

    def asset(self, stack: str, path: str, packaging: str, bucket: str, key: str) -> None:
        to = {"here": {"bucketName": bucket, "objectKey": key}}
        files = {"one": {"source": {"path": path, "packaging": packaging}, "destinations": to}}
        (self.folder / f"{stack}.assets.json").write_text(json.dumps({"files": files}))


@pytest.fixture
def name() -> str:
    return f"deploy-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def assembly(tmp_path: Path) -> Assembly:
    return Assembly(tmp_path)


def queue(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": properties}


def policy_of(bucket: str) -> dict[str, Any]:
    return {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": bucket, "PolicyDocument": {}}}


def test_stacks_follow_those_that_they_need(endpoint: RunningEndpoint, assembly: Assembly, name: str) -> None:
    assembly.stack(f"{name}-a", {"Queue": queue()}, f"{name}-b", Url={"Ref": "Queue"})
    assembly.stack(f"{name}-b", {"Queue": queue()})
    done = deploy(assembly.folder, endpoint.url)
    assert [(each.stack, each.action) for each in done] == [(f"{name}-b", "created"), (f"{name}-a", "created")]
    assert done[1].outputs["Url"].endswith(tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))


def test_a_second_deploy_changes_nothing_and_a_new_template_does(
    endpoint: RunningEndpoint, assembly: Assembly, name: str
) -> None:
    assembly.stack(name, {"Queue": queue(DelaySeconds=1)})
    actions = [deploy(assembly.folder, endpoint.url)[0].action for _ in range(2)]
    assembly.stack(name, {"Queue": queue(DelaySeconds=2)})
    actions.append(deploy(assembly.folder, endpoint.url)[0].action)
    assert actions == ["created", "unchanged", "updated"]


def test_what_failed_is_named_and_the_next_deploy_repairs_it(
    endpoint: RunningEndpoint, assembly: Assembly, name: str
) -> None:
    assembly.stack(name, {"Queue": queue(), "Policy": policy_of(f"{name}-bucket")})
    with pytest.raises(DeployError, match=rf"'{name}' ended as ROLLBACK_COMPLETE. AWS::S3::BucketPolicy 'Policy': .*"):
        deploy(assembly.folder, endpoint.url)
    endpoint.client("s3").create_bucket(Bucket=f"{name}-bucket")
    assert deploy(assembly.folder, endpoint.url)[0].action == "created"


def test_what_a_destroy_has_kept_is_met_with_the_way_to_an_empty_laptop(
    endpoint: RunningEndpoint, assembly: Assembly, name: str
) -> None:
    kept = {"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}], "TableName": name}
    kept |= {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST"}
    endpoint.client("dynamodb").create_table(**kept)
    assembly.stack(name, {"Ledger": {"Type": "AWS::DynamoDB::Table", "Properties": kept}})
    with pytest.raises(
        DeployError, match=r"already exists: .*`\./headwater down`, then `\./headwater up`, starts empty"
    ):
        deploy(assembly.folder, endpoint.url)


def test_a_template_that_is_refused_is_named(endpoint: RunningEndpoint, assembly: Assembly, name: str) -> None:
    assembly.stack(name, {"Thing": {"Type": "AWS::Foo::Bar"}})
    with pytest.raises(DeployError, match=rf"The stack '{name}': .*AWS::Foo::Bar"):
        deploy(assembly.folder, endpoint.url)


def test_a_folder_without_an_assembly_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DeployError, match="expected a synthesized app"):
        deploy(tmp_path, "http://127.0.0.1:1")


def test_an_endpoint_that_does_not_answer_is_a_sentence(assembly: Assembly) -> None:
    assembly.stack("any", {"Queue": queue()})
    with pytest.raises(DeployError, match="expected one that answers"):
        deploy(assembly.folder, "http://127.0.0.1:1")


def test_assets_are_there_when_their_stack_is(endpoint: RunningEndpoint, assembly: Assembly, name: str) -> None:
    (assembly.folder / "code").mkdir()
    (assembly.folder / "code" / "handler.py").write_text("handle = print")
    assembly.stack(name, {"Queue": queue()})
    assembly.asset(name, "code", "zip", f"{name}-assets", "code.zip")
    deploy(assembly.folder, endpoint.url)
    stored = endpoint.client("s3").get_object(Bucket=f"{name}-assets", Key="code.zip")["Body"].read()
    assert stored == packed(assembly.folder / "code")


def test_a_package_depends_on_its_content_alone(tmp_path: Path) -> None:
    for folder, at in (("one", 1_000_000_000), ("two", 1_500_000_000)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.py").write_text("a = 1")
        os.utime(tmp_path / folder / "a.py", (at, at))
    assert packed(tmp_path / "one") == packed(tmp_path / "two")
