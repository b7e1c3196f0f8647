"""CloudFormation: moto knows some hundred types in part, skips unknown ones and properties, and never rolls back.

Here the types that a lake uses are made by calls to the services' own APIs; anything else is an error that names it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from local.services.cloudformation import stacks

if TYPE_CHECKING:
    from local.endpoint import Endpoint

TYPES = ("analytics", "buckets", "compute", "identity", "keys", "messages", "tables", "watching")

FIDELITY = (
    ("CloudFormation", "create, update, delete of stacks and change sets", "ours, over moto's protocol", "real"),
    ("CloudFormation", "order by reference, roll-back, deletion and replacement policies, events", "ours", "real"),
    ("CloudFormation", "exports, conditions, mappings, parameters from SSM", "moto", "real"),
    ("CloudFormation", "work is done when the call returns, not after it", "ours", "simulated"),
    ("CloudFormation", "Rules of a template, stack policies, termination protection, drift", "", "simulated"),
    ("CloudFormation", "resource types and properties that this page does not list", "", "refused"),
    ("CloudFormation", "custom resources, nested stacks, macros, transforms, other functions", "", "refused"),
)

for _module in TYPES:
    importlib.import_module(f"local.services.cloudformation.types.{_module}")


def install(endpoint: Endpoint) -> None:
    stacks.install(endpoint)
