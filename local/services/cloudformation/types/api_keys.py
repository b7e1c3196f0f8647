"""Keys of APIs, and the usage plans that say how often who holds one may call."""

from __future__ import annotations

from local.services.cloudformation.registry import (
    Context,
    Made,
    Properties,
    Resource,
    ResourceType,
    never_updated,
    present,
    register,
    tag_map,
)
from local.services.cloudformation.types.apis import replace


def create_key(context: Context, properties: Properties) -> Made:
    given = present(properties, "Description", "Value")
    request = {**given, "name": context.name, "enabled": properties.get("Enabled", False)}
    made = context.call("apigateway", "CreateApiKey", {**request, "tags": tag_map(properties.get("Tags"))})
    return Made(made["id"], {"APIKeyId": made["id"]})


def update_key(context: Context, old: Resource, properties: Properties) -> Made:
    changes = [replace("/description", properties.get("Description", ""))]
    changes.append(replace("/enabled", properties.get("Enabled", False)))
    context.client("apigateway").update_api_key(apiKey=old.physical_resource_id, patchOperations=changes)
    return old.made


register(
    ResourceType(
        type="AWS::ApiGateway::ApiKey",
        create=create_key,
        update=update_key,
        delete=lambda context, old: context.client("apigateway").delete_api_key(apiKey=old.physical_resource_id),
        name="Name",
        known=frozenset({"Description", "Enabled", "Name", "Tags", "Value"}),
        fixed=frozenset({"Name", "Value"}),
    )
)


def create_plan(context: Context, properties: Properties) -> Made:
    stages = properties.get("ApiStages") or []
    request = {"name": context.name, "apiStages": stages, **present(properties, "Description", "Throttle")}
    made = context.call("apigateway", "CreateUsagePlan", {**request, "tags": tag_map(properties.get("Tags"))})
    return Made(made["id"], {"Id": made["id"]})


def update_plan(context: Context, old: Resource, properties: Properties) -> Made:
    changes = [replace("/description", properties.get("Description", ""))]
    for name, value in (properties.get("Throttle") or {}).items():
        changes.append(replace(f"/throttle/{name[0].lower()}{name[1:]}", f"{float(value):g}"))
    context.client("apigateway").update_usage_plan(usagePlanId=old.physical_resource_id, patchOperations=changes)
    return old.made


register(
    ResourceType(
        type="AWS::ApiGateway::UsagePlan",
        create=create_plan,
        update=update_plan,
        delete=lambda context, old: context.client("apigateway").delete_usage_plan(
            usagePlanId=old.physical_resource_id
        ),
        name="UsagePlanName",
        known=frozenset({"ApiStages", "Description", "Tags", "Throttle", "UsagePlanName"}),
        fixed=frozenset({"ApiStages", "UsagePlanName"}),
    )
)


def create_plan_key(context: Context, properties: Properties) -> Made:
    context.call("apigateway", "CreateUsagePlanKey", properties)
    return Made(f"{properties['KeyId']}:{properties['UsagePlanId']}")


def delete_plan_key(context: Context, old: Resource) -> None:
    given = old.properties
    context.client("apigateway").delete_usage_plan_key(usagePlanId=given["UsagePlanId"], keyId=given["KeyId"])


register(
    ResourceType(
        type="AWS::ApiGateway::UsagePlanKey",
        create=create_plan_key,
        update=never_updated,
        delete=delete_plan_key,
        known=frozenset({"KeyId", "KeyType", "UsagePlanId"}),
        fixed=frozenset({"KeyId", "KeyType", "UsagePlanId"}),
    )
)
