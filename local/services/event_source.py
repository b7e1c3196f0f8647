"""One mapping at work: what it is set to now, how its function is invoked, what it measures."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.awslambda.models import lambda_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.exceptions import JsonRESTError

from local.services.event_source_discards import Discards
from local.services.event_source_settings import Settings
from local.services.iam_services import RoleNotAssumedError
from local.services.kinesis_shards import Record

if TYPE_CHECKING:
    from local.endpoint import Endpoint


class NotInvokedError(Exception):
    """The function could not be invoked: it is throttled, or is not there."""


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended: `first_failed` is the index of the first record that was not taken, None if all were.

    `reported`: the function named that record itself.
    """

    first_failed: int | None
    reported: bool
    error: bool
    request: str


class EventSource:
    """A mapping of moto's, read anew at each batch so that changes count at once."""

    def __init__(self, endpoint: Endpoint, mapping: Any) -> None:
        self.endpoint, self.mapping = endpoint, mapping
        self.discards = Discards(endpoint)
        self.deleted = False

    @property
    def settings(self) -> Settings:
        return Settings.of(self.mapping)

    @property
    def open(self) -> bool:
        """Whether batches may go on."""
        return not self.deleted and bool(self.mapping.enabled) and not self.endpoint.stopping.is_set()

    def function(self) -> Any:
        try:
            return lambda_backends[self.mapping.account_id][self.mapping.region].get_function(self.mapping.function_arn)
        except JsonRESTError as error:
            raise NotInvokedError(f"PROBLEM: {error}") from error

    def event(self, role: str, shard: str, records: list[Record]) -> dict[str, Any]:
        stream, region = self.mapping.event_source_arn, self.mapping.region
        return {
            "Records": [
                {
                    "kinesis": {
                        "kinesisSchemaVersion": "1.0",
                        "partitionKey": record.partition_key,
                        "sequenceNumber": (number := str(record.sequence_number)),
                        "data": record.data,
                        "approximateArrivalTimestamp": record.created_at,
                    },
                    "eventSource": "aws:kinesis",
                    "eventVersion": "1.0",
                    "eventID": f"{shard}:{number}",
                    "eventName": "aws:kinesis:record",
                    "invokeIdentityArn": role,
                    "awsRegion": region,
                    "eventSourceARN": stream,
                }
                for record in records
            ]
        }

    def invoke(self, shard: str, records: list[Record]) -> Outcome:
        """Give the records to the function; an error where it could not be invoked at all."""
        function = self.function()
        age = self.endpoint.clock.now().timestamp() - records[-1].created_at
        self.measure({"IteratorAge": (age * 1000, "Milliseconds")}, FunctionName=function.function_name)
        self.count(InvokedEventCount=len(records))
        try:
            payload, error, _ = function._invoke_lambda(self.event(function.role, shard, records))
        except (JsonRESTError, RoleNotAssumedError) as refusal:  # TooManyRequestsException for one
            raise NotInvokedError(f"PROBLEM: {refusal}") from refusal
        failed, reported = (0, False) if error else self._first_failed(payload, records)
        self.mapping.last_result = "OK" if failed is None else "PROBLEM: Function call failed"
        if failed is not None:
            self.count(FailedInvokeEventCount=len(records) - failed)
        return Outcome(failed, reported, bool(error), str(uuid.uuid4()))

    def _first_failed(self, payload: str, records: list[Record]) -> tuple[int | None, bool]:
        return first_failed(json.loads(payload or "null"), records) if self.settings.partial else (None, False)

    def count(self, **counts: int) -> None:
        if self.settings.measured:
            values = {name: (float(value), "Count") for name, value in counts.items()}
            self.measure(values, EventSourceMappingUUID=self.mapping.uuid)

    def measure(self, values: dict[str, tuple[float, str]], **dimensions: str) -> None:
        named = [{"Name": name, "Value": value} for name, value in dimensions.items()]
        cloudwatch_backends[self.mapping.account_id][self.mapping.region].put_metric_data(
            namespace="AWS/Lambda",
            metric_data=[
                {"MetricName": name, "Value": value, "Unit": unit, "Dimensions": named}
                for name, (value, unit) in values.items()
            ],
        )

    def discard(
        self, shard: str, records: list[Record], condition: str, invocations: int, last: Outcome | None
    ) -> None:
        """Tell the destination, where there is one; nobody sees these records again."""
        settings = self.settings
        if not settings.destination:
            self.count(DroppedEventCount=len(records))
            return
        function = self.function()
        told = self.discards.told(
            function,
            self.mapping.event_source_arn,
            shard,
            records,
            condition=condition,
            invocations=invocations,
            request=last.request if last else str(uuid.uuid4()),
            failed=last is not None and last.error,
        )
        key = self.discards.key(self.mapping.uuid, shard)
        event = self.event(function.role, shard, records)
        if self.discards.send(function.role, settings.destination, key, told, event):
            self.count(OnFailureDestinationDeliveredEventCount=len(records))
        else:
            self.count(DroppedEventCount=len(records))
            self.measure({"DestinationDeliveryFailures": (1, "Count")}, FunctionName=function.function_name)


def first_failed(answer: Any, records: list[Record]) -> tuple[int | None, bool]:
    """By Lambda's rules: nothing or an empty list is success, what names no record of the batch a failure of it all."""
    if answer is None or answer == {}:
        return None, False
    failures = answer.get("batchItemFailures", [{}]) if isinstance(answer, dict) else [answer]
    if failures is None or failures == []:
        return None, False
    position = {str(record.sequence_number): index for index, record in enumerate(records)}
    try:
        return min(position[failure["itemIdentifier"]] for failure in failures), True
    except (KeyError, TypeError):
        return 0, False
