"""Reads of S3 that bypass moto answer as moto does, and connections stay open between calls."""

from __future__ import annotations

import http.client
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.conftest import RunningEndpoint

BUCKET = "read-bucket"
NAME, VERSIONED, EMPTY = "dir/a=%C3%BC x.txt", "versioned", "empty"
SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=headwater/20260101/us-east-1/s3/aws4_request, "
    "SignedHeaders=host, Signature=0"
}
MOTO_ALONE = "?x-of-moto=1"  # what a plain read does not have
CHANGING = ("date", "x-amzn-requestid", "access-control-allow-origin")
ASKED: tuple[dict[str, str], ...] = (
    {}, {"Range": "bytes=3-7"}, {"Range": "bytes=7-"}, {"Range": "bytes=-3"}, {"Range": "bytes=5-900"},
    {"Range": "bytes=900-901"}, {"Range": "bytes=7-3"}, {"Range": "bytes=0-0,2-3"}, {"x-amz-checksum-mode": "ENABLED"},
    {"x-amz-checksum-mode": "ENABLED", "Range": "bytes=1-2"}, {"If-None-Match": '"other"'}, {"If-Match": '"other"'},
)  # fmt: skip
Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture(scope="module")
def connection(endpoint: RunningEndpoint) -> Iterator[http.client.HTTPConnection]:
    s3 = endpoint.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(
        Bucket=BUCKET, Key="dir/a=ü x.txt", Body=b"0123456789", ContentType="text/plain", Metadata={"of": "ours"},
        ServerSideEncryption="aws:kms", StorageClass="STANDARD_IA",
    )  # fmt: skip
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=BUCKET, Key=VERSIONED, Body=b"0123456789", Tagging="a=b")
    s3.put_object(Bucket=BUCKET, Key=EMPTY, Body=b"")
    s3.put_object(Bucket=BUCKET, Key="deleted", Body=b"x")
    s3.delete_object(Bucket=BUCKET, Key="deleted")
    opened = http.client.HTTPConnection("127.0.0.1", int(endpoint.url.rpartition(":")[2]))
    yield opened
    opened.close()


def answer(connection: Any, method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
    connection.request(method, path if path.startswith("/") else f"/{BUCKET}/{path}", body, {**SIGNED, **headers})
    found = connection.getresponse()
    kept = {name.lower(): value for name, value in found.getheaders() if name.lower() not in CHANGING}
    text = found.read()
    return found.status, kept, text if found.status < 300 else b""


def test_a_plain_read_has_the_status_headers_and_bytes_that_moto_gives(connection: http.client.HTTPConnection) -> None:
    for name, method, asked in itertools.product(
        (NAME.replace(" ", "%20"), VERSIONED, EMPTY, "deleted", "none"), ("GET", "HEAD"), ASKED
    ):
        ours, moto = (answer(connection, method, name + query, asked) for query in ("", MOTO_ALONE))
        assert ours == moto, (method, name, asked)


def test_a_bucket_policy_that_denies_reads_denies_plain_ones(endpoint: RunningEndpoint) -> None:
    s3 = endpoint.client("s3")
    s3.create_bucket(Bucket="read-denied")
    s3.put_object(Bucket="read-denied", Key="open/a", Body=b"1")
    s3.put_object(Bucket="read-denied", Key="shut/a", Body=b"1")
    deny = '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", '
    s3.put_bucket_policy(Bucket="read-denied", Policy=deny + '"Resource": "arn:aws:s3:::read-denied/shut/*"}]}')
    assert s3.get_object(Bucket="read-denied", Key="open/a")["Body"].read() == b"1"
    with pytest.raises(ClientError, match=r"403|AccessDenied"):
        s3.get_object(Bucket="read-denied", Key="shut/a")


def test_one_connection_serves_calls_of_every_kind_one_after_another(connection: http.client.HTTPConnection) -> None:
    connection.connect()
    socket = connection.sock
    large = b"z" * 300_000
    calls: tuple[tuple[str, str, dict[str, str], bytes | None, int], ...] = (
        ("PUT", "kept", {}, large, 200), ("GET", "kept", {}, None, 200), ("HEAD", "kept", {}, None, 200),
        ("PUT", "/no-such-bucket-of-all/kept", {}, large, 404), ("GET", "none", {}, None, 404),
        ("DELETE", "kept", {}, None, 204), ("GET", "kept", {}, None, 404),
    )  # fmt: skip
    for method, path, headers, body, status in calls:
        found = answer(connection, method, path, headers, body)
        assert found[0] == status, (method, path, found)
        assert found[1]["connection"] == "keep-alive"
        assert connection.sock is socket
    assert answer(connection, "GET", VERSIONED, {"Connection": "close"})[1]["connection"] == "close"
