"""Ingest from a real PostgreSQL: what lands in bronze, and what a bad source leads to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from pyspark.sql import SparkSession

from glue_jobs import iceberg, ingest
from glue_jobs.connection import find_source
from glue_jobs.reading import Reading
from glue_jobs.work import work
from lake.ledger import Ledger
from local import tickit
from local.engines import postgres
from tests.spark.tickit import Tickit, compiled

SCALE = 0.01


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Server]:
    started = postgres.start(tmp_path_factory.mktemp("postgres"))
    tickit.load({"saas": started}, SCALE)
    yield started
    started.stop()


@pytest.fixture
def lake(
    spark: SparkSession, ledger: Ledger, warehouse: Path, tmp_path: Path, server: postgres.Server
) -> Iterator[Tickit]:
    made = Tickit(spark, ledger, compiled(tmp_path, warehouse), server)
    yield made
    made.drop()


def test_bronze_shows_each_committed_load_and_keeps_times_as_instants(lake: Tickit) -> None:
    job = lake.job(1)
    work(job, "ingest", ["saas.event"], ingest.ingest)
    glue, database = boto3.client("glue"), lake.lake.environment.databases["bronze"]
    shown = glue.get_partitions(DatabaseName=database, TableName="saas_event")["Partitions"]
    assert [each["Values"] for each in shown] == [["20260101T0100", f"{job.run}-0"]]
    load = lake.ledger.load("saas.event", str(job.run))
    assert load is not None
    came = lake.spark.read.format("avro").load(list(load.files))
    assert came.count() == load.rows == tickit.sizes(SCALE)["saas.event"]
    assert dict(came.dtypes)["starttime"] == "timestamp"
    with lake.server.connect("saas") as connection:
        text = "SELECT starttime::text FROM event WHERE starttime IS NOT NULL ORDER BY eventid LIMIT 1"
        (said,) = connection.execute(text).fetchone() or ("",)
    kept = came.where("starttime IS NOT NULL").orderBy("eventid").selectExpr("string(starttime)").first()
    assert kept is not None
    assert kept[0] == said


def test_a_table_that_is_gone_is_named_and_its_siblings_go_on(lake: Tickit) -> None:
    tickit.vanish(lake.server, "saas.category")
    try:
        job = lake.job(1)
        gone, there = work(job, "ingest", ["saas.category", "saas.venue"], ingest.ingest)
    finally:
        tickit.restore(lake.server, "saas.category")
    assert gone.cause == 'Table "category" does not exist in source "saas".'
    assert lake.ledger.latest_load("saas.category") is None
    assert there.status == "succeeded"


def test_a_wrong_password_is_said_without_it(lake: Tickit) -> None:
    lake.set_password("not-this-one")
    (outcome,) = work(lake.job(1), "ingest", ["saas.venue"], ingest.ingest)
    assert outcome.cause == 'Source "saas" refused the user name or password.'
    assert "not-this-one" not in outcome.cause + outcome.remedy


def test_a_large_table_is_read_in_parts_that_add_up(lake: Tickit) -> None:
    source = find_source(
        lake.lake.environment.connections["saas"], boto3.client("glue"), boto3.client("secretsmanager")
    )
    dataset = lake.lake.dataset("saas.users")
    rows = Reading(lake.spark, source, dataset, None).rows(100)
    size = tickit.sizes(SCALE)["saas.users"]
    assert rows.rdd.getNumPartitions() == -(-size // 100)
    assert rows.select("userid").distinct().count() == rows.count() == size
    assert "right" not in repr(source)


def test_a_load_that_no_ledger_entry_names_is_not_read(lake: Tickit) -> None:
    job = lake.job(1)
    work(job, "apply", ["saas.venue"], lake.apply)
    work(job, "ingest", ["saas.venue"], ingest.ingest)
    load = lake.ledger.load("saas.venue", str(job.run))
    assert load is not None
    folder = Path(load.files[0].removeprefix("file:")).parent
    (folder / "part-stray.avro").write_bytes(Path(load.files[0].removeprefix("file:")).read_bytes())
    (outcome,) = lake.refine(job)
    assert outcome.read == load.rows
    assert iceberg.head(lake.spark, lake.lake.table(lake.lake.dataset("saas.venue"))) == outcome.snapshot_to
