"""Objects of a bucket by the prefix: read, replaced, and every version that is not the one that stays deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import unquote, urlparse

from glue_jobs.aws import client

AT_ONCE = 1000  # that DeleteObjects takes


def place(uri: str) -> tuple[str, str]:
    """Bucket and key of s3://BUCKET/KEY, or of the path by which Spark knows the object."""
    found = urlparse(uri)
    return found.netloc, unquote(found.path).lstrip("/")


def keys(bucket: str, prefix: str) -> Iterator[str]:
    for page in client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        yield from (each["Key"] for each in page.get("Contents", ()))


def folders(bucket: str, prefix: str) -> list[str]:
    """What lies right below a prefix, each with its slash."""
    pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, Delimiter="/")
    return [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", ())]


def read(bucket: str, key: str) -> bytes:
    body: bytes = client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def delete_past(bucket: str, prefix: str, stays: Callable[[str], bool] = lambda key: True) -> int:
    """Deletes the versions of these objects that nobody reads any more; of those that do not stay, all.

    A delete marker goes with what it hides; in a bucket without versions each object is its own only one.
    """
    doomed: list[dict[str, str]] = []
    markers: list[dict[str, str]] = []  # last: without its marker a version that is still there would be back
    for page in client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        past = (each for each in page.get("Versions", ()) if not each["IsLatest"] or not stays(each["Key"]))
        doomed += [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in past]
        markers += [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in page.get("DeleteMarkers", ())]
    doomed += markers
    for start in range(0, len(doomed), AT_ONCE):
        part = doomed[start : start + AT_ONCE]
        answer = client("s3").delete_objects(Bucket=bucket, Delete={"Objects": part, "Quiet": True})
        if failed := answer.get("Errors"):
            raise VersionsKeptError(
                f"{len(failed)} versions below {prefix} of {bucket}: expected to be deleted, yet S3 answered"
                f" {failed[0]['Code']}. See whether an object lock or a policy keeps them, then redrive the execution."
            )
    return len(doomed)


class VersionsKeptError(Exception):
    """Versions of objects that S3 did not delete."""
