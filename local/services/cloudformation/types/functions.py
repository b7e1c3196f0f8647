"""Functions."""

from __future__ import annotations

import io
import re
import zipfile

from local.services.cloudformation.registry import (
    Context,
    Made,
    Properties,
    Resource,
    ResourceType,
    never_updated,
    omit,
    present,
    register,
    tag_map,
)
from local.services.cloudformation.tags import retag

NOT_SETTINGS = ("Code", "ReservedConcurrentExecutions", "Tags", "Architectures", "PackageType")
UNSET = {"DeadLetterConfig": {"TargetArn": ""}, "Environment": {"Variables": {}}, "Layers": [], "Description": ""}


def package(code: Properties, handler: str) -> Properties:
    """Where a function's code lies; inline text becomes the package that Lambda would make of it."""
    if "ZipFile" not in code:
        return dict(code)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{handler.rpartition('.')[0] or 'index'}.py", code["ZipFile"])
    return {"ZipFile": packed.getvalue()}


def create_function(context: Context, properties: Properties) -> Made:
    request = {**omit(properties, "ReservedConcurrentExecutions"), "FunctionName": context.name}
    request |= {
        "Code": package(properties["Code"], properties.get("Handler", "")),
        "Tags": tag_map(properties.get("Tags")),
    }
    arn = context.call("lambda", "CreateFunction", request)["FunctionArn"]
    reserve(context, context.name, {}, properties)
    return Made(context.name, {"Arn": arn})


def reserve(context: Context, name: str, old: Properties, new: Properties) -> None:
    key, client = "ReservedConcurrentExecutions", context.client("lambda")
    if key in new:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=int(new[key]))
    elif key in old:
        client.delete_function_concurrency(FunctionName=name)


def update_function(context: Context, old: Resource, properties: Properties) -> Made:
    name = old.physical_resource_id
    if old.properties["Code"] != properties["Code"]:
        code = package(properties["Code"], properties.get("Handler", ""))
        context.call("lambda", "UpdateFunctionCode", {"FunctionName": name, **code})
    gone = {key: UNSET[key] for key in old.properties if key in UNSET and key not in properties}
    settings = {**gone, **omit(properties, *NOT_SETTINGS), "FunctionName": name}
    context.call("lambda", "UpdateFunctionConfiguration", settings)
    reserve(context, name, old.properties, properties)
    retag(context, "lambda", old.made.attributes["Arn"], old.properties.get("Tags"), properties.get("Tags"))
    return old.made


register(
    ResourceType(
        type="AWS::Lambda::Function",
        create=create_function,
        update=update_function,
        delete=lambda context, old: context.client("lambda").delete_function(FunctionName=old.physical_resource_id),
        name="FunctionName",
        known=frozenset({
            "Architectures", "Code", "DeadLetterConfig", "Description", "Environment", "EphemeralStorage",
            "FunctionName", "Handler", "KmsKeyArn", "Layers", "LoggingConfig", "MemorySize", "PackageType",
            "ReservedConcurrentExecutions", "Role", "Runtime", "Tags", "Timeout", "TracingConfig", "VpcConfig",
        }),
        fixed=frozenset({"Architectures", "FunctionName", "PackageType"}),
        ignored={
            "VpcConfig.Ipv6AllowedForDualStack": "the laptop has one network",
            "RecursiveLoop": "loops are not looked for",
            "RuntimeManagementConfig": "the laptop has one Python",
        },
    )
)  # fmt: skip


def publish_layer(context: Context, properties: Properties) -> Made:
    arn = context.call("lambda", "PublishLayerVersion", {"LayerName": context.name, **properties})["LayerVersionArn"]
    return Made(arn, {"LayerVersionArn": arn})


def delete_layer(context: Context, old: Resource) -> None:
    layer, _, version = old.physical_resource_id.rpartition(":")
    context.client("lambda").delete_layer_version(LayerName=layer, VersionNumber=int(version))


LAYER = frozenset({
    "CompatibleArchitectures", "CompatibleRuntimes", "Content", "Description", "LayerName", "LicenseInfo",
})  # fmt: skip


register(
    ResourceType(
        type="AWS::Lambda::LayerVersion",
        create=publish_layer,
        update=never_updated,
        delete=delete_layer,
        known=LAYER,
        fixed=LAYER,
    )
)


def create_permission(context: Context, properties: Properties) -> Made:
    statement = re.sub(r"[^A-Za-z0-9_-]", "-", context.name)[-100:]
    context.call("lambda", "AddPermission", {**properties, "StatementId": statement})
    return Made(statement, {"Id": statement})


def delete_permission(context: Context, old: Resource) -> None:
    function = old.properties["FunctionName"]
    context.client("lambda").remove_permission(FunctionName=function, StatementId=old.physical_resource_id)


PERMISSION = frozenset({
    "Action", "EventSourceToken", "FunctionName", "FunctionUrlAuthType", "Principal", "PrincipalOrgID",
    "SourceAccount", "SourceArn",
})  # fmt: skip


register(
    ResourceType(
        type="AWS::Lambda::Permission",
        create=create_permission,
        update=never_updated,
        delete=delete_permission,
        known=PERMISSION,
        fixed=PERMISSION,
    )
)


def put_invoke_config(context: Context, properties: Properties) -> Made:
    context.call("lambda", "PutFunctionEventInvokeConfig", properties)
    return Made(f"{properties['FunctionName']}|{properties['Qualifier']}")


def delete_invoke_config(context: Context, old: Resource) -> None:
    which = present(old.properties, "FunctionName", "Qualifier")
    context.client("lambda").delete_function_event_invoke_config(**which)


register(
    ResourceType(
        type="AWS::Lambda::EventInvokeConfig",
        create=put_invoke_config,
        update=lambda context, old, properties: put_invoke_config(context, properties),
        delete=delete_invoke_config,
        known=frozenset({
            "DestinationConfig", "FunctionName", "MaximumEventAgeInSeconds", "MaximumRetryAttempts", "Qualifier",
        }),
        fixed=frozenset({"FunctionName", "Qualifier"}),
    )
)  # fmt: skip
