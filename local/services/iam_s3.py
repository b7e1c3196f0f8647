"""What a request to S3 needs: the permission and ARN for each, the key's too where objects are encrypted with one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

from moto.s3.models import FakeDeleteMarker, s3_backends

from local.services import iam_kms
from local.services.iam_request import Asked, Need, UnclearError

Context = dict[str, str | tuple[str, ...]]
OBJECT = {  # by method and the query that stands for a part of the object
    "GET": {"acl": "GetObjectAcl", "attributes": "GetObjectAttributes", "legal-hold": "GetObjectLegalHold",
            "retention": "GetObjectRetention", "tagging": "GetObjectTagging", "torrent": "GetObjectTorrent",
            "uploadId": "ListMultipartUploadParts"},
    "PUT": {"acl": "PutObjectAcl", "legal-hold": "PutObjectLegalHold", "retention": "PutObjectRetention",
            "tagging": "PutObjectTagging", "uploadId": "PutObject"},
    "POST": {"restore": "RestoreObject", "select": "GetObject", "uploadId": "PutObject", "uploads": "PutObject"},
    "DELETE": {"tagging": "DeleteObjectTagging", "uploadId": "AbortMultipartUpload"},
}  # fmt: skip
PLAIN = {"GET": "GetObject", "HEAD": "GetObject", "PUT": "PutObject", "DELETE": "DeleteObject"}
VERSIONED = {"GetObject": "GetObjectVersion", "DeleteObject": "DeleteObjectVersion",
             "GetObjectTagging": "GetObjectVersionTagging", "GetObjectAcl": "GetObjectVersionAcl"}  # fmt: skip
PARTS = {  # of a bucket, by the query that stands for it: how permissions name it
    "accelerate": "AccelerateConfiguration", "acl": "BucketAcl", "analytics": "AnalyticsConfiguration",
    "cors": "BucketCORS", "encryption": "EncryptionConfiguration", "inventory": "InventoryConfiguration",
    "intelligent-tiering": "IntelligentTieringConfiguration", "lifecycle": "LifecycleConfiguration",
    "location": "BucketLocation", "logging": "BucketLogging", "metrics": "MetricsConfiguration",
    "notification": "BucketNotification", "object-lock": "BucketObjectLockConfiguration",
    "ownershipControls": "BucketOwnershipControls", "policy": "BucketPolicy", "policyStatus": "BucketPolicyStatus",
    "publicAccessBlock": "BucketPublicAccessBlock", "replication": "ReplicationConfiguration",
    "requestPayment": "BucketRequestPayment", "tagging": "BucketTagging", "versioning": "BucketVersioning",
    "website": "BucketWebsite",
}  # fmt: skip
DELETED = {"policy": "DeleteBucketPolicy", "website": "DeleteBucketWebsite"}  # else deleting is putting nothing
LISTINGS = {"versions": "ListBucketVersions", "uploads": "ListBucketMultipartUploads"}
CREATES = {"uploads", "uploadId"}


def needs(asked: Asked) -> Iterator[Need]:
    bucket, key = asked.bucket_and_key
    if not bucket:
        yield Need("s3:ListAllMyBuckets", "*")
    elif key:
        yield from _of_object(asked, bucket, key)
    elif asked.raw.method == "POST" and "delete" in asked.query:
        yield from _of_deleted(asked, bucket)
    else:
        for permission in _of_bucket(asked):
            yield _need(asked, permission, bucket)


def _need(asked: Asked, permission: str, bucket: str, key: str = "") -> Need:
    resource = f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"
    return Need(f"s3:{permission}", resource, _context(asked, permission), policy_of(asked.account, bucket))


def _context(asked: Asked, permission: str) -> Context:
    """The keys that S3 gives, of headers and of what a listing asks for."""
    found: Context = {}
    for name in ("x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id", "x-amz-acl",
                 "x-amz-copy-source", "x-amz-metadata-directive", "x-amz-storage-class",
                 "x-amz-content-sha256"):  # fmt: skip
        if value := asked.header(name):
            found[f"s3:{name}"] = value
    if permission.startswith("ListBucket"):
        found |= {
            f"s3:{each}": asked.query[each] for each in ("prefix", "delimiter", "max-keys") if each in asked.query
        }
    if "versionId" in asked.query:
        found["s3:versionid"] = asked.query["versionId"]
    return found


def _of_object(asked: Asked, bucket: str, key: str) -> Iterator[Need]:
    method, query = asked.raw.method, asked.query
    # a request that names two parts needs both, since services differ on which they look at first
    named = [name for each, name in OBJECT.get(method, {}).items() if each in query] or [PLAIN.get(method, "")]
    for permission in named:
        if not permission:
            raise UnclearError(f"{method} of an object")
        versioned = VERSIONED.get(permission, permission) if "versionId" in query else permission
        yield _need(asked, versioned, bucket, key)
    if "GetObjectAttributes" in named:
        yield _need(asked, "GetObject", bucket, key)
    if {"GetObject", "GetObjectAttributes"} & set(named):
        yield from iam_kms.of_object(asked, bucket, key, query.get("versionId"))
        if method != "POST" and _is_missing(asked, bucket, key):
            yield _need(asked, "ListBucket", bucket)  # who may not list is not told that there is no such key
    if "PutObject" in named:
        yield from _of_put(asked, bucket, key)


def _is_missing(asked: Asked, bucket: str, key: str) -> bool:
    found: Any = s3_backends[asked.account]["aws"].buckets.get(bucket)
    return found is not None and isinstance(found.keys.get(key), FakeDeleteMarker | None)


def _of_put(asked: Asked, bucket: str, key: str) -> Iterator[Need]:
    if source := asked.header("x-amz-copy-source"):
        path, _, version = unquote(source).lstrip("/").partition("?versionId=")
        origin, _, name = path.partition("/")
        yield _need(asked, "GetObjectVersion" if version else "GetObject", origin, name)
        yield from iam_kms.of_object(asked, origin, name, version or None)
    if asked.header("x-amz-tagging"):
        yield _need(asked, "PutObjectTagging", bucket, key)
    if asked.header("x-amz-acl") not in ("", "private", "bucket-owner-full-control"):
        yield _need(asked, "PutObjectAcl", bucket, key)
    yield from iam_kms.of_new_object(asked, bucket, key, parts=bool(CREATES & asked.query.keys()))


def _of_deleted(asked: Asked, bucket: str) -> Iterator[Need]:
    try:
        listed = ElementTree.fromstring(asked.body)
    except ElementTree.ParseError as error:
        raise UnclearError(f"A list of objects to delete that is no XML: {error}") from error
    for each in listed.iter():
        if each.tag.rpartition("}")[2] != "Object":
            continue
        said = {child.tag.rpartition("}")[2]: child.text or "" for child in each}
        yield _need(asked, "DeleteObjectVersion" if said.get("VersionId") else "DeleteObject", bucket, said["Key"])


def _of_bucket(asked: Asked) -> list[str]:
    method, query = asked.raw.method, asked.query
    parts = {part: name for part, name in PARTS.items() if part in query}
    if method in ("PUT", "DELETE"):
        whole = f"{'Create' if method == 'PUT' else 'Delete'}Bucket"
        put = [DELETED.get(part, f"Put{name}") if method == "DELETE" else f"Put{name}" for part, name in parts.items()]
        return put or [whole]
    if method not in ("GET", "HEAD"):
        raise UnclearError(f"{method} of a bucket")
    found = [f"Get{name}" for name in parts.values()]
    found += [name for part, name in LISTINGS.items() if part in query]
    listed = not found or {"list-type", "prefix", "marker", "continuation-token"} & query.keys() - parts.keys()
    return [*found, "ListBucket"] if listed and not {"versions", "uploads"} & query.keys() else found


def policy_of(account: str, bucket: str) -> str | None:
    found: Any = s3_backends[account]["aws"].buckets.get(bucket)
    text = found.policy if found is not None else None
    return text.decode() if isinstance(text, bytes) else text
