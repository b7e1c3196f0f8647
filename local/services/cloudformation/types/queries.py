"""Athena's workgroups and named queries."""

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
    tag_list,
)
from local.services.cloudformation.tags import retag

RESULT_SETTINGS = ("OutputLocation", "EncryptionConfiguration", "ExpectedBucketOwner", "AclConfiguration")


def create_work_group(context: Context, properties: Properties) -> Made:
    request = {**present(properties, "Description"), "Name": context.name, "Tags": tag_list(properties.get("Tags"))}
    if "WorkGroupConfiguration" in properties:
        request["Configuration"] = properties["WorkGroupConfiguration"]
    context.call("athena", "CreateWorkGroup", request)
    return Made(context.name, {"CreationTime": "0"})


def update_work_group(context: Context, old: Resource, properties: Properties) -> Made:
    name = old.physical_resource_id
    request = {**present(properties, "Description", "State"), "WorkGroup": name}
    if "WorkGroupConfiguration" in properties:
        request["ConfigurationUpdates"] = as_update(properties["WorkGroupConfiguration"])
    context.call("athena", "UpdateWorkGroup", request)
    arn = context.arn("athena", f"workgroup/{name}")
    retag(context, "athena", arn, old.properties.get("Tags"), properties.get("Tags"))
    return old.made


def as_update(configuration: Properties) -> Properties:
    said = dict(configuration)
    if "ResultConfiguration" in said:
        results = said.pop("ResultConfiguration")
        gone = {f"Remove{name}": True for name in RESULT_SETTINGS if name not in results}
        said["ResultConfigurationUpdates"] = {**results, **gone}
    return said


def delete_work_group(context: Context, old: Resource) -> None:
    recursive = str(old.properties.get("RecursiveDeleteOption", False)).lower() == "true"
    context.client("athena").delete_work_group(WorkGroup=old.physical_resource_id, RecursiveDeleteOption=recursive)


register(
    ResourceType(
        type="AWS::Athena::WorkGroup",
        create=create_work_group,
        update=update_work_group,
        delete=delete_work_group,
        name="Name",
        known=frozenset({"Description", "Name", "RecursiveDeleteOption", "State", "Tags", "WorkGroupConfiguration"}),
        fixed=frozenset({"Name"}),
    )
)


def create_named_query(context: Context, properties: Properties) -> Made:
    request = {**properties, "Name": context.name}
    identity = context.call("athena", "CreateNamedQuery", request)["NamedQueryId"]
    return Made(identity, {"NamedQueryId": identity})


register(
    ResourceType(
        type="AWS::Athena::NamedQuery",
        create=create_named_query,
        update=never_updated,
        delete=lambda context, old: context.client("athena").delete_named_query(NamedQueryId=old.physical_resource_id),
        known=frozenset({"Database", "Description", "Name", "QueryString", "WorkGroup"}),
        fixed=frozenset({"Database", "Description", "Name", "QueryString", "WorkGroup"}),
    )
)
