"""Roles and policies. moto's own model of a role drops its managed policies."""

from __future__ import annotations

import json

from botocore.exceptions import ClientError

from local.services.cloudformation.registry import (
    Context,
    Made,
    Properties,
    Resource,
    ResourceType,
    present,
    register,
    tag_list,
)
from local.services.cloudformation.tags import retag

ATTACHED_TO = ("Roles", "Users", "Groups")


def create_role(context: Context, properties: Properties) -> Made:
    request = {
        **present(properties, "Description", "MaxSessionDuration", "Path", "PermissionsBoundary"),
        "RoleName": context.name,
        "AssumeRolePolicyDocument": json.dumps(properties["AssumeRolePolicyDocument"]),
        "Tags": tag_list(properties.get("Tags")),
    }
    role = context.call("iam", "CreateRole", request)["Role"]
    set_policies(context, context.name, {}, properties)
    return Made(context.name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})


def set_policies(context: Context, role: str, old: Properties, new: Properties) -> None:
    iam = context.client("iam")
    before, after = old.get("ManagedPolicyArns", []), new.get("ManagedPolicyArns", [])
    for arn in before:
        if arn not in after:
            iam.detach_role_policy(RoleName=role, PolicyArn=arn)
    for arn in after:
        if arn not in before:
            iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    wanted = {policy["PolicyName"]: policy["PolicyDocument"] for policy in new.get("Policies", [])}
    for policy in old.get("Policies", []):
        if policy["PolicyName"] not in wanted:
            iam.delete_role_policy(RoleName=role, PolicyName=policy["PolicyName"])
    for name, document in wanted.items():
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def update_role(context: Context, old: Resource, properties: Properties) -> Made:
    iam, role = context.client("iam"), old.physical_resource_id
    trust = json.dumps(properties["AssumeRolePolicyDocument"])
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust)
    described = present(properties, "Description", "MaxSessionDuration")
    context.call("iam", "UpdateRole", {"RoleName": role, **described})
    boundary = properties.get("PermissionsBoundary")
    if boundary:
        iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=boundary)
    elif "PermissionsBoundary" in old.properties:
        iam.delete_role_permissions_boundary(RoleName=role)
    set_policies(context, role, old.properties, properties)
    retag(context, "iam", role, old.properties.get("Tags"), properties.get("Tags"))
    return old.made


def delete_role(context: Context, old: Resource) -> None:
    set_policies(context, old.physical_resource_id, old.properties, {})
    context.client("iam").delete_role(RoleName=old.physical_resource_id)


register(
    ResourceType(
        type="AWS::IAM::Role",
        create=create_role,
        update=update_role,
        delete=delete_role,
        name="RoleName",
        known=frozenset({
            "AssumeRolePolicyDocument", "Description", "ManagedPolicyArns", "MaxSessionDuration", "Path",
            "PermissionsBoundary", "Policies", "RoleName", "Tags",
        }),
        fixed=frozenset({"Path", "RoleName"}),
    )
)  # fmt: skip


def put_policy(context: Context, old: Properties, new: Properties) -> None:
    """Put the policy's text into each principal, and take it from those that the new template leaves out."""
    iam = context.client("iam")
    for kind in ATTACHED_TO:
        singular = kind.lower()[:-1]
        argument = f"{singular.title()}Name"
        for principal in set(old.get(kind, [])) - set(new.get(kind, [])):
            forgiving(getattr(iam, f"delete_{singular}_policy"), **{argument: principal}, PolicyName=old["PolicyName"])
        for principal in new.get(kind, []):
            document = json.dumps(new["PolicyDocument"])
            put = getattr(iam, f"put_{singular}_policy")
            put(**{argument: principal}, PolicyName=new["PolicyName"], PolicyDocument=document)


def forgiving(call: object, **arguments: str) -> None:
    """A principal that is gone has taken its policies with it."""
    assert callable(call)
    try:
        call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise


def create_policy(context: Context, properties: Properties) -> Made:
    put_policy(context, {}, properties)
    return Made(context.name)


def update_policy(context: Context, old: Resource, properties: Properties) -> Made:
    put_policy(context, old.properties, properties)
    return old.made


register(
    ResourceType(
        type="AWS::IAM::Policy",
        create=create_policy,
        update=update_policy,
        delete=lambda context, old: put_policy(context, old.properties, {}),
        name="PolicyName",
        known=frozenset({"PolicyDocument", "PolicyName", *ATTACHED_TO}),
        fixed=frozenset({"PolicyName"}),
    )
)


def create_managed_policy(context: Context, properties: Properties) -> Made:
    request = {**present(properties, "Description", "Path"), "PolicyName": context.name}
    request["PolicyDocument"] = json.dumps(properties["PolicyDocument"])
    arn = context.call("iam", "CreatePolicy", request)["Policy"]["Arn"]
    attach(context, arn, {}, properties)
    return Made(arn, {"PolicyArn": arn})


def attach(context: Context, arn: str, old: Properties, new: Properties) -> None:
    iam = context.client("iam")
    for kind in ATTACHED_TO:
        singular = kind.lower()[:-1]
        argument = f"{singular.title()}Name"
        before, after = set(old.get(kind, [])), set(new.get(kind, []))
        for principal in before - after:
            forgiving(getattr(iam, f"detach_{singular}_policy"), **{argument: principal}, PolicyArn=arn)
        for principal in after - before:
            getattr(iam, f"attach_{singular}_policy")(**{argument: principal}, PolicyArn=arn)


def update_managed_policy(context: Context, old: Resource, properties: Properties) -> Made:
    iam, arn = context.client("iam"), old.physical_resource_id
    if old.properties["PolicyDocument"] != properties["PolicyDocument"]:
        drop_old_versions(context, arn)
        document = json.dumps(properties["PolicyDocument"])
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
    attach(context, arn, old.properties, properties)
    return old.made


def drop_old_versions(context: Context, arn: str) -> None:
    """IAM keeps five versions at most; CloudFormation leaves the default one."""
    iam = context.client("iam")
    for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])


def delete_managed_policy(context: Context, old: Resource) -> None:
    arn = old.physical_resource_id
    attach(context, arn, old.properties, {})
    drop_old_versions(context, arn)
    context.client("iam").delete_policy(PolicyArn=arn)


register(
    ResourceType(
        type="AWS::IAM::ManagedPolicy",
        create=create_managed_policy,
        update=update_managed_policy,
        delete=delete_managed_policy,
        name="ManagedPolicyName",
        known=frozenset({"Description", "ManagedPolicyName", "Path", "PolicyDocument", *ATTACHED_TO}),
        fixed=frozenset({"Description", "ManagedPolicyName", "Path"}),
    )
)
