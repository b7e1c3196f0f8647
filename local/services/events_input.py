"""What a rule's target gets: the event, a part of it, a constant, or a template filled from it."""

from __future__ import annotations

import json
import re
from typing import Any

PLACEHOLDER = re.compile(r"<([^<>\s]+)>")
STEP = re.compile(r"\.([A-Za-z0-9_-]+)|\[(\d+)\]|\['([^']+)'\]")


class InputError(ValueError):
    """A path or a template that cannot be worked out."""


def input_for(target: dict[str, Any], event: dict[str, Any], rule_arn: str) -> str:
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(at_path(event, target["InputPath"]))
    if "InputTransformer" in target:
        return transformed(target["InputTransformer"], event, rule_arn)
    return json.dumps(event)


def at_path(event: Any, path: str) -> Any:
    """The value at a JSON path of names and indexes; None where there is none."""
    for name, index, quoted in steps(path):
        if index:
            event = event[int(index)] if isinstance(event, list) and int(index) < len(event) else None
        else:
            event = event.get(name or quoted) if isinstance(event, dict) else None
    return event


def steps(path: str) -> list[tuple[str, str, str]]:
    if not path.startswith("$") or STEP.sub("", path[1:]):
        raise InputError(f"The path '{path}': expected names and indexes such as $.detail.items[0]. Write it so.")
    return STEP.findall(path[1:])


def transformed(transformer: dict[str, Any], event: dict[str, Any], rule_arn: str) -> str:
    values = {name: at_path(event, path) for name, path in transformer.get("InputPathsMap", {}).items()}
    values |= {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_arn.rpartition("/")[2],
        "aws.events.event.ingestion-time": event["time"],
        "aws.events.event": event,
        "aws.events.event.json": event,
    }
    template = str(transformer["InputTemplate"])
    as_json = template.lstrip()[:1] in ("{", "[", '"')

    def filled(match: re.Match[str]) -> str:
        if match[1] not in values:
            return match[0]
        value = values[match[1]]
        inside = template[: match.start()].replace('\\"', "").count('"') % 2 == 1
        if not as_json:
            return value if isinstance(value, str) else json.dumps(value)
        if inside:
            text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
            return json.dumps(text)[1:-1]
        return json.dumps(value)

    return PLACEHOLDER.sub(filled, template)


def check_input(target: dict[str, Any]) -> None:
    """An error for a path that cannot be worked out, when the target is set rather than when it is needed."""
    transformer = target.get("InputTransformer", {})
    for path in [*transformer.get("InputPathsMap", {}).values(), *filter(None, [target.get("InputPath")])]:
        steps(path)
