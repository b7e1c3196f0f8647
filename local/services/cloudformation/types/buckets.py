"""Buckets and their policies; moto's own model of a bucket keeps its name, encryption and tags, and drops the rest."""

from __future__ import annotations

import json
from typing import Any

from local.services.cloudformation.registry import Context, Made, Properties, Resource, ResourceType, register, tag_list

RULE_KEYS = {"Id", "Status", "Prefix", "ExpirationInDays", "Transitions", "NoncurrentVersionExpiration",
             "NoncurrentVersionTransitions", "AbortIncompleteMultipartUpload", "ExpiredObjectDeleteMarker"}  # fmt: skip


def create_bucket(context: Context, properties: Properties) -> Made:
    place = {} if context.region == "us-east-1" else {"LocationConstraint": context.region}
    request: dict[str, Any] = {"Bucket": context.name}
    if place:
        request["CreateBucketConfiguration"] = place
    if "OwnershipControls" in properties:
        request["ObjectOwnership"] = properties["OwnershipControls"]["Rules"][0]["ObjectOwnership"]
    context.client("s3").create_bucket(**request)
    configure(context, context.name, {}, properties)
    return made(context, context.name)


def update_bucket(context: Context, old: Resource, properties: Properties) -> Made:
    configure(context, old.physical_resource_id, old.properties, properties)
    return made(context, old.physical_resource_id)


def delete_bucket(context: Context, old: Resource) -> None:
    context.client("s3").delete_bucket(Bucket=old.physical_resource_id)


def made(context: Context, bucket: str) -> Made:
    return Made(
        bucket,
        {
            "Arn": f"arn:aws:s3:::{bucket}",
            "DomainName": f"{bucket}.s3.amazonaws.com",
            "RegionalDomainName": f"{bucket}.s3.{context.region}.amazonaws.com",
        },
    )


def configure(context: Context, bucket: str, old: Properties, new: Properties) -> None:
    """Each part of a bucket's configuration that differs, by the call that sets or takes it away."""
    s3 = context.client("s3")
    for name, (put, parameter, translate, remove) in PARTS.items():
        if old.get(name) == new.get(name):
            continue
        if name in new:
            context.call("s3", put, {"Bucket": bucket, parameter: translate(new[name], bucket)})
        elif remove:
            getattr(s3, remove)(Bucket=bucket)
        else:
            context.call("s3", put, {"Bucket": bucket, parameter: {}})


def as_is(value: Any, bucket: str) -> Any:
    return value


def encryption(value: Any, bucket: str) -> Any:
    rules = value["ServerSideEncryptionConfiguration"]
    renamed = [{RENAMED.get(name, name): item for name, item in rule.items()} for rule in rules]
    return {"Rules": renamed}


RENAMED = {"ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault"}


def logging(value: Any, bucket: str) -> Any:
    prefix = value.get("LogFilePrefix", "")
    return {"LoggingEnabled": {"TargetBucket": value.get("DestinationBucketName", bucket), "TargetPrefix": prefix}}


def lifecycle(value: Any, bucket: str) -> Any:
    return {"Rules": [lifecycle_rule(rule, number) for number, rule in enumerate(value["Rules"])]}


def lifecycle_rule(rule: Properties, number: int) -> Properties:
    unknown = sorted(rule.keys() - RULE_KEYS)
    if unknown:
        raise ValueError(f"The lifecycle property '{unknown[0]}': expected one of {', '.join(sorted(RULE_KEYS))}.")
    said = {
        "ID": rule.get("Id", f"rule-{number}"),
        "Status": rule["Status"],
        "Filter": {"Prefix": rule.get("Prefix", "")},
    }
    if "ExpirationInDays" in rule:
        said["Expiration"] = {"Days": rule["ExpirationInDays"]}
    if "ExpiredObjectDeleteMarker" in rule:
        said["Expiration"] = {"ExpiredObjectDeleteMarker": rule["ExpiredObjectDeleteMarker"]}
    if "Transitions" in rule:
        said["Transitions"] = [
            {"Days": one["TransitionInDays"], "StorageClass": one["StorageClass"]} for one in rule["Transitions"]
        ]
    if "NoncurrentVersionTransitions" in rule:
        said["NoncurrentVersionTransitions"] = [
            {"NoncurrentDays": one["TransitionInDays"], "StorageClass": one["StorageClass"]}
            for one in rule["NoncurrentVersionTransitions"]
        ]
    same = ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload")
    return {**said, **{name: rule[name] for name in same if name in rule}}


def notification(value: Any, bucket: str) -> Any:
    """Events to EventBridge; other targets are set by other means than the CDK's."""
    if value.keys() - {"EventBridgeConfiguration"}:
        raise ValueError(f"The notification {sorted(value)}: expected EventBridgeConfiguration alone.")
    return {"EventBridgeConfiguration": {}}


def tags(value: Any, bucket: str) -> Any:
    return {"TagSet": tag_list(value)}


PARTS: dict[str, tuple[str, str, Any, str]] = {
    "VersioningConfiguration": ("PutBucketVersioning", "VersioningConfiguration", as_is, ""),
    "BucketEncryption": (
        "PutBucketEncryption", "ServerSideEncryptionConfiguration", encryption, "delete_bucket_encryption"
    ),
    "PublicAccessBlockConfiguration": (
        "PutPublicAccessBlock", "PublicAccessBlockConfiguration", as_is, "delete_public_access_block"
    ),
    "OwnershipControls": (
        "PutBucketOwnershipControls", "OwnershipControls", as_is, "delete_bucket_ownership_controls"
    ),
    "LifecycleConfiguration": (
        "PutBucketLifecycleConfiguration", "LifecycleConfiguration", lifecycle, "delete_bucket_lifecycle"
    ),
    "LoggingConfiguration": ("PutBucketLogging", "BucketLoggingStatus", logging, ""),
    "NotificationConfiguration": (
        "PutBucketNotificationConfiguration", "NotificationConfiguration", notification, ""
    ),
    "Tags": ("PutBucketTagging", "Tagging", tags, "delete_bucket_tagging"),
}  # fmt: skip

register(
    ResourceType(
        type="AWS::S3::Bucket",
        create=create_bucket,
        update=update_bucket,
        delete=delete_bucket,
        name="BucketName",
        known=frozenset({"BucketName", *PARTS}),
        fixed=frozenset({"BucketName"}),
        ignored={"AccessControl": "log delivery is allowed to everyone: the laptop writes no access logs"},
    )
)


def put_policy(context: Context, properties: Properties) -> Made:
    policy = json.dumps(properties["PolicyDocument"])
    context.client("s3").put_bucket_policy(Bucket=properties["Bucket"], Policy=policy)
    return Made(properties["Bucket"])


register(
    ResourceType(
        type="AWS::S3::BucketPolicy",
        create=put_policy,
        update=lambda context, old, properties: put_policy(context, properties),
        delete=lambda context, old: context.client("s3").delete_bucket_policy(Bucket=old.physical_resource_id),
        known=frozenset({"Bucket", "PolicyDocument"}),
        fixed=frozenset({"Bucket"}),
    )
)
