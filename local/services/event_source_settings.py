"""What an event source mapping is set to; a setting that has no effect here is refused by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moto.awslambda.exceptions import InvalidParameterValueException

KNOWN = {
    "BatchSize", "BisectBatchOnFunctionError", "DestinationConfig", "Enabled", "EventSourceArn", "FunctionName",
    "FunctionResponseTypes", "MaximumBatchingWindowInSeconds", "MaximumRecordAgeInSeconds", "MaximumRetryAttempts",
    "MetricsConfig", "ParallelizationFactor", "StartingPosition", "StartingPositionTimestamp", "Tags", "UUID",
}  # fmt: skip
OURS = {"AccountId", "FunctionArn", "RegionName"}  # moto writes these into the request
RANGES = {
    "BatchSize": (1, 10_000),
    "MaximumBatchingWindowInSeconds": (0, 300),
    "MaximumRecordAgeInSeconds": (60, 604_800),
    "MaximumRetryAttempts": (0, 10_000),
    "ParallelizationFactor": (1, 10),
}
ENDLESS = {"MaximumRecordAgeInSeconds", "MaximumRetryAttempts"}  # -1 is without end
POSITIONS = ("TRIM_HORIZON", "LATEST", "AT_TIMESTAMP")
DESTINATIONS = ("s3", "sqs", "sns")


@dataclass(frozen=True)
class Settings:
    """A mapping's settings, with AWS's defaults; None is without end."""

    function: str
    enabled: bool
    batch_size: int
    window: int
    lanes: int
    bisect: bool
    partial: bool
    age: int | None
    retries: int | None
    destination: str
    measured: bool

    @classmethod
    def of(cls, mapping: Any) -> Settings:
        return cls(
            function=mapping.function_arn,
            enabled=bool(mapping.enabled),
            batch_size=int(mapping.batch_size),
            window=int(mapping.max_batch_window or 0),
            lanes=int(mapping.parallelization_factor or 1),
            bisect=bool(mapping.bisect_on_error),
            partial="ReportBatchItemFailures" in (mapping.function_response_types or []),
            age=limit(mapping.max_record_age),
            retries=limit(mapping.max_retry_attempts),
            destination=destination_of(mapping.destination_config),
            measured="EventCount" in (mapping.metrics or {}).get("Metrics", []),
        )


def limit(value: int | None) -> int | None:
    return None if value is None or int(value) < 0 else int(value)


def destination_of(config: dict[str, Any] | None) -> str:
    return str(((config or {}).get("OnFailure") or {}).get("Destination") or "")


def check(spec: dict[str, Any]) -> None:
    """An error that names what of a request AWS would refuse, or nothing here would do."""
    source = spec.get("EventSourceArn", "arn:aws:kinesis:")
    if ":kinesis:" not in source or "/consumer/" in source:
        raise InvalidParameterValueException(
            f"The event source '{source}': the laptop reads Kinesis streams only. Map a stream."
        )
    if unknown := sorted(name for name in spec.keys() - KNOWN - OURS if spec[name]):
        raise InvalidParameterValueException(
            f"The setting '{unknown[0]}': the laptop's mappings know {', '.join(sorted(KNOWN))}. Leave it out."
        )
    for name, (least, most) in RANGES.items():
        value = spec.get(name)
        if value is None or (value == -1 and name in ENDLESS):
            continue
        if not least <= int(value) <= most:
            raise InvalidParameterValueException(f"{name} '{value}': expected {least} to {most}. Write one of them.")
    position = spec.get("StartingPosition", "TRIM_HORIZON")
    if position not in POSITIONS:
        raise InvalidParameterValueException(f"StartingPosition '{position}': expected one of {', '.join(POSITIONS)}.")
    destination = destination_of(spec.get("DestinationConfig"))
    if destination and destination.split(":")[2] not in DESTINATIONS:
        raise InvalidParameterValueException(
            f"The destination '{destination}': expected the ARN of a bucket, a queue or a topic. Name one."
        )
