"""What a mapping gives up on: told to its on-failure destination as Lambda tells it, with the records if it is S3."""

from __future__ import annotations

import json
import logging
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local.services.iam_services import RoleNotAssumedError
from local.services.kinesis_shards import Record
from local.services.role_clients import RoleClients
from local.services.targets import send_as_role

if TYPE_CHECKING:
    from local.endpoint import Endpoint

LOG = logging.getLogger(__name__)
TRIES = 8
EXHAUSTED = "RetryAttemptsExhausted"
TOO_OLD = "RecordAgeExceeded"


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Discards:
    """Sends with the credentials of the function's role, as Lambda does."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._clients = RoleClients(endpoint, "lambda", "event-source-destination")

    def send(self, role: str, destination: str, key: str, told: dict[str, Any], event: dict[str, Any]) -> bool:
        """Whether the destination has it; a queue and a topic get no records, as on AWS."""
        for attempt in range(TRIES):
            try:
                if ":s3:" in destination:
                    body = json.dumps({**told, "payload": json.dumps(event)}).encode()
                    bucket = destination.rpartition(":")[2]
                    self._clients.of("s3", role).put_object(Bucket=bucket, Key=key, Body=body)
                else:
                    send_as_role(self._clients, role, destination, json.dumps(told))
                return True
            except (ClientError, RoleNotAssumedError) as error:
                LOG.warning("The destination '%s' did not take '%s': %s", destination, key, error)
            if not self._endpoint.clock.sleep(min(2.0**attempt / 4, 30.0)):
                break
        return False

    def key(self, mapping: str, shard: str) -> str:
        """Where in a bucket: Lambda takes no prefix."""
        now = self._endpoint.clock.now()
        return f"aws/lambda/{mapping}/{shard}/{now:%Y/%m/%d}/{now:%Y-%m-%dT%H.%M.%S}-{uuid.uuid4()}"

    def told(
        self, function: Any, stream: str, shard: str, records: list[Record], *, condition: str, invocations: int,
        request: str, failed: bool,
    ) -> dict[str, Any]:  # fmt: skip
        context: dict[str, Any] = {"statusCode": 200, "executedVersion": "$LATEST"}
        if failed:
            context["functionError"] = "Unhandled"
        return {
            "requestContext": {
                "requestId": request,
                "functionArn": function.function_arn,
                "condition": condition,
                "approximateInvokeCount": invocations,
            },
            "responseContext": context,
            "version": "1.0",
            "timestamp": iso(self._endpoint.clock.now()),
            "KinesisBatchInfo": {
                "shardId": shard,
                "startSequenceNumber": str(records[0].sequence_number),
                "endSequenceNumber": str(records[-1].sequence_number),
                "approximateArrivalOfFirstRecord": iso(records[0].created_at_datetime),
                "approximateArrivalOfLastRecord": iso(records[-1].created_at_datetime),
                "batchSize": len(records),
                "streamArn": stream,
            },
        }
