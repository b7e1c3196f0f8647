"""Kinesis: moto numbers a shard's records 1, 2, 3, so that numbers of two shards are the same; it takes any number of
writes; it moves a closed shard's records to its children under new numbers, and puts into closed shards; it keeps
records for ever; and it calls functions itself, inside PutRecord, one by one (event_sources does that here).
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from local.services.kinesis_puts import MOST_RECORDS, ONE_AT_A_TIME, KinesisError, Puts, too_long
from local.services.kinesis_shards import Journal, Record
from local.services.seams import patch

if TYPE_CHECKING:
    from local.endpoint import Endpoint

MODELS = "moto.kinesis.models"

FIDELITY = (
    ("Kinesis", "streams, shards, tags, iterators, retention, put and get of records", "moto and ours", "real"),
    ("Kinesis", "sequence numbers: long, rising in a shard, of one record alone", "ours", "real"),
    ("Kinesis", "limits of a request and of a record; 1 MiB and 1,000 records a second of a provisioned shard; "
     "failures of single records", "ours", "real"),
    ("Kinesis", "splitting and merging shards: what is in a closed shard stays there", "ours", "real"),
    ("Kinesis", "on demand: four shards that take any number of writes", "moto", "simulated"),
    ("Kinesis", "encryption and enhanced monitoring", "kept, without effect", "simulated"),
    ("Kinesis", "streams live as long as the endpoint: in memory", "moto", "simulated"),
    ("Kinesis", "reading without limits of throughput", "moto", "simulated"),
    ("Kinesis", "SubscribeToShard", "", "refused"),
)  # fmt: skip


def patch_puts(puts: Puts) -> None:
    def put_records(self: Any, stream_arn: str, stream_name: str, records: list[dict[str, Any]]) -> dict[str, Any]:
        stream = self.describe_stream(stream_arn=stream_arn, stream_name=stream_name)
        if not records or len(records) > MOST_RECORDS:
            raise too_long("", "records", MOST_RECORDS)
        outcomes = puts.put(stream, records)
        failed = sum("ErrorCode" in outcome for outcome in outcomes)
        return {"FailedRecordCount": failed, "Records": outcomes, "EncryptionType": stream.encryption_type}

    def put_record(self: Any, partition_key: str, explicit_hash_key: str, data: str) -> tuple[str, str]:
        record = {"PartitionKey": partition_key, "ExplicitHashKey": explicit_hash_key, "Data": data}
        (outcome,) = puts.put(self, [record])
        if "ErrorCode" in outcome:
            raise KinesisError(outcome["ErrorCode"], outcome["ErrorMessage"])
        return outcome["SequenceNumber"], outcome["ShardId"]

    patch(f"{MODELS}:KinesisBackend.put_records", put_records)
    patch(f"{MODELS}:Stream.put_record", put_record)
    patch(f"{MODELS}:KinesisBackend._send_stream_metrics", lambda *_, **__: None)  # told above, once


def patch_answers() -> None:
    def put_records(self: Any) -> Any:
        """moto looks each value of an answer up under many names: 500 outcomes took longer than their records."""
        if "json" not in self.headers.get("Content-Type", ""):
            return by_moto(self)
        named = (self._get_param(name) for name in ("StreamARN", "StreamName", "Records"))
        return json.dumps(self.kinesis_backend.put_records(*named))

    by_moto = patch("moto.kinesis.responses:KinesisResponse.put_records", put_records)


def patch_shards() -> None:
    def make(self: Any, shard_id: int, *args: Any, **options: Any) -> None:
        created(self, shard_id, *args, **options)
        self.journal = Journal(shard_id)

    def get_records(self: Any, last_sequence_id: str, limit: int | None) -> tuple[list[Record], int, int]:
        last = int(last_sequence_id)
        found = self.journal.after(last, limit)
        newest = self.journal.records[-1].created_at if found else 0.0
        behind = int((newest - found[-1].created_at) * 1000) if found else 0
        return found, found[-1].sequence_number if found else last, behind

    created = patch(f"{MODELS}:Shard.__init__", make)
    patch(f"{MODELS}:Shard.get_records", get_records)


def patch_resharding() -> None:
    def split(self: Any, shard: str, at: str) -> None:
        keeping([self.shards[shard]], lambda: by_moto["split"](self, shard, at))

    def merge(self: Any, one: str, two: str) -> None:
        keeping([self.shards[one], self.shards[two]], lambda: by_moto["merge"](self, one, two))

    by_moto = {
        "split": patch(f"{MODELS}:Stream.split_shard", split),
        "merge": patch(f"{MODELS}:Stream.merge_shards", merge),
    }


def keeping(closing: list[Any], change: Callable[[], None]) -> None:
    """Change a stream's shards while moto sees those that close as empty, so that it moves nothing."""
    with ONE_AT_A_TIME:
        held = [shard.records for shard in closing]
        for shard in closing:
            shard.records = OrderedDict()
        try:
            change()
        finally:
            for shard, records in zip(closing, held, strict=True):
                shard.records = records


def install(endpoint: Endpoint) -> None:
    puts = Puts(endpoint)
    patch_puts(puts)
    patch_shards()
    patch_resharding()

    def describe(self: Any, shard_limit: int | None = None) -> dict[str, Any]:
        told: dict[str, Any] = described(self, shard_limit)
        told["StreamDescription"]["StreamModeDetails"] = self.stream_mode
        return told

    def read(self: Any, *arguments: Any) -> Any:
        for stream in list(self.streams.values()):
            puts.forget_expired(stream)
        return by_moto(self, *arguments)

    patch_answers()
    described = patch(f"{MODELS}:Stream.to_json", describe)
    by_moto = patch(f"{MODELS}:KinesisBackend.get_records", read)
