"""Keys, secrets and parameters."""

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
    tag_list,
)
from local.services.cloudformation.tags import retag


def create_key(context: Context, properties: Properties) -> Made:
    request = present(properties, "Description", "KeySpec", "KeyUsage", "MultiRegion")
    request["Tags"] = tag_list(properties.get("Tags"), "TagKey", "TagValue")
    if "KeyPolicy" in properties:
        request["Policy"] = json.dumps(properties["KeyPolicy"])
    key = context.call("kms", "CreateKey", request)["KeyMetadata"]
    configure_key(context, key["KeyId"], properties)
    return Made(key["KeyId"], {"Arn": key["Arn"], "KeyId": key["KeyId"]})


def configure_key(context: Context, key: str, properties: Properties) -> None:
    kms = context.client("kms")
    rotates = str(properties.get("EnableKeyRotation", False)).lower() == "true"
    days = (
        {"RotationPeriodInDays": int(properties["RotationPeriodInDays"])}
        if "RotationPeriodInDays" in properties
        else {}
    )
    if rotates:
        kms.enable_key_rotation(KeyId=key, **days)
    else:
        kms.disable_key_rotation(KeyId=key)
    if str(properties.get("Enabled", True)).lower() == "false":
        kms.disable_key(KeyId=key)
    else:
        kms.enable_key(KeyId=key)


def update_key(context: Context, old: Resource, properties: Properties) -> Made:
    kms, key = context.client("kms"), old.physical_resource_id
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(properties["KeyPolicy"]))
    kms.update_key_description(KeyId=key, Description=properties.get("Description", ""))
    gone = [tag["Key"] for tag in old.properties.get("Tags", [])]
    if gone:
        kms.untag_resource(KeyId=key, TagKeys=gone)
    if properties.get("Tags"):
        kms.tag_resource(KeyId=key, Tags=tag_list(properties["Tags"], "TagKey", "TagValue"))
    configure_key(context, key, properties)
    return old.made


def delete_key(context: Context, old: Resource) -> None:
    days = int(old.properties.get("PendingWindowInDays", 30))
    context.client("kms").schedule_key_deletion(KeyId=old.physical_resource_id, PendingWindowInDays=days)


register(
    ResourceType(
        type="AWS::KMS::Key",
        create=create_key,
        update=update_key,
        delete=delete_key,
        known=frozenset({
            "Description", "EnableKeyRotation", "Enabled", "KeyPolicy", "KeySpec", "KeyUsage", "MultiRegion",
            "PendingWindowInDays", "RotationPeriodInDays", "Tags",
        }),
        fixed=frozenset({"KeySpec", "KeyUsage", "MultiRegion"}),
    )
)  # fmt: skip


def create_alias(context: Context, properties: Properties) -> Made:
    context.call("kms", "CreateAlias", properties)
    return Made(properties["AliasName"])


def update_alias(context: Context, old: Resource, properties: Properties) -> Made:
    context.call("kms", "UpdateAlias", properties)
    return old.made


register(
    ResourceType(
        type="AWS::KMS::Alias",
        create=create_alias,
        update=update_alias,
        delete=lambda context, old: context.client("kms").delete_alias(AliasName=old.physical_resource_id),
        name="AliasName",
        known=frozenset({"AliasName", "TargetKeyId"}),
        fixed=frozenset({"AliasName"}),
    )
)


def put_parameter(context: Context, properties: Properties, overwrite: bool = False) -> Made:
    request = {**omit(properties, "Tags"), "Name": context.name, "Overwrite": overwrite}
    if not overwrite:
        request["Tags"] = tag_list(properties.get("Tags"))
    context.call("ssm", "PutParameter", request)
    return Made(context.name, present(properties, "Type", "Value"))


def update_parameter(context: Context, old: Resource, properties: Properties) -> Made:
    ssm, named = context.client("ssm"), {"ResourceType": "Parameter", "ResourceId": old.physical_resource_id}
    before, after = old.properties.get("Tags") or {}, properties.get("Tags") or {}
    if gone := sorted(before.keys() - after.keys()):
        ssm.remove_tags_from_resource(**named, TagKeys=gone)
    if after:
        ssm.add_tags_to_resource(**named, Tags=tag_list(after))
    return put_parameter(context, properties, overwrite=True)


register(
    ResourceType(
        type="AWS::SSM::Parameter",
        create=put_parameter,
        update=update_parameter,
        delete=lambda context, old: context.client("ssm").delete_parameter(Name=old.physical_resource_id),
        name="Name",
        known=frozenset({"AllowedPattern", "DataType", "Description", "Name", "Tags", "Tier", "Type", "Value"}),
        fixed=frozenset({"Name", "DataType"}),
    )
)


def secret_value(context: Context, properties: Properties) -> Properties:
    """The secret's text: as given, or with a password that Secrets Manager makes; none of both is an empty secret."""
    wanted: dict[str, Any] | None = properties.get("GenerateSecretString")
    if wanted is None:
        return present(properties, "SecretString")
    rules = omit(wanted, "SecretStringTemplate", "GenerateStringKey")
    password: str = context.call("secretsmanager", "GetRandomPassword", rules)["RandomPassword"]
    if "GenerateStringKey" not in wanted:
        return {"SecretString": password}
    content = {**json.loads(wanted["SecretStringTemplate"]), wanted["GenerateStringKey"]: password}
    return {"SecretString": json.dumps(content)}


def create_secret(context: Context, properties: Properties) -> Made:
    request = {**present(properties, "Description", "KmsKeyId"), "Name": context.name}
    request |= {"Tags": tag_list(properties.get("Tags")), **secret_value(context, properties)}
    arn = context.call("secretsmanager", "CreateSecret", request)["ARN"]
    return Made(arn, {"Id": arn})


def update_secret(context: Context, old: Resource, properties: Properties) -> Made:
    """A generated password is made anew only where its rules change, as CloudFormation does."""
    request = {**present(properties, "Description", "KmsKeyId"), "SecretId": old.physical_resource_id}
    told = ("SecretString", "GenerateSecretString")
    if present(old.properties, *told) != present(properties, *told):
        request |= secret_value(context, properties)
    context.call("secretsmanager", "UpdateSecret", request)
    retag(context, "secretsmanager", old.physical_resource_id, old.properties.get("Tags"), properties.get("Tags"))
    return old.made


def delete_secret(context: Context, old: Resource) -> None:
    arn = old.physical_resource_id
    context.client("secretsmanager").delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


register(
    ResourceType(
        type="AWS::SecretsManager::Secret",
        create=create_secret,
        update=update_secret,
        delete=delete_secret,
        name="Name",
        known=frozenset({"Description", "GenerateSecretString", "KmsKeyId", "Name", "SecretString", "Tags"}),
        fixed=frozenset({"Name"}),
    )
)


def put_secret_policy(context: Context, properties: Properties) -> Made:
    context.call("secretsmanager", "PutResourcePolicy", properties)
    return Made(properties["SecretId"])


register(
    ResourceType(
        type="AWS::SecretsManager::ResourcePolicy",
        create=put_secret_policy,
        update=lambda context, old, properties: put_secret_policy(context, properties),
        delete=lambda context, old: context.client("secretsmanager").delete_resource_policy(
            SecretId=old.physical_resource_id
        ),
        known=frozenset({"BlockPublicPolicy", "ResourcePolicy", "SecretId"}),
        fixed=frozenset({"SecretId"}),
    )
)
