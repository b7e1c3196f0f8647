"""Streams, and the mappings that give their records to functions."""

from __future__ import annotations

from local.services.cloudformation.registry import (
    Context,
    Made,
    Properties,
    Resource,
    ResourceType,
    omit,
    present,
    register,
    tag_map,
)
from local.services.cloudformation.tags import retag

DEFAULT_HOURS = 24
ON_DEMAND = "ON_DEMAND"


def create_stream(context: Context, properties: Properties) -> Made:
    request = {"StreamName": context.name, **present(properties, "ShardCount", "StreamModeDetails")}
    if mode_of(properties) != ON_DEMAND:
        request.setdefault("ShardCount", 1)
    context.call("kinesis", "CreateStream", request)
    if tags := tag_map(properties.get("Tags")):
        context.client("kinesis").add_tags_to_stream(StreamName=context.name, Tags=tags)
    made = Made(context.name, {"Arn": context.arn("kinesis", f"stream/{context.name}")})
    configure(context, made, {}, properties)
    return made


def mode_of(properties: Properties) -> str:
    mode: str = properties.get("StreamModeDetails", {}).get("StreamMode", "PROVISIONED")
    return mode


def configure(context: Context, made: Made, old: Properties, new: Properties) -> None:
    """What CreateStream does not take: how long records are kept, and their encryption."""
    name = {"StreamName": made.physical_id}
    before, after = (int(each.get("RetentionPeriodHours", DEFAULT_HOURS)) for each in (old, new))
    if after != before:
        operation = f"{'Increase' if after > before else 'Decrease'}StreamRetentionPeriod"
        context.call("kinesis", operation, {**name, "RetentionPeriodHours": after})
    encryption = new.get("StreamEncryption")
    if encryption == old.get("StreamEncryption"):
        return
    operation = "StartStreamEncryption" if encryption else "StopStreamEncryption"
    context.call("kinesis", operation, {**name, **(encryption or old["StreamEncryption"])})


def update_stream(context: Context, old: Resource, properties: Properties) -> Made:
    arn, name = old.made.attributes["Arn"], old.physical_resource_id
    if mode_of(properties) != mode_of(old.properties):
        details = {"StreamMode": mode_of(properties)}
        context.call("kinesis", "UpdateStreamMode", {"StreamARN": arn, "StreamModeDetails": details})
    shards = properties.get("ShardCount")
    if shards is not None and shards != old.properties.get("ShardCount"):
        given = {"StreamName": name, "TargetShardCount": shards, "ScalingType": "UNIFORM_SCALING"}
        context.call("kinesis", "UpdateShardCount", given)
    configure(context, old.made, old.properties, properties)
    retag(context, "kinesis", name, old.properties.get("Tags"), properties.get("Tags"))
    return old.made


register(
    ResourceType(
        type="AWS::Kinesis::Stream",
        create=create_stream,
        update=update_stream,
        delete=lambda context, old: context.client("kinesis").delete_stream(StreamName=old.physical_resource_id),
        name="Name",
        known=frozenset({
            "Name", "RetentionPeriodHours", "ShardCount", "StreamEncryption", "StreamModeDetails", "Tags",
        }),
        fixed=frozenset({"Name"}),
    )
)  # fmt: skip


def create_mapping(context: Context, properties: Properties) -> Made:
    request = {**properties, "Tags": tag_map(properties.get("Tags"))}
    made = context.call("lambda", "CreateEventSourceMapping", request)
    return Made(made["UUID"], {"Id": made["UUID"], "EventSourceMappingArn": made["EventSourceMappingArn"]})


UNSET: Properties = {
    "BatchSize": 100, "BisectBatchOnFunctionError": False, "DestinationConfig": {}, "Enabled": True,
    "FunctionResponseTypes": [], "MaximumBatchingWindowInSeconds": 0, "MaximumRecordAgeInSeconds": -1,
    "MaximumRetryAttempts": -1, "MetricsConfig": {"Metrics": []}, "ParallelizationFactor": 1,
}  # fmt: skip


def update_mapping(context: Context, old: Resource, properties: Properties) -> Made:
    gone = {name: value for name, value in UNSET.items() if name in old.properties and name not in properties}
    settings = {**gone, **omit(properties, *FIXED, "Tags"), "UUID": old.physical_resource_id}
    context.call("lambda", "UpdateEventSourceMapping", settings)
    arn = old.made.attributes["EventSourceMappingArn"]
    retag(context, "lambda", arn, old.properties.get("Tags"), properties.get("Tags"))
    return old.made


def delete_mapping(context: Context, old: Resource) -> None:
    context.client("lambda").delete_event_source_mapping(UUID=old.physical_resource_id)


FIXED = ("EventSourceArn", "StartingPosition", "StartingPositionTimestamp")

register(
    ResourceType(
        type="AWS::Lambda::EventSourceMapping",
        create=create_mapping,
        update=update_mapping,
        delete=delete_mapping,
        known=frozenset({*UNSET, *FIXED, "FunctionName", "Tags"}),
        fixed=frozenset(FIXED),
    )
)
