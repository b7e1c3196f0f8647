"""Storage: the lake's key, and one private, encrypted bucket for each layer and for what lies beside them."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy, aws_iam as iam, aws_s3 as s3, aws_ssm as ssm
from constructs import Construct

from config import DATA_LAYERS, Environment
from datalake.encryption import lake_key
from datalake.nag import acknowledge
from datalake.trail import receive
from lake.certificate import REQUESTS

BESIDE = ("results", "sandbox", "scratch")
# Bronze expires before silver does, so neither can be rebuilt from the other; gold and the rest can.
NOT_REBUILDABLE = frozenset({"landing", "bronze", "silver", "sandbox"})

WRITTEN_BY_PEOPLE = ("results", "sandbox")


class LakeStorage(Construct):
    """A bucket for each layer, under one key: `storage.buckets["gold"]`."""

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, removal_policy: RemovalPolicy
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        self._removal_policy = removal_policy
        self.key = lake_key(self, "Key", environment=environment, removal_policy=removal_policy)
        ssm.StringParameter(
            self,
            "KeyArn",
            parameter_name=environment.key_arn_parameter,
            string_value=self.key.key_arn,
            description="The ARN of the lake's key, for the stacks that use it",
        )
        self.logs = self._logs_bucket()
        self.buckets = {layer: self._bucket(layer) for layer in (*DATA_LAYERS, *BESIDE)}
        for layer in WRITTEN_BY_PEOPLE:
            self.buckets[layer].add_to_resource_policy(_under_our_key(self.buckets[layer]))

    def _bucket(self, layer: str) -> s3.Bucket:
        return s3.Bucket(
            self,
            layer.title(),
            bucket_name=self._environment.bucket(layer),
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,  # one KMS call for each bucket, not for each object
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            versioned=layer in NOT_REBUILDABLE,
            server_access_logs_bucket=self.logs,
            server_access_logs_prefix=f"s3/{layer}/",
            lifecycle_rules=self._lifecycle(layer),
            removal_policy=self._removal_policy,
        )

    def _logs_bucket(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Logs",
            bucket_name=self._environment.bucket("logs"),
            encryption=s3.BucketEncryption.S3_MANAGED,  # S3 delivers no access logs under a customer's key
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            enforce_ssl=True,
            lifecycle_rules=self._lifecycle("logs"),
            removal_policy=self._removal_policy,
        )
        receive(bucket, self._environment)
        acknowledge(bucket, {"S1": "It receives the access logs; logging its own deliveries would never end."})
        return bucket

    def _lifecycle(self, layer: str) -> list[s3.LifecycleRule]:
        days = self._environment.retention.get(layer)
        requests = [s3.LifecycleRule(prefix=REQUESTS, expiration=Duration.days(1))] if layer == "scratch" else []
        return [
            *requests,
            s3.LifecycleRule(
                abort_incomplete_multipart_upload_after=Duration.days(7),
                expiration=Duration.days(days) if days else None,
                noncurrent_version_expiration=Duration.days(self._environment.retention["noncurrent"])
                if layer in NOT_REBUILDABLE
                else None,
            ),
        ]


def _under_our_key(bucket: s3.Bucket) -> iam.PolicyStatement:
    """A client may leave encryption to the bucket, or ask for KMS; what asks for less is refused.

    A workgroup could ask for a minimum too, but CloudFormation does not know that setting.
    """
    header = "s3:x-amz-server-side-encryption"
    return iam.PolicyStatement(
        sid="NothingButOurEncryption",
        effect=iam.Effect.DENY,
        principals=[iam.AnyPrincipal()],
        actions=["s3:PutObject"],
        resources=[bucket.arn_for_objects("*")],
        conditions={"StringNotEquals": {header: "aws:kms"}, "Null": {header: "false"}},
    )
