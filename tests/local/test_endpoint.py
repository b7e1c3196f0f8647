"""The endpoint's process: it starts, answers, records who called, refuses by name, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from local.state_file import STATE_FILE, read_state
from tests.local.conftest import ROOT, RunningEndpoint, start_endpoint

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "123456789012"}}],
}
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
TLS_ONLY = {
    "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}  # fmt: skip


def until(true: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return False


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def own(tmp_path: Path) -> Iterator[RunningEndpoint]:
    """An endpoint that a test may end."""
    running = start_endpoint(tmp_path / "state", "--lazy")
    yield running
    running.process.kill()
    running.process.wait()


def as_role(endpoint: RunningEndpoint, role: str, session: str) -> boto3.session.Session:
    issued = endpoint.client("sts").assume_role(RoleArn=role, RoleSessionName=session)["Credentials"]
    return boto3.session.Session(
        aws_access_key_id=issued["AccessKeyId"],
        aws_secret_access_key=issued["SecretAccessKey"],
        aws_session_token=issued["SessionToken"],
        region_name=endpoint.region,
    )


def test_a_call_is_recorded_with_its_role_action_and_resource(endpoint: RunningEndpoint) -> None:
    iam = endpoint.client("iam")
    role = iam.create_role(RoleName="recorded", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName="recorded", PolicyName="all", PolicyDocument=json.dumps(ALL))
    endpoint.client("s3").create_bucket(Bucket="recorded-bucket")
    session = as_role(endpoint, role, "run-1")
    s3 = session.client("s3", endpoint_url=endpoint.url)
    s3.put_object(Bucket="recorded-bucket", Key="a/b.txt", Body=b"1")
    s3.copy_object(Bucket="recorded-bucket", Key="a/c.txt", CopySource="recorded-bucket/a/b.txt")
    upload = s3.create_multipart_upload(Bucket="recorded-bucket", Key="big")["UploadId"]
    s3.upload_part(Bucket="recorded-bucket", Key="big", UploadId=upload, PartNumber=1, Body=b"1")
    s3.list_objects_v2(Bucket="recorded-bucket", Prefix="a/")
    session.client("glue", endpoint_url=endpoint.url).get_databases()
    session.client("sns", endpoint_url=endpoint.url).list_topics()
    with pytest.raises(ClientError):
        session.client("lambda", endpoint_url=endpoint.url).get_function(FunctionName="none")

    calls = endpoint.calls(role="recorded")
    assert [(call["action"], call["resource"], call["status"]) for call in calls] == [
        ("s3:PutObject", "recorded-bucket/a/b.txt", 200),
        ("s3:CopyObject", "recorded-bucket/a/c.txt", 200),
        ("s3:CreateMultipartUpload", "recorded-bucket/big", 200),
        ("s3:UploadPart", "recorded-bucket/big", 200),
        ("s3:ListObjectsV2", "recorded-bucket", 200),
        ("glue:GetDatabases", "", 200),
        ("sns:ListTopics", "", 200),
        ("lambda:GetFunction", "functions/none", 404),
    ]
    assert {call["session"] for call in calls} == {"run-1"}
    assert endpoint.calls(role="user", action="iam:CreateRole")[-1]["resource"] == "recorded"


def test_a_presigned_call_is_recorded_with_its_role(endpoint: RunningEndpoint) -> None:
    iam = endpoint.client("iam")
    role = iam.create_role(RoleName="presigned", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName="presigned", PolicyName="all", PolicyDocument=json.dumps(ALL))
    endpoint.client("s3").create_bucket(Bucket="presigned-bucket")
    s3 = as_role(endpoint, role, "someone").client("s3", endpoint_url=endpoint.url)
    url = s3.generate_presigned_url("list_objects_v2", Params={"Bucket": "presigned-bucket"})
    subprocess.run([sys.executable, "-c", f"import urllib.request as u; u.urlopen({url!r}).read()"], check=True)
    assert [call["action"] for call in endpoint.calls(role="presigned")] == ["s3:ListObjectsV2"]


def test_a_role_that_is_not_deployed_gives_no_credentials(endpoint: RunningEndpoint) -> None:
    with pytest.raises(ClientError, match=r"role/nobody': expected one that is deployed"):
        as_role(endpoint, f"arn:aws:iam::{endpoint.account}:role/nobody", "run-1")


@pytest.mark.parametrize(
    ("service", "method", "arguments"),
    [
        ("glue", "get_ml_task_runs", {"TransformId": "x"}),
        ("lambda", "list_code_signing_configs", {}),
        ("cloudwatch", "list_managed_insight_rules", {"ResourceARN": "arn"}),
        ("sns", "create_sms_sandbox_phone_number", {"PhoneNumber": "+4912345678"}),
        ("omics", "list_runs", {}),
    ],
)
def test_an_api_that_nothing_answers_is_refused_by_name(
    endpoint: RunningEndpoint, service: str, method: str, arguments: dict[str, Any]
) -> None:
    client = endpoint.client(service)
    operation = client.meta.method_to_api_mapping[method]
    with pytest.raises(ClientError, match=f"{service}:{operation}: .*docs/fidelity.md") as refused:
        getattr(client, method)(**arguments)
    assert refused.value.response["Error"]["Code"] == "NotImplementedException"


def test_a_bucket_that_asks_for_tls_answers_on_the_loopback(endpoint: RunningEndpoint) -> None:
    s3 = endpoint.client("s3")
    s3.create_bucket(Bucket="tls-bucket")
    s3.put_bucket_policy(Bucket="tls-bucket", Policy=json.dumps({"Version": "2012-10-17", "Statement": [TLS_ONLY]}))
    s3.put_object(Bucket="tls-bucket", Key="a", Body=b"1")
    assert s3.get_object(Bucket="tls-bucket", Key="a")["Body"].read() == b"1"


def test_large_objects_lie_in_the_state_folder_while_the_endpoint_runs(own: RunningEndpoint) -> None:
    s3 = own.client("s3")
    s3.create_bucket(Bucket="large")
    s3.put_object(Bucket="large", Key="a", Body=b"1" * 8_000_000)
    held = [os.readlink(link) for link in Path(f"/proc/{own.process.pid}/fd").iterdir()]
    assert any(name.startswith(str(own.state / "spool")) for name in held)
    own.process.terminate()
    own.process.wait(20)
    assert not (own.state / "spool").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_when_asked(own: RunningEndpoint, number: signal.Signals) -> None:
    own.process.send_signal(number)
    assert own.process.wait(20) == 0
    assert not (own.state / STATE_FILE).exists()


def test_it_ends_when_its_state_file_is_not_its_own_any_more(own: RunningEndpoint) -> None:
    (own.state / STATE_FILE).write_text(json.dumps({"pid": 1}))
    assert own.process.wait(20) == 0
    assert read_state(own.state) == {"pid": 1}, "another's state file is left alone"


def test_a_port_in_use_is_a_sentence_and_an_error(endpoint: RunningEndpoint, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "local.endpoint", "--port", str(endpoint.port), "--state", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"The port '{endpoint.port}': expected one that is free" in done.stderr
    assert "Traceback" not in done.stderr


def test_it_listens_on_the_loopback_alone(endpoint: RunningEndpoint) -> None:
    host = socket.gethostbyname(socket.gethostname())
    if host.startswith("127."):
        pytest.skip("this machine has no other address")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, endpoint.port), timeout=2)


def test_no_child_outlives_a_killed_endpoint(tmp_path: Path) -> None:
    code = (
        "import time; from local.children import Children; children = Children()\n"
        "print(children.start(['sleep', '600']).pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    child = int(parent.stdout.readline())
    assert alive(child)
    parent.kill()
    parent.wait()
    assert until(lambda: not alive(child))
