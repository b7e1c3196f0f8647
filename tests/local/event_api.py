"""APIs of events deployed to the endpoint, as the app's own construct makes them, and a client of each."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_kinesis as kinesis, aws_kms as kms
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

import config
from config.stream import Stream
from datalake.api import EventApi
from local import deploy
from local.own_calls import PERSON_KEY, PERSON_SECRET
from tests.local.conftest import RunningEndpoint

DATASET = "clinic.immunizations"
PERSON = Credentials(PERSON_KEY, PERSON_SECRET)


@dataclass(frozen=True)
class Answered:
    """An answer as the client has it."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Api:
    """One deployed API with its stream."""

    endpoint: RunningEndpoint
    id: str
    stream: str
    key: str | None  # the API key, where it asks for one

    @property
    def path(self) -> str:
        return f"/restapis/{self.id}/v1/_user_request_/immunizations"

    def post(self, body: bytes | str, content_type: str = "application/json", **headers: str) -> Answered:
        """As a caller with the right credentials, unless the headers say others."""
        data = body.encode() if isinstance(body, str) else body
        own = {"x-api-key": self.key} if self.key else self.signed(data, content_type)
        return self.send(data, {**own, "Content-Type": content_type, **headers})

    def signed(
        self, data: bytes, content_type: str, credentials: Credentials = PERSON, path: str = ""
    ) -> dict[str, str]:
        url = self.endpoint.url + (path or self.path)
        request = AWSRequest("POST", url, headers={"Content-Type": content_type}, data=data)
        SigV4Auth(credentials, "execute-api", self.endpoint.region).add_auth(request)
        return dict(request.headers)

    def send(self, data: bytes, headers: Mapping[str, str], *, method: str = "POST", path: str = "") -> Answered:
        connection = http.client.HTTPConnection("127.0.0.1", self.endpoint.port, timeout=60)
        try:
            connection.request(method, path or self.path, data, dict(headers))
            answer = connection.getresponse()
            return Answered(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def stored(self) -> list[dict[str, Any]]:
        """Every record of the stream, in the order of its shard."""
        client = self.endpoint.client("kinesis")
        found = []
        for shard in client.list_shards(StreamName=self.stream)["Shards"]:
            iterator = client.get_shard_iterator(
                StreamName=self.stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            while records := (page := client.get_records(ShardIterator=iterator))["Records"]:
                found += records
                iterator = page["NextShardIterator"]
        return found


def settings(auth: str, **changes: Any) -> Stream:
    given = config.load("local").streams[DATASET]
    return replace(given, **{"auth": auth, "requests_per_second": 5000.0, "burst": 5000, **changes})


def deployed(endpoint: RunningEndpoint, folder: Path, *, name: str = "apis", **of: Stream) -> dict[str, Api]:
    """By the name of an environment: the API and the stream that these settings make."""
    app = cdk.App(outdir=str(folder), builtin_cloud_formation_validation=False)
    place = cdk.Environment(account=endpoint.account, region=endpoint.region)
    synthesizer = cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False)
    stack = cdk.Stack(app, name, env=place, synthesizer=synthesizer)
    key = kms.Key.from_key_arn(stack, "Key", f"arn:aws:kms:{endpoint.region}:{endpoint.account}:key/{'0' * 36}")
    local = config.load("local")
    for each, stream in of.items():
        environment = replace(local, name=each)
        stream_name = environment.resource("clinic-immunizations")
        mode = kinesis.CfnStream.StreamModeDetailsProperty(stream_mode="PROVISIONED" if stream.shards else "ON_DEMAND")
        kinesis.CfnStream(
            stack, f"Stream-{each}", name=stream_name, stream_mode_details=mode, shard_count=stream.shards
        )
        EventApi(
            stack,
            f"Api-{each}",
            environment=environment,
            source="clinic",
            settings=stream,
            stream_name=stream_name,
            key=key,
        )
    app.synth()
    deploy.deploy(folder, endpoint.url)
    return {each: found(endpoint, replace(local, name=each), stream) for each, stream in of.items()}


def found(endpoint: RunningEndpoint, environment: config.Environment, stream: Stream) -> Api:
    client, name = endpoint.client("apigateway"), environment.resource("clinic")
    api = next(each["id"] for each in client.get_rest_apis()["items"] if each["name"] == name)
    keys = client.get_api_keys(nameQuery=name, includeValues=True)["items"]
    value = keys[0]["value"] if stream.auth == "api_key" else None
    return Api(endpoint, api, environment.resource("clinic-immunizations"), value)


def data_of(record: Mapping[str, Any]) -> Any:
    return json.loads(record["Data"])
