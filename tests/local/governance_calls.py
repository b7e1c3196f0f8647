"""Calls of the attack suite: operations of services, and those that need more than one, or another way of signing."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.local import forged_tables, people, raw_calls
from tests.local.attacked_lake import SILVER, AttackedLake
from tests.local.planned_lake import ENVIRONMENT, client, path

ARN = f"arn:aws:glue:us-east-1:{ENVIRONMENT.account}:table/{SILVER}/"


def called(lake: AttackedLake, role: str, name: str, arguments: dict[str, Any]) -> Any:
    """The answer of a call for a role, with bodies read."""
    if name in OWN:
        answer = OWN[name](lake, role, **arguments)
    else:
        service, operation = name.rsplit(".", 1)
        answer = getattr(lake.session(role).client(service), operation)(**arguments)
    if isinstance(answer, dict):
        answer.pop("ResponseMetadata", None)
        if hasattr(answer.get("Body"), "read"):
            answer["Body"] = repr(answer["Body"].read())
    return answer


def fetched(url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> str:
    """What lies at a URL; a refusal as a client of AWS's would raise it."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers or {})) as answer:
            return str(answer.read().decode(errors="replace"))
    except urllib.error.HTTPError as error:
        raise ClientError({"Error": {"Code": str(error.code), "Message": repr(error.read())}}, "Fetch") from error


def presigned_get(lake: AttackedLake, role: str) -> str:
    told = {"Bucket": lake.words["bucket"], "Key": lake.words["file"]}
    return fetched(lake.session(role).client("s3").generate_presigned_url("get_object", Params=told))


def presigned_list(lake: AttackedLake, role: str) -> str:
    told = {"Bucket": lake.words["bucket"]}
    return fetched(lake.session(role).client("s3").generate_presigned_url("list_objects_v2", Params=told))


def unsigned_get(lake: AttackedLake, role: str) -> str:
    return fetched(f"{lake.endpoint.url}/{lake.words['bucket']}/{lake.words['file']}")


def upload_part_of_theirs(lake: AttackedLake, role: str) -> Any:
    """A part of an upload of one's own, copied from what is another's."""
    s3, place = lake.session(role).client("s3"), {"Bucket": lake.words["own"], "Key": f"data/{role}/parts"}
    upload = s3.create_multipart_upload(**place)["UploadId"]
    source = f"{lake.words['bucket']}/{lake.words['file']}"
    return s3.upload_part_copy(**place, UploadId=upload, PartNumber=1, CopySource=source)


def results_used_again(lake: AttackedLake, role: str, sql: str) -> Any:
    asking = lake.as_(role)
    reuse = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 60}}
    return _rows(lake, role, asking.start(sql, ResultReuseConfiguration=reuse))


def results_elsewhere(lake: AttackedLake, role: str, place: str) -> Any:
    started = lake.as_(role).start("SELECT 1", ResultConfiguration={"OutputLocation": place})
    return _rows(lake, role, started)


def in_group(lake: AttackedLake, role: str, group: str, sql: str) -> Any:
    return _rows(lake, role, lake.as_(role).start(sql, WorkGroup=group))


def _rows(lake: AttackedLake, role: str, identity: str) -> Any:
    execution = lake.as_(role).ended(identity)
    if execution["Status"]["State"] != "SUCCEEDED":
        told = {"Code": "FAILED", "Message": execution["Status"]["StateChangeReason"]}
        raise ClientError({"Error": told}, "GetQueryExecution")
    return lake.as_(role).results(identity)["ResultSet"]


def signed_in_the_query(lake: AttackedLake, role: str, service: str, target: str, told: dict[str, Any]) -> str:
    """A call whose signature is in its URL, as a presigned one's is, and not in a header."""
    credentials = Credentials(*lake.session(role).credentials.values())
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
    body = json.dumps(told).encode()
    asked = AWSRequest("POST", f"{lake.endpoint.url}/", headers)  # a body would be put into the URL as well
    SigV4QueryAuth(credentials, service, "us-east-1").add_auth(asked)
    return fetched(asked.url, body, headers)


def glue_by_url(lake: AttackedLake, role: str) -> str:
    told = {"DatabaseName": SILVER, "Name": "clinic_people"}
    return signed_in_the_query(lake, role, "glue", "AWSGlue.GetTable", told)


def athena_by_url(lake: AttackedLake, role: str, sql: str) -> str:
    told = {"QueryString": sql, "WorkGroup": ENVIRONMENT.workgroup("analysts"),
            "QueryExecutionContext": {"Database": SILVER},
            "ResultConfiguration": {"OutputLocation": path("results", "athena", role, "")}}  # fmt: skip
    return signed_in_the_query(lake, role, "athena", "AmazonAthena.StartQueryExecution", told)


def object_as_athena(lake: AttackedLake, role: str) -> str:
    """An object, asked for with a signature in the URL that is for Athena."""
    headers = {"X-Amz-Target": "AmazonAthena.ListWorkGroups"}
    place = f"{lake.endpoint.url}/{lake.words['bucket']}/{lake.words['file']}"
    asked = AWSRequest("GET", place, headers)
    SigV4QueryAuth(Credentials(*lake.session(role).credentials.values()), "athena", "us-east-1").add_auth(asked)
    return fetched(asked.url, None, headers)


def object_with_two_scopes(lake: AttackedLake, role: str) -> str:
    """An object, asked for with a signature that is for S3 to one reader and for Athena to another."""
    key, _, token = lake.session(role).credentials.values()
    scopes = ", ".join(f"Credential={key}/20260101/us-east-1/{each}" for each in ("s3/x", "athena/aws4_request"))
    headers = {"X-Amz-Target": "AmazonAthena.ListWorkGroups", "X-Amz-Security-Token": token,
               "Authorization": f"AWS4-HMAC-SHA256 {scopes}, SignedHeaders=host, Signature=0"}  # fmt: skip
    return fetched(f"{lake.endpoint.url}/{lake.words['bucket']}/{lake.words['file']}", None, headers)


def lent(lake: AttackedLake, service: str) -> Any:
    """A client with the credentials that an administrator was lent for clinic_people."""
    issued = lake.endpoint.client("lakeformation").get_temporary_glue_table_credentials(
        TableArn=f"{ARN}clinic_people", SupportedPermissionTypes=["COLUMN_PERMISSION"]
    )  # fmt: skip
    names = {"aws_access_key_id": "AccessKeyId", "aws_secret_access_key": "SecretAccessKey",
             "aws_session_token": "SessionToken"}  # fmt: skip
    return client(lake.endpoint, service, {name: issued[key] for name, key in names.items()})


def lent_object(lake: AttackedLake, role: str, table: str) -> Any:
    listed = lake.endpoint.client("s3").list_objects_v2(
        Bucket=lake.words["bucket"], Prefix=table.replace("_", "/") + "/"
    )
    return lent(lake, "s3").get_object(Bucket=lake.words["bucket"], Key=listed["Contents"][0]["Key"])


def lent_listing(lake: AttackedLake, role: str, prefix: str) -> Any:
    return lent(lake, "s3").list_objects_v2(Bucket=lake.words["bucket"], Prefix=prefix)


def lent_its_table(lake: AttackedLake, role: str) -> Any:
    s3, place = lent(lake, "s3"), {"Bucket": lake.words["bucket"], "Key": lake.words["file"]}
    return len(s3.get_object(**place)["Body"].read()) > 0


def lent_put(lake: AttackedLake, role: str, key: str) -> Any:
    return lent(lake, "s3").put_object(Bucket=lake.words["bucket"], Key=key, Body=b"x")


def lent_query(lake: AttackedLake, role: str, sql: str) -> Any:
    return lent(lake, "athena").start_query_execution(QueryString=sql)


def lent_table(lake: AttackedLake, role: str, name: str) -> Any:
    return lent(lake, "glue").get_table(DatabaseName=SILVER, Name=name)


OWN: dict[str, Callable[..., Any]] = {
    "s3.object_as_athena": object_as_athena, "s3.object_with_two_scopes": object_with_two_scopes,
    "s3.presigned_get": presigned_get, "s3.presigned_list": presigned_list, "s3.unsigned_get": unsigned_get,
    "s3.upload_part_of_theirs": upload_part_of_theirs, "athena.results_used_again": results_used_again,
    "athena.results_elsewhere": results_elsewhere, "athena.in_group": in_group,
    "athena.signed_in_the_query": athena_by_url, "glue.signed_in_the_query": glue_by_url,
    "lent.get_object": lent_object, "lent.list_objects": lent_listing, "lent.reads_its_table": lent_its_table,
    "lent.put_object": lent_put, "lent.query": lent_query, "lent.get_table": lent_table,
    **people.CALLS, **raw_calls.CALLS,
    "forged.iceberg": forged_tables.iceberg, "forged.by_itself": forged_tables.by_itself,
    "forged.links": forged_tables.links, "forged.over_raw": forged_tables.over_raw,
}  # fmt: skip
