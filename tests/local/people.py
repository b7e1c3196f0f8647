"""People of the account who may take every role: one whom the identity provider has tagged, one whom nobody has."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.local.attacked_lake import AttackedLake
from tests.local.planned_lake import ENVIRONMENT, arn, client

ANN, BOB = "ann.lee", "bob.ray"  # bob is away, and has left what only he may read
FOLDERS = {"results": "athena", "sandbox": "data"}
TAKES = {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": "*"}
Session = dict[str, str]


def reads(
    lake: AttackedLake,
    role: str,
    whose: str,
    tags: list[list[str]] | None = None,
    by: str = "ann",
    layer: str = "results",
) -> str:
    """What a person keeps in a layer, read by somebody who takes the role with these session tags."""
    session = taken(lake, PEOPLE[by](lake), arn(role), tags or [])
    found = client(lake.endpoint, "s3", session).get_object(
        Bucket=ENVIRONMENT.bucket(layer), Key=f"{FOLDERS[layer]}/{whose}/kept"
    )
    return str(found["Body"].read())


def taken(lake: AttackedLake, by: Mapping[str, str], role: str, tags: list[list[str]], **more: Any) -> Session:
    asked = {"Tags": [{"Key": key, "Value": value} for key, value in tags]} if tags else {}
    issued = client(lake.endpoint, "sts", by).assume_role(RoleArn=role, RoleSessionName="mine", **asked, **more)
    return {
        "aws_access_key_id": issued["Credentials"]["AccessKeyId"],
        "aws_secret_access_key": issued["Credentials"]["SecretAccessKey"],
        "aws_session_token": issued["Credentials"]["SessionToken"],
    }


def prepare(lake: AttackedLake) -> None:
    """The people, a role of the account's own on the way to those of the lake, and what people keep."""
    iam, s3 = lake.endpoint.client("iam"), lake.endpoint.client("s3")
    lake.people = {}
    for name, tags in ((ANN, [{"Key": "user", "Value": ANN}]), ("unknown", [])):
        iam.create_user(UserName=name, Tags=tags)
        iam.put_user_policy(UserName=name, PolicyName="takes", PolicyDocument=_document(TAKES))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        lake.people[name] = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    anybody = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ENVIRONMENT.account}:root"}}
    anybody["Action"] = TAKES["Action"]
    # As the lake's roles have it, so that a tag that is chosen freely does not begin here.
    anybody["Condition"] = {"StringEqualsIfExists": {"aws:RequestTag/user": "${aws:PrincipalTag/user}"}}
    iam.create_role(RoleName="hop", AssumeRolePolicyDocument=_document(anybody))
    iam.put_role_policy(RoleName="hop", PolicyName="takes", PolicyDocument=_document(TAKES))
    for layer, folder in FOLDERS.items():
        for whose, kept in ((ANN, b"mine"), (BOB, b"CANARY-kept"), ("clinical_analyst", b"CANARY-kept")):
            s3.put_object(Bucket=ENVIRONMENT.bucket(layer), Key=f"{folder}/{whose}/kept", Body=kept)


def hop(lake: AttackedLake, *tags: str, **more: Any) -> Session:
    said = [[tag, ANN] for tag in tags]
    return taken(lake, lake.people[ANN], f"arn:aws:iam::{ENVIRONMENT.account}:role/hop", said, **more)


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


PEOPLE: dict[str, Callable[[AttackedLake], Mapping[str, str]]] = {
    "ann": lambda lake: lake.people[ANN],
    "unknown": lambda lake: lake.people["unknown"],
    "ann by a role": lambda lake: hop(lake, "user"),
    "ann by a role that hands on": lambda lake: hop(lake, "user", TransitiveTagKeys=["user"]),
    "a role": lambda lake: hop(lake),
}
CALLS: dict[str, Callable[..., Any]] = {"person.reads": reads}
