"""What a template says before anything is made: checked whole, then put into the order of its references."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import Any

from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.models import Stack

from local.services.cloudformation.registry import SUPPORTED

FUNCTIONS = {
    "Fn::Base64", "Fn::FindInMap", "Fn::GetAZs", "Fn::GetAtt", "Fn::If", "Fn::ImportValue", "Fn::Join", "Fn::Select",
    "Fn::Split", "Fn::Sub", "Fn::ToJsonString",
}  # fmt: skip
SECTIONS = {
    "AWSTemplateFormatVersion", "Conditions", "Description", "Mappings", "Metadata", "Outputs", "Parameters",
    "Resources", "Rules",
}  # fmt: skip
SUBSTITUTED = re.compile(r"\$\{([^!}][^}]*)\}")
parse_yaml = Stack.parse_template


def parse(text: Any) -> dict[str, Any]:
    """A template's content; JSON first, which is some hundred times faster than YAML and is what the CDK writes."""
    try:
        parsed: dict[str, Any] = json.loads(text)
    except ValueError:
        parsed = parse_yaml(text)
    return parsed


def check(template: dict[str, Any]) -> None:
    """Refuse what the laptop does not model, all of it in one message and before anything is made."""
    resources = template.get("Resources") or {}
    wrong = [
        f"Unsupported sections of the template: [{', '.join(unknown)}]"
        for unknown in [sorted(template.keys() - SECTIONS)]
        if unknown
    ]
    types = sorted({each["Type"] for each in resources.values()} - SUPPORTED.keys())
    if types:
        wrong.append(f"Unrecognized resource types: [{', '.join(types)}]")
    for name, each in resources.items():
        if each["Type"] in SUPPORTED and isinstance(each.get("Properties"), dict):
            unsupported = SUPPORTED[each["Type"]].unsupported(each["Properties"])
            wrong += [f"{each['Type']} '{name}': the property '{one}' is not modelled" for one in unsupported]
    functions = sorted(set(_functions({"Resources": resources, "Outputs": template.get("Outputs", {})})) - FUNCTIONS)
    if functions:
        wrong.append(f"Unsupported functions: [{', '.join(functions)}]")
    if wrong:
        raise ValidationError(message=f"Template format error: {'; '.join(wrong)}. See docs/fidelity.md.")


def in_order(template: dict[str, Any]) -> list[str]:
    """The resources, each after those that it refers to."""
    resources = template.get("Resources") or {}
    known = resources.keys() | (template.get("Parameters") or {}).keys()
    graph = {name: set(_references(each)) for name, each in resources.items()}
    missing = sorted({one for needed in graph.values() for one in needed if one not in known and "::" not in one})
    if missing:
        raise ValidationError(
            message=f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] "
            "in the Resources block of the template"
        )
    try:
        ordered = TopologicalSorter({name: sorted(graph[name] & resources.keys()) for name in graph}).static_order()
        return list(ordered)
    except CycleError as error:
        raise ValidationError(message=f"Circular dependency between resources: {error.args[1]}") from error


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _referred(name, item)


def _referred(name: str, item: Any) -> Iterator[str]:
    match name:
        case "Ref":
            yield item
        case "DependsOn":
            yield from [item] if isinstance(item, str) else item
        case "Fn::GetAtt":
            yield item.partition(".")[0] if isinstance(item, str) else item[0]
        case "Fn::Sub":
            text, given = (item, {}) if isinstance(item, str) else item
            yield from (one.partition(".")[0] for one in SUBSTITUTED.findall(text) if one not in given)
            yield from _references(given)
        case "Metadata" | "Type" | "DeletionPolicy" | "UpdateReplacePolicy":
            return
        case _:
            yield from _references(item)


def _functions(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _functions(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            if isinstance(name, str) and name.startswith("Fn::"):
                yield name
            yield from _functions(item)
