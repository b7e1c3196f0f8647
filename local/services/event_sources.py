"""Event source mappings: moto keeps them, and calls their functions inside PutRecord, a record at a time, without
batches, windows, retries or destinations, whatever the mapping says. Here each mapping has a poller, as on AWS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.core.exceptions import JsonRESTError

from local.services import event_source_settings
from local.services.event_source import EventSource
from local.services.event_source_poller import Poller
from local.services.seams import patch

if TYPE_CHECKING:
    from local.endpoint import Endpoint

MODELS = "moto.awslambda.models"
SHOWN = {
    "BisectBatchOnFunctionError": False, "DestinationConfig": {}, "FunctionResponseTypes": [],
    "MaximumBatchingWindowInSeconds": 0, "MaximumRecordAgeInSeconds": -1, "MaximumRetryAttempts": -1,
    "ParallelizationFactor": 1,
}  # fmt: skip

FIDELITY = (
    ("Lambda event source mappings", "Kinesis: batches by count, 6 MB and window; parallelization with the order of "
     "each key; starting positions", "ours", "real"),
    ("Lambda event source mappings", "retries, bisection, age, ReportBatchItemFailures, on-failure destination S3, SQS "
     "or SNS; throttled functions", "ours", "real"),
    ("Lambda event source mappings", "metrics IteratorAge and EventCount", "ours, into moto's CloudWatch", "real"),
    ("Lambda event source mappings", "waits between retries: 0.25 s, doubled to 60 s; retries are counted from the "
     "last progress, which AWS does not say", "ours", "simulated"),
    ("Lambda event source mappings", "positions live as long as the endpoint, as the streams do", "ours", "simulated"),
    ("Lambda event source mappings", "other sources than Kinesis streams, filters, tumbling windows, fan-out", "",
     "refused"),
)  # fmt: skip


class ConflictError(JsonRESTError):
    """The function reads this stream already."""

    code = 409

    def __init__(self, source: str, function: str, mapping: str) -> None:
        super().__init__(
            "ResourceConflictException",
            f'The event source arn (" {source} ") and function (" {function} ") provided mapping already exists. '
            f"Please update or delete the existing mapping with UUID {mapping}",
        )


class Mappings:
    """The pollers of all mappings."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._pollers: dict[str, Poller] = {}

    def begin(self, mapping: Any) -> None:
        poller = self._pollers[mapping.uuid] = Poller(EventSource(self._endpoint, mapping))
        poller.start()

    def look(self, mapping: str) -> None:
        self._pollers[mapping].look()

    def end(self, mapping: str) -> None:
        self._pollers.pop(mapping).stop()

    def states(self, _: dict[str, str]) -> dict[str, Any]:
        """GET /_headwater/event_sources: by mapping, what is not done yet."""
        return {mapping: poller.state() for mapping, poller in list(self._pollers.items())}


def install(endpoint: Endpoint) -> None:
    mappings = Mappings(endpoint)
    endpoint.pages["event_sources"] = mappings.states

    def create(self: Any, spec: dict[str, Any]) -> Any:
        event_source_settings.check(spec)
        function = self.get_function(spec["FunctionName"])
        for each in list(self._event_source_mappings.values()):
            if (each.event_source_arn, each.function_arn) == (spec["EventSourceArn"], function.function_arn):
                raise ConflictError(each.event_source_arn, function.function_name, each.uuid)
        made = by_moto["create"](self, spec)
        mappings.begin(made)
        return made

    def update(self: Any, uuid: str, spec: dict[str, Any]) -> Any:
        event_source_settings.check(spec)
        changed = by_moto["update"](self, uuid, spec)
        if changed is not None:
            mappings.look(uuid)
        return changed

    def delete(self: Any, uuid: str) -> Any:
        gone = by_moto["delete"](self, uuid)
        if gone is not None:
            mappings.end(uuid)
        return gone

    def describe(self: Any) -> dict[str, Any]:
        result = getattr(self, "last_result", "No records processed")
        told = by_moto["describe"](self)
        return {**SHOWN, **told, "LastProcessingResult": result}

    by_moto = {
        "create": patch(f"{MODELS}:LambdaBackend.create_event_source_mapping", create),
        "update": patch(f"{MODELS}:LambdaBackend.update_event_source_mapping", update),
        "delete": patch(f"{MODELS}:LambdaBackend.delete_event_source_mapping", delete),
        "describe": patch(f"{MODELS}:EventSourceMapping.get_configuration", describe),
    }
