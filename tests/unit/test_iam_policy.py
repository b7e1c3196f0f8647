"""IAM's answers, as AWS documents them, and what holds of all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, strategies as st

from local.engines.iam_conditions import UnknownConditionError
from local.engines.iam_policy import Decision, Policies, decide
from local.engines.iam_statements import Policy, PolicyError, Principal, Request, policy

CASES = yaml.safe_load((Path(__file__).parent / "iam_policy.yaml").read_text())
ALICE = Principal(
    "arn:aws:sts::123456789012:assumed-role/analyst/alice", "123456789012", "arn:aws:iam::123456789012:role/analyst"
)
KNOWN = frozenset({"s3:prefix", "aws:tagkeys", "kms:resourcealiases", "aws:principaltag/", "aws:username"})


def written(statements: list[dict[str, Any]], version: str = "2012-10-17") -> Policy:
    return policy(json.dumps({"Version": version, "Statement": statements}), "test")


def asked(case: dict[str, Any]) -> Decision:
    version = case.get("version", "2012-10-17")
    found = {
        kind: written(case[kind], version) for kind in ("identity", "resource", "boundary", "session") if kind in case
    }
    context = {
        key: tuple(value) if isinstance(value, list) else value for key, value in case.get("context", {}).items()
    }
    policies = Policies(
        identity=[found["identity"]] if "identity" in found else [],
        resource=found.get("resource"),
        boundary=found.get("boundary"),
        session=[found["session"]] if "session" in found else None,
        opens=case.get("opens", False),
    )
    return decide(Request(ALICE, case["asks"][0], case["asks"][1], context, KNOWN), policies)


@pytest.mark.parametrize("case", CASES, ids=[case["says"] for case in CASES])
def test_iam_answers_as_aws_documents_it(case: dict[str, Any]) -> None:
    if "refused" in case:
        with pytest.raises((UnknownConditionError, PolicyError), match=case["refused"]):
            asked(case)
        return
    answer = asked(case)
    assert (answer.allowed, answer.reason) == ("denied" not in case, case.get("denied", ""))


def test_an_answer_names_the_statement_that_decided() -> None:
    either = ["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"]
    allow: list[dict[str, Any]] = [
        {"Sid": "Other", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"},
        {"Sid": "Read", "Effect": "Allow", "Action": "s3:Get*", "Resource": either},
    ]
    found = decide(Request(ALICE, "s3:GetObject", "arn:aws:s3:::b/1"), Policies([written(allow)]))
    assert found.statement is not None
    assert (found.statement.sid, found.statement.position, found.pattern) == ("Read", 1, "arn:aws:s3:::b/*")


ACTIONS = st.sampled_from(["s3:GetObject", "s3:PutObject", "glue:GetTable", "s3:*", "*", "glue:Get*"])
RESOURCES = st.sampled_from(["arn:aws:s3:::a/x", "arn:aws:s3:::a/*", "arn:aws:s3:::b/*", "*",
                             "arn:aws:s3:::a/${aws:PrincipalTag/user}/*"])  # fmt: skip
CONDITIONS = st.sampled_from([
    {}, {"StringEquals": {"aws:PrincipalTag/user": "alice"}}, {"StringNotEquals": {"aws:PrincipalTag/user": "alice"}},
    {"StringLikeIfExists": {"s3:prefix": "a*"}}, {"Null": {"s3:prefix": "true"}},
])  # fmt: skip


def statements(effect: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"Effect": st.just(effect), "Action": ACTIONS, "Resource": RESOURCES, "Condition": CONDITIONS}
    )


LISTS = st.lists(st.one_of(statements("Allow"), statements("Deny")), max_size=4)
REQUESTS = st.builds(
    lambda action, resource, user: Request(
        ALICE, action, resource, {"aws:principaltag/user": user} if user else {}, KNOWN
    ),
    st.sampled_from(["s3:GetObject", "s3:PutObject", "glue:GetTable"]),
    st.sampled_from(["arn:aws:s3:::a/x", "arn:aws:s3:::a/alice/x", "arn:aws:s3:::b/x"]),
    st.sampled_from(["", "alice", "bob", "*"]),
)


def answers(request: Request, identity: list[dict[str, Any]], **more: Any) -> bool:
    return decide(request, Policies([written(identity)], **more)).allowed


@given(REQUESTS, LISTS, statements("Allow"))
def test_another_allow_never_takes_anything_away(request: Request, own: list[dict[str, Any]], more: Any) -> None:
    assert answers(request, [*own, more]) >= answers(request, own)


@given(REQUESTS, LISTS, statements("Deny"))
def test_another_deny_never_gives_anything(request: Request, own: list[dict[str, Any]], more: Any) -> None:
    assert answers(request, [*own, more]) <= answers(request, own)


@given(REQUESTS, LISTS, LISTS, LISTS)
def test_a_deny_of_everything_wins_wherever_it_stands(
    request: Request, own: list[dict[str, Any]], boundary: list[dict[str, Any]], session: list[dict[str, Any]]
) -> None:
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    for kind in ("own", "boundary", "session"):
        parts = {"own": own, "boundary": boundary, "session": session}
        parts[kind] = [*parts[kind], deny]
        more = {"boundary": written(parts["boundary"]), "session": [written(parts["session"])]}
        assert not answers(request, parts["own"], **more)


@given(REQUESTS, LISTS, LISTS)
def test_boundaries_and_session_policies_only_narrow(
    request: Request, own: list[dict[str, Any]], narrower: list[dict[str, Any]]
) -> None:
    whole = answers(request, own)
    assert answers(request, own, boundary=written(narrower)) <= whole
    assert answers(request, own, session=[written(narrower)]) <= whole


@given(REQUESTS, LISTS, st.randoms())
def test_the_order_of_statements_does_not_matter(request: Request, own: list[dict[str, Any]], chance: Any) -> None:
    mixed = list(own)
    chance.shuffle(mixed)
    assert answers(request, own) == answers(request, mixed)


@given(st.text("ab*?/:", max_size=8), st.text("ab*?/:", max_size=8))
def test_a_variables_value_is_no_pattern(user: str, name: str) -> None:
    """A tag of `*` opens a folder of that name, and no other's."""
    own = [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/${aws:PrincipalTag/user}"}]
    request = Request(ALICE, "s3:GetObject", f"arn:aws:s3:::a/{name}", {"aws:principaltag/user": user}, KNOWN)
    assert answers(request, own) == (user == name)
