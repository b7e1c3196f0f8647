"""Which requests to S3 are data events of CloudTrail, and which of them a trail's selectors keep."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from moto.cloudtrail.models import cloudtrail_backends

from local.actions import Raw, operations
from local.services.iam_request import Asked

# What CloudTrail calls an operation otherwise than the API, and the operations of a bucket that are about objects.
CALLED = {"ListObjectsV2": "ListObjects"}
OF_BUCKET = frozenset({
    "HeadBucket", "ListObjects", "ListObjectVersions", "ListMultipartUploads", "DeleteObjects", "PostObject",
})  # fmt: skip
READS = ("Get", "Head", "List", "Select")
Selector = Mapping[str, Any]
TESTS: dict[str, Callable[[str, str], bool]] = {
    "Equals": str.__eq__, "StartsWith": str.startswith, "EndsWith": str.endswith,
}  # fmt: skip


class Event(NamedTuple):
    """A data event: `Event("GetObject", {"bucketName": "b", "key": "k"}, "arn:aws:s3:::b/k")`."""

    name: str
    told: dict[str, str]
    arn: str

    @property
    def reads(self) -> bool:
        return self.name.startswith(READS)


def of_request(asked: Asked) -> Iterator[Event]:
    """The event of a request, and the read of what it copies."""
    bucket, key = asked.bucket_and_key
    name = operation(asked.raw.method, bool(key), asked.raw.query, asked.raw.copies)
    if not key and name not in OF_BUCKET:
        return
    source = asked.header("x-amz-copy-source")
    told = {"bucketName": bucket, **({"key": key} if key else {}), **({"x-amz-copy-source": source} if source else {})}
    yield Event(name, told, f"arn:aws:s3:::{bucket}/{key}")
    if source:
        origin, _, copied = unquote(source).lstrip("/").partition("?versionId=")[0].partition("/")
        yield Event("GetObject", {"bucketName": origin, "key": copied}, f"arn:aws:s3:::{origin}/{copied}")


@functools.lru_cache(4096)
def operation(method: str, of_object: bool, query: str, copies: bool) -> str:
    """The operation of S3 by how it is asked for, whatever other headers say."""
    raw = Raw(0.0, 0.0, method, "/bucket/key" if of_object else "/bucket", query, "", "", copies, (), 0)
    asked = dict(parse_qsl(query, keep_blank_values=True))
    fitting = [each for each in operations("s3") if each.fits(raw, asked)]
    name = max(fitting, key=lambda each: each.rank).name if fitting else f"{method.title()}Object"
    return CALLED.get(name, name)


def selectors(account: str, region: str) -> list[Selector]:
    """Those of the trails that log now."""
    trails = list(cloudtrail_backends[account][region].trails.values())
    return [each for trail in trails if trail.status.is_logging for each in trail.advanced_event_selectors]


def kept(event: Event, kept_by: list[Selector]) -> bool:
    fields = {
        "eventCategory": "Data", "resources.type": "AWS::S3::Object", "resources.ARN": event.arn,
        "eventName": event.name, "eventSource": "s3.amazonaws.com", "readOnly": str(event.reads).lower(),
    }  # fmt: skip
    return any(all(_fits(fields.get(each["Field"], ""), each) for each in one["FieldSelectors"]) for one in kept_by)


def _fits(value: str, wanted: Selector) -> bool:
    for name, test in TESTS.items():
        if (allowed := wanted.get(name)) and not any(test(value, each) for each in allowed):
            return False
        if any(test(value, each) for each in wanted.get(f"Not{name}") or ()):
            return False
    return True
