"""A stream of events: Kinesis, the function that takes its records to bronze, and the mapping between them."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy, aws_kinesis as kinesis, aws_kms as kms, aws_lambda as lambda_
from constructs import Construct

from config import Environment
from config.stream import Stream, noun
from datalake.code import RuntimeCode
from datalake.function import LakeFunction
from datalake.grants import LakeGrants
from datalake.nag import acknowledge

HOUR = 3600
CONSUMER_MEMORY = 1024  # a batch of 6 MB, its parsed records, and the object that is made of them


class EventStream(Construct):
    """Stream `headwater-ENV-SOURCE-NAME` and its consumer: `stream`, `consumer`, `mapping`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        dataset: str,
        environment: Environment,
        code: RuntimeCode,
        key: kms.IKey,
        layers: Sequence[lambda_.ILayerVersion],
        removal_policy: RemovalPolicy,
    ) -> None:
        super().__init__(scope, construct_id)
        settings, name = environment.streams[dataset], noun(dataset)
        lake = LakeGrants(environment, key_arn=key.key_arn)
        self.stream = kinesis.Stream(
            self,
            "Stream",
            stream_name=environment.resource(name),
            encryption=kinesis.StreamEncryption.KMS,
            encryption_key=key,
            retention_period=Duration.hours(settings.retention_hours),
            stream_mode=kinesis.StreamMode.PROVISIONED if settings.shards else kinesis.StreamMode.ON_DEMAND,
            shard_count=settings.shards,
            removal_policy=removal_policy,
        )
        acknowledge(self.stream, {"KDS3": "Health data lies under the lake's own key, wherever it lies."})
        self.consumer = LakeFunction(
            self,
            "Consumer",
            name=f"consume-{name}",
            handler="consume",
            description=f"Takes the events of {dataset} from their stream to bronze",
            environment=environment,
            code=code,
            key=key,
            layers=layers,
            variables={"DATASET": dataset},
            memory=CONSUMER_MEMORY,
            traced=True,
            grants=[
                lake.read_stream(dataset),
                lake.write_events(dataset),
                *lake.keep_undelivered(),
            ],
        )
        self.mapping = self._mapping(settings, undelivered=f"arn:aws:s3:::{environment.bucket('bronze')}")

    def _mapping(self, settings: Stream, *, undelivered: str) -> lambda_.CfnEventSourceMapping:
        mapping = lambda_.CfnEventSourceMapping
        made = mapping(
            self,
            "Mapping",
            event_source_arn=self.stream.stream_arn,
            function_name=self.consumer.function.function_name,
            starting_position="TRIM_HORIZON",  # what arrived before the mapping was there counts too
            batch_size=settings.batch_size,
            maximum_batching_window_in_seconds=settings.window_seconds,
            parallelization_factor=settings.parallelization,
            bisect_batch_on_function_error=True,
            function_response_types=["ReportBatchItemFailures"],
            maximum_record_age_in_seconds=settings.max_record_age_hours * HOUR,
            maximum_retry_attempts=settings.retries,
            # S3, since a queue would hold only pointers that die with the stream's retention. Lambda takes no prefix:
            # it writes to aws/lambda/MAPPING/SHARD/ of the bucket.
            destination_config=mapping.DestinationConfigProperty(
                on_failure=mapping.OnFailureProperty(destination=undelivered)
            ),
            metrics_config=mapping.MetricsConfigProperty(metrics=["EventCount"]),
        )
        made.node.add_dependency(self.consumer)  # its role must be able to read before the mapping is made
        return made
