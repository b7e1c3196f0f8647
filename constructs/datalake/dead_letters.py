"""A queue for events that could not be handled: an alarm watches its depth, so nothing fails in silence."""

from __future__ import annotations

from aws_cdk import Duration, aws_kms as kms, aws_sqs as sqs
from constructs import Construct

from datalake.nag import acknowledge


def dead_letters(scope: Construct, construct_id: str, *, queue_name: str, key: kms.IKey) -> sqs.Queue:
    queue = sqs.Queue(
        scope,
        construct_id,
        queue_name=queue_name,
        encryption=sqs.QueueEncryption.KMS,
        encryption_master_key=key,
        enforce_ssl=True,
        retention_period=Duration.days(14),
    )
    acknowledge(queue, {"SQS3": "It is itself where failed events end."})
    return queue
