"""A call of a deployed API, from the socket to the answer, in the order in which API Gateway looks at it."""

from __future__ import annotations

import http
import json
import re
import time
import traceback
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from moto.apigateway.models import apigateway_backends

from local.engines import jackson, velocity
from local.services import apigateway_integration as integrations
from local.services.apigateway_access import Buckets, Callers, DeniedError, Keys, check_signature
from local.services.apigateway_document import Document, Operation
from local.services.apigateway_integration import Answer, Services
from local.services.apigateway_logs import AccessLogs
from local.services.apigateway_request import Request, addressed
from local.services.iam_authority import DeniedError as NotAllowedError
from local.services.iam_request import Need

if TYPE_CHECKING:
    from local.endpoint import Endpoint

VARIABLE = re.compile(r"\$context\.([A-Za-z]+(?:\.[A-Za-z]+)*)")
MISSING = DeniedError("MISSING_AUTHENTICATION_TOKEN", 403, "Missing Authentication Token")


class Gateway:
    """WSGI middleware before moto: it answers calls of deployed APIs, and lets everything else pass."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._backend = apigateway_backends[endpoint.account][endpoint.region]
        self._callers = Callers(endpoint.account)
        self._keys = Keys(self._backend)
        self._buckets = Buckets()
        self._services = Services(endpoint)
        self._logs = AccessLogs(endpoint)

    def before(self, application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
        def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            request = addressed(environ)
            if request is None:
                return application(environ, start_response)
            answer = self._answer(request)
            line = f"{answer.status} {http.HTTPStatus(answer.status).phrase}"
            length = {"Content-Length": str(len(answer.body)), "x-amzn-RequestId": request.id}
            start_response(line, list({**answer.headers, **length}.items()))
            return [answer.body]

        return serve

    def _answer(self, request: Request) -> Answer:
        request.environ["headwater.account"] = self._endpoint.account
        served, stage = self._served(request)
        try:
            answer = self._work(request, served, stage)
        except DeniedError as error:
            answer = told(request, served, error)
        except (velocity.TemplateError, jackson.JsonError):
            traceback.print_exc()
            answer = told(request, served, DeniedError("DEFAULT_5XX", 500, "Internal server error"))
        if stage is not None and stage.access_log_settings:
            self._logs.keep(request, stage.access_log_settings, answer)
        return answer

    def _served(self, request: Request) -> tuple[Document | None, Any]:
        api = self._backend.apis.get(request.api)
        stage = api.stages.get(request.stage) if api else None
        deployment = api.deployments.get(stage.deployment_id or "") if api and stage else None
        return getattr(deployment, "served", None), stage

    def _work(self, request: Request, served: Document | None, stage: Any) -> Answer:
        if served is None:
            raise DeniedError("ACCESS_DENIED", 403, "Forbidden")
        found = served.operation(request.method, request.path)
        if found is None:
            raise MISSING
        operation, path = found
        request.resource_path = operation.path
        self._admit(request, operation, stage)
        validate(request, operation)
        body = integrations.request_body(operation.integration, request, path)
        began = time.monotonic()
        status, said = self._services.call(operation.integration, body)
        request.environ["headwater.integration"] = (status, int((time.monotonic() - began) * 1000))
        return integrations.answer(operation.integration, request, path, status, said)

    def _admit(self, request: Request, operation: Operation, stage: Any) -> None:
        if request.raw is not None and request.too_large:
            raise DeniedError("REQUEST_TOO_LARGE", 413, "Request Too Long")
        if operation.authorization == "AWS_IAM":
            check_signature(request, self._callers)
            self._allow(request)
        if operation.needs_key:
            key, plan = self._keys.plan(request)
            if plan.get("rateLimit"):
                self._buckets.take((plan["id"], key), (float(plan["rateLimit"]), int(plan["burstLimit"])))
        settings = stage.method_settings.get("*/*") or {}
        if "throttlingRateLimit" in settings:
            limits = float(settings["throttlingRateLimit"]), int(settings["throttlingBurstLimit"])
            self._buckets.take((request.api, request.stage), limits)

    def _allow(self, request: Request) -> None:
        """execute-api:Invoke by the caller's policies; the text hides most of the account's number, as AWS does."""
        authority, region = self._endpoint.authority, self._endpoint.region
        caller = authority.callers.find(request.identity["accessKey"])
        if caller is None:  # the person at the laptop, an administrator
            return
        path = f"{request.api}/{request.stage}/{request.method}{request.path}"
        account = self._endpoint.account
        try:
            authority.check(
                caller, Need("execute-api:Invoke", f"arn:aws:execute-api:{region}:{account}:{path}"), region
            )
        except NotAllowedError as error:
            told = str(error).replace(f":{account}:{path}", f":********{account[-4:]}:{path}")
            raise DeniedError("ACCESS_DENIED", 403, told) from error


def validate(request: Request, operation: Operation) -> None:
    """The body by the model of its content type; a type without one is not validated, as in API Gateway."""
    if not request.complete:
        raise DeniedError("BAD_REQUEST_BODY", 400, "Bad Request")
    validator = operation.validators.get(request.content_type)
    if validator is None:
        return
    try:
        refusal = validator.refusal(request.value)
    except (jackson.JsonError, RecursionError) as error:
        refusal = f"[{error}]"
    if refusal:
        request.error["validationErrorString"] = refusal
        raise DeniedError("BAD_REQUEST_BODY", 400, "Invalid request body")


def told(request: Request, served: Document | None, error: DeniedError) -> Answer:
    """The gateway response of this type, or of its class; its template knows variables alone."""
    responses = served.gateway_responses if served else {}
    response = responses.get(error.kind) or responses.get(f"DEFAULT_{error.status // 100}XX") or {}
    request.error.update(message=error.message, messageString=json.dumps(error.message), responseType=error.kind)
    default = '{"message":$context.error.messageString}'
    template = (response.get("responseTemplates") or {}).get("application/json", default)
    headers = integrations.mapped_headers(response.get("responseParameters") or {}, "gatewayresponse.header.")
    status = int(response.get("statusCode") or error.status)
    return Answer(
        status,
        {"Content-Type": "application/json", "x-amzn-ErrorType": error.kind, **headers},
        jackson.utf_8(substituted(template, request.context)),
    )


def substituted(template: str, context: dict[str, Any], *, missing: str = "") -> str:
    """A template with its variables put in, each escaped as it stands between quotes, but those that have their own."""

    def value(found: re.Match[str]) -> str:
        at: Any = context
        for name in found[1].split("."):
            at = at.get(name) if isinstance(at, dict) else None
        if found[1].endswith("String") and found[1] != "error.validationErrorString":
            return str(at)
        return json.dumps(str(missing if at is None else at), ensure_ascii=False)[1:-1]

    return VARIABLE.sub(value, template)
