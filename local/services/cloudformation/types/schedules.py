"""Rules and schedules."""

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
    tag_list,
)
from local.services.cloudformation.tags import retag


def put_rule(context: Context, name: str, old: Properties, new: Properties) -> Made:
    events, bus = context.client("events"), present(new, "EventBusName")
    request = {**omit(new, "Targets", "Tags"), "Name": name}
    arn = context.call("events", "PutRule", request)["RuleArn"]
    kept = {target["Id"] for target in new.get("Targets", [])}
    gone = [target["Id"] for target in old.get("Targets", []) if target["Id"] not in kept]
    if gone:
        events.remove_targets(Rule=name, Ids=gone, **bus)
    if kept:
        put = context.call("events", "PutTargets", {"Rule": name, "Targets": new["Targets"], **bus})
        if put.get("FailedEntryCount"):
            raise ValueError(f"Targets of the rule '{name}' were refused: {put['FailedEntries']}.")
    retag(context, "events", arn, old.get("Tags"), new.get("Tags"))
    return Made(name, {"Arn": arn})


def delete_rule(context: Context, old: Resource) -> None:
    events, bus = context.client("events"), present(old.properties, "EventBusName")
    targets = [target["Id"] for target in old.properties.get("Targets", [])]
    if targets:
        events.remove_targets(Rule=old.physical_resource_id, Ids=targets, **bus)
    events.delete_rule(Name=old.physical_resource_id, **bus)


register(
    ResourceType(
        type="AWS::Events::Rule",
        create=lambda context, properties: put_rule(context, context.name, {}, properties),
        update=lambda context, old, properties: put_rule(context, old.physical_resource_id, old.properties, properties),
        delete=delete_rule,
        name="Name",
        known=frozenset({
            "Description", "EventBusName", "EventPattern", "Name", "RoleArn", "ScheduleExpression", "State", "Tags",
            "Targets",
        }),
        fixed=frozenset({"EventBusName", "Name"}),
    )
)  # fmt: skip


def create_schedule(context: Context, properties: Properties) -> Made:
    arn = context.call("scheduler", "CreateSchedule", {**properties, "Name": context.name})["ScheduleArn"]
    return Made(context.name, {"Arn": arn})


def update_schedule(context: Context, old: Resource, properties: Properties) -> Made:
    context.call("scheduler", "UpdateSchedule", {**properties, "Name": old.physical_resource_id})
    return old.made


def delete_schedule(context: Context, old: Resource) -> None:
    context.client("scheduler").delete_schedule(Name=old.physical_resource_id, **present(old.properties, "GroupName"))


register(
    ResourceType(
        type="AWS::Scheduler::Schedule",
        create=create_schedule,
        update=update_schedule,
        delete=delete_schedule,
        name="Name",
        known=frozenset({
            "Description", "EndDate", "FlexibleTimeWindow", "GroupName", "KmsKeyArn", "Name", "ScheduleExpression",
            "ScheduleExpressionTimezone", "StartDate", "State", "Target",
        }),
        fixed=frozenset({"GroupName", "Name"}),
    )
)  # fmt: skip


def create_group(context: Context, properties: Properties) -> Made:
    request = {"Name": context.name, "Tags": tag_list(properties.get("Tags"))}
    arn = context.call("scheduler", "CreateScheduleGroup", request)["ScheduleGroupArn"]
    return Made(context.name, {"Arn": arn})


def update_group(context: Context, old: Resource, properties: Properties) -> Made:
    retag(context, "scheduler", old.made.attributes["Arn"], old.properties.get("Tags"), properties.get("Tags"))
    return old.made


register(
    ResourceType(
        type="AWS::Scheduler::ScheduleGroup",
        create=create_group,
        update=update_group,
        delete=lambda context, old: context.client("scheduler").delete_schedule_group(Name=old.physical_resource_id),
        name="Name",
        known=frozenset({"Name", "Tags"}),
        fixed=frozenset({"Name"}),
    )
)
