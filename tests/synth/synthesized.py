"""What synth left in its folder, read as a deploy reads it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import config

STACKS = ("storage", "catalog", "pipeline", "governance", "monitoring", "stream")
ROOT = Path(config.__file__).parents[1]

Resource = dict[str, Any]


@dataclass(frozen=True)
class Synthesized:
    """The templates, assets and validation report of one environment."""

    environment: config.Environment
    folder: Path

    @cached_property
    def templates(self) -> dict[str, dict[str, Any]]:
        """By the noun of the stack."""
        stacks = {stack: self.environment.resource(stack) for stack in STACKS}
        return {
            stack: json.loads((self.folder / f"{name}.template.json").read_text()) for stack, name in stacks.items()
        }

    @cached_property
    def report(self) -> list[dict[str, Any]]:
        """What each plug-in of the validation found."""
        plugins: list[dict[str, Any]] = json.loads((self.folder / "validation-report.json").read_text())[
            "pluginReports"
        ]
        return plugins

    def resources(self, *types: str) -> list[Resource]:
        """All, or those of these types such as `S3::Bucket`."""
        every = [each for template in self.templates.values() for each in template["Resources"].values()]
        return [each for each in every if not types or each["Type"].removeprefix("AWS::") in types]

    def properties(self, *types: str) -> list[dict[str, Any]]:
        return [each["Properties"] for each in self.resources(*types)]

    def named(self, resource_type: str, key: str) -> dict[str, dict[str, Any]]:
        """The properties of each resource of a type, by the name that it is given."""
        return {each[key]: each for each in self.properties(resource_type)}


Synthesize = Callable[..., Synthesized]
