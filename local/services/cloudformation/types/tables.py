"""DynamoDB tables and container repositories (the CDK's bootstrap stack makes one)."""

from __future__ import annotations

import json
from typing import Any

from local.services.cloudformation.registry import (
    Context,
    Made,
    Properties,
    Resource,
    ResourceType,
    omit,
    present,
    register,
)
from local.services.cloudformation.tags import retag

AFTER = ("TimeToLiveSpecification", "PointInTimeRecoverySpecification", "Tags", "ResourcePolicy")


def encryption(properties: Properties) -> Properties:
    """The API's name for what CloudFormation calls SSEEnabled."""
    said: dict[str, Any] | None = properties.get("SSESpecification")
    if said is None:
        return {}
    return {"SSESpecification": {"Enabled": said["SSEEnabled"], **omit(said, "SSEEnabled")}}


def create_table(context: Context, properties: Properties) -> Made:
    request = {**omit(properties, *AFTER), "TableName": context.name, **encryption(properties)}
    if "Tags" in properties:
        request["Tags"] = properties["Tags"]
    if "StreamSpecification" in properties:
        request["StreamSpecification"] = {**properties["StreamSpecification"], "StreamEnabled": True}
    table = context.call("dynamodb", "CreateTable", request)["TableDescription"]
    configure_table(context, context.name, {}, properties)
    stream = {"StreamArn": table["LatestStreamArn"]} if "LatestStreamArn" in table else {}
    return Made(context.name, {"Arn": table["TableArn"], **stream})


def configure_table(context: Context, table: str, old: Properties, new: Properties) -> None:
    if old.get("TimeToLiveSpecification") != new.get("TimeToLiveSpecification"):
        wanted = new.get("TimeToLiveSpecification") or {**old["TimeToLiveSpecification"], "Enabled": False}
        context.call("dynamodb", "UpdateTimeToLive", {"TableName": table, "TimeToLiveSpecification": wanted})
    recovery = "PointInTimeRecoverySpecification"
    if old.get(recovery) != new.get(recovery):
        wanted = new.get(recovery) or {"PointInTimeRecoveryEnabled": False}
        context.call("dynamodb", "UpdateContinuousBackups", {"TableName": table, recovery: wanted})


def update_table(context: Context, old: Resource, properties: Properties) -> Made:
    table = old.physical_resource_id
    simple = ("BillingMode", "DeletionProtectionEnabled", "ProvisionedThroughput", "TableClass")
    changed = {
        name: properties[name] for name in simple if properties.get(name, ...) not in (..., old.properties.get(name))
    }
    if old.properties.get("SSESpecification") != properties.get("SSESpecification"):
        changed |= encryption(properties) or {"SSESpecification": {"Enabled": False}}
    indexes = index_updates(old.properties, properties)
    if changed or indexes:
        described = {"AttributeDefinitions": properties["AttributeDefinitions"]} if indexes else {}
        updates = {"GlobalSecondaryIndexUpdates": indexes} if indexes else {}
        context.call("dynamodb", "UpdateTable", {"TableName": table, **changed, **described, **updates})
    configure_table(context, table, old.properties, properties)
    retag(context, "dynamodb", old.made.attributes["Arn"], old.properties.get("Tags"), properties.get("Tags"))
    return old.made


def index_updates(old: Properties, new: Properties) -> list[Properties]:
    before = {each["IndexName"]: each for each in old.get("GlobalSecondaryIndexes", [])}
    after = {each["IndexName"]: each for each in new.get("GlobalSecondaryIndexes", [])}
    gone = [{"Delete": {"IndexName": name}} for name in before if name not in after]
    return gone + [{"Create": each} for name, each in after.items() if name not in before]


def delete_table(context: Context, old: Resource) -> None:
    context.client("dynamodb").delete_table(TableName=old.physical_resource_id)


TABLE = frozenset({
    "AttributeDefinitions", "BillingMode", "DeletionProtectionEnabled", "GlobalSecondaryIndexes", "KeySchema",
    "LocalSecondaryIndexes", "PointInTimeRecoverySpecification", "ProvisionedThroughput", "SSESpecification",
    "StreamSpecification", "TableClass", "TableName", "Tags", "TimeToLiveSpecification",
})  # fmt: skip

register(
    ResourceType(
        type="AWS::DynamoDB::Table",
        create=create_table,
        update=update_table,
        delete=delete_table,
        name="TableName",
        known=TABLE,
        fixed=frozenset({"KeySchema", "LocalSecondaryIndexes", "TableName"}),
        ignored={"ContributorInsightsSpecification": "a view of a table's traffic, of which the laptop has none"},
    )
)


def one_table(context: Context, properties: Properties) -> Properties:
    """A global table of one replica, here, as the table that it is."""
    replicas = properties["Replicas"]
    if len(replicas) != 1 or replicas[0]["Region"] != context.region:
        named = [replica["Region"] for replica in replicas]
        raise ValueError(f"The replicas {named}: expected one, in {context.region}: the laptop is one region.")
    here = omit(replicas[0], "Region", "SSESpecification", "ContributorInsightsSpecification")
    said = {**omit(properties, "Replicas", "SSESpecification"), **here}
    if "SSESpecification" in properties:
        said["SSESpecification"] = {**properties["SSESpecification"], **replicas[0].get("SSESpecification", {})}
    return said


def update_global_table(context: Context, old: Resource, properties: Properties) -> Made:
    as_table = Resource(
        old.logical_resource_id, old.cf_resource_type, one_table(context, old.properties), old.made, old.policies
    )
    return update_table(context, as_table, one_table(context, properties))


register(
    ResourceType(
        type="AWS::DynamoDB::GlobalTable",
        create=lambda context, properties: create_table(context, one_table(context, properties)),
        update=update_global_table,
        delete=delete_table,
        name="TableName",
        known=frozenset({"Replicas", *TABLE} - {"PointInTimeRecoverySpecification", "Tags", "TableClass"}),
        fixed=frozenset({"KeySchema", "LocalSecondaryIndexes", "TableName"}),
    )
)


def create_repository(context: Context, properties: Properties) -> Made:
    given = present(properties, "ImageScanningConfiguration", "ImageTagMutability", "EncryptionConfiguration")
    request = {**given, "repositoryName": context.name, "tags": properties.get("Tags", [])}
    repository = context.call("ecr", "CreateRepository", request)["repository"]
    configure_repository(context, context.name, properties)
    return Made(context.name, {"Arn": repository["repositoryArn"], "RepositoryUri": repository["repositoryUri"]})


def configure_repository(context: Context, name: str, properties: Properties) -> None:
    ecr = context.client("ecr")
    if "RepositoryPolicyText" in properties:
        ecr.set_repository_policy(repositoryName=name, policyText=json.dumps(properties["RepositoryPolicyText"]))
    if "LifecyclePolicy" in properties:
        text = properties["LifecyclePolicy"]["LifecyclePolicyText"]
        ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=text)


def update_repository(context: Context, old: Resource, properties: Properties) -> Made:
    named = {"repositoryName": old.physical_resource_id}
    if "ImageScanningConfiguration" in properties:
        given = {**named, **present(properties, "ImageScanningConfiguration")}
        context.call("ecr", "PutImageScanningConfiguration", given)
    if "ImageTagMutability" in properties:
        context.call("ecr", "PutImageTagMutability", {**named, **present(properties, "ImageTagMutability")})
    configure_repository(context, old.physical_resource_id, properties)
    retag(context, "ecr", old.made.attributes["Arn"], old.properties.get("Tags"), properties.get("Tags"))
    return old.made


def delete_repository(context: Context, old: Resource) -> None:
    context.client("ecr").delete_repository(repositoryName=old.physical_resource_id, force=True)


register(
    ResourceType(
        type="AWS::ECR::Repository",
        create=create_repository,
        update=update_repository,
        delete=delete_repository,
        name="RepositoryName",
        known=frozenset({
            "EmptyOnDelete", "EncryptionConfiguration", "ImageScanningConfiguration", "ImageTagMutability",
            "LifecyclePolicy", "RepositoryName", "RepositoryPolicyText", "Tags",
        }),
        fixed=frozenset({"EncryptionConfiguration", "RepositoryName"}),
    )
)  # fmt: skip
