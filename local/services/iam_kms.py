"""What a caller needs of KMS keys: for itself, and for what other services encrypt for it."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.kinesis.models import kinesis_backends
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from local.services.iam_request import Asked, Need, UnclearError

READ, WRITE = ("Decrypt",), ("GenerateDataKey",)
BOTH = ("GenerateDataKey", "Decrypt")
FREE = {"GenerateRandom", "ListKeys", "ListAliases", "CreateKey", "DescribeCustomKeyStores"}
KINESIS = {"PutRecord": WRITE, "PutRecords": WRITE, "GetRecords": READ}
SECRETS = {"GetSecretValue": READ, "PutSecretValue": BOTH, "UpdateSecret": BOTH}
QUEUES = {"SendMessage": BOTH, "SendMessageBatch": BOTH, "ReceiveMessage": READ}


def key_of(asked: Asked, name: str | None) -> Any:
    """The customer's key that an id, an ARN or an alias names; None for AWS's own and for none."""
    if not name or "alias/aws/" in name:
        return None
    backend = kms_backends[asked.account][asked.region]
    alias = "alias/" + name.partition("alias/")[2]
    found = backend.get_key_id_from_alias(alias) if "alias/" in name else name.rpartition("/")[2]
    return backend.keys.get(found) if found else None


def needed(asked: Asked, key: Any, actions: tuple[str, ...], through: str = "", about: str = "") -> Iterator[Need]:
    """Leave to use the key, through another service where one is named."""
    if key is None:
        return
    context: dict[str, str | tuple[str, ...]] = {
        "kms:calleraccount": asked.account,
        "kms:resourcealiases": tuple(key.aliases),
    }
    if through:
        context |= {"kms:viaservice": f"{through}.{asked.region}.amazonaws.com", "aws:viaawsservice": "true"}
    if about:
        context[f"kms:encryptioncontext:aws:{through}:arn"] = about
    for action in actions:
        yield Need(f"kms:{action}", key.arn, context, key.policy, opens=True)


def of_object(asked: Asked, bucket: str, name: str, version: str | None) -> Iterator[Need]:
    found: Any = s3_backends[asked.account]["aws"].buckets.get(bucket)
    if found is None:
        return
    kept = found.keys.get(name)
    if version and version != "null":
        kept = next((each for each in found.keys.getlist(name, []) if str(each.version_id) == version), kept)
    if kept is not None and getattr(kept, "encryption", None) in ("aws:kms", "aws:kms:dsse"):
        yield from needed(asked, key_of(asked, kept.kms_key_id), READ, "s3", _about(found, bucket, name))


def of_new_object(asked: Asked, bucket: str, name: str, *, parts: bool) -> Iterator[Need]:
    found: Any = s3_backends[asked.account]["aws"].buckets.get(bucket)
    how = asked.header("x-amz-server-side-encryption")
    key = asked.header("x-amz-server-side-encryption-aws-kms-key-id")
    if found is not None and (default := _default(found)) and not (how and key):
        how = how or default.get("SSEAlgorithm", "")
        key = key or (default.get("KMSMasterKeyID", "") if how != "AES256" else "")
    if how in ("aws:kms", "aws:kms:dsse"):
        actions = BOTH if parts else WRITE
        yield from needed(asked, key_of(asked, key), actions, "s3", _about(found, bucket, name))


def _default(bucket: Any) -> dict[str, str]:
    rule = (bucket.encryption or {}).get("Rule") or {}
    found: dict[str, str] = rule.get("ApplyServerSideEncryptionByDefault") or {}
    return found


def _about(bucket: Any, name: str, key: str) -> str:
    """S3's encryption context: the bucket alone where it has a key of its own."""
    rule = ((bucket.encryption if bucket is not None else None) or {}).get("Rule") or {}
    whole = str(rule.get("BucketKeyEnabled", "false")).lower() == "true"
    return f"arn:aws:s3:::{name}" if whole else f"arn:aws:s3:::{name}/{key}"


def of_stream(asked: Asked, name: str) -> Iterator[Need]:
    if actions := KINESIS.get(asked.action):
        stream: Any = kinesis_backends[asked.account][asked.region].streams.get(name)
        if stream is not None and stream.encryption_type == "KMS":
            yield from needed(asked, key_of(asked, stream.key_id), actions, "kinesis")


def of_table(asked: Asked, name: str) -> Iterator[Need]:
    """DynamoDB asks for the table's key with its caller's rights, whatever the caller does."""
    table: Any = dynamodb_backends[asked.account][asked.region].tables.get(name)
    sse = (table.sse_specification or {}) if table is not None else {}
    if sse.get("Enabled") and not asked.action.startswith("Describe"):
        yield from needed(asked, key_of(asked, sse.get("KMSMasterKeyId")), READ, "dynamodb")


def of_secret(asked: Asked, secret: Any) -> Iterator[Need]:
    if secret is not None and (actions := SECRETS.get(asked.action)):
        yield from needed(asked, key_of(asked, secret.kms_key_id), actions, "secretsmanager")


def of_queue(asked: Asked, name: str) -> Iterator[Need]:
    if actions := QUEUES.get(asked.action):
        queue: Any = sqs_backends[asked.account][asked.region].queues.get(name)
        if queue is not None:
            yield from needed(asked, key_of(asked, queue.kms_master_key_id), actions, "sqs")


def of_topic(asked: Asked, arn: str) -> Iterator[Need]:
    topic: Any = sns_backends[asked.account][asked.region].topics.get(arn)
    if topic is not None and asked.action.startswith("Publish"):
        yield from needed(asked, key_of(asked, topic.kms_master_key_id), BOTH, "sns")


def secret_named(asked: Asked, name: str) -> Any:
    found = secretsmanager_backends[asked.account][asked.region].secrets
    return found.get(name) if name in found else None


def needs(asked: Asked) -> Iterator[Need]:
    """Of a call to KMS itself."""
    if asked.action in FREE:
        yield asked.need("*")
        return
    named = asked.first("KeyId", "TargetKeyId") if asked.action != "Decrypt" else _of_ciphertext(asked)
    key = key_of(asked, named)
    if key is None:
        yield asked.need(named if named.startswith("arn:") else f"key/{named}")
    else:
        yield from needed(asked, key, (asked.action,))


def _of_ciphertext(asked: Asked) -> str:
    """The key that encrypted it, which a ciphertext of moto names as its first 36 characters."""
    found = b64decode(asked["CiphertextBlob"])[:36].decode(errors="replace")
    if key_of(asked, found) is None:
        raise UnclearError("A ciphertext of no key that is here")
    return found
