"""A role: what people of a team, or a tool, may see of the lake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from config.positions import Document, Problem, suggestion
from config.team import Team
from lake.roles import ALL, CLASSES, UNCLASSED, Role, role_from_dict


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
        if others := [each for each in roles.values() if each.team == role.team and _more(each, role)]:
            expected = f"expected a team in which nobody sees more, and {others[0].name} does"
            remedy = "Give it a team of its own: a workgroup shows its queries' texts and errors to all who share it."
            yield document.problem(("roles", name, "team"), role.team, expected, remedy)
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


def _more(other: Role, role: Role) -> bool:
    """Whether another role sees a class or rows that this one does not; who audits sees what was asked."""
    if role.audit or not other.reads:
        return False
    rows = any(role.rows.get(name) not in (values, (ALL,)) for name, values in other.rows.items())
    return rows or not set(other.classes) <= set(role.classes)
