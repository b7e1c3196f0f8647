"""`headwater api` tells where events are posted, and how the caller proves who it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

import config
from cli.api import call, described
from cli.errors import CommandError
from cli.target import Target

DOCUMENT = b"""{"openapi": "3.0.1", "info": {"title": "x", "version": "1"},
 "paths": {"/immunizations": {"post": {"responses": {}}}}}"""


def lake(auth: Literal["iam", "api_key"], endpoint_url: str | None = None) -> Target:
    environment = config.load("dev")
    streams = {"clinic.immunizations": replace(environment.streams["clinic.immunizations"], auth=auth)}
    return Target(replace(environment, streams=streams), endpoint_url)


def deploy(target: Target) -> str:
    gateway, name = target.client("apigateway"), target.environment.resource("clinic")
    api = gateway.create_rest_api(name=name)["id"]
    gateway.put_rest_api(restApiId=api, mode="overwrite", body=DOCUMENT)
    gateway.create_api_key(name=name, value="k" * 20)
    return str(api)


def test_an_api_is_told_with_its_url_and_a_call_with_its_key(aws: None) -> None:
    target = lake("api_key")
    api = deploy(target)
    (told,) = described(target, "clinic", show_key=True)
    assert told["url"] == f"https://{api}.execute-api.us-east-1.amazonaws.com/v1/immunizations"
    assert call(told) == f"curl -H 'x-api-key: {'k' * 20}'"


def test_a_key_is_shown_only_when_asked_for(aws: None) -> None:
    target = lake("api_key")
    deploy(target)
    (told,) = described(target, "", show_key=False)
    assert (told["key"], call(told)) == (None, "curl -H 'x-api-key: YOUR-KEY'")


def test_a_call_that_iam_lets_in_is_signed(aws: None) -> None:
    target = lake("iam")
    deploy(target)
    (told,) = described(target, "clinic", show_key=True)
    assert told["key"] is None
    assert call(told).startswith("curl --aws-sigv4 aws:amz:us-east-1:execute-api --user ")


def test_a_source_without_a_stream_or_an_api_that_is_not_deployed_is_an_error(aws: None) -> None:
    with pytest.raises(CommandError, match=r"The source 'crm': expected a source with a stream, one of clinic\."):
        list(described(lake("iam"), "crm", show_key=False))
    with pytest.raises(CommandError, match="The API 'headwater-dev-clinic': expected one that is deployed"):
        list(described(lake("iam"), "clinic", show_key=False))
