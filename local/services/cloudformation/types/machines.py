"""State machines and log groups."""

from __future__ import annotations

import json
import re

from local.services.cloudformation.registry import (
    Context,
    Made,
    Properties,
    Resource,
    ResourceType,
    present,
    register,
    tag_list,
    tag_map,
)
from local.services.cloudformation.tags import retag


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


def put_metric_filter(context: Context, properties: Properties) -> Made:
    context.call("logs", "PutMetricFilter", {**properties, "FilterName": context.name})
    return Made(context.name)


def delete_metric_filter(context: Context, old: Resource) -> None:
    name, group = old.physical_resource_id, old.properties["LogGroupName"]
    context.client("logs").delete_metric_filter(filterName=name, logGroupName=group)


register(
    ResourceType(
        type="AWS::Logs::MetricFilter",
        create=put_metric_filter,
        update=lambda context, old, properties: put_metric_filter(context, properties),
        delete=delete_metric_filter,
        name="FilterName",
        known=frozenset({"FilterName", "FilterPattern", "LogGroupName", "MetricTransformations"}),
        fixed=frozenset({"FilterName", "LogGroupName"}),
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
