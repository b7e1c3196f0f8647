"""Erasure on a whole small lake: not one object of any version holds the person's id, and nothing brings it back."""

from __future__ import annotations

import gzip
import io
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import fastavro
import pyarrow.parquet as pq
import pytest

from cli import execution, forget
from tests.local.small_lake import DATASET, SmallLake, small_lake

SUBJECT = "person-7f3a9c"
BUCKETS = ("landing", "bronze", "silver", "gold", "results", "sandbox", "scratch", "logs")
DAY = "timestamp '2026-01-01' + n * interval '1 day'"
JOINED = "{ how: hash, joins: saas_orders.customer, classification: internal }"
MASK = f"customProperties: [{{ property: mask, value: {JOINED} }}]"


def of_people(text: str) -> str:
    """The orders' contract where its customer is a person."""
    text = text.replace("customProperties: [", "customProperties: [{ property: subjectId, value: customer }, ", 1)
    text = text.replace('"decimal(8,2)", classification: internal', '"decimal(8,2)", classification: public')
    return text.replace("name: customer,", f"name: customer, {MASK},")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallLake]:
    with small_lake(tmp_path_factory.mktemp("forget"), contract=of_people) as up:
        yield up


@pytest.fixture(scope="module")
def before(lake: SmallLake) -> dict[str, list[str]]:
    """What the tables hold of everybody else, once a run has brought the person's orders beside theirs."""
    lake.orders(1, 6, "10", DAY)
    mine(lake, 7, "20", "timestamp '2026-01-07'")
    mine(lake, 8, "30", "timestamp '2026-01-08'", "  ")  # as of a column char(n)
    mine(lake, 9, "5", "NULL")  # which is refused
    done(lake, lake.run())
    lay_down(lake, "of_before", {"order_id": 1, "client": f"{SUBJECT} "}, {"order_id": 2, "client": "customer 2"})
    lay_down(lake, "unknown", {"order_id": 3, "whoever": "customer 3"})
    assert {bucket for bucket, _ in found(lake)} >= {"bronze", "silver", "gold"}
    return {table: others(lake, table) for table in ("saas_orders", "totals", "saas_orders__masked")}


def lay_down(lake: SmallLake, run: str, *rows: dict[str, Any]) -> None:
    """A load of the time when the source called the customer a client, which the ledger knows."""
    dataset = lake.target.lake().dataset(DATASET)
    columns = tuple(replace(each, source="client") if each.name == "customer" else each for each in dataset.columns)
    lake.target.ledger().note_names(replace(dataset, columns=columns))
    body, fields = io.BytesIO(), [{"name": each, "type": "int" if each == "order_id" else "string"} for each in rows[0]]
    fastavro.writer(body, {"type": "record", "name": "topLevelRecord", "fields": fields}, rows)
    place = {"Bucket": lake.environment.bucket("bronze"), "Key": f"{dataset.folder}logical=2025/run={run}/part.avro"}
    lake.client("s3").put_object(**place, Body=body.getvalue())


@pytest.fixture(scope="module")
def erased(lake: SmallLake, before: dict[str, list[str]]) -> str:
    """An erasure that somebody stopped in the middle, and that was redriven."""
    run = erase(lake)
    entered(lake, run, "Model")
    states, arn = lake.client("stepfunctions"), lake.target.execution(run)
    states.stop_execution(executionArn=arn)
    assert lake.wait(run).status == "ABORTED"
    states.redrive_execution(executionArn=arn)
    return done(lake, lake.wait(run))


def mine(lake: SmallLake, number: int, amount: str, at: str, padding: str = "") -> None:
    lake.sql(
        f"DELETE FROM orders WHERE order_id = {number}",
        f"INSERT INTO orders VALUES ({number}, '{SUBJECT}{padding}', {amount}, {at})",
    )


def done(lake: SmallLake, ended: execution.Ended) -> str:
    assert ended.status == "SUCCEEDED", [each.cause for each in lake.target.ledger().failed(ended.run)] or ended.cause
    return ended.run


def erase(lake: SmallLake) -> str:
    return forget.start(lake.target, forget.asked(lake.target, SUBJECT, DATASET, dry_run=False))


def test_an_erasure_leaves_no_trace_of_the_person_and_all_of_everybody_else(
    lake: SmallLake, before: dict[str, list[str]], erased: str
) -> None:
    assert found(lake) == []
    assert {table: others(lake, table) for table in before} == before
    certificate = forget.certificate(lake.target, erased)
    assert certificate is not None
    stores = {each["store"]: each for each in certificate["stores"]}
    assert {each["rule"] for each in stores.values()} == {"rewritten now", "expires", "not searchable"}
    silver, gold = (lake.environment.database(each) for each in ("silver", "gold"))
    rows = {store: each["rows"] for store, each in stores.items() if each.get("rows")}
    assert rows == {"bronze.saas_orders": 4, f"{silver}.saas_orders": 2, f"{silver}.saas_orders__quarantine": 1}
    assert stores.keys() >= {f"{silver}.saas_orders__masked", f"{gold}.totals", f"{gold}.largest"}
    left = stores["bronze.saas_orders, without an id"]
    assert (left["rule"], left["loads"]) == ("not searchable", 1)
    assert lake.settled() == {"leases": {}, "branches": [], "intents": [], "heads are what readers see": True}
    assert lake.target.ledger().run(erased).status == "succeeded"  # type: ignore[union-attr]


def test_nothing_says_who_it_was(lake: SmallLake, erased: str) -> None:
    certificate = forget.certificate(lake.target, erased)
    items = lake.client("dynamodb").get_paginator("scan").paginate(TableName=lake.environment.resource("ledger"))
    history = lake.client("stepfunctions").get_execution_history(executionArn=lake.target.execution(erased))["events"]
    logs = lake.client("logs")
    streams = [(group["logGroupName"], stream["logStreamName"]) for group in logs.describe_log_groups()["logGroups"]
               for stream in logs.describe_log_streams(logGroupName=group["logGroupName"])["logStreams"]]  # fmt: skip
    lines = [logs.get_log_events(logGroupName=group, logStreamName=stream)["events"] for group, stream in streams]
    assert any(lines)
    for said in (list(items), history, certificate, lines):
        assert SUBJECT not in json.dumps(said, default=repr)


def test_the_ledger_knows_how_many_rows_a_load_has_since(lake: SmallLake, erased: str) -> None:
    [load] = lake.target.ledger().loads(DATASET)
    s3, bucket = lake.client("s3"), lake.environment.bucket("bronze")
    bodies = [s3.get_object(Bucket=bucket, Key=each.split("/", 3)[3])["Body"].read() for each in load.files]
    assert load.rows == sum(len(list(fastavro.reader(io.BytesIO(body)))) for body in bodies) == 6


def test_the_source_that_still_has_the_person_brings_nobody_back(lake: SmallLake, erased: str) -> None:
    mine(lake, 7, "99", "timestamp '2026-03-01'")
    done(lake, lake.wait(lake.start(mode="replay")))
    assert found(lake) == []
    assert len(lake.rows("silver", "saas_orders")) == 6


def entered(lake: SmallLake, run: str, state: str) -> None:
    """Waits until the execution has come so far."""
    states, arn, until = lake.client("stepfunctions"), lake.target.execution(run), time.monotonic() + 120
    while time.monotonic() < until:
        events = states.get_execution_history(executionArn=arn, maxResults=1000)["events"]
        if any(each.get("stateEnteredEventDetails", {}).get("name") == state for each in events):
            return
        time.sleep(0.2)
    raise AssertionError(f"{run} never came to {state}")


def others(lake: SmallLake, table: str) -> list[str]:
    layer = "gold" if table == "totals" else "silver"
    hidden = ("_version", "_hash", "_run")
    rows = [{k: v for k, v in row.items() if k not in hidden} for row in lake.rows(layer, table)]
    if table == "saas_orders__masked":
        rows = [row for row in rows if row["order_id"] < 7]
    return sorted(str(row) for row in rows if row["customer"].strip() != SUBJECT)


def found(lake: SmallLake) -> list[tuple[str, str]]:
    """Every version of every object that holds the id, read as what it is."""
    s3, hits = lake.client("s3"), []
    for name in BUCKETS:
        bucket = lake.environment.bucket(name)
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for each in page.get("Versions", ()):
                given = {"Bucket": bucket, "Key": each["Key"], "VersionId": each["VersionId"]}
                body = s3.get_object(**given)["Body"].read()
                if SUBJECT in each["Key"] or tells(body):
                    hits.append((name, each["Key"]))
    return hits


def tells(body: bytes) -> bool:
    """Iceberg's manifests keep bounds of 16 characters, which is more than the id has."""
    text = body
    if body[:2] == b"\x1f\x8b":
        text = gzip.decompress(body)
    elif body[:4] == b"Obj\x01":
        text = repr(list(fastavro.reader(io.BytesIO(body)))).encode()
    elif body[:4] == b"PAR1":
        file = pq.ParquetFile(io.BytesIO(body))
        text = (repr(file.read().to_pylist()) + repr(file.metadata.to_dict())).encode()
    return any(SUBJECT.encode() in each for each in (body, text))
