"""The log of accesses: CloudTrail's data events of the lake's buckets, into the bucket of logs."""

from __future__ import annotations

from aws_cdk import aws_cloudtrail as cloudtrail, aws_iam as iam, aws_s3 as s3
from constructs import Construct

from config import Environment
from config.consumers import TRAIL, WATCHED

Selector = cloudtrail.CfnTrail.AdvancedEventSelectorProperty
FieldSelector = cloudtrail.CfnTrail.AdvancedFieldSelectorProperty


class AccessTrail(Construct):
    """Who read or wrote which object of the lake; the account's own trail has what services were asked."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        super().__init__(scope, construct_id)
        buckets = [f"arn:aws:s3:::{environment.bucket(layer)}/" for layer in WATCHED]
        cloudtrail.CfnTrail(
            self,
            "Trail",
            trail_name=name(environment),
            is_logging=True,
            s3_bucket_name=environment.bucket("logs"),
            s3_key_prefix=TRAIL,
            enable_log_file_validation=True,
            advanced_event_selectors=[
                Selector(
                    name="Objects of the lake",
                    field_selectors=[
                        FieldSelector(field="eventCategory", equal_to=["Data"]),
                        FieldSelector(field="resources.type", equal_to=["AWS::S3::Object"]),
                        FieldSelector(field="resources.ARN", starts_with=buckets),
                    ],
                )
            ],
        )


def name(environment: Environment) -> str:
    return environment.resource("accesses")


def receive(bucket: s3.Bucket, environment: Environment) -> None:
    """Let this environment's trail write to the bucket of logs."""
    trail = f"arn:aws:cloudtrail:{environment.region}:{environment.account}:trail/{name(environment)}"
    service = iam.ServicePrincipal("cloudtrail.amazonaws.com")
    ours = {"aws:SourceArn": trail}
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            sid="TrailLooksAtTheBucket",
            principals=[service],
            actions=["s3:GetBucketAcl"],
            resources=[bucket.bucket_arn],
            conditions={"StringEquals": ours},
        )
    )
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            sid="TrailWritesItsFiles",
            principals=[service],
            actions=["s3:PutObject"],
            resources=[bucket.arn_for_objects(f"{TRAIL}/AWSLogs/{environment.account}/*")],
            conditions={"StringEquals": {**ours, "s3:x-amz-acl": "bucket-owner-full-control"}},
        )
    )
