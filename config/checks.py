"""JSON Schema applied to a document, with errors that a person can act on.

A schema's own `description` of a field says what is expected there, and its `remedy` what to do.
"""

from __future__ import annotations

import json
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import jsonschema_rs

from config.positions import Document, Field, Problem, shown, suggestion

_UNKNOWN_KEY = ("additionalProperties", "unevaluatedProperties")


class Schema:
    """A JSON schema, compiled once; `problems(document)` says all that does not fit it."""

    def __init__(self, path: Path) -> None:
        self.schema = json.loads(path.read_text())
        self.validator = jsonschema_rs.validator_for(self.schema)

    def problems(self, document: Document) -> list[Problem]:
        if self.validator.is_valid(document.data):
            return []
        return self._distinct(document, list(self.validator.iter_errors(document.data)))

    def _distinct(self, document: Document, errors: list[jsonschema_rs.ValidationError]) -> list[Problem]:
        """One problem for each place: a wrong value also makes its holders `unevaluated`, which says nothing new."""
        plain = [error for error in errors if error.kind.name != "unevaluatedProperties"]
        places = [tuple(error.instance_path) for error in plain]
        kept: dict[tuple[str, int], Problem] = {}
        for error in [*plain, *errors]:
            place = tuple(error.instance_path)
            follows = error.kind.name == "unevaluatedProperties" and any(p[: len(place)] == place for p in places)
            if not follows:
                for problem in self._explain(document, error):
                    kept.setdefault((problem.field, problem.line), problem)
        return sorted(kept.values(), key=lambda problem: problem.line)

    def _explain(self, document: Document, error: jsonschema_rs.ValidationError) -> list[Problem]:
        field: Field = tuple(error.instance_path)
        kind: Any = error.kind  # its attributes depend on its name
        steps = [str(step) for step in error.schema_path[:-1]]
        if kind.name in ("oneOf", "anyOf"):
            meant = _meant(error)
            if meant:
                return [problem for inner in meant for problem in self._explain(document, inner)]
        if kind.name in _UNKNOWN_KEY:
            known, expected = self._names(steps), "expected a name that is known here"
            return [
                document.problem((*field, name), name, expected, suggestion(name, known)) for name in kind.unexpected
            ]
        said = self._lookup(steps)
        if kind.name == "required":
            return [self._missing(document, field, kind.property, steps)]
        if kind.name == "propertyNames":
            name = kind.error.instance
            expected = f"expected {said.get('description', kind.error.message)}"
            return [document.problem((*field, name), name, expected, "Change the name.")]
        remedy = said.get("remedy") or _remedy(error)
        value = document.name(field) if isinstance(error.instance, dict) else error.instance
        return [document.problem(field, value, f"expected {_expected(error, said)}", remedy)]

    def _unknown(self, document: Document, field: Field, name: str, steps: list[str]) -> Problem:
        expected = "expected a name that is known here"
        return document.problem((*field, name), name, expected, suggestion(name, self._names(steps)))

    def _missing(self, document: Document, field: Field, name: str, steps: list[str]) -> Problem:
        wanted = self._lookup([*steps, "properties", name])
        expected = "expected here, and missing" + (f": {wanted['description']}" if "description" in wanted else "")
        return document.problem((*field, name), name, expected, wanted.get("remedy", f"Add `{name}:`."))

    def _names(self, steps: list[str]) -> list[str]:
        """The names that an object's schema knows, those of `$ref` and `allOf` beside it included."""
        found = self._lookup(steps)
        names = list(found.get("properties", {}))
        for part in found.get("allOf", []):
            if "$ref" in part:
                names += self._names(part["$ref"].removeprefix("#/").split("/"))
        return names

    def _lookup(self, steps: list[str]) -> dict[str, Any]:
        """The part of the schema at these steps, with what its `$ref` says; empty where there is none."""
        found: Any = self.schema
        for step in steps:
            found = found[int(step)] if isinstance(found, list) else found.get(step, {})
        if not isinstance(found, dict):
            return {}
        target = found.get("$ref", "")
        return {**self._lookup(target[2:].split("/")), **found} if target.startswith("#/") else found


def _meant(error: jsonschema_rs.ValidationError) -> list[jsonschema_rs.ValidationError]:
    """Of several forms that a value may have, the errors in the one that it was meant to have, if that is clear."""
    kind: Any = error.kind
    fitting = [
        list(branch)
        for branch in kind.context
        if not any(
            inner.instance_path == error.instance_path and inner.kind.name in ("type", "const", "enum")
            for inner in branch
        )
    ]
    return fitting[0] if len(fitting) == 1 else []


def _expected(error: jsonschema_rs.ValidationError, said: dict[str, Any]) -> str:
    kind: Any = error.kind
    if kind.name == "enum":
        return "one of " + ", ".join(shown(option) for option in kind.options)
    if kind.name == "const":
        return f"'{shown(kind.expected_value)}'"
    if kind.name in ("oneOf", "anyOf"):
        inner = [each for branch in kind.context for each in branch]
        names: list[Any] = [each.kind for each in inner if each.kind.name == "required"]
        if names:
            return "one of " + ", ".join(each.property for each in names) + " with it"
    if "description" in said:
        return str(said["description"])
    if kind.name == "type":
        return "a value of type " + " or ".join(str(name) for name in kind.types)
    return f"a value that fits the schema ({error.message})"


def _remedy(error: jsonschema_rs.ValidationError) -> str:
    kind: Any = error.kind
    options = [str(option) for option in kind.options] if kind.name == "enum" else []
    near = get_close_matches(str(error.instance), options, n=1, cutoff=0.6)
    return f"Did you mean '{near[0]}'?" if near else "Change the value."
