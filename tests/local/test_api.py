"""The API of events on the laptop: the very document of the template, answered by API Gateway's rules."""

from __future__ import annotations

import json
import socket
import time
import urllib.request
from typing import Any

import pytest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, given, settings as hypothesis_settings, strategies as st

from tests.local.api_bodies import BODIES, CASES, body_of
from tests.local.conftest import RunningEndpoint
from tests.local.event_api import Answered, Api, deployed, settings

ONE = '[{"event_id":"one"}]'
JSON = {"Content-Type": "application/json"}
STRANGER = Credentials("AKIASTRANGERSTRANGER", "secret")


@pytest.fixture(scope="module")
def apis(endpoint: RunningEndpoint, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Api]:
    return deployed(
        endpoint,
        tmp_path_factory.mktemp("apis"),
        keyed=settings("api_key", shards=None),
        signed=settings("iam", shards=None),
        slow=settings("iam", shards=1, requests_per_second=0.1, burst=3),
    )


@pytest.fixture(scope="module")
def keyed(apis: dict[str, Api]) -> Api:
    return apis["keyed"]


@pytest.fixture(scope="module")
def signed(apis: dict[str, Api]) -> Api:
    return apis["signed"]


def problem(answer: Answered, status: int) -> dict[str, Any]:
    """The problem document of an answer with this status."""
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json"), answer
    told: dict[str, Any] = answer.json
    assert told["status"] == status
    return told


def puts(api: Api) -> int:
    """How often the API has called its stream."""
    return len(api.endpoint.calls(role="headwater-keyed-clinic-api", action="kinesis:PutRecords"))


def wrong(api: Api, case: dict[str, Any]) -> str:
    """What is not as the case says."""
    body = body_of(case)
    answer = api.post(body, case.get("type", "application/json"))
    if answer.status != case["status"]:
        return f"{answer.status} {answer.body[:200]!r}"
    if answer.status == 207:
        accepted = [{"index": index, "status": "accepted"} for index in range(len(json.loads(body)))]
        return "" if answer.json == {"failed": 0, "events": accepted} else str(answer.json)
    return "" if case.get("says", "") in problem(answer, case["status"])["detail"] else answer.json["detail"]


def test_bodies_with_known_answers_get_them(keyed: Api) -> None:
    assert len(CASES) >= 200
    assert {str(case)[:200]: found for case in CASES if (found := wrong(keyed, case))} == {}


def test_what_is_accepted_lies_in_the_stream_whole_and_of_what_is_refused_nothing(signed: Api) -> None:
    good = [case["body"] for case in CASES if case["status"] == 207 and "e400" not in case.get("body", "e400")]
    for text in [*good, '[{"event_id":"beside"},{"event_id":1}]']:
        signed.post(text)
    stored = [(each["PartitionKey"], json.loads(each["Data"])) for each in signed.stored()]
    sent = [(event["event_id"], event) for text in good for event in json.loads(text)]
    assert sorted(map(str, stored)) == sorted(map(str, sent))


def test_a_number_that_no_double_holds_reaches_the_consumer_as_a_text(signed: Api) -> None:
    assert signed.post('[{"event_id":"huge","dose":1e400}]').status == 207
    assert b'{"event_id":"huge","dose":"Infinity"}' in [each["Data"] for each in signed.stored()]


def test_each_event_has_the_outcome_that_the_stream_gave_it(apis: dict[str, Api]) -> None:
    """A shard takes 1 MiB a second."""
    api = apis["slow"]
    before = len(api.stored())
    events = [{"event_id": str(number), "x": "y" * 150_000} for number in range(12)]
    answer = api.post(json.dumps(events)).json
    failed = [each["index"] for each in answer["events"] if each["status"] == "failed"]
    assert answer["failed"] == len(failed) > 0
    assert {each.get("reason") for each in answer["events"]} == {None, "ProvisionedThroughputExceededException"}
    stored = [json.loads(each["Data"])["event_id"] for each in api.stored()[before:]]
    assert sorted(stored) == sorted(str(index) for index in range(12) if index not in failed)


def test_more_requests_than_the_burst_are_throttled(apis: dict[str, Api]) -> None:
    answers = [apis["slow"].post(ONE) for _ in range(4)]
    assert problem(answers[-1], 429)["detail"] == "Nothing is stored. Wait and send the request again."
    assert answers[-1].headers["retry-after"] == "1"


def test_without_a_key_of_its_plan_nobody_calls(keyed: Api) -> None:
    for headers in ({}, {"x-api-key": ""}, {"x-api-key": "x" * 40}, {"x-api-key": f"{keyed.key} "[1:]}):
        assert problem(keyed.send(ONE.encode(), {**JSON, **headers}), 403)["detail"] == "Forbidden"


def test_without_a_signature_of_the_accounts_credentials_nobody_calls(signed: Api) -> None:
    missing = problem(signed.send(ONE.encode(), JSON), 403)
    assert missing["detail"] == "Missing Authentication Token"
    stranger = signed.send(ONE.encode(), signed.signed(ONE.encode(), "application/json", STRANGER))
    assert problem(stranger, 403)["detail"] == "The security token included in the request is invalid."
    other = signed.send(b'[{"event_id":"two"}]', signed.signed(ONE.encode(), "application/json"))
    assert "does not match" in problem(other, 403)["detail"]
    assert problem(signed.post(ONE, Authorization="Bearer x"), 403)
    assert problem(signed.post(ONE, **{"X-Amz-Date": "20200101T000000Z"}), 403)


def test_a_roles_credentials_may_call_what_its_policies_allow(signed: Api, endpoint: RunningEndpoint) -> None:
    iam, name = endpoint.client("iam"), "sender-of-clinic"
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": endpoint.account}}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    given = endpoint.client("sts").assume_role(RoleArn=arn, RoleSessionName="clinic")["Credentials"]
    credentials = Credentials(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    headers = signed.signed(ONE.encode(), "application/json", credentials)
    refused = problem(signed.send(ONE.encode(), headers), 403)["detail"]
    assert f"not authorized to perform: execute-api:Invoke on resource: {resource(signed)} because" in refused
    allow = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resource(signed).replace("*" * 8, "*")}
    iam.put_role_policy(RoleName=name, PolicyName="send", PolicyDocument=policy(allow))
    assert signed.send(ONE.encode(), headers).status == 207


def resource(api: Api) -> str:
    """As a refusal names it."""
    return f"arn:aws:execute-api:us-east-1:********{api.endpoint.account[-4:]}:{api.id}/v1/POST/immunizations"


def policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("PUT", ""), ("POST", "/nothing"), ("DELETE", "")])
def test_what_the_document_does_not_name_is_forbidden(keyed: Api, method: str, path: str) -> None:
    answer = keyed.send(ONE.encode(), {**JSON, "x-api-key": str(keyed.key)}, method=method, path=keyed.path + path)
    assert problem(answer, 403)["detail"] == "Missing Authentication Token"


def test_an_api_is_called_by_its_host_too(keyed: Api) -> None:
    headers = {**JSON, "x-api-key": str(keyed.key), "Host": f"{keyed.id}.execute-api.us-east-1.amazonaws.com"}
    assert keyed.send(ONE.encode(), headers, path="/v1/immunizations").status == 207
    assert keyed.send(ONE.encode(), headers, path="/v2/immunizations").status == 403


def test_a_half_sent_request_is_refused_and_stores_nothing(keyed: Api) -> None:
    before = puts(keyed)
    head = f"POST {keyed.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nx-api-key: {keyed.key}\r\n"
    with socket.create_connection(("127.0.0.1", keyed.endpoint.port), timeout=30) as half:
        half.sendall(f"{head}Content-Length: {len(ONE) + 10}\r\n\r\n{ONE}".encode())
        half.shutdown(socket.SHUT_WR)
        assert b" 400 " in half.makefile("rb").readline()
    assert puts(keyed) == before


def test_a_body_in_chunks_is_taken(keyed: Api) -> None:
    request = urllib.request.Request(keyed.endpoint.url + keyed.path, data=iter([ONE[:5].encode(), ONE[5:].encode()]))
    request.add_header("Content-Type", "application/json")
    request.add_header("x-api-key", str(keyed.key))
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 207


def test_the_stream_is_called_with_the_credentials_of_the_apis_own_role(keyed: Api) -> None:
    keyed.post(ONE)
    calls = keyed.endpoint.calls(role="headwater-keyed-clinic-api")
    assert {call["action"] for call in calls} == {"kinesis:PutRecords"}
    named = {call["resource"] for call in calls} - {""}  # of a large body none is kept
    assert named == {"headwater-keyed-clinic-immunizations"}


def test_the_access_log_tells_of_each_call_and_nothing_of_its_body(keyed: Api) -> None:
    instance = keyed.post('[{"event_id":"secret"},{}]').json["instance"]
    logs = keyed.endpoint.client("logs")
    until = time.monotonic() + 10
    lines: list[dict[str, Any]] = []
    while not lines and time.monotonic() < until:
        found = logs.filter_log_events(logGroupName="/aws/apigateway/headwater-keyed-clinic")["events"]
        lines = [json.loads(each["message"]) for each in found if instance in each["message"]]
    (line,) = lines
    assert (line["status"], line["method"], line["path"]) == ("400", "POST", "/v1/immunizations")
    assert (line["responseType"], line["integrationStatus"]) == ("BAD_REQUEST_BODY", "-")
    assert "secret" not in json.dumps(line)


def test_the_template_of_the_stack_holds_what_is_served(keyed: Api, endpoint: RunningEndpoint) -> None:
    template = endpoint.client("cloudformation").get_template(StackName="apis")["TemplateBody"]
    bodies = [each["Properties"]["Body"] for each in template["Resources"].values() if "Body" in each["Properties"]]
    assert "headwater-keyed-clinic-immunizations" in json.dumps(bodies)


@hypothesis_settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(body=BODIES, kind=st.sampled_from(["application/json"] * 8 + ["text/plain", "application/json;x"]))
def test_no_body_makes_the_api_fail(keyed: Api, body: bytes, kind: str) -> None:
    answer = keyed.post(body, kind)
    assert answer.status in (207, 400, 413, 415), answer
    assert answer.json
