"""CloudFormation on the laptop: what a template says is what the services have, or the stack says why not."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import RunningEndpoint

Template = dict[str, Any]


class StackOnTrial:
    """A stack of one test: `deploy(resources)`, then look at what there is."""

    def __init__(self, endpoint: RunningEndpoint) -> None:
        self.endpoint = endpoint
        self.cloudformation = endpoint.client("cloudformation")
        self.name = f"trial-{uuid.uuid4().hex[:8]}"
        self.exists = False

    def deploy(self, resources: Template, **sections: Any) -> str:
        body = json.dumps({"Resources": resources, **sections})
        call = self.cloudformation.update_stack if self.exists else self.cloudformation.create_stack
        self.stack_id = call(StackName=self.name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])["StackId"]
        self.exists = True
        return self.status

    def delete(self) -> str:
        self.cloudformation.delete_stack(StackName=self.name)
        self.exists = False
        return self.status

    @property
    def status(self) -> str:
        status: str = self.cloudformation.describe_stacks(StackName=self.stack_id)["Stacks"][0]["StackStatus"]
        return status

    @property
    def resources(self) -> dict[str, str]:
        found = self.cloudformation.describe_stack_resources(StackName=self.stack_id)["StackResources"]
        return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in found}

    def events(self, status: str) -> dict[str, str]:
        found = self.cloudformation.describe_stack_events(StackName=self.stack_id)["StackEvents"]
        chosen = [event for event in found if event["ResourceStatus"] == status]
        return {event["LogicalResourceId"]: event.get("ResourceStatusReason", "") for event in chosen}


@pytest.fixture
def stack(endpoint: RunningEndpoint) -> Iterator[StackOnTrial]:
    trial = StackOnTrial(endpoint)
    yield trial
    if trial.exists:
        trial.delete()


def bucket(name: str, **properties: Any) -> Template:
    return {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name, **properties}}


def queue(**properties: Any) -> Template:
    return {"Type": "AWS::SQS::Queue", "Properties": properties}


def test_an_unknown_type_is_refused_by_name(stack: StackOnTrial) -> None:
    with pytest.raises(ClientError, match=r"Unrecognized resource types: \[AWS::Foo::Bar\]"):
        stack.deploy({"Thing": {"Type": "AWS::Foo::Bar"}, "Queue": queue()})


def test_an_unknown_property_is_refused_by_name(stack: StackOnTrial) -> None:
    with pytest.raises(ClientError, match="AWS::SQS::Queue 'Queue': the property 'Colour' is not modelled"):
        stack.deploy({"Queue": queue(Colour="blue")})


def test_an_unknown_property_deep_inside_fails_its_resource(stack: StackOnTrial) -> None:
    job = {"Type": "AWS::Glue::Job", "Properties": {"Role": "r", "Command": {"Name": "glueetl", "Colour": "blue"}}}
    assert stack.deploy({"Job": job}) == "ROLLBACK_COMPLETE"
    assert "CreateJob.Command.Colour" in stack.events("CREATE_FAILED")["Job"]


def test_an_unknown_function_is_refused_by_name(stack: StackOnTrial) -> None:
    with pytest.raises(ClientError, match=r"Unsupported functions: \[Fn::Cidr\]"):
        stack.deploy({"Queue": queue(QueueName={"Fn::Cidr": ["10.0.0.0/8", 1, 8]})})


def test_a_reference_to_nothing_is_refused_by_name(stack: StackOnTrial) -> None:
    with pytest.raises(ClientError, match=r"Unresolved resource dependencies \[Nothing\]"):
        stack.deploy({"Queue": queue(QueueName={"Ref": "Nothing"})})


def test_resources_are_made_after_those_that_they_need(stack: StackOnTrial) -> None:
    names = {"QueueName": {"Fn::Sub": "${Second.QueueName}-after"}}
    assert stack.deploy({"First": queue(**names), "Second": queue()}) == "CREATE_COMPLETE"
    assert list(stack.events("CREATE_COMPLETE")) == [stack.name, "First", "Second"]  # newest first


def test_a_failed_create_leaves_nothing(stack: StackOnTrial) -> None:
    name = f"{stack.name}-bucket"
    policy = {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": "there-is-none", "PolicyDocument": {}}}
    kept = {**bucket(name), "DeletionPolicy": "RetainExceptOnCreate"}
    assert stack.deploy({"Bucket": kept, "Policy": {**policy, "DependsOn": "Bucket"}}) == "ROLLBACK_COMPLETE"
    assert "NoSuchBucket" in stack.events("CREATE_FAILED")["Policy"]
    with pytest.raises(ClientError, match="404"):
        stack.endpoint.client("s3").head_bucket(Bucket=name)


def test_a_failed_update_puts_back_what_was(stack: StackOnTrial) -> None:
    stack.deploy({"Queue": queue(MessageRetentionPeriod=60)})
    policy = {"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": "there-is-none", "PolicyDocument": {}}}
    changed = {"Queue": queue(MessageRetentionPeriod=120), "More": queue(), "Policy": {**policy, "DependsOn": "Queue"}}
    assert stack.deploy(changed) == "UPDATE_ROLLBACK_COMPLETE"
    assert retention(stack) == "60"
    assert set(stack.resources) == {"Queue"}


def retention(stack: StackOnTrial) -> str:
    sqs = stack.endpoint.client("sqs")
    asked = sqs.get_queue_attributes(QueueUrl=stack.resources["Queue"], AttributeNames=["MessageRetentionPeriod"])
    period: str = asked["Attributes"]["MessageRetentionPeriod"]
    return period


def test_a_change_reaches_the_resource_and_an_unchanged_template_does_nothing(stack: StackOnTrial) -> None:
    stack.deploy({"Queue": queue(MessageRetentionPeriod=60)})
    before = stack.resources
    assert stack.deploy({"Queue": queue(MessageRetentionPeriod=90)}) == "UPDATE_COMPLETE"
    assert (stack.resources, retention(stack)) == (before, "90")
    with pytest.raises(ClientError, match="No updates are to be performed"):
        stack.deploy({"Queue": queue(MessageRetentionPeriod=90)})


@pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
def test_a_retained_resource_outlives_its_stack(stack: StackOnTrial, policy: str) -> None:
    name = f"{stack.name}-bucket"
    stack.deploy({"Bucket": {**bucket(name), "DeletionPolicy": policy}})
    assert stack.delete() == "DELETE_COMPLETE"
    stack.endpoint.client("s3").head_bucket(Bucket=name)


def test_a_resource_that_leaves_the_template_is_deleted_unless_retained(stack: StackOnTrial) -> None:
    gone, kept = f"{stack.name}-gone", f"{stack.name}-kept"
    stack.deploy({"Gone": bucket(gone), "Kept": {**bucket(kept), "DeletionPolicy": "Retain"}, "Queue": queue()})
    assert stack.deploy({"Queue": queue()}) == "UPDATE_COMPLETE"
    s3 = stack.endpoint.client("s3")
    s3.head_bucket(Bucket=kept)
    with pytest.raises(ClientError, match="404"):
        s3.head_bucket(Bucket=gone)


def test_a_bucket_with_objects_is_not_deleted(stack: StackOnTrial) -> None:
    name = f"{stack.name}-bucket"
    s3 = stack.endpoint.client("s3")
    stack.deploy({"Bucket": bucket(name)})
    s3.put_object(Bucket=name, Key="kept.txt", Body=b"kept")
    assert stack.delete() == "DELETE_FAILED"
    s3.delete_object(Bucket=name, Key="kept.txt")
    assert stack.delete() == "DELETE_COMPLETE"
