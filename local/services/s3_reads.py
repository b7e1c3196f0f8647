"""Reads of objects in S3, most of the calls of a query or a job: moto takes the whole object out for each range of it,
after a Flask request of its own. A plain GET or HEAD, which `iam` has let through, is answered here from moto's object,
with moto's headers; whatever else a read can ask for is left to moto.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from moto.s3.models import FakeBucket, FakeKey, s3_backends
from moto.s3.utils import ARCHIVE_STORAGE_CLASSES
from moto.utilities.aws_headers import gen_amzn_requestid_long

RANGE = re.compile(r"bytes=(\d+)-(\d*)")
LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?")
PLAIN = ("", "x-id=GetObject")  # queries of a URL that ask for nothing more
MORE = (
    "HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE", "HTTP_ORIGIN",
    "HTTP_X_AMZ_SERVER_SIDE_ENCRYPTION", "HTTP_X_AMZ_SERVER_SIDE_ENCRYPTION_CUSTOMER_ALGORITHM",
)  # fmt: skip
Headers = dict[str, str]


class Reads:
    """WSGI middleware before moto: `Reads(account).before(application)`."""

    def __init__(self, account: str) -> None:
        self._backend = s3_backends[account]["aws"]

    def before(self, application: Any) -> Any:
        def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            key = self._asked_for(environ) if environ["REQUEST_METHOD"] in ("GET", "HEAD") else None
            span = span_of(environ.get("HTTP_RANGE"), key.size) if key is not None else None
            if key is None or span is None:
                found: Iterable[bytes] = application(environ, start_response)
                return found
            headers = headers_of(key, whole=len(span) == key.size, checked="HTTP_X_AMZ_CHECKSUM_MODE" in environ)
            if "HTTP_RANGE" in environ:
                headers["content-range"] = f"bytes {span.start}-{span.stop - 1}/{key.size}"
                headers["content-length"] = str(len(span))
            start_response("206 Partial Content" if "HTTP_RANGE" in environ else "200 OK", list(headers.items()))
            return [read(key, span)] if environ["REQUEST_METHOD"] == "GET" else []

        return answer

    def _asked_for(self, environ: Mapping[str, Any]) -> FakeKey | None:
        """The object of a plain read."""
        signed = "/s3/aws4_request" in environ.get("HTTP_AUTHORIZATION", "")
        if not signed or environ.get("QUERY_STRING", "") not in PLAIN or any(name in environ for name in MORE):
            return None
        name, _, path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace").lstrip("/").partition("/")
        bucket = self._backend.buckets.get(name)
        if type(bucket) is not FakeBucket or not path or "//" in environ["PATH_INFO"]:
            return None
        if not LOOPBACK.fullmatch(environ.get("HTTP_HOST", "")):
            return None  # the host may name the bucket
        found = self._backend.get_object(name, path)
        archived = found is None or found.storage_class in ARCHIVE_STORAGE_CLASSES
        return None if archived else found


def span_of(asked: str | None, size: int) -> range | None:
    """The bytes that are asked for; None where they are not there, or are asked for in another way."""
    if asked is None:
        return range(size)
    found = RANGE.fullmatch(asked)
    if found is None or int(found[1]) >= size:
        return None
    return range(int(found[1]), min(int(found[2]) + 1, size) if found[2] else size) or None


def headers_of(key: FakeKey, *, whole: bool, checked: bool) -> Headers:
    found = {**key.metadata, **key.response_dict, "Accept-Ranges": "bytes"}
    if key.version_id != "null":
        found["x-amz-version-id"] = key.version_id
    if checked and whole and key.checksum_algorithm:
        parts = f"-{key.checksum_parts}" if key.checksum_type == "COMPOSITE" else ""
        found[f"x-amz-checksum-{key.checksum_algorithm.lower()}"] = f"{key.checksum_value}{parts}"
        if key.checksum_type:
            found["x-amz-checksum-type"] = key.checksum_type
    gen_amzn_requestid_long(found)
    return {name: str(value) for name, value in found.items()}


def read(key: FakeKey, span: range) -> bytes:
    with key.lock:
        key._value_buffer.seek(span.start)
        return bytes(key._value_buffer.read(len(span)))
