"""Trails of CloudTrail: what they log is kept with them, and the laptop's own log is the file of accesses."""

from __future__ import annotations

from local.services.cloudformation.registry import Context, Made, Properties, Resource, ResourceType, register, tag_list

SERVICE = "cloudtrail"
APART = ("AdvancedEventSelectors", "IsLogging", "Tags", "TrailName")  # each has a call of its own


def create_trail(context: Context, properties: Properties) -> Made:
    settings = {name: value for name, value in properties.items() if name not in APART}
    tags = tag_list(properties.get("Tags"))
    answer = context.call(SERVICE, "CreateTrail", {**settings, "Name": context.name, "TagsList": tags})
    return configured(context, Made(context.name, {"Arn": answer["TrailARN"]}), properties)


def update_trail(context: Context, old: Resource, properties: Properties) -> Made:
    settings = {name: value for name, value in properties.items() if name not in APART}
    context.call(SERVICE, "UpdateTrail", {**settings, "Name": old.physical_resource_id})
    before, after = (tag_list(each.get("Tags")) for each in (old.properties, properties))
    if before != after:
        client, arn = context.client(SERVICE), old.made.attributes["Arn"]
        client.remove_tags(ResourceId=arn, TagsList=before)
        client.add_tags(ResourceId=arn, TagsList=after)
    return configured(context, old.made, properties)


def configured(context: Context, trail: Made, properties: Properties) -> Made:
    name = trail.physical_id
    if selectors := properties.get("AdvancedEventSelectors"):
        context.call(SERVICE, "PutEventSelectors", {"TrailName": name, "AdvancedEventSelectors": selectors})
    logging = str(properties["IsLogging"]).lower() == "true"
    context.call(SERVICE, "StartLogging" if logging else "StopLogging", {"Name": name})
    return trail


def delete_trail(context: Context, old: Resource) -> None:
    context.client(SERVICE).delete_trail(Name=old.physical_resource_id)


register(
    ResourceType(
        type="AWS::CloudTrail::Trail",
        create=create_trail,
        update=update_trail,
        delete=delete_trail,
        name="TrailName",
        known=frozenset({
            "AdvancedEventSelectors", "EnableLogFileValidation", "IsLogging", "IsMultiRegionTrail", "S3BucketName",
            "S3KeyPrefix", "Tags", "TrailName",
        }),
        fixed=frozenset({"TrailName"}),
    )
)  # fmt: skip
