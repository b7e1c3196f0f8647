"""API Gateway: moto keeps APIs, stages, keys and usage plans, but answers no call of a deployed API as AWS does.

Here a stage serves the OpenAPI document of its deployment, at /restapis/API/STAGE/_user_request_/PATH and by the host
API.execute-api.REGION…: who may call, how often, what a body must be, mapping templates, the call of another service
with the credentials of the role that the document names, and its answer.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from moto.apigateway.exceptions import BadRequestException

from local.engines.draft4 import SchemaError
from local.engines.velocity import TemplateError
from local.services.apigateway_calls import Gateway
from local.services.apigateway_document import Document, DocumentError
from local.services.seams import patch

if TYPE_CHECKING:
    from local.endpoint import Endpoint

FIDELITY = (
    ("API Gateway", "REST APIs from an OpenAPI 3 document, deployments, stages, keys, usage plans", "moto, mended",
     "real"),
    ("API Gateway", "the document's paths, models (draft 4), request validators, gateway responses", "ours", "real"),
    ("API Gateway", "mapping templates: $input, $util, $context, overrides; JSONPath of names and indexes",
     "airspeed, with Java's methods", "real"),
    ("API Gateway", "integrations: actions of JSON services, with credentials of the document's role", "ours", "real"),
    ("API Gateway", "IAM signatures, API keys of usage plans, rate and burst of plan and stage", "ours", "real"),
    ("API Gateway", "access logs to CloudWatch Logs; the account's role for them is taken as set", "ours", "real"),
    ("API Gateway", "IAM: execute-api:Invoke by the caller's policies", "ours", "real"),
    ("API Gateway", "TLS policy, X-Ray tracing, metrics, quotas of usage plans", "kept, without effect", "simulated"),
    ("API Gateway", "execution logs, caches, canaries, authorizers, domain names, other integrations", "", "refused"),
)  # fmt: skip

BACKEND = "moto.apigateway.models:APIGatewayBackend"
API = "moto.apigateway.models:RestAPI"


def install(endpoint: Endpoint) -> None:
    def put(backend: Any, function_id: str, api_doc: dict[str, Any], *positional: Any, **named: Any) -> Any:
        try:
            Document(api_doc)  # one that cannot be served is refused now
        except (DocumentError, SchemaError, TemplateError) as error:
            raise BadRequestException(str(error)) from error
        api = put_by_moto(backend, function_id, api_doc, *positional, **named)
        api.document = copy.deepcopy(api_doc)
        return api

    def deploy(api: Any, *positional: Any, **named: Any) -> Any:
        deployment = deploy_by_moto(api, *positional, **named)
        if document := getattr(api, "document", None):
            deployment.served = Document(document)  # a deployment keeps the API as it was
        return deployment

    put_by_moto = patch(f"{BACKEND}.put_rest_api", put)
    deploy_by_moto = patch(f"{API}.create_deployment", deploy)
    gateway = Gateway(endpoint)
    endpoint.middleware.append(gateway.before)
