"""The HTTP API of a source's events: API Gateway from its OpenAPI document, straight into the streams."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from aws_cdk import CfnOutput, aws_apigateway as apigateway, aws_iam as iam, aws_kms as kms
from constructs import Construct

from config import Environment
from config.stream import STAGE, Stream
from datalake.access import Grant, role
from datalake.grants import LakeGrants
from datalake.logs import log_group
from datalake.nag import acknowledge

FOLDER = Path(__file__).parents[2] / "apis"
PLACEHOLDER = re.compile(r"\$\{([A-Z]\w*)\}")
SECURITY_POLICY = "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09"  # TLS 1.2 with forward secrecy, or 1.3
ACCESS_LOG = {  # who called what, when, with which outcome; nothing of what an event holds
    "requestId": "$context.requestId",
    "requestTime": "$context.requestTime",
    "caller": "$context.identity.userArn",
    "apiKeyId": "$context.identity.apiKeyId",
    "sourceIp": "$context.identity.sourceIp",
    "method": "$context.httpMethod",
    "path": "$context.path",
    "status": "$context.status",
    "responseType": "$context.error.responseType",
    "responseLength": "$context.responseLength",
    "responseLatency": "$context.responseLatency",
    "integrationStatus": "$context.integrationStatus",
    "integrationLatency": "$context.integrationLatency",
}


class ApiDocumentError(ValueError):
    """A source has no OpenAPI document, or it names a value that nobody fills in."""


def document(source: str, values: Mapping[str, str]) -> dict[str, Any]:
    """apis/SOURCE.openapi.yaml with its placeholders filled."""
    path = FOLDER / f"{source}.openapi.yaml"

    def filled(part: Any) -> Any:
        match part:
            case str():
                return PLACEHOLDER.sub(value, part)
            case list():
                return [filled(each) for each in part]
            case dict():
                return {filled(name): filled(each) for name, each in part.items()}
        return part

    def value(found: re.Match[str]) -> str:
        if found[1] not in values:
            expected = ", ".join(sorted(values))
            raise ApiDocumentError(f"The placeholder '{found[0]}' of {path.name}: expected one of {expected}.")
        return values[found[1]]

    if not path.exists():
        expected = f"expected its OpenAPI document, since one of its datasets has a stream. Write apis/{path.name}."
        raise ApiDocumentError(f"The source '{source}': {expected}")
    made: dict[str, Any] = filled(yaml.safe_load(path.read_text()))
    return made


class EventApi(Construct):
    """The API `headwater-ENV-SOURCE` at stage v1; its role may put records into the dataset's stream, and no more."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        source: str,
        settings: Stream,
        stream_name: str,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment, self._settings = environment, settings
        self._name = environment.resource(source)
        lake = LakeGrants(environment, key_arn=key.key_arn)
        self.role = role(
            self,
            "Role",
            name=f"{self._name}-api",
            description=f"What API {self._name} may do",
            principal=iam.ServicePrincipal("apigateway.amazonaws.com"),
            grants=[
                Grant(["kinesis:PutRecords"], [lake.arn("kinesis", f"stream/{stream_name}")]),
                Grant(["kms:GenerateDataKey"], [key.key_arn]),
            ],
        )
        values = {
            "Auth": settings.auth,
            "Name": self._name,
            "Region": environment.region,
            "RoleArn": f"arn:aws:iam::{environment.account}:role/{self._name}-api",
            "StreamName": stream_name,
        }
        self.api = self._api(document(source, values))
        self.stage = self._stage(key)
        if settings.auth == "api_key":
            self._plan()
        url = f"https://{self.api.ref}.execute-api.{environment.region}.amazonaws.com/{STAGE}"
        CfnOutput(self, "Url", value=url, description=f"Where {self._name} takes events")

    def _api(self, body: dict[str, Any]) -> apigateway.CfnRestApi:
        api = apigateway.CfnRestApi(
            self,
            "Api",
            name=self._name,
            description=body["info"]["description"],
            body=body,
            endpoint_configuration=apigateway.CfnRestApi.EndpointConfigurationProperty(types=["REGIONAL"]),
            security_policy=SECURITY_POLICY,
            endpoint_access_mode="STRICT",
        )
        api.node.add_dependency(self.role)
        acknowledge(api, {"APIG2": "The document has a request validator, which the rule looks for as a resource."})
        return api

    def _stage(self, key: kms.IKey) -> apigateway.CfnStage:
        name = f"/aws/apigateway/{self._name}"
        group = log_group(self, "AccessLogs", name=name, environment=self._environment, key=key)
        body = json.dumps(self.api.body, sort_keys=True)  # a deployment is what the API was: another body, another one
        version = hashlib.sha256(body.encode()).hexdigest()[:10]
        deployment = apigateway.CfnDeployment(self, f"Deployment{version}", rest_api_id=self.api.ref)
        stage = apigateway.CfnStage(
            self,
            "Stage",
            rest_api_id=self.api.ref,
            deployment_id=deployment.ref,
            stage_name=STAGE,
            tracing_enabled=True,
            access_log_setting=apigateway.CfnStage.AccessLogSettingProperty(
                destination_arn=f"arn:aws:logs:{self._environment.region}:{self._environment.account}:log-group:{name}",
                format=json.dumps(ACCESS_LOG),
            ),
            method_settings=[
                apigateway.CfnStage.MethodSettingProperty(
                    resource_path="/*",
                    http_method="*",
                    throttling_rate_limit=self._settings.requests_per_second,
                    throttling_burst_limit=self._settings.burst,
                    metrics_enabled=True,
                    logging_level="OFF",
                    data_trace_enabled=False,
                )
            ],
        )
        stage.node.add_dependency(group)
        self.access_log = group
        acknowledge(
            stage,
            {
                "APIG3": "Callers are few and have credentials; rates are limited and bodies validated without WAF.",
                "APIG6": "Execution logs would hold ids, without our key; access logs tell each call.",
            },
        )
        return stage

    def _plan(self) -> None:
        throttle = apigateway.CfnUsagePlan.ThrottleSettingsProperty(
            rate_limit=self._settings.requests_per_second, burst_limit=self._settings.burst
        )
        of = apigateway.CfnUsagePlan.ApiStageProperty(api_id=self.api.ref, stage=self.stage.ref)
        plan = apigateway.CfnUsagePlan(self, "Plan", usage_plan_name=self._name, api_stages=[of], throttle=throttle)
        made = apigateway.CfnApiKey(self, "Key", name=self._name, enabled=True)
        apigateway.CfnUsagePlanKey(self, "PlanKey", key_id=made.ref, key_type="API_KEY", usage_plan_id=plan.ref)
