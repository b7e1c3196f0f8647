"""A role: what people of a team, or a tool, may see of the lake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from config.positions import Document, Problem, suggestion
from config.team import Team
from lake.roles import CLASSES, UNCLASSED, Role, role_from_dict


def roles(data: Mapping[str, Mapping[str, Any]]) -> dict[str, Role]:
    """The section `roles` of an environment's file, known to fit its schema."""
    return {name: role_from_dict({**values, "name": name}) for name, values in data.items()}


def problems(document: Document, roles: Mapping[str, Role], teams: Mapping[str, Team]) -> Iterator[Problem]:
    """What is wrong with roles, whatever the contracts say."""
    for name, role in roles.items():
        if role.team not in teams:
            yield document.problem(
                ("roles", name, "team"), role.team, "expected one of the teams", suggestion(role.team, teams)
            )
        if "bronze" in role.reads and UNCLASSED not in role.sees:
            missing = ", ".join(each for each in CLASSES if each not in role.classes)
            expected = f"expected no bronze without the classes {missing}: its rows are raw, and have all of them"
            place = ("roles", name, "reads", role.reads.index("bronze"))
            yield document.problem(place, "bronze", expected, "Remove it, or add them to classes.")
        if role.reads and not role.classes:
            expected = "expected a class beside reads: a layer is read by the classes of its columns"
            yield document.problem(("roles", name, "classes"), name, expected, "Add one, or write `reads: []`.")
        if role.classes and not role.reads:
            expected = "expected a layer beside classes"
            yield document.problem(("roles", name, "reads"), name, expected, "Add one, or write `classes: []`.")
