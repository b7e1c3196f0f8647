"""The mapping templates of apis/: what they make of requests and of the stream's answers, rendered and parsed."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from datalake.api import document
from local.engines import jackson, velocity
from local.services.apigateway_document import Document
from tests.unit.test_api_document import VALUES

OPERATION = Document(document("clinic", VALUES)).operation("POST", "/immunizations")
assert OPERATION
INTEGRATION = OPERATION[0].integration
REQUEST = INTEGRATION.templates["application/json"]
WORDS = (
    "$",
    "#",
    "$x",
    "${x}",
    "#end",
    "#set($a = 1)",
    "'",
    '"',
    "\\",
    "\\'",
    "é",
    "😀",
    "\n",
    "\u2028",
    "</",
    "$input.body",
    "##",
    "#*",
)
TEXT = st.lists(st.sampled_from(WORDS) | st.text(max_size=5), max_size=4).map("".join)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
INSIDE = st.recursive(SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(TEXT, v, max_size=3), max_leaves=8)
IDS = TEXT.filter(bool)
EVENTS = st.lists(
    st.fixed_dictionaries({"event_id": IDS}, optional={"x": INSIDE, "$y": INSIDE}), min_size=1, max_size=5
)


def put(body: str) -> dict[str, Any]:
    """What the request template makes of a body, as Kinesis reads it."""
    payload = velocity.Input(body, jackson.read(body), {})
    made: dict[str, Any] = json.loads(velocity.render(REQUEST, payload, {}, {}))
    return made


def answer(status: int, said: Any) -> tuple[int, dict[str, Any]]:
    """The client's status and document for what the stream said."""
    response = INTEGRATION.response(status)
    assert response
    text = json.dumps(said)
    context = {"requestId": "the request", "responseOverride": velocity.Overridden()}
    payload = velocity.Input(text, jackson.read(text), {})
    body = velocity.render(response["responseTemplates"]["application/json"], payload, context, {})
    return int(context["responseOverride"].get("status", response["statusCode"])), json.loads(body)  # type: ignore[attr-defined]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(events=EVENTS)
def test_a_record_holds_its_event_whatever_is_written_in_it(events: list[dict[str, Any]]) -> None:
    made = put(json.dumps(events))
    assert made["StreamName"] == "events"
    assert [json.loads(base64.b64decode(each["Data"])) for each in made["Records"]] == events
    assert [each["PartitionKey"] for each in made["Records"]] == [event["event_id"] for event in events]


def test_a_record_is_compact_json_in_utf_8_and_has_nothing_but_data_and_key() -> None:
    (record,) = put('[ { "event_id" : "a", "b" : [ 1, "é" ] } ]')["Records"]
    assert base64.b64decode(record["Data"]).decode() == '{"event_id":"a","b":[1,"é"]}'
    assert record.keys() == {"Data", "PartitionKey"}


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("[]", "count 0"),
        (json.dumps([{"event_id": "a"}] * 501), "count 501"),
        (json.dumps([{"event_id": "a"}] * 1500), "count 1500"),
        ('[{"event_id":"\ufffd"}]', "encoding"),
        (json.dumps([{"event_id": "a"}, {"event_id": "b", "x": "y" * 262_144}]), "event 1"),
        (json.dumps([{"event_id": "a"}]).ljust(4_194_305), "body"),
    ],
    ids=["empty", "501", "1500", "encoding", "large event", "large body"],
)
def test_a_refused_body_makes_one_record_that_no_stream_takes(body: str, why: str) -> None:
    """Its hash key is no number, so that Kinesis refuses the call; nothing of the body is in it."""
    assert put(body)["Records"] == [{"Data": "", "PartitionKey": "refused", "ExplicitHashKey": why}]


@pytest.mark.parametrize("size", [262_143, 262_144, 262_145, 262_146, 262_147])
def test_an_event_is_measured_to_the_byte(size: int) -> None:
    empty = len('{"event_id":"a","x":""}')
    records = put(json.dumps([{"event_id": "a", "x": "y" * (size - empty)}]))["Records"]
    assert ("ExplicitHashKey" in records[0]) == (size > 262_144)


def test_each_outcome_of_the_stream_has_the_index_of_its_event() -> None:
    accepted = {"SequenceNumber": "49", "ShardId": "shardId-0"}
    throttled = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": 'Rate "exceeded"'}
    failed = {"ErrorCode": "InternalFailure", "ErrorMessage": "Internal Service Failure"}
    status, told = answer(200, {"FailedRecordCount": 2, "Records": [accepted, throttled, accepted, failed]})
    assert (status, told["failed"]) == (207, 2)
    assert told["events"] == [
        {"index": 0, "status": "accepted"},
        {"index": 1, "status": "failed", "reason": "ProvisionedThroughputExceededException"},
        {"index": 2, "status": "accepted"},
        {"index": 3, "status": "failed", "reason": "InternalFailure"},
    ]


@pytest.mark.parametrize("count", [1, 2, 499, 500])
@pytest.mark.parametrize("fails", [0, 1])
def test_as_many_outcomes_are_told_as_there_are_records(count: int, fails: int) -> None:
    record = {"ErrorCode": "InternalFailure"} if fails else {"SequenceNumber": "1", "ShardId": "s"}
    status, told = answer(200, {"FailedRecordCount": fails * count, "Records": [record] * count})
    assert (status, told["failed"], [each["index"] for each in told["events"]]) == (207, fails * count, [*range(count)])


def test_an_error_code_that_is_empty_or_null_is_none() -> None:
    _, told = answer(200, {"FailedRecordCount": 0, "Records": [{"ErrorCode": None}, {"ErrorCode": ""}]})
    assert [each["status"] for each in told["events"]] == ["accepted", "accepted"]


IN_CONSTRAINT = (
    "1 validation error detected: Value '{}' at 'records.1.member.explicitHashKey' failed to satisfy constraint"
)
IN_ARGUMENT = "Invalid ExplicitHashKey. '{}'"
REFUSALS = (
    ("event 12", 413, "The event at index 12: expected at most 262144 bytes."),
    ("body", 413, "The body: expected at most 4194304 bytes."),
    ("count 501", 400, "The body has 501 events: expected 1 to 500."),
    ("count 0", 400, "The body has 0 events: expected 1 to 500."),
    ("encoding", 400, "The body is not UTF-8"),
)


@pytest.mark.parametrize("said", [IN_CONSTRAINT, IN_ARGUMENT])
@pytest.mark.parametrize(("why", "status", "detail"), REFUSALS)
def test_what_the_request_template_refused_is_told_however_the_stream_words_it(
    said: str, why: str, status: int, detail: str
) -> None:
    code, told = answer(400, {"__type": "ValidationException", "message": said.format(why)})
    assert (code, told["status"], told["instance"]) == (status, status, "the request")
    assert told["detail"].startswith(detail)


@pytest.mark.parametrize("status", [400, 403, 500, 502, 503])
def test_any_other_refusal_of_the_stream_is_its_own_and_not_the_clients(status: int) -> None:
    for said in ({"__type": "ResourceNotFoundException", "message": "Stream 'x' not found"}, {"Message": "no"}, {}):
        code, told = answer(status, said)
        assert (code, told["status"], told["title"]) == (503, 503, "Service Unavailable")
        assert "not found" not in json.dumps(told)
