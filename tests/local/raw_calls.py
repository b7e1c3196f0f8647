"""Calls of the attack suite that no client of AWS's makes: parameters said twice, another host, two kinds of body."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from tests.local.attacked_lake import AttackedLake, words_in

FORM = "application/x-www-form-urlencoded"


def sent(lake: AttackedLake, role: str, service: str, target: str, method: str = "GET", body: str = "",
         host: str = "", headers: dict[str, str] | None = None) -> str:  # fmt: skip
    """The answer to a request whose every part the case says; a refusal as a client of AWS's would raise it."""
    key, _, token = lake.session(role).credentials.values()
    address = lake.endpoint.url.removeprefix("http://")
    told = {"Host": host or address, "X-Amz-Security-Token": token, "Content-Length": str(len(body)),
            "Authorization": f"AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/{service}/aws4_request, "
            "SignedHeaders=host, Signature=0"}  # fmt: skip
    connection = http.client.HTTPConnection(address, timeout=60)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in {**told, **(headers or {})}.items():
            connection.putheader(name, value)
        connection.endheaders(body.encode())
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
    finally:
        connection.close()
    if answer.status >= http.client.BAD_REQUEST:
        raise ClientError({"Error": {"Code": str(answer.status), "Message": text}}, "Send")
    return text


def form(lake: AttackedLake, role: str, service: str, body: str) -> str:
    return sent(lake, role, service, "/", "POST", body, headers={"Content-Type": FORM})


def form_and_json(lake: AttackedLake, role: str, service: str, action: str, said: str, body: str) -> str:
    """A body that is JSON for who looks at the target, beside the parameters of a form."""
    headers = {"Content-Type": FORM, "X-Amz-Target": action}
    return sent(lake, role, service, f"/?{said}", "POST", body, headers=headers)


def json_of(lake: AttackedLake, role: str, action: str, told: dict[str, Any]) -> str:
    """A call whose parameters no client checks; `own` among them is a query of the caller's."""
    if told.get("QueryExecutionId") == "own":
        told = {**told, "QueryExecutionId": lake.as_(role).run("SELECT 1")["QueryExecutionId"]}
    service = "glue" if action.startswith("AWSGlue") else "athena"
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": action}
    return sent(lake, role, service, "/", "POST", json.dumps(told), headers=headers)


def unsigned(lake: AttackedLake, role: str, method: str, path: str, host: str = "") -> str:
    return sent(lake, role, "", path, method, host=host, headers={"Authorization": ""})


def listing_of_a_folder_there(lake: AttackedLake, role: str) -> str:
    """What is one's own, asked for as all others here are: that it is answered says that they are well-formed."""
    return sent(lake, role, "s3", words_in(lake, f"/<own>?list-type=2&prefix=data/{role}/", role))


CALLS: dict[str, Callable[..., Any]] = {
    "raw.sent": sent, "raw.form": form, "raw.form_and_json": form_and_json, "raw.own_folder": listing_of_a_folder_there,
    "raw.unsigned": unsigned, "raw.json": json_of,
}  # fmt: skip
