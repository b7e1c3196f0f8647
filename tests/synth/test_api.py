"""The API of events, as the templates of the app make it."""

from __future__ import annotations

import json
from typing import Any

from tests.synth.synthesized import Synthesized


def only(lake: Synthesized, resource_type: str) -> dict[str, Any]:
    (found,) = lake.properties(resource_type)
    return found


def test_the_document_is_the_body_with_every_placeholder_filled(lake: Synthesized) -> None:
    api = only(lake, "ApiGateway::RestApi")
    integration = api["Body"]["paths"]["/immunizations"]["post"]["x-amazon-apigateway-integration"]
    region, name = lake.environment.region, lake.environment.resource("clinic-immunizations")
    assert api["Name"] == api["Body"]["info"]["title"] == lake.environment.resource("clinic")
    assert integration["uri"] == f"arn:aws:apigateway:{region}:kinesis:action/PutRecords"
    assert f'"StreamName": "{name}"' in integration["requestTemplates"]["application/json"]
    assert integration["credentials"].endswith(f":role/{lake.environment.resource('clinic-api')}")


def test_the_api_may_put_records_into_its_stream_and_nothing_else(lake: Synthesized) -> None:
    role = lake.named("IAM::Role", "RoleName")[lake.environment.resource("clinic-api")]
    place = f"{lake.environment.region}:{lake.environment.account}"
    stream = f"arn:aws:kinesis:{place}:stream/{lake.environment.resource('clinic-immunizations')}"
    put, encrypt = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert (put["Action"], put["Resource"]) == ("kinesis:PutRecords", stream)
    assert encrypt["Action"] == "kms:GenerateDataKey"
    assert encrypt["Resource"] != "*"


def test_callers_are_known_by_what_the_environment_says(lake: Synthesized) -> None:
    settings = lake.environment.streams["clinic.immunizations"]
    operation = only(lake, "ApiGateway::RestApi")["Body"]["paths"]["/immunizations"]["post"]
    assert operation["security"] == [{settings.auth: []}]
    assert len(lake.resources("ApiGateway::ApiKey")) == (settings.auth == "api_key")
    for key in lake.properties("ApiGateway::ApiKey"):
        assert "Value" not in key  # API Gateway makes one: a key is no part of a template


def test_calls_are_throttled_as_the_environment_says(lake: Synthesized) -> None:
    settings = lake.environment.streams["clinic.immunizations"]
    (method,) = only(lake, "ApiGateway::Stage")["MethodSettings"]
    limits = (settings.requests_per_second, settings.burst)
    assert (method["ThrottlingRateLimit"], method["ThrottlingBurstLimit"]) == limits
    for plan in lake.properties("ApiGateway::UsagePlan"):
        assert (plan["Throttle"]["RateLimit"], plan["Throttle"]["BurstLimit"]) == limits


def test_access_logs_are_json_in_an_encrypted_group_and_hold_no_payload(lake: Synthesized) -> None:
    stage = only(lake, "ApiGateway::Stage")
    setting, name = stage["AccessLogSetting"], f"/aws/apigateway/{lake.environment.resource('clinic')}"
    assert setting["DestinationArn"].endswith(f":log-group:{name}")
    assert "KmsKeyId" in lake.named("Logs::LogGroup", "LogGroupName")[name]
    assert not [value for value in json.loads(setting["Format"]).values() if "validation" in value or "input" in value]
    assert [(each["LoggingLevel"], each["DataTraceEnabled"]) for each in stage["MethodSettings"]] == [("OFF", False)]


def test_tls_is_1_2_with_forward_secrecy_or_newer(lake: Synthesized) -> None:
    api = only(lake, "ApiGateway::RestApi")
    assert (api["SecurityPolicy"], api["EndpointAccessMode"]) == ("SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09", "STRICT")


def test_the_accounts_own_settings_are_left_alone(lake: Synthesized) -> None:
    assert not lake.resources("ApiGateway::Account")
