"""Lake Formation's tags, places and grants."""

from __future__ import annotations

import json
from typing import Any

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
)

SERVICE = "lakeformation"
GONE = ("EntityNotFoundException",)
NOTHING_LEFT = "No permissions revoked"


def forgiving(delete: Any) -> None:
    """A deletion of what is gone already has done its work."""
    from botocore.exceptions import ClientError

    try:
        delete()
    except ClientError as error:
        told = error.response["Error"]
        if told["Code"] not in GONE and NOTHING_LEFT not in told["Message"]:
            raise


def create_tag(context: Context, properties: Properties) -> Made:
    context.call(SERVICE, "CreateLFTag", properties)
    return Made(str(properties["TagKey"]))


def update_tag(context: Context, old: Resource, properties: Properties) -> Made:
    before, after = set(old.properties["TagValues"]), set(properties["TagValues"])
    changes = {"TagValuesToAdd": sorted(after - before), "TagValuesToDelete": sorted(before - after)}
    given = {name: values for name, values in changes.items() if values}
    if given:
        context.call(SERVICE, "UpdateLFTag", {"TagKey": properties["TagKey"], **given})
    return old.made


def delete_tag(context: Context, old: Resource) -> None:
    forgiving(lambda: context.client(SERVICE).delete_lf_tag(TagKey=old.physical_resource_id))


register(
    ResourceType(
        type="AWS::LakeFormation::Tag",
        create=create_tag,
        update=update_tag,
        delete=delete_tag,
        known=frozenset({"CatalogId", "TagKey", "TagValues"}),
        fixed=frozenset({"CatalogId", "TagKey"}),
    )
)


def create_resource(context: Context, properties: Properties) -> Made:
    context.call(SERVICE, "RegisterResource", properties)
    return Made(str(properties["ResourceArn"]))


def update_resource(context: Context, old: Resource, properties: Properties) -> Made:
    given = present(properties, "ResourceArn", "RoleArn", "WithFederation", "HybridAccessEnabled")
    role = {"RoleArn": context.client(SERVICE).describe_resource(ResourceArn=old.physical_resource_id)["ResourceInfo"]
            ["RoleArn"]}  # fmt: skip
    context.call(SERVICE, "UpdateResource", {**role, **given})
    return old.made


def delete_resource(context: Context, old: Resource) -> None:
    forgiving(lambda: context.client(SERVICE).deregister_resource(ResourceArn=old.physical_resource_id))


register(
    ResourceType(
        type="AWS::LakeFormation::Resource",
        create=create_resource,
        update=update_resource,
        delete=delete_resource,
        known=frozenset({"HybridAccessEnabled", "ResourceArn", "RoleArn", "UseServiceLinkedRole", "WithFederation"}),
        fixed=frozenset({"ResourceArn", "UseServiceLinkedRole"}),
    )
)


def create_permissions(context: Context, properties: Properties) -> Made:
    context.call(SERVICE, "GrantPermissions", entry(properties))
    principal = properties["Principal"]["DataLakePrincipalIdentifier"]
    named = json.dumps(properties["Resource"], sort_keys=True)
    return Made(f"{principal}|{named}", {"PrincipalIdentifier": principal, "ResourceIdentifier": named})


def entry(properties: Properties) -> Properties:
    """CloudFormation calls the catalog's id otherwise."""
    catalog = {"CatalogId": properties["Catalog"]} if "Catalog" in properties else {}
    return {**catalog, **omit(properties, "Catalog")}


def delete_permissions(context: Context, old: Resource) -> None:
    forgiving(lambda: context.call(SERVICE, "RevokePermissions", entry(old.properties)))


register(
    ResourceType(
        type="AWS::LakeFormation::PrincipalPermissions",
        create=create_permissions,
        update=never_updated,
        delete=delete_permissions,
        known=frozenset({"Catalog", "Permissions", "PermissionsWithGrantOption", "Principal", "Resource"}),
        fixed=frozenset({"Catalog", "Permissions", "PermissionsWithGrantOption", "Principal", "Resource"}),
    )
)


def create_association(context: Context, properties: Properties) -> Made:
    answer = context.call(SERVICE, "AddLFTagsToResource", properties)
    if answer.get("Failures"):
        raise ValueError(f"The tags {properties['LFTags']}: {answer['Failures'][0]['Error']['ErrorMessage']}")
    named = json.dumps(properties["Resource"], sort_keys=True)
    tags = json.dumps(properties["LFTags"], sort_keys=True)
    return Made(f"{named}|{tags}", {"ResourceIdentifier": named, "TagsIdentifier": tags})


def delete_association(context: Context, old: Resource) -> None:
    forgiving(lambda: context.call(SERVICE, "RemoveLFTagsFromResource", old.properties))


register(
    ResourceType(
        type="AWS::LakeFormation::TagAssociation",
        create=create_association,
        update=never_updated,
        delete=delete_association,
        known=frozenset({"LFTags", "Resource"}),
        fixed=frozenset({"LFTags", "Resource"}),
    )
)
