"""What roles are granted, what of it a run used, and why the rest is there."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

REASONS: dict[str, dict[str, str]] = yaml.safe_load((Path(__file__).parent / "unused_grants.yaml").read_text())
Grant = tuple[str, str]


def granted(iam: Any, prefix: str) -> Iterator[Grant]:
    """The actions of each role whose name begins so, without the environment's name."""
    for page in iam.get_paginator("list_roles").paginate():
        for role in (each["RoleName"] for each in page["Roles"] if each["RoleName"].startswith(prefix)):
            for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
                document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
                for statement in document["Statement"]:
                    for action in _listed(statement["Action"]):
                        yield role.removeprefix(prefix), action


def told(iam: Any, prefix: str, kind: str) -> set[tuple[str, ...]]:
    """What the endpoint tells of grants that were `used`, or `refused`, by roles whose names begin so."""
    with urllib.request.urlopen(f"{iam.meta.endpoint_url}/_headwater/grants") as answer:
        found = json.load(answer)[kind]
    return {(each[0].removeprefix(prefix), *each[1:]) for each in found if each[0].startswith(prefix)}


def unused(iam: Any, prefix: str) -> list[Grant]:
    """What roles that acted were granted, did not use, and nobody gave a reason for."""
    used = {(role, action) for role, _, _, action, _ in told(iam, prefix, "used")}
    acted = {role for role, _ in used}
    idle = {each for each in granted(iam, prefix) if each[0] in acted} - used
    return sorted(each for each in idle if not reason(*each))


def reason(role: str, action: str) -> str:
    """Why the role has this grant though no run of the tests uses it."""
    return next(
        (why for roles, actions in REASONS.items() if fnmatchcase(role, roles)
         for named, why in actions.items() if action in named.split()), "",
    )  # fmt: skip


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
