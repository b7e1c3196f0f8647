"""What in a changed resource needs a look first: data that goes, new ones in old ones' place, wider permissions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Resource = dict[str, Any]

HOLD_DATA = frozenset(
    {
        "AWS::DynamoDB::Table",
        "AWS::Glue::Database",
        "AWS::KMS::Key",
        "AWS::Kinesis::Stream",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::SecretsManager::Secret",
        "AWS::SQS::Queue",
    }
)
POLICIES = ("Policies", "PolicyDocument", "KeyPolicy", "AssumeRolePolicyDocument")
KEEPS = ("Retain", "RetainExceptOnCreate", "Snapshot")


@dataclass(frozen=True, order=True)
class Permission:
    """An action on a resource; `condition` says to whom and when, if the policy says so."""

    effect: str
    action: str
    resource: str
    condition: str


def deletes_data(before: Resource | None, after: Resource | None, kind: str) -> Iterator[str]:
    if before is None or before["Type"] not in HOLD_DATA:
        return
    kept = before.get("DeletionPolicy") in KEEPS
    if kind == "removed":
        yield "Leaves the stack, its data stays" if kept else "Is deleted with its data"
    elif kind == "replaced":
        yield "Is replaced by an empty one" + (", the old one stays" if kept else "")
    if after is not None and kept and after.get("DeletionPolicy") not in KEEPS:
        yield "Would no longer outlive its stack"


def replaces(before: Resource, after: Resource, paths: Sequence[str]) -> bool:
    """Whether CloudFormation makes a new one: another type, or a property that can only be set at creation."""
    if before["Type"] != after["Type"]:
        return True
    changed = {path.split(".")[1] for path in paths if path.startswith("Properties.")}
    return bool(changed & _create_only(before["Type"]))


def _create_only(resource_type: str) -> set[str]:
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError  # it brings every type's schema

    try:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
    except ResourceNotFoundError:
        return set()
    return {path.split("/")[2] for path in schema.get("createOnlyProperties", [])}


def widened(before: Resource | None, after: Resource | None) -> Iterator[str]:
    """What head allows and base did not, and each denial or boundary that is gone."""
    was, now = _permissions(before), _permissions(after)
    new = {each for each in now - was if each.effect == "Allow"}
    yield from (f"Allows {sentence}" for sentence in _sentences(new))
    if after is None:
        return
    gone = {each for each in was - now if each.effect == "Deny"}
    yield from (f"No longer denies {sentence}" for sentence in _sentences(gone))
    boundary = "PermissionsBoundary"
    if boundary in _properties(before) and boundary not in _properties(after):
        yield "Has no permissions boundary any more"


def _properties(resource: Resource | None) -> dict[str, Any]:
    properties: dict[str, Any] = (resource or {}).get("Properties", {})
    return properties


def _permissions(resource: Resource | None) -> set[Permission]:
    """Every action on every resource that the policies in this resource name."""
    properties = _properties(resource)
    if resource is not None and resource["Type"] == "AWS::Lambda::Permission":
        who = f" to {_text(properties.get('Principal'))} from {_text(properties.get('SourceArn', 'anywhere'))}"
        return {Permission("Allow", properties["Action"], _text(properties["FunctionName"]), who)}
    managed = [_text(arn) for arn in _list(properties.get("ManagedPolicyArns"))]
    found = {Permission("Allow", "all", f"what policy {arn} names", "") for arn in managed}
    for document in [properties[name] for name in POLICIES if name in properties]:
        for each in document if isinstance(document, list) else [{"PolicyDocument": document}]:
            for statement in _list(each["PolicyDocument"]["Statement"]):
                found |= set(_of_statement(statement))
    return found


def _of_statement(statement: dict[str, Any]) -> Iterator[Permission]:
    to = f" to {_text(statement['Principal'])}" if "Principal" in statement else ""
    to += f" to all but {_text(statement['NotPrincipal'])}" if "NotPrincipal" in statement else ""
    condition = f" if {_text(statement['Condition'])}" if "Condition" in statement else ""
    for action in _named(statement, "Action"):
        for resource in _named(statement, "Resource") or [""]:
            yield Permission(statement["Effect"], action, resource, to + condition)


def _named(statement: dict[str, Any], element: str) -> list[str]:
    if f"Not{element}" in statement:
        return [f"all but {_text(statement[f'Not{element}'])}"]
    return [_text(each) for each in _list(statement.get(element))]


def _sentences(permissions: set[Permission]) -> Iterator[str]:
    """One for all actions that are allowed on the same resources."""
    actions: dict[tuple[str, str], list[str]] = {}
    for each in sorted(permissions):
        actions.setdefault((each.resource, each.condition), []).append(f"`{each.action}`")
    resources: dict[tuple[str, str], list[str]] = {}
    for (resource, condition), named in actions.items():
        resources.setdefault((", ".join(named), condition), []).extend([f"`{resource}`"] if resource else [])
    for (named_actions, condition), on in resources.items():
        yield named_actions + (f" on {', '.join(on)}" if on else "") + condition


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
