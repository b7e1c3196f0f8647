"""REST APIs of API Gateway from an OpenAPI document, their deployments and stages."""

from __future__ import annotations

import json
from typing import Any

from local.services.cloudformation.registry import (
    Context,
    Made,
    Properties,
    Resource,
    ResourceType,
    UnsupportedPropertyError,
    present,
    register,
    tag_map,
)

METHOD_SETTINGS = {
    "ThrottlingBurstLimit": "throttling/burstLimit",
    "ThrottlingRateLimit": "throttling/rateLimit",
    "MetricsEnabled": "metrics/enabled",
    "LoggingLevel": "logging/loglevel",
    "DataTraceEnabled": "logging/dataTrace",
}


def replace(path: str, value: Any) -> dict[str, str]:
    return {"op": "replace", "path": path, "value": str(value).lower() if isinstance(value, bool) else str(value)}


def create_api(context: Context, properties: Properties) -> Made:
    given = present(properties, "Description", "EndpointConfiguration", "DisableExecuteApiEndpoint", "ApiKeySourceType")
    if "ApiKeySourceType" in given:
        given["apiKeySource"] = given.pop("ApiKeySourceType")
    request = {"name": context.name, **given, "tags": tag_map(properties.get("Tags"))}
    api = context.call("apigateway", "CreateRestApi", request)
    put_document(context, api["id"], properties)
    return Made(api["id"], {"RestApiId": api["id"], "RootResourceId": api["rootResourceId"]})


def put_document(context: Context, api: str, properties: Properties) -> None:
    body = properties["Body"]
    text = body if isinstance(body, str) else json.dumps(body)
    context.client("apigateway").put_rest_api(restApiId=api, mode="overwrite", body=text.encode())


def update_api(context: Context, old: Resource, properties: Properties) -> Made:
    changed = [
        replace(f"/{name[0].lower()}{name[1:]}", value)
        for name, value in present(properties, "Name", "Description", "DisableExecuteApiEndpoint").items()
    ]
    context.client("apigateway").update_rest_api(restApiId=old.physical_resource_id, patchOperations=changed)
    put_document(context, old.physical_resource_id, properties)
    return old.made


register(
    ResourceType(
        type="AWS::ApiGateway::RestApi",
        create=create_api,
        update=update_api,
        delete=lambda context, old: context.client("apigateway").delete_rest_api(restApiId=old.physical_resource_id),
        name="Name",
        known=frozenset({
            "ApiKeySourceType", "Body", "Description", "DisableExecuteApiEndpoint", "EndpointConfiguration", "Name",
            "Tags",
        }),
        ignored={
            "EndpointAccessMode": "the loopback has no TLS",
            "FailOnWarnings": "a document that cannot be served is always an error",
            "SecurityPolicy": "the loopback has no TLS",
        },
    )
)  # fmt: skip


def create_deployment(context: Context, properties: Properties) -> Made:
    request = {"restApiId": properties["RestApiId"], **present(properties, "Description")}
    made = context.call("apigateway", "CreateDeployment", request)
    return Made(made["id"], {"DeploymentId": made["id"]})


def delete_deployment(context: Context, old: Resource) -> None:
    context.client("apigateway").delete_deployment(
        restApiId=old.properties["RestApiId"], deploymentId=old.physical_resource_id
    )


register(
    ResourceType(
        type="AWS::ApiGateway::Deployment",
        create=create_deployment,
        update=lambda context, old, properties: old.made,
        delete=delete_deployment,
        known=frozenset({"Description", "RestApiId"}),
        fixed=frozenset({"RestApiId"}),
    )
)


def create_stage(context: Context, properties: Properties) -> Made:
    given = present(properties, "RestApiId", "DeploymentId", "Description", "TracingEnabled")
    request = {**given, "stageName": properties["StageName"], "tags": tag_map(properties.get("Tags"))}
    context.call("apigateway", "CreateStage", request)
    return set_stage(context, properties)


def set_stage(context: Context, properties: Properties) -> Made:
    changes = [replace("/deploymentId", properties["DeploymentId"])]
    changes += [
        replace(f"/{name[0].lower()}{name[1:]}", value)
        for name, value in present(properties, "Description", "TracingEnabled").items()
    ]
    for name, value in (properties.get("AccessLogSetting") or {}).items():
        changes.append(replace(f"/accessLogSettings/{name[0].lower()}{name[1:]}", value))
    for setting in properties.get("MethodSettings") or []:
        changes += method_setting(setting)
    name = properties["StageName"]
    context.client("apigateway").update_stage(
        restApiId=properties["RestApiId"], stageName=name, patchOperations=changes
    )
    return Made(name)


def method_setting(setting: Properties) -> list[dict[str, str]]:
    """Those for all paths and methods, which is what API Gateway on the laptop looks at."""
    if (setting.get("ResourcePath"), setting.get("HttpMethod")) != ("/*", "*"):
        raise UnsupportedPropertyError(
            "The property 'MethodSettings.ResourcePath': expected /* and HttpMethod *. "
            "The laptop's CloudFormation does not model others: remove them from the template."
        )
    given = {name: value for name, value in setting.items() if name not in ("ResourcePath", "HttpMethod")}
    unknown = sorted(given.keys() - METHOD_SETTINGS.keys())
    if unknown or given.get("LoggingLevel", "OFF") != "OFF" or str(given.get("DataTraceEnabled")).lower() == "true":
        raise UnsupportedPropertyError(
            f"The property 'MethodSettings.{(unknown or ['LoggingLevel'])[0]}': expected one of "
            f"{', '.join(METHOD_SETTINGS)}, without execution logs. Remove it from the template."
        )
    return [replace(f"/*/*/{METHOD_SETTINGS[name]}", value) for name, value in given.items()]


def delete_stage(context: Context, old: Resource) -> None:
    context.client("apigateway").delete_stage(restApiId=old.properties["RestApiId"], stageName=old.physical_resource_id)


register(
    ResourceType(
        type="AWS::ApiGateway::Stage",
        create=create_stage,
        update=lambda context, old, properties: set_stage(context, properties),
        delete=delete_stage,
        known=frozenset({
            "AccessLogSetting", "DeploymentId", "Description", "MethodSettings", "RestApiId", "StageName", "Tags",
            "TracingEnabled",
        }),
        fixed=frozenset({"RestApiId", "StageName"}),
    )
)  # fmt: skip
