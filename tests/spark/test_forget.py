"""A patient forgotten in a stream: out of its objects, dead letters and tables, kept out, and certified at the end."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from pyspark.sql import SparkSession

from glue_jobs import forget, iceberg, model
from glue_jobs.erasure import ID, manifests, matches
from glue_jobs.subject import Erasure
from glue_jobs.suppression import as_id
from glue_jobs.work import Job
from lake import arrivals
from lake.certificate import key_of, request_key
from lake.runs import RunId
from lake.subjects import ERASURE_KEY, as_id as text_id
from lambdas.conclude.handler import failures
from tests.spark.clinic import EVENTS, MODELS, START, Clinic, event
from tests.spark.conftest import mocked_ledger

PATIENT = "PAT-0001"


class ForgettingClinic(Clinic):
    """The clinic with what an erasure needs beside it."""

    def __init__(self, spark: SparkSession, ledger: Any, warehouse: Path) -> None:
        super().__init__(spark, ledger, warehouse, "forgetting")
        self.s3, self.erasures = boto3.client("s3"), 0
        self.erasing: Erasure
        beside = {name: f"forgetting-{name}" for name in ("scratch", "logs")}
        for bucket in beside.values():
            self.s3.create_bucket(Bucket=bucket)
        versions = {"Status": "Enabled"}
        self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration=versions)
        known = self.lake.environment
        self.lake.__dict__["environment"] = replace(
            known, buckets={**known.buckets, **beside}, resources={ERASURE_KEY: "erasure"}
        )
        boto3.client("secretsmanager").create_secret(Name="erasure", SecretString="the key of the test")

    def erasure(self, subject: str = PATIENT, *, dry_run: bool = False) -> Erasure:
        """A new execution's, whose request lies in scratch."""
        self.erasures += 1
        run = f"forget-20260102T{self.erasures:02}00-01"
        asked = {"subject": subject, "dataset": EVENTS, "dry_run": dry_run}
        self.s3.put_object(Bucket="forgetting-scratch", Key=request_key(run), Body=json.dumps(asked).encode())
        return forget.read(Job(self.spark, self.lake, self.ledger, RunId.parse(run), 0))

    def erase_rows(self, erasure: Erasure) -> dict[str, dict[str, int]]:
        """What was done to each store, by its name."""
        outcomes = forget.forget_rows(erasure)
        assert not [f"{each.cause} {each.remedy}" for each in outcomes if each.status == "failed"]
        assert PATIENT not in repr(outcomes)
        self.mirror()
        tables = [each for outcome in outcomes for each in outcome.tables]
        return {each["table"]: {k: v for k, v in {**each["done"], **each["after"]}.items() if v} for each in tables}

    def mirror(self) -> None:
        """The folder from which Spark reads as the bucket is now."""
        for key in self.keys(self.dataset.folder):
            (self.warehouse / self.bucket / key).write_bytes(
                self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
            )

    def keys(self, prefix: str) -> list[str]:
        return [each["Key"] for each in self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix).get("Contents", ())]

    def every_version(self) -> list[bytes]:
        """What lies in bronze in whatever version, unpacked."""
        found = self.s3.list_object_versions(Bucket=self.bucket)
        given = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found.get("Versions", ())]
        bodies = [self.s3.get_object(Bucket=self.bucket, **each)["Body"].read() for each in given]
        return [gzip.decompress(each) if each[:2] == b"\x1f\x8b" else each for each in bodies]

    def forget_object(self, key: str) -> None:
        self.s3.delete_object(Bucket=self.bucket, Key=key)
        (self.warehouse / self.bucket / key).unlink()

    def lines(self, key: str) -> list[bytes]:
        return gzip.decompress(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()).splitlines()

    def refuse(self, number: int, data: bytes, partition_key: str = "somebody") -> None:
        """A dead letter, as the consumer writes it."""
        letter = arrivals.DeadLetter(
            EVENTS,
            ["not_json"],
            "It is none.",
            "shard",
            str(number),
            partition_key,
            "",
            base64.b64encode(data).decode(),
        )
        key = arrivals.dead_letter_key(self.dataset, START, "shard", str(number))
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=json.dumps(letter._asdict()).encode())


@pytest.fixture(scope="module")
def clinic(spark: SparkSession, warehouse: Path) -> Iterator[ForgettingClinic]:
    """One lake, of which each test is a step after those before it."""
    with mocked_ledger() as ledger:
        yield ForgettingClinic(spark, ledger, warehouse)


def test_an_id_is_the_same_however_it_is_written_and_whoever_reads_it(spark: SparkSession) -> None:
    cores = ("42", "042", "42.0", "42.", "4.2e1", "42.5", "420", "4 2", "4_2", "\u0664\u0662", "0x2A", "42L", "1e99",
             "", "nan", ".42e2", "ab-42")  # fmt: skip
    texts = [f"{sign}{core}{after}" for core in cores for sign in ("", " ", "\t", "+", "-", "00", " +")
             for after in ("", "  ", "\n")]  # fmt: skip
    rows = spark.createDataFrame([(each,) for each in texts], "given string")
    for kind, id_ in (("int", "42"), ("bigint", "-42"), ("string", "42"), ("string", "ab-42")):
        asked = rows.selectExpr("given", f"'{id_}' AS {ID}", f"try_cast(given AS {kind}) = '{id_}' AS silver")
        told = asked.selectExpr("given", f"{matches('given', kind)} AS found", "coalesce(silver, false) AS silver")
        told = told.selectExpr("*", f"{as_id('given', kind)} AS kept_out_by")
        judged = told.collect()
        assert [each["given"] for each in judged if each["found"] != (text_id(kind, each["given"]) == id_)] == []
        assert [each["given"] for each in judged if each["silver"] and not each["found"]] == []
        assert [each["given"] for each in judged if each["found"] != (each["kept_out_by"] == id_)] == []
    numbers = spark.sql("SELECT * FROM VALUES (42.0D, 42.5D, 42BD, 42L) AS t(double, half, decimal, long)")
    asked = numbers.selectExpr("*", f"'42' AS {ID}")
    assert asked.selectExpr(*(matches(each, "int") for each in numbers.columns)).first() == (True, False, True, True)


def test_what_was_never_loaded_is_erased_too_and_so_is_what_a_gate_refused(clinic: ForgettingClinic) -> None:
    erasure = clinic.erasure("PAT-9999")
    assert clinic.erase_rows(erasure) == {"bronze.clinic_immunizations": {}}
    assert forget.forget_remains(erasure)

    clinic.run()
    gold = clinic.lake.table(clinic.lake.dataset(MODELS[0]))
    for statement in (
        f"ALTER TABLE {gold} CREATE BRANCH refused",
        f"INSERT INTO {gold}.branch_refused SELECT '208', 'site', DATE'2026-01-01', 1, 1, now(), 0, 'run'",
    ):
        clinic.spark.sql(statement)
    erasure = clinic.erasure("PAT-9999")
    assert "forgetting_gold.doses_by_vaccine_site_week" in clinic.erase_rows(erasure)
    found = iceberg.load(clinic.spark, gold)
    assert (len(dict(found.refs())), len(list(found.snapshots()))) == (0, 0)


def test_a_patient_goes_from_every_object_letter_and_table_and_nobody_else_does(clinic: ForgettingClinic) -> None:
    mixed = clinic.arrive(event(1), event(2), event(3, patient_id="PAT-X "), minutes=10)
    body = clinic.s3.get_object(Bucket=clinic.bucket, Key=mixed)["Body"].read()
    odd = gzip.compress(gzip.decompress(body).replace(b"PAT-X", rb"PAT\u002d0001"), mtime=0)  # JSON says it so too
    clinic.s3.put_object(Bucket=clinic.bucket, Key=mixed, Body=odd)
    others = clinic.arrive(*(event(number) for number in (4, 5, 7, 8)), minutes=11)  # gold tells of no fewer than five
    clinic.arrive(event(6, birth_date="2026-11-18", patient_id=PATIENT), minutes=12)  # which refine refuses
    clinic.mirror()
    clinic.refuse(1, b'{"patient": "PAT-0001"}')
    clinic.refuse(2, b"no JSON: PAT-0001")
    clinic.refuse(3, b"\xff", PATIENT)
    clinic.refuse(4, b'{"patient_id": "PAT-00011"}')
    assert clinic.run().status == "succeeded"
    assert [each.cause for each in clinic.build()] == ["", ""]
    untouched, last = clinic.lines(others), clinic.lines(mixed)[1]
    former = formerly(clinic)

    counted = clinic.erase_rows(clinic.erasure(dry_run=True))
    assert any(PATIENT.encode() in each for each in clinic.every_version())
    assert len(clinic.ledger.forgotten(EVENTS)) == 1  # the other one

    clinic.erasing = clinic.erasure()
    done = clinic.erase_rows(clinic.erasing)
    bronze = done["bronze.clinic_immunizations"]
    assert {name: bronze[name] for name in ("rows", "objects", "letters")} == {"rows": 4, "objects": 3, "letters": 4}
    assert bronze["events"] == 1  # which has no id by any name
    for table, rows in (("clinic_immunizations", 1), ("clinic_immunizations__quarantine", 2)):
        assert done[f"forgetting_silver.{table}"]["rows"] == rows
    assert {table: {k: v for k, v in each.items() if k != "versions"} for table, each in done.items()} == counted
    assert not [each for each in clinic.every_version() if b"0001" in each and b"PAT-00011" not in each]
    assert (clinic.lines(others), clinic.lines(mixed), len(clinic.lines(former))) == (untouched, [last], 2)
    clinic.forget_object(former)
    assert [each.rpartition("/")[2] for each in clinic.keys(arrivals.dead_letters(clinic.dataset))] == ["shard-4.json"]
    assert clinic.rows("event_id") == [(f"event-{number:04}",) for number in (2, 4, 5, 7, 8)]
    assert clinic.quarantined() == []


def formerly(clinic: ForgettingClinic) -> str:
    """Of the time when the contract called the id otherwise: the patient's event, somebody's, and one without an id."""
    columns = tuple(
        replace(each, source="patient") if each.name == "patient_id" else each for each in clinic.dataset.columns
    )
    clinic.ledger.note_names(replace(clinic.dataset, columns=columns))
    clinic.refuse(5, b'{"patient": "PAT-0001 ", "dose_number": 7}')
    others = {name: value for name, value in event(6).items() if name != "patient_id"}
    return clinic.arrive({**others, "patient": PATIENT}, {**others, "patient": "PAT-6"}, others, minutes=13)


def test_what_fails_at_the_end_gives_no_certificate_and_is_named(clinic: ForgettingClinic) -> None:
    erasure = clinic.erasing
    run = str(erasure.job.run)

    def state() -> tuple[bool, bool]:
        """Whether the certificate is written, and whether the request is still there."""
        logs, scratch = (clinic.s3.list_objects_v2(Bucket=f"forgetting-{each}") for each in ("logs", "scratch"))
        written, asked = ({each["Key"] for each in found.get("Contents", ())} for found in (logs, scratch))
        return key_of(run) in written, request_key(run) in asked

    def left() -> list[str]:
        return failures(clinic.ledger.remaining(run), clinic.ledger.failed(run))

    assert forget.forget_remains(erasure) is None  # gold was not made anew
    assert [each.partition(" ")[0] for each in left()] == sorted(MODELS)
    assert [each.cause for each in model.model_all(erasure.job)] == ["", ""]
    clinic.ledger.intend("clinic-20260103T0000-01", [{"dataset": MODELS[0], "table": "", "from": 1, "to": 2}])
    assert forget.forget_remains(erasure) is None
    assert state() == (False, True)
    [line] = left()
    assert MODELS[0] in line
    assert "unfinished" in line

    clinic.ledger.settle("clinic-20260103T0000-01")
    clinic.spark.sql("CREATE TABLE lake.forgetting_silver.retired (id int) USING iceberg")
    clinic.s3.put_object(Bucket=clinic.bucket, Key="saas/retired/part.avro", Body=b"")
    made = forget.forget_remains(erasure)
    assert made is not None
    assert (state(), left()) == ((True, False), [])
    stores = {each["store"] for each in made["stores"] if each["rule"] == "rewritten now"}
    assert stores >= {"bronze.clinic_immunizations", *(each.replace("gold.", "forgetting_gold.") for each in MODELS)}
    unknown = [each["store"] for each in made["stores"] if each.get("why", "").startswith("No contract")]
    assert unknown == ["bronze/saas/retired/", "forgetting_silver.retired"]
    assert PATIENT not in json.dumps(made)
    assert [row[-1] for row in clinic.gold(MODELS[0])] == [5]  # patients
    for name in MODELS:
        held = manifests(clinic.spark, clinic.lake.table(clinic.lake.dataset(name)))
        assert not [each for each in held if each.hasDeletedFiles()]  # nor the bounds of files that are gone


def test_a_late_event_of_the_patient_stays_out_and_the_next_erasure_takes_it_from_bronze(
    clinic: ForgettingClinic,
) -> None:
    clinic.arrive(event(18, patient_id=PATIENT), event(19), minutes=20)
    outcome = clinic.run()
    assert (outcome.read, outcome.inserted, outcome.superseded) == (7, 1, 1)
    assert PATIENT not in {who for (who,) in clinic.rows("patient_id")}
    table = clinic.lake.table(clinic.dataset)
    before = iceberg.head(clinic.spark, table)
    done = clinic.erase_rows(clinic.erasure())
    assert iceberg.head(clinic.spark, table) == before  # nothing was left to do there
    kept = clinic.snapshots()
    assert done["bronze.clinic_immunizations"] == {"rows": 1, "objects": 1, "versions": 1}
    assert not [each for each in clinic.every_version() if PATIENT.encode() in each and b"PAT-00011" not in each]
    replayed = clinic.run("replay")
    assert (replayed.read, replayed.unchanged) == (6, 6)
    assert clinic.snapshots() == kept
