"""An OpenAPI document as a deployment serves it: its operations, what they ask of a request, how they answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from local.engines import velocity
from local.engines.draft4 import BodyValidator

EXTENSION = "x-amazon-apigateway"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
ACTION = re.compile(r"arn:aws:apigateway:([^:]+):([^:]+):action/(\w+)")
INTEGRATION = {
    "type", "httpMethod", "uri", "credentials", "passthroughBehavior", "timeoutInMillis", "requestParameters",
    "requestTemplates", "responses",
}  # fmt: skip
PARAMETERS = {"integration.request.header.Content-Type"}


class DocumentError(ValueError):
    """A document asks for what the laptop's API Gateway does not do."""


@dataclass(frozen=True)
class Integration:
    """A call of an AWS service: the action, the role, and templates there and back."""

    region: str
    service: str
    action: str
    role: str
    templates: Mapping[str, str]
    responses: Mapping[str, Mapping[str, Any]]

    def response(self, status: int) -> Mapping[str, Any] | None:
        """The one whose pattern fits the status, or the default; none is an error of the API."""
        fitting = (each for pattern, each in self.responses.items() if re.fullmatch(pattern, str(status)))
        return next(fitting, None) or self.responses.get("default")


@dataclass(frozen=True)
class Operation:
    """A method of a path."""

    method: str
    path: str
    pattern: re.Pattern[str]
    authorization: str  # NONE | AWS_IAM
    needs_key: bool
    validators: Mapping[str, BodyValidator]  # by content type
    integration: Integration


class Document:
    """`document.operation("POST", "/immunizations")`."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data
        self.operations = tuple(self._operations())
        for response in self.gateway_responses.values():
            for template in response.get("responseTemplates", {}).values():
                if "$input" in template or "#set" in template:
                    raise DocumentError(
                        "A gateway response: expected variables alone. API Gateway renders no VTL there."
                    )

    @cached_property
    def gateway_responses(self) -> Mapping[str, Mapping[str, Any]]:
        found: Mapping[str, Mapping[str, Any]] = self._data.get(f"{EXTENSION}-gateway-responses", {})
        return found

    def operation(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """The operation of a request, with the values of its path's parameters."""
        for each in self.operations:
            if each.method == method and (found := each.pattern.fullmatch(path)):
                return each, found.groupdict()
        return None

    def _operations(self) -> Iterator[Operation]:
        for path, item in self._data["paths"].items():
            for method in METHODS:
                if method in item:
                    yield self._operation(method.upper(), path, item[method])

    def _operation(self, method: str, path: str, said: Mapping[str, Any]) -> Operation:
        where = f"{method} {path}"
        if said.get("parameters"):
            raise DocumentError(f"The parameters of '{where}': expected none. The laptop validates bodies alone.")
        authorization, needs_key = self._security(where, said)
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
        integration = integration_of(where, said)
        return Operation(
            method, path, re.compile(pattern), authorization, needs_key, self._validators(said), integration
        )

    def _security(self, where: str, said: Mapping[str, Any]) -> tuple[str, bool]:
        schemes = self._data.get("components", {}).get("securitySchemes", {})
        authorization, needs_key = "NONE", False
        for name in (name for each in said.get("security", self._data.get("security", [])) for name in each):
            scheme = schemes[name]
            match scheme.get(f"{EXTENSION}-authtype"), scheme.get("name", "").lower():
                case "awsSigv4", _:
                    authorization = "AWS_IAM"
                case None, "x-api-key":
                    needs_key = True
                case _:
                    raise DocumentError(f"The security '{name}' of '{where}': expected awsSigv4 or x-api-key.")
        return authorization, needs_key

    def _validators(self, said: Mapping[str, Any]) -> dict[str, BodyValidator]:
        name = said.get(f"{EXTENSION}-request-validator", self._data.get(f"{EXTENSION}-request-validator"))
        if not name or not self._data[f"{EXTENSION}-request-validators"][name].get("validateRequestBody"):
            return {}
        content = said.get("requestBody", {}).get("content", {})
        return {kind: BodyValidator(self._data, each["schema"]) for kind, each in content.items()}


def integration_of(where: str, said: Mapping[str, Any]) -> Integration:
    given = said.get(f"{EXTENSION}-integration") or {}
    unknown = sorted(set(given) - INTEGRATION) + sorted(set(given.get("requestParameters", {})) - PARAMETERS)
    if unknown:
        raise DocumentError(f"The setting '{unknown[0]}' of the integration of '{where}': the laptop has it not.")
    found = ACTION.fullmatch(str(given.get("uri")))
    if str(given.get("type")).lower() != "aws" or found is None:
        raise DocumentError(f"The integration of '{where}': expected type aws and the action of a service as its uri.")
    if str(given.get("passthroughBehavior")).lower() != "never":
        raise DocumentError(f"The passthroughBehavior of '{where}': expected never, the laptop has no other.")
    responses = given.get("responses", {})
    templates = [given.get("requestTemplates", {}), *(each.get("responseTemplates", {}) for each in responses.values())]
    for template in (text for each in templates for text in each.values()):
        velocity.parsed(template)
    return Integration(found[1], found[2], found[3], given["credentials"], given.get("requestTemplates", {}), responses)
