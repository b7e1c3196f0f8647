"""The catalog, and Glue's jobs, connections and crawlers."""

from __future__ import annotations

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


def inner_name(context: Context, properties: Properties, given: str) -> str:
    """Databases and connections carry their name inside their input; a generated one is in lower case."""
    return str(properties[given].get("Name") or context.name.lower())


def create_database(context: Context, properties: Properties) -> Made:
    name = properties.get("DatabaseName") or inner_name(context, properties, "DatabaseInput")
    request = {**present(properties, "CatalogId"), "DatabaseInput": {**properties["DatabaseInput"], "Name": name}}
    context.call("glue", "CreateDatabase", request)
    return Made(name)


def update_database(context: Context, old: Resource, properties: Properties) -> Made:
    name = old.physical_resource_id
    described = {**properties["DatabaseInput"], "Name": name}
    context.call("glue", "UpdateDatabase", {"Name": name, "DatabaseInput": described})
    return old.made


def create_connection(context: Context, properties: Properties) -> Made:
    name = inner_name(context, properties, "ConnectionInput")
    request = {**present(properties, "CatalogId"), "ConnectionInput": {**properties["ConnectionInput"], "Name": name}}
    request["Tags"] = tag_map(properties.get("Tags"))
    context.call("glue", "CreateConnection", request)
    return Made(name)


def update_connection(context: Context, old: Resource, properties: Properties) -> Made:
    name = old.physical_resource_id
    request = {**present(properties, "CatalogId"), "Name": name}
    request["ConnectionInput"] = {"Name": name, **properties["ConnectionInput"]}
    context.call("glue", "UpdateConnection", request)
    arn = context.arn("glue", f"connection/{name}")
    retag(context, "glue", arn, old.properties.get("Tags"), properties.get("Tags"))
    return old.made


register(
    ResourceType(
        type="AWS::Glue::Database",
        create=create_database,
        update=update_database,
        delete=lambda context, old: context.client("glue").delete_database(Name=old.physical_resource_id),
        known=frozenset({"CatalogId", "DatabaseInput", "DatabaseName"}),
        fixed=frozenset({"CatalogId", "DatabaseName"}),
    )
)
register(
    ResourceType(
        type="AWS::Glue::Connection",
        create=create_connection,
        update=update_connection,
        delete=lambda context, old: context.client("glue").delete_connection(ConnectionName=old.physical_resource_id),
        known=frozenset({"CatalogId", "ConnectionInput", "Tags"}),
        fixed=frozenset({"CatalogId"}),
    )
)


def create_job(context: Context, properties: Properties) -> Made:
    request = {**omit(properties, "Tags"), "Name": context.name, "Tags": tag_map(properties.get("Tags"))}
    context.call("glue", "CreateJob", request)
    return Made(context.name)


def update_job(context: Context, old: Resource, properties: Properties) -> Made:
    name = old.physical_resource_id
    context.call("glue", "UpdateJob", {"JobName": name, "JobUpdate": omit(properties, "Name", "Tags")})
    retag(context, "glue", context.arn("glue", f"job/{name}"), old.properties.get("Tags"), properties.get("Tags"))
    return old.made


register(
    ResourceType(
        type="AWS::Glue::Job",
        create=create_job,
        update=update_job,
        delete=lambda context, old: context.client("glue").delete_job(JobName=old.physical_resource_id),
        name="Name",
        known=frozenset({
            "AllocatedCapacity", "Command", "Connections", "DefaultArguments", "Description", "ExecutionClass",
            "ExecutionProperty", "GlueVersion", "LogUri", "MaintenanceWindow", "MaxCapacity", "MaxRetries", "Name",
            "NonOverridableArguments", "NotificationProperty", "NumberOfWorkers", "Role", "SecurityConfiguration",
            "Tags", "Timeout", "WorkerType",
        }),
        fixed=frozenset({"Name"}),
        ignored={
            "JobRunQueuingEnabled": "runs past the limit are refused at once",
            "JobMode": "says how the console shows the job",
        },
    )
)  # fmt: skip


def create_security_configuration(context: Context, properties: Properties) -> Made:
    said = dict(properties["EncryptionConfiguration"])
    if "S3Encryptions" in said:  # CloudFormation's name for the API's S3Encryption
        said["S3Encryption"] = said.pop("S3Encryptions")
    context.call("glue", "CreateSecurityConfiguration", {"Name": context.name, "EncryptionConfiguration": said})
    return Made(context.name)


def delete_security_configuration(context: Context, old: Resource) -> None:
    context.client("glue").delete_security_configuration(Name=old.physical_resource_id)


register(
    ResourceType(
        type="AWS::Glue::SecurityConfiguration",
        create=create_security_configuration,
        update=never_updated,
        delete=delete_security_configuration,
        name="Name",
        known=frozenset({"EncryptionConfiguration", "Name"}),
        fixed=frozenset({"EncryptionConfiguration", "Name"}),
    )
)


def crawler_request(context: Context, properties: Properties) -> Properties:
    request = {**omit(properties, "Tags"), "Name": context.name}
    if isinstance(request.get("Schedule"), dict):
        request["Schedule"] = request["Schedule"]["ScheduleExpression"]
    return request


def create_crawler(context: Context, properties: Properties) -> Made:
    tags = {"Tags": tag_map(properties.get("Tags"))}
    context.call("glue", "CreateCrawler", {**crawler_request(context, properties), **tags})
    return Made(context.name)


def update_crawler(context: Context, old: Resource, properties: Properties) -> Made:
    context.call("glue", "UpdateCrawler", crawler_request(context, {**properties, "Name": old.physical_resource_id}))
    return old.made


register(
    ResourceType(
        type="AWS::Glue::Crawler",
        create=create_crawler,
        update=update_crawler,
        delete=lambda context, old: context.client("glue").delete_crawler(Name=old.physical_resource_id),
        name="Name",
        known=frozenset({
            "Classifiers", "Configuration", "CrawlerSecurityConfiguration", "DatabaseName", "Description",
            "LakeFormationConfiguration", "Name", "RecrawlPolicy", "Role", "Schedule", "SchemaChangePolicy",
            "TablePrefix", "Tags", "Targets",
        }),
        fixed=frozenset({"Name"}),
    )
)  # fmt: skip
