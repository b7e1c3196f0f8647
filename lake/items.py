"""The ledger's items in DynamoDB: plain dictionaries in and out, consistent reads, conditional writes."""

from __future__ import annotations

import json
import re
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import boto3
from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

Item = dict[str, Any]
Key = tuple[str, str]
T = TypeVar("T")

_BATCH = 100  # keys that BatchGetItem takes
_NAME = re.compile(r"#(\w+)")


def utc_now() -> datetime:
    return datetime.now(UTC)


class Items:
    """The table under the ledger; `clock` and `sleep` are what a test replaces."""

    def __init__(
        self,
        table: str,
        client: Any = None,
        *,
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._table = table
        self._client = client or boto3.client("dynamodb")
        self._clock = clock
        self._sleep = sleep

    def _now(self) -> str:
        return self._clock().astimezone(UTC).isoformat()

    def _get(self, pk: str, sk: str) -> Item | None:
        found = self._client.get_item(TableName=self._table, Key=_key((pk, sk)), ConsistentRead=True).get("Item")
        return _unpack_item(found) if found else None

    def _get_many(self, keys: Sequence[Key]) -> Iterator[Item]:
        """Those of the items that there are, in any order."""
        for start in range(0, len(keys), _BATCH):
            asked = {"Keys": [_key(key) for key in keys[start : start + _BATCH]], "ConsistentRead": True}
            waited = 0.05
            while asked:
                page = self._client.batch_get_item(RequestItems={self._table: asked})
                yield from map(_unpack_item, page["Responses"].get(self._table, ()))
                asked = page.get("UnprocessedKeys", {}).get(self._table)
                if asked:
                    self._sleep(waited)
                    waited = min(2 * waited, 2.0)

    def _query(self, pk: str, prefix: str) -> Iterator[Item]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues=_pack_item({":pk": pk, ":prefix": prefix}),
            ConsistentRead=True,
        )
        return (_unpack_item(item) for page in pages for item in page["Items"])

    def _last(self, pk: str, prefix: str, limit: int) -> list[Item]:
        """The items whose keys come last, the very last first."""
        found = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues=_pack_item({":pk": pk, ":prefix": prefix}),
            ConsistentRead=True,
            ScanIndexForward=False,
            Limit=limit,
        )
        return [_unpack_item(item) for item in found["Items"]]

    def _newest(self, index: str, pk: str, limit: int) -> list[Item]:
        """The last items of a partition of an index, whose reads may lag its writes by a moment."""
        found = self._client.query(
            TableName=self._table,
            IndexName=index,
            KeyConditionExpression="gsi_pk = :pk",
            ExpressionAttributeValues=_pack_item({":pk": pk}),
            ScanIndexForward=False,
            Limit=limit,
        )
        return [_unpack_item(item) for item in found["Items"]]

    def _put(self, pk: str, sk: str, values: Mapping[str, Any], when: str, **given: Any) -> bool:
        """Writes the whole item where `when` holds; says whether it did."""
        written = {"Item": _pack_item({"pk": pk, "sk": sk, **values})}
        return self._write(self._client.put_item, written, _conditions(when, given)) is not None

    def _put_new(self, pk: str, sk: str, values: Mapping[str, Any]) -> bool:
        return self._put(pk, sk, values, "attribute_not_exists(pk)")

    def _set(
        self, pk: str, sk: str, values: Mapping[str, Any], when: str, *, count: str | None = None, **given: Any
    ) -> Item | None:
        """Changes parts of an item where `when` holds, adding 1 to `count`; the item as it then is, else None."""
        change = "SET " + ", ".join(f"#{name} = :new_{name}" for name in values)
        new: Item = {f"new_{name}": value for name, value in values.items()}
        if count:
            change += f" ADD #{count} :one"
            new["one"] = 1
        written = {"Key": _key((pk, sk)), "UpdateExpression": change, "ReturnValues": "ALL_NEW"}
        answer = self._write(self._client.update_item, written, _conditions(when, {**given, **new}, change))
        return _unpack_item(answer["Attributes"]) if answer is not None else None

    def _delete(self, pk: str, sk: str, when: str, **given: Any) -> bool:
        return self._write(self._client.delete_item, {"Key": _key((pk, sk))}, _conditions(when, given)) is not None

    def _write(self, call: Callable[..., Item], written: Item, conditions: Item) -> Item | None:
        try:
            return call(TableName=self._table, **written, **conditions)
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return None
            raise


def make(kind: type[T], item: Mapping[str, Any]) -> T:
    """The record that an item holds, without the item's keys."""
    known = [each.name for each in fields(kind)]  # type: ignore[arg-type]  # every kind here is a dataclass
    values = {name: item[name] for name in known if name in item}
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def packed_texts(values: Sequence[str]) -> Binary:
    """Ten thousand file names in an item of at most 400 KB: they differ in little."""
    return Binary(zlib.compress(json.dumps(values).encode()))


def texts(packed: bytes) -> tuple[str, ...]:
    return tuple(json.loads(zlib.decompress(packed)))


def _conditions(when: str, given: Mapping[str, Any], *expressions: str) -> Item:
    names = {f"#{name}": name for name in _NAME.findall(" ".join((when, *expressions)))}
    made: Item = {"ConditionExpression": when}
    if names:
        made["ExpressionAttributeNames"] = names
    if given:
        made["ExpressionAttributeValues"] = _pack_item({f":{name}": value for name, value in given.items()})
    return made


def _key(key: Key) -> Item:
    return _pack_item({"pk": key[0], "sk": key[1]})


def _pack_item(item: Mapping[str, Any]) -> Item:
    return {name: TypeSerializer().serialize(_pack(value)) for name, value in item.items() if value is not None}


def _unpack_item(item: Mapping[str, Any]) -> Item:
    return {name: _unpack(TypeDeserializer().deserialize(value)) for name, value in item.items()}


def _pack(value: Any) -> Any:
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, Mapping):
        return {name: _pack(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_pack(each) for each in value]
    return value


def _unpack(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Binary):
        return bytes(value)
    if isinstance(value, dict):
        return {name: _unpack(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_unpack(each) for each in value]
    return value
