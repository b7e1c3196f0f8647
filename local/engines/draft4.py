"""Request validation: JSON Schema draft 4, with the messages of the validator that API Gateway uses.

Its messages are those of java-json-tools' json-schema-validator; all of a body's are told, in one list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jsonschema import Draft4Validator, ValidationError

from local.engines import jackson

NOT_IMPORTED = ("minItems", "maxItems")  # API Gateway's guide: not included in simple request validation
KNOWN = frozenset({
    "$ref", "type", "items", "properties", "required", "minLength", "maxLength", "enum", "minimum", "maximum",
    "description", "title", *NOT_IMPORTED,
})  # fmt: skip
TYPES = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array"), (dict, "object"))

MESSAGES: Mapping[str, Callable[[Any, Any], str]] = {
    "type": lambda wanted, found: (
        f"instance type ({type_of(found)}) does not match any allowed primitive type "
        f"(allowed: {jackson.write(allowed(wanted))})"
    ),
    "required": lambda wanted, found: (
        f"object has missing required properties ({jackson.write(sorted(set(wanted) - found.keys()))})"
    ),
    "minLength": lambda wanted, found: (
        f'string "{found}" is too short (length: {len(found)}, required minimum: {wanted})'
    ),
    "maxLength": lambda wanted, found: (
        f'string "{found}" is too long (length: {len(found)}, maximum allowed: {wanted})'
    ),
    "enum": lambda wanted, found: (
        f"instance value ({jackson.write(found)}) not found in enum (possible values: {jackson.write(wanted)})"
    ),
    "minimum": lambda wanted, found: (
        f"numeric instance is lower than the required minimum (minimum: {wanted}, found: {found})"
    ),
    "maximum": lambda wanted, found: (
        f"numeric instance is greater than the required maximum (maximum: {wanted}, found: {found})"
    ),
}


class SchemaError(ValueError):
    """A schema uses what API Gateway does not know, or what the laptop does not check."""


class BodyValidator:
    """`BodyValidator(document, schema).refusal(body)`: what is wrong with a body, or nothing."""

    def __init__(self, document: Mapping[str, Any], schema: Mapping[str, Any]) -> None:
        self._validator = Draft4Validator(resolved(document, schema, ()))

    def refusal(self, value: Any) -> str | None:
        told = list(dict.fromkeys(map(message, self._validator.iter_errors(value))))
        return f"[{', '.join(told)}]" if told else None


def message(error: ValidationError) -> str:
    return MESSAGES[str(error.validator)](error.validator_value, error.instance)


def resolved(document: Mapping[str, Any], schema: Any, names: tuple[str, ...]) -> Any:
    """The schema with its references put in, and what is not imported left out."""
    unknown = sorted(set(schema) - KNOWN)
    if unknown:
        expected = ", ".join(sorted(KNOWN))
        raise SchemaError(f"The keyword '{unknown[0]}' of a model: expected one of {expected}. Remove it.")
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix("#/components/schemas/")
        if name in names:
            raise SchemaError(f"The model '{name}': expected no model that holds itself. Write it out.")
        return resolved(document, document["components"]["schemas"][name], (*names, name))
    made = {keyword: value for keyword, value in schema.items() if keyword not in NOT_IMPORTED}
    if "items" in made:
        made["items"] = resolved(document, made["items"], names)
    if "properties" in made:
        made["properties"] = {name: resolved(document, each, names) for name, each in made["properties"].items()}
    return made


def allowed(wanted: str | list[str]) -> list[str]:
    """A number may be an integer, and the validator says so."""
    named = {wanted} if isinstance(wanted, str) else set(wanted)
    return sorted(named | ({"integer"} if "number" in named else set()))


def type_of(value: Any) -> str:
    return next((name for kind, name in TYPES if isinstance(value, kind)), "null")
