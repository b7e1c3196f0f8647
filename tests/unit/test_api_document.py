"""The OpenAPI documents of apis/: valid, within what API Gateway takes, and telling errors as problem documents."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from datalake.api import FOLDER, ApiDocumentError, document
from local.engines.draft4 import KNOWN, BodyValidator, SchemaError
from local.services.apigateway_calls import substituted
from local.services.apigateway_document import Document, DocumentError

SOURCES = [path.name.removesuffix(".openapi.yaml") for path in FOLDER.glob("*.openapi.yaml")]
VALUES = {
    "Auth": "iam",
    "Name": "api",
    "Region": "us-east-1",
    "RoleArn": "arn:aws:iam::1:role/r",
    "StreamName": "events",
}
RESPONSES = {  # API Gateway's own, with the status that it gives each
    "ACCESS_DENIED": 403, "BAD_REQUEST_BODY": 400, "BAD_REQUEST_PARAMETERS": 400, "EXPIRED_TOKEN": 403,
    "INTEGRATION_FAILURE": 504, "INTEGRATION_TIMEOUT": 504, "INVALID_API_KEY": 403, "INVALID_SIGNATURE": 403,
    "MISSING_AUTHENTICATION_TOKEN": 403, "QUOTA_EXCEEDED": 429, "REQUEST_TOO_LARGE": 413, "RESOURCE_NOT_FOUND": 404,
    "THROTTLED": 429, "UNAUTHORIZED": 401, "UNSUPPORTED_MEDIA_TYPE": 415,
}  # fmt: skip
SAID = '[string "a\\b" is too short]'
CONTEXT = {
    "requestId": "the request",
    "error": {"message": "What is wrong", "messageString": '"What is wrong"', "validationErrorString": SAID},
}


@pytest.fixture(params=SOURCES)
def made(request: pytest.FixtureRequest) -> dict[str, Any]:
    return document(request.param, VALUES)


def test_a_document_is_openapi_3(made: dict[str, Any]) -> None:
    assert made["openapi"].startswith("3.0")
    assert [str(error) for error in OpenAPIV30SpecValidator(made).iter_errors()] == []


def test_models_have_only_keywords_that_api_gateway_checks(made: dict[str, Any]) -> None:
    """Its guide names those that it does not: exclusiveMinimum, oneOf, discriminator, example, readOnly, nullable."""

    def keywords(schema: dict[str, Any]) -> set[str]:
        inner = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
        return set(schema).union(*map(keywords, inner))

    schemas = made["components"]["schemas"]
    assert all(re.fullmatch(r"[A-Za-z0-9]+", name) for name in schemas)
    assert set().union(*map(keywords, schemas.values())) <= KNOWN


def test_every_error_of_api_gateway_is_told_as_a_problem_document_with_its_own_status(made: dict[str, Any]) -> None:
    responses = made["x-amazon-apigateway-gateway-responses"]
    assert responses.keys() == RESPONSES.keys() | {"DEFAULT_4XX", "DEFAULT_5XX"}
    for kind, response in responses.items():
        told = json.loads(substituted(response["responseTemplates"]["application/json"], CONTEXT))
        assert response["responseParameters"]["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
        assert (told["type"], told["instance"]) == ("about:blank", "the request")
        assert told.get("status") == (int(response["statusCode"]) if "statusCode" in response else None)
        assert told.get("status") == RESPONSES.get(kind)
    bad = json.loads(substituted(responses["BAD_REQUEST_BODY"]["responseTemplates"]["application/json"], CONTEXT))
    assert (bad["title"], bad["detail"]) == ("What is wrong", SAID)


def test_every_operation_asks_for_credentials_and_a_valid_body(made: dict[str, Any]) -> None:
    for operation in Document(made).operations:
        assert operation.authorization == "AWS_IAM" or operation.needs_key
        assert operation.validators.keys() == {"application/json"} == operation.integration.templates.keys()
        assert operation.integration.response(500)


def test_auth_is_by_config() -> None:
    (operation,) = Document(document("clinic", {**VALUES, "Auth": "api_key"})).operations
    assert (operation.authorization, operation.needs_key) == ("NONE", True)


def test_a_placeholder_that_nobody_fills_is_an_error() -> None:
    with pytest.raises(ApiDocumentError, match=re.escape("'${StreamName}'")):
        document("clinic", {name: value for name, value in VALUES.items() if name != "StreamName"})
    with pytest.raises(ApiDocumentError, match=re.escape("Write apis/crm.openapi.yaml")):
        document("crm", VALUES)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"type": "mock"}, "expected type aws"),
        ({"uri": "arn:aws:apigateway:r:lambda:path/x"}, "expected type aws and the action"),
        ({"passthroughBehavior": "when_no_match"}, "expected never"),
        ({"cacheNamespace": "x"}, "'cacheNamespace'"),
    ],
)
def test_what_the_laptop_does_not_serve_is_refused_by_name(change: dict[str, str], told: str) -> None:
    made = document("clinic", VALUES)
    made["paths"]["/immunizations"]["post"]["x-amazon-apigateway-integration"].update(change)
    with pytest.raises(DocumentError, match=re.escape(told)):
        Document(made)


def test_a_keyword_that_is_not_checked_is_refused() -> None:
    with pytest.raises(SchemaError, match="'oneOf'"):
        BodyValidator({}, {"oneOf": [{"type": "string"}]})


@pytest.mark.parametrize(
    ("schema", "value", "told"),
    [
        ({"type": "number"}, "x",
         '[instance type (string) does not match any allowed primitive type (allowed: ["integer","number"])]'),
        ({"enum": ["A", "B"]}, "C", '[instance value ("C") not found in enum (possible values: ["A","B"])]'),
        ({"minimum": 5}, 1, "[numeric instance is lower than the required minimum (minimum: 5, found: 1)]"),
        ({"required": ["b", "a"]}, {}, '[object has missing required properties (["a","b"])]'),
        ({"type": "integer"}, 1, None),
    ],
)  # fmt: skip
def test_a_refusal_is_worded_as_api_gateways(schema: dict[str, Any], value: Any, told: str | None) -> None:
    """As its users' own tests against it expect them."""
    assert BodyValidator({}, schema).refusal(value) == told
