"""The log of accesses: who read and wrote which object, as the trail that is deployed selects them."""

from __future__ import annotations

import json
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.local.conftest import RunningEndpoint
from tests.local.trails import logged, trail

TRUST = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}
ROLE = "access-log-reader"
Happened = Callable[[], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def buckets(endpoint: RunningEndpoint) -> tuple[str, str]:
    """One that a trail watches, and one that none does."""
    suffix = uuid.uuid4().hex[:6]
    watched, other = f"watched-{suffix}", f"other-{suffix}"
    for each in (watched, other):
        endpoint.client("s3").create_bucket(Bucket=each)
        endpoint.client("s3").put_object(Bucket=each, Key="a/1", Body=b"row")
    trail(endpoint, f"accesses-{suffix}", other, [watched])
    iam = endpoint.client("iam")
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [TRUST]}))
    may = {"Effect": "Allow", "Action": "s3:*", "Resource": [f"arn:aws:s3:::{watched}*", f"arn:aws:s3:::{other}*"]}
    kept = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{watched}/closed/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [may, kept]})
    iam.put_role_policy(RoleName=ROLE, PolicyName="may", PolicyDocument=policy)
    return watched, other


@pytest.fixture
def s3(endpoint: RunningEndpoint, buckets: tuple[str, str]) -> Any:
    arn = f"arn:aws:iam::123456789012:role/{ROLE}"
    issued = endpoint.client("sts").assume_role(RoleArn=arn, RoleSessionName="ann.lee")["Credentials"]
    return boto3.client(
        "s3", endpoint_url=endpoint.url, region_name="us-east-1", aws_access_key_id=issued["AccessKeyId"],
        aws_secret_access_key=issued["SecretAccessKey"], aws_session_token=issued["SessionToken"],
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )  # fmt: skip


@pytest.fixture
def happened(endpoint: RunningEndpoint, buckets: tuple[str, str]) -> Happened:
    """What was logged since, of these buckets."""
    before = len(logged(endpoint.state))

    def since() -> list[dict[str, Any]]:
        lines = logged(endpoint.state)[before:]
        return [each for each in lines if each["requestParameters"].get("bucketName") in buckets]

    return since


def test_a_line_says_which_session_of_which_role_it_was(s3: Any, buckets: tuple[str, str], happened: Happened) -> None:
    s3.get_object(Bucket=buckets[0], Key="a/1")
    [line] = happened()
    who = line["userIdentity"]
    assert who["arn"] == f"arn:aws:sts::123456789012:assumed-role/{ROLE}/ann.lee"
    assert who["principalId"] == f"{who['sessionContext']['sessionIssuer']['principalId']}:ann.lee"
    assert who["sessionContext"]["sessionIssuer"]["arn"] == f"arn:aws:iam::123456789012:role/{ROLE}"
    assert who["accessKeyId"] == s3._request_signer._credentials.access_key
    assert (line["eventName"], line["readOnly"], line["requestParameters"]["key"]) == ("GetObject", True, "a/1")


def test_every_way_to_read_or_write_an_object_is_logged_and_what_no_trail_selects_is_not(
    s3: Any, buckets: tuple[str, str], happened: Happened
) -> None:
    watched, other = buckets
    s3.head_object(Bucket=watched, Key="a/1")
    s3.list_objects_v2(Bucket=watched, Prefix="a/")
    s3.get_object_tagging(Bucket=watched, Key="a/1")
    s3.put_object(Bucket=watched, Key="a/2", Body=b"x")
    s3.delete_objects(Bucket=watched, Delete={"Objects": [{"Key": "a/2"}]})
    s3.get_object(Bucket=other, Key="a/1")
    s3.get_bucket_location(Bucket=watched)
    names = [(each["eventName"], each["readOnly"]) for each in happened()]
    assert names == [
        ("HeadObject", True), ("ListObjects", True), ("GetObjectTagging", True), ("PutObject", False),
        ("DeleteObjects", False),
    ]  # fmt: skip


def test_what_is_copied_is_read(s3: Any, buckets: tuple[str, str], happened: Happened) -> None:
    watched, other = buckets
    s3.copy_object(Bucket=other, Key="copied", CopySource={"Bucket": watched, "Key": "a/1"})
    upload = s3.create_multipart_upload(Bucket=other, Key="parts")["UploadId"]
    part = {"Bucket": other, "Key": "parts", "UploadId": upload, "PartNumber": 1}
    s3.upload_part_copy(**part, CopySource=f"{watched}/a/1")
    s3.copy_object(Bucket=watched, Key="a/3", CopySource={"Bucket": other, "Key": "a/1"})
    found = [(each["eventName"], each["requestParameters"]["key"]) for each in happened()]
    assert found == [("GetObject", "a/1"), ("GetObject", "a/1"), ("CopyObject", "a/3")]


def test_who_is_refused_is_logged_and_a_header_or_parameter_gives_it_no_other_name(
    endpoint: RunningEndpoint, s3: Any, buckets: tuple[str, str], happened: Happened
) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.get_object(Bucket=buckets[0], Key="closed/1")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": buckets[0], "Key": "a/1"})
    asked = urllib.request.Request(f"{url}&Action=HeadBucket", headers={"X-Amz-Target": "S3.HeadBucket"})
    urllib.request.urlopen(asked).read()
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(f"{endpoint.url}/{buckets[0]}/a/1")
    urllib.request.urlopen(url).read()
    endpoint.client("s3").get_object(Bucket=buckets[0], Key="a/1")
    lines = happened()
    assert {each["eventName"] for each in lines} == {"GetObject"}
    assert [each.get("errorCode") for each in lines] == ["AccessDenied", None, "AccessDenied", None, None]
    assert [each["userIdentity"]["type"] for each in lines][-3:] == ["AWSAccount", "AssumedRole", "IAMUser"]
