"""Functions, state machines and log groups."""

from __future__ import annotations

import io
import json
import re
import zipfile

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


def never_updated(context: Context, old: Resource, properties: Properties) -> Made:
    """Not reached: every property of such a type is fixed."""
    raise NotImplementedError(old.cf_resource_type)


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


def create_log_group(context: Context, properties: Properties) -> Made:
    given = present(properties, "KmsKeyId", "LogGroupClass")
    tags = {"tags": tag_map(properties["Tags"])} if "Tags" in properties else {}
    context.call("logs", "CreateLogGroup", {**given, **tags, "logGroupName": context.name})
    keep_logs(context, context.name, properties)
    return Made(context.name, {"Arn": context.arn("logs", f"log-group:{context.name}:*")})


def keep_logs(context: Context, name: str, properties: Properties) -> None:
    logs = context.client("logs")
    if "RetentionInDays" in properties:
        logs.put_retention_policy(logGroupName=name, retentionInDays=int(properties["RetentionInDays"]))
    else:
        logs.delete_retention_policy(logGroupName=name)


def update_log_group(context: Context, old: Resource, properties: Properties) -> Made:
    keep_logs(context, old.physical_resource_id, properties)
    arn = old.made.attributes["Arn"].removesuffix(":*")
    retag(context, "logs", arn, old.properties.get("Tags"), properties.get("Tags"))
    return old.made


register(
    ResourceType(
        type="AWS::Logs::LogGroup",
        create=create_log_group,
        update=update_log_group,
        delete=lambda context, old: context.client("logs").delete_log_group(logGroupName=old.physical_resource_id),
        name="LogGroupName",
        known=frozenset({"KmsKeyId", "LogGroupClass", "LogGroupName", "RetentionInDays", "Tags"}),
        fixed=frozenset({"KmsKeyId", "LogGroupClass", "LogGroupName"}),
    )
)


def put_log_policy(context: Context, properties: Properties) -> Made:
    context.call("logs", "PutResourcePolicy", {**properties, "policyName": context.name})
    return Made(context.name)


register(
    ResourceType(
        type="AWS::Logs::ResourcePolicy",
        create=put_log_policy,
        update=lambda context, old, properties: put_log_policy(context, properties),
        delete=lambda context, old: context.client("logs").delete_resource_policy(policyName=old.physical_resource_id),
        name="PolicyName",
        known=frozenset({"PolicyDocument", "PolicyName"}),
        fixed=frozenset({"PolicyName"}),
    )
)


def definition(context: Context, properties: Properties) -> str:
    """A state machine's text with its substitutions made; one that is left over is an error."""
    if "DefinitionS3Location" in properties:
        place = properties["DefinitionS3Location"]
        text: str = context.client("s3").get_object(Bucket=place["Bucket"], Key=place["Key"])["Body"].read().decode()
    else:
        text = properties.get("DefinitionString") or json.dumps(properties["Definition"])
    for name, value in (properties.get("DefinitionSubstitutions") or {}).items():
        text = text.replace(f"${{{name}}}", value if isinstance(value, str) else json.dumps(value))
    left = sorted(set(re.findall(r"\$\{[^}]+\}", text)))
    if left:
        raise ValueError(f"The substitutions {left} of the state machine: expected a value for each.")
    return text


def create_state_machine(context: Context, properties: Properties) -> Made:
    request = {
        "name": context.name,
        "definition": definition(context, properties),
        "roleArn": properties["RoleArn"],
        "type": properties.get("StateMachineType", "STANDARD"),
        "tags": tag_list(properties.get("Tags"), "key", "value"),
        **present(properties, "LoggingConfiguration", "TracingConfiguration", "EncryptionConfiguration"),
    }
    arn = context.call("stepfunctions", "CreateStateMachine", request)["stateMachineArn"]
    return Made(arn, {"Arn": arn, "Name": context.name})


def update_state_machine(context: Context, old: Resource, properties: Properties) -> Made:
    arn = old.physical_resource_id
    request = {
        "stateMachineArn": arn,
        "definition": definition(context, properties),
        **present(properties, "RoleArn", "LoggingConfiguration", "TracingConfiguration", "EncryptionConfiguration"),
    }
    context.call("stepfunctions", "UpdateStateMachine", request)
    retag(context, "stepfunctions", arn, old.properties.get("Tags"), properties.get("Tags"))
    return old.made


def delete_state_machine(context: Context, old: Resource) -> None:
    context.client("stepfunctions").delete_state_machine(stateMachineArn=old.physical_resource_id)


register(
    ResourceType(
        type="AWS::StepFunctions::StateMachine",
        create=create_state_machine,
        update=update_state_machine,
        delete=delete_state_machine,
        name="StateMachineName",
        known=frozenset({
            "Definition", "DefinitionS3Location", "DefinitionString", "DefinitionSubstitutions",
            "EncryptionConfiguration", "LoggingConfiguration", "RoleArn", "StateMachineName", "StateMachineType",
            "Tags", "TracingConfiguration",
        }),
        fixed=frozenset({"StateMachineName", "StateMachineType"}),
    )
)  # fmt: skip
