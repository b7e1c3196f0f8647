"""IAM on the laptop: what a role's policies do not allow is refused, in AWS's words, whichever service is asked."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.local.conftest import RunningEndpoint

ACCOUNT_TRUST = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
                 "Action": ["sts:AssumeRole", "sts:TagSession"]}  # fmt: skip
Grant = dict[str, Any]


def document(*statements: Grant) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], *resources: str, **more: Any) -> Grant:
    return {"Effect": "Allow", "Action": action, "Resource": list(resources) or ["*"], **more}


class Session:
    """A session of a role: `session.client("s3")`."""

    def __init__(self, endpoint: RunningEndpoint, issued: dict[str, str], role: str) -> None:
        self.endpoint, self.issued, self.role = endpoint, issued, role

    def client(self, service: str, **more: Any) -> Any:
        config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
        return boto3.client(
            service,
            endpoint_url=self.endpoint.url,
            region_name=self.endpoint.region,
            aws_access_key_id=self.issued["AccessKeyId"],
            aws_secret_access_key=self.issued["SecretAccessKey"],
            aws_session_token=self.issued["SessionToken"],
            config=config,
            **more,
        )


Assume = Callable[..., Session]


@pytest.fixture(scope="module")
def assume(endpoint: RunningEndpoint) -> Assume:
    """A session of a new role with these grants: `assume(allow("s3:GetObject"), Tags=…, trust=…, boundary=…)`."""

    def make(*grants: Grant, trust: Grant | None = None, boundary: str = "", **asked: Any) -> Session:
        iam, name = endpoint.client("iam"), f"role-{uuid.uuid4().hex[:8]}"
        limits = {"PermissionsBoundary": boundary} if boundary else {}
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust or ACCOUNT_TRUST), **limits)[
            "Role"
        ]
        if grants:
            iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*grants))
        asked = {"RoleSessionName": "ann", **asked}
        issued = endpoint.client("sts").assume_role(RoleArn=role["Arn"], **asked)["Credentials"]
        return Session(endpoint, issued, name)

    return make


@pytest.fixture(scope="module")
def bucket(endpoint: RunningEndpoint) -> str:
    name = f"iam-{uuid.uuid4().hex[:8]}"
    s3 = endpoint.client("s3")
    s3.create_bucket(Bucket=name)
    for key in ("data/ann/a", "data/bob/b", "open/c"):
        s3.put_object(Bucket=name, Key=key, Body=b"1")
    return name


def refusal(call: Callable[..., Any], **asked: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**asked)
    error = caught.value.response["Error"]
    return str(error["Code"]), str(error["Message"])


def test_a_role_without_a_grant_may_do_nothing_and_is_told_so_in_awss_words(assume: Assume, bucket: str) -> None:
    nobody = assume()
    who = f"User: arn:aws:sts::123456789012:assumed-role/{nobody.role}/ann is not authorized to perform: "
    code, said = refusal(nobody.client("s3").get_object, Bucket=bucket, Key="open/c")
    assert code == "AccessDenied"
    assert said == (f'{who}s3:GetObject on resource: "arn:aws:s3:::{bucket}/open/c" because no identity-based policy '
                    "allows the s3:GetObject action")  # fmt: skip
    code, said = refusal(nobody.client("glue").get_table, DatabaseName="a", Name="b")
    assert code == "AccessDeniedException"
    assert said == (f"{who}glue:GetTable on resource: arn:aws:glue:us-east-1:123456789012:catalog because no "
                    "identity-based policy allows the glue:GetTable action")  # fmt: skip
    assert nobody.client("sts").get_caller_identity()["Arn"].endswith(f"{nobody.role}/ann")


@pytest.mark.parametrize(
    ("service", "method", "asked", "code", "permission"),
    [
        ("athena", "start_query_execution", {"QueryString": "SELECT 1", "WorkGroup": "primary"},
         "AccessDeniedException", "athena:StartQueryExecution on resource: arn:aws:athena:us-east-1:123456789012:"
         "workgroup/primary"),
        ("cloudwatch", "put_metric_data", {"Namespace": "Mine", "MetricData": [{"MetricName": "a", "Value": 1}]},
         "AccessDenied", "cloudwatch:PutMetricData on resource: *"),
        ("dynamodb", "query", {"TableName": "ledger", "IndexName": "by_run"}, "AccessDeniedException",
         "dynamodb:Query on resource: arn:aws:dynamodb:us-east-1:123456789012:table/ledger/index/by_run"),
        ("events", "put_events", {"Entries": [{"Source": "a", "DetailType": "b", "Detail": "{}"}]},
         "AccessDeniedException", "event-bus/default"),
        ("kinesis", "put_record", {"StreamName": "s", "Data": b"1", "PartitionKey": "k"}, "AccessDeniedException",
         "kinesis:PutRecord on resource: arn:aws:kinesis:us-east-1:123456789012:stream/s"),
        ("kms", "list_keys", {}, "AccessDeniedException", "kms:ListKeys on resource: *"),
        ("lambda", "invoke", {"FunctionName": "f"}, "AccessDeniedException",
         "lambda:InvokeFunction on resource: arn:aws:lambda:us-east-1:123456789012:function:f"),
        ("lakeformation", "get_temporary_glue_table_credentials", {"TableArn": "arn:aws:glue:us-east-1:1:table/a/b"},
         "AccessDeniedException", "lakeformation:GetDataAccess on resource: *"),
        ("lakeformation", "get_temporary_data_location_credentials", {}, "AccessDeniedException",
         "lakeformation:GetDataAccess on resource: *"),
        ("logs", "put_log_events",
         {"logGroupName": "g", "logStreamName": "s", "logEvents": [{"timestamp": 1, "message": "m"}]},
         "AccessDeniedException", "arn:aws:logs:us-east-1:123456789012:log-group:g:log-stream:s"),
        ("scheduler", "get_schedule", {"Name": "nightly"}, "AccessDeniedException",
         "arn:aws:scheduler:us-east-1:123456789012:schedule/default/nightly"),
        ("secretsmanager", "get_secret_value", {"SecretId": "saas"}, "AccessDeniedException",
         "arn:aws:secretsmanager:us-east-1:123456789012:secret:saas"),
        ("sns", "publish", {"TopicArn": "arn:aws:sns:us-east-1:123456789012:alerts", "Message": "m"},
         "AuthorizationError", "SNS:Publish on resource: arn:aws:sns:us-east-1:123456789012:alerts"),
        ("sqs", "send_message", {"QueueUrl": "http://x/123456789012/dead", "MessageBody": "m"},
         "AccessDeniedException", "sqs:SendMessage on resource: arn:aws:sqs:us-east-1:123456789012:dead"),
        ("ssm", "get_parameter", {"Name": "/headwater/key"}, "AccessDeniedException",
         "arn:aws:ssm:us-east-1:123456789012:parameter/headwater/key"),
        ("stepfunctions", "start_execution",
         {"stateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:load"},
         "AccessDeniedException", "arn:aws:states:us-east-1:123456789012:stateMachine:load"),
        ("iam", "get_role", {"RoleName": "root"}, "AccessDenied", "arn:aws:iam::123456789012:role/root"),
    ],
)  # fmt: skip
def test_each_service_refuses_in_its_own_shape(
    assume: Assume, service: str, method: str, asked: dict[str, Any], code: str, permission: str
) -> None:
    found, said = refusal(getattr(assume().client(service), method), **asked)
    assert found == code
    assert permission.lower() in said.lower()


def test_objects_are_read_and_written_by_the_grant_on_each(assume: Assume, bucket: str) -> None:
    arn = f"arn:aws:s3:::{bucket}"
    s3 = assume(allow("s3:GetObject", f"{arn}/open/*"), allow("s3:PutObject", f"{arn}/own/*")).client("s3")
    assert s3.get_object(Bucket=bucket, Key="open/c")["Body"].read() == b"1"
    s3.copy_object(Bucket=bucket, Key="own/c", CopySource=f"{bucket}/open/c")
    assert "s3:GetObject" in refusal(s3.copy_object, Bucket=bucket, Key="own/b", CopySource=f"{bucket}/data/bob/b")[1]
    upload = s3.create_multipart_upload(Bucket=bucket, Key="own/big")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="own/big", UploadId=upload, PartNumber=1, Body=b"1")
    part = {"Bucket": bucket, "Key": "own/big", "UploadId": upload, "PartNumber": 2}
    assert "s3:GetObject" in refusal(s3.upload_part_copy, **part, CopySource=f"{bucket}/data/bob/b")[1]
    assert (
        "s3:AbortMultipartUpload"
        in refusal(s3.abort_multipart_upload, Bucket=bucket, Key="own/big", UploadId=upload)[1]
    )
    assert "s3:ListBucket" in refusal(s3.list_objects_v2, Bucket=bucket)[1]
    gone = {"Objects": [{"Key": "own/c"}, {"Key": "open/c"}]}
    assert "s3:DeleteObject" in refusal(s3.delete_objects, Bucket=bucket, Delete=gone)[1]
    with pytest.raises(ClientError, match="403"):
        s3.head_object(Bucket=bucket, Key="data/bob/b")


def test_who_may_not_list_a_bucket_is_not_told_that_a_key_is_missing(assume: Assume, bucket: str) -> None:
    arn = f"arn:aws:s3:::{bucket}"
    reads, lists = allow("s3:GetObject", f"{arn}/*"), allow("s3:ListBucket", arn)
    folder = {**lists, "Condition": {"StringLike": {"s3:prefix": ["open/*"]}}}
    for grants, status, code in (((reads,), 403, "AccessDenied"), ((reads, folder), 403, "AccessDenied"),
                                 ((reads, lists), 404, "NoSuchKey"), ((lists,), 403, "AccessDenied")):  # fmt: skip
        s3 = assume(*grants).client("s3")
        assert refusal(s3.get_object, Bucket=bucket, Key="open/none")[0] == code
        assert refusal(s3.head_object, Bucket=bucket, Key="open/none")[0] == str(status)


def test_a_subresource_does_not_open_what_lies_beside_it(assume: Assume, bucket: str) -> None:
    s3 = assume(allow("s3:GetBucketLocation", f"arn:aws:s3:::{bucket}")).client("s3")
    url = s3.generate_presigned_url("get_bucket_location", Params={"Bucket": bucket})
    s3.get_bucket_location(Bucket=bucket)
    s3.meta.events.register("before-sign.s3.GetBucketLocation", also_list)
    assert "s3:ListBucket" in refusal(s3.get_bucket_location, Bucket=bucket)[1]
    assert url


def also_list(request: Any, **_: Any) -> None:
    request.url += "&list-type=2"


def test_a_persons_tag_opens_the_persons_folder_and_no_other(assume: Assume, bucket: str) -> None:
    arn = f"arn:aws:s3:::{bucket}"
    own = allow("s3:GetObject", f"{arn}/data/${{aws:PrincipalTag/user}}/*")
    listing = allow("s3:ListBucket", arn, Condition={"StringLike": {"s3:prefix": "data/${aws:PrincipalTag/user}/*"}})
    ann = assume(own, listing, Tags=[{"Key": "user", "Value": "ann"}]).client("s3")
    assert ann.get_object(Bucket=bucket, Key="data/ann/a")["Body"].read() == b"1"
    assert ann.list_objects_v2(Bucket=bucket, Prefix="data/ann/")["KeyCount"] == 1
    assert refusal(ann.get_object, Bucket=bucket, Key="data/bob/b")[0] == "AccessDenied"
    assert refusal(ann.list_objects_v2, Bucket=bucket, Prefix="data/")[0] == "AccessDenied"
    star = assume(own, listing, Tags=[{"Key": "user", "Value": "*"}]).client("s3")
    assert refusal(star.get_object, Bucket=bucket, Key="data/bob/b")[0] == "AccessDenied"


def test_a_transitive_tag_stays_with_the_next_role_and_others_do_not(assume: Assume, bucket: str) -> None:
    by_user = allow("s3:GetObject", f"arn:aws:s3:::{bucket}/data/${{aws:PrincipalTag/user}}/*")
    target = assume(by_user).role
    arn = f"arn:aws:iam::123456789012:role/{target}"
    tags = [{"Key": "user", "Value": "ann"}, {"Key": "team", "Value": "x"}]
    hop = allow(["sts:AssumeRole", "sts:TagSession"], arn)
    for transitive, code in ((["user"], None), ([], "AccessDenied")):
        first = assume(hop, Tags=tags, TransitiveTagKeys=transitive)
        issued = first.client("sts").assume_role(RoleArn=arn, RoleSessionName="hop")["Credentials"]
        s3 = Session(first.endpoint, issued, target).client("s3")
        if code is None:
            s3.get_object(Bucket=bucket, Key="data/ann/a")
        else:
            assert refusal(s3.get_object, Bucket=bucket, Key="data/ann/a")[0] == code


def test_a_role_is_assumed_by_whom_it_trusts(assume: Assume) -> None:
    other = {"Effect": "Allow", "Principal": {"Service": "glue.amazonaws.com"}, "Action": "sts:AssumeRole"}
    with pytest.raises(ClientError, match=r"sts:AssumeRole .* because no resource-based policy allows"):
        assume(trust=other)
    untagged = {**ACCOUNT_TRUST, "Action": "sts:AssumeRole"}
    with pytest.raises(ClientError, match="sts:TagSession"):
        assume(trust=untagged, Tags=[{"Key": "user", "Value": "ann"}])
    target, sts = f"arn:aws:iam::123456789012:role/{assume().role}", assume().client("sts")
    assert "perform: sts:AssumeRole" in refusal(sts.assume_role, RoleArn=target, RoleSessionName="hop")[1]


def test_boundaries_and_session_policies_narrow(endpoint: RunningEndpoint, assume: Assume, bucket: str) -> None:
    only_glue = document(allow("glue:*"))
    made = endpoint.client("iam").create_policy(PolicyName=f"b-{uuid.uuid4().hex[:6]}", PolicyDocument=only_glue)
    limit = made["Policy"]["Arn"]
    every = allow("s3:*")
    reading = {"Bucket": bucket, "Key": "open/c"}
    assume(every).client("s3").get_object(**reading)
    for narrowed, what in (
        (assume(every, boundary=limit), "permissions boundary"),
        (assume(every, Policy=only_glue), "session policy"),
        (assume(every, PolicyArns=[{"arn": limit}]), "session policy"),
    ):
        assert f"because no {what} allows" in refusal(narrowed.client("s3").get_object, **reading)[1]


def test_a_buckets_policy_binds_everybody(endpoint: RunningEndpoint, assume: Assume) -> None:
    s3, name = endpoint.client("s3"), f"iam-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(Bucket=name)
    arn = f"arn:aws:s3:::{name}/*"
    reader = assume()
    role = f"arn:aws:iam::123456789012:role/{reader.role}"
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": arn}
    grant = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "s3:GetObject", "Resource": arn}
    s3.put_object(Bucket=name, Key="a", Body=b"1")
    s3.put_bucket_policy(Bucket=name, Policy=document(deny, grant))
    assert reader.client("s3").get_object(Bucket=name, Key="a")["Body"].read() == b"1"
    for client in (s3, assume(allow("s3:*")).client("s3")):
        assert "with an explicit deny in a resource-based policy" in refusal(client.put_object, Bucket=name, Key="b")[1]


def test_an_encrypted_bucket_asks_for_its_key(endpoint: RunningEndpoint, assume: Assume) -> None:
    kms, s3, name = endpoint.client("kms"), endpoint.client("s3"), f"iam-{uuid.uuid4().hex[:8]}"
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key["KeyId"])
    s3.create_bucket(Bucket=name)
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key["Arn"]}
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=rules)
    s3.put_object(Bucket=name, Key="a", Body=b"1")
    objects = allow(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::{name}/*")

    without = assume(objects).client("s3")
    code, said = refusal(without.get_object, Bucket=name, Key="a")
    assert code == "AccessDenied"
    assert f'kms:Decrypt on resource: "{key["Arn"]}"' in said
    assert "kms:GenerateDataKey" in refusal(without.put_object, Bucket=name, Key="b")[1]

    def using(alias: str, through: str) -> Grant:
        where = {
            "ForAnyValue:StringEquals": {"kms:ResourceAliases": alias},
            "StringEquals": {"kms:ViaService": through},
        }
        return allow(["kms:Decrypt", "kms:GenerateDataKey"], "*", Condition=where)

    right = assume(objects, using(f"alias/{name}", "s3.us-east-1.amazonaws.com")).client("s3")
    right.put_object(Bucket=name, Key="b", Body=b"2")
    assert right.get_object(Bucket=name, Key="b")["Body"].read() == b"2"
    for wrong in (
        using("alias/other", "s3.us-east-1.amazonaws.com"),
        using(f"alias/{name}", "sqs.us-east-1.amazonaws.com"),
    ):
        assert refusal(assume(objects, wrong).client("s3").get_object, Bucket=name, Key="a")[0] == "AccessDenied"


def test_a_role_is_passed_only_by_whom_may_pass_it(assume: Assume) -> None:
    job = {"Name": "passed", "Command": {"Name": "glueetl", "ScriptLocation": "s3://a/b.py"}, "GlueVersion": "5.1"}
    target = assume().role
    arn = f"arn:aws:iam::123456789012:role/{target}"
    create = allow("glue:CreateJob", "arn:aws:glue:us-east-1:123456789012:job/passed")
    assert (
        f"iam:PassRole on resource: {arn}" in refusal(assume(create).client("glue").create_job, Role=target, **job)[1]
    )
    for service, code in (("lambda", "AccessDeniedException"), ("glue", None)):
        only = {"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}}
        glue = assume(create, allow("iam:PassRole", arn, Condition=only)).client("glue")
        if code:
            assert refusal(glue.create_job, Role=arn, **job)[0] == code
        else:
            glue.create_job(Role=arn, **job)


def test_what_has_no_mapping_is_refused_by_name_unless_all_is_allowed(assume: Assume) -> None:
    code, said = refusal(assume(allow("ecr:DescribeRepositories")).client("ecr").describe_repositories)
    assert (code, "ecr:DescribeRepositories" in said, "IAM" in said) == ("NotImplementedException", True, True)
    assume(allow("*")).client("ecr").describe_repositories()


def test_a_condition_that_cannot_be_told_is_refused_by_name(assume: Assume, bucket: str) -> None:
    tagged = allow("s3:GetObject", Condition={"StringEquals": {"s3:ExistingObjectTag/class": "public"}})
    code, said = refusal(assume(tagged).client("s3").get_object, Bucket=bucket, Key="open/c")
    assert "s3:ExistingObjectTag/class" in said
    assert code == "NotImplementedException"


def test_keys_of_nobody_and_no_keys_open_nothing(endpoint: RunningEndpoint, assume: Assume, bucket: str) -> None:
    stranger = Session(endpoint, {"AccessKeyId": "AKIANOBODY", "SecretAccessKey": "x", "SessionToken": ""}, "")
    assert refusal(stranger.client("s3").get_object, Bucket=bucket, Key="open/c")[0] == "InvalidAccessKeyId"
    assert refusal(stranger.client("glue").get_databases)[0] == "UnrecognizedClientException"
    borrowed = assume(allow("s3:*"))
    borrowed.issued["SessionToken"] = "another"
    assert refusal(borrowed.client("s3").get_object, Bucket=bucket, Key="open/c")[0] == "InvalidAccessKeyId"
    unsigned = boto3.client("s3", endpoint_url=endpoint.url, config=Config(signature_version=_unsigned()))
    assert refusal(unsigned.get_object, Bucket=bucket, Key="open/c")[0] == "AccessDenied"


def _unsigned() -> Any:
    from botocore import UNSIGNED

    return UNSIGNED


def test_a_grant_that_was_taken_away_is_gone_at_once(endpoint: RunningEndpoint, assume: Assume, bucket: str) -> None:
    session = assume(allow("s3:GetObject"))
    s3 = session.client("s3")
    s3.get_object(Bucket=bucket, Key="open/c")
    endpoint.client("iam").delete_role_policy(RoleName=session.role, PolicyName="own")
    assert refusal(s3.get_object, Bucket=bucket, Key="open/c")[0] == "AccessDenied"
