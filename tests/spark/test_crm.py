"""Marketing's pipeline from H2 to silver: its known faults, then what an increment brings and takes away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from pyspark.sql import SparkSession

from config.source import Source
from glue_jobs import apply, aws, ingest, refine
from glue_jobs.work import Job, work
from lake.ledger import Ledger, Outcome
from lake.runs import RunId
from local import crm
from local.engines import h2
from tests.spark.shop import FolderLake
from tests.spark.tickit import compiled

SCALE = 0.02
NAMES = list(crm.SIZES)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[h2.Server]:
    started = h2.start(tmp_path_factory.mktemp("h2"))
    crm.load(started, SCALE)
    started.let_read(crm.DATABASE, "reader", "right")
    yield started
    started.stop()


@pytest.fixture
def lake(ledger: Ledger, warehouse: Path, tmp_path: Path, server: h2.Server) -> FolderLake:
    made = compiled(tmp_path, warehouse)
    aws.client.cache_clear()
    glue, secrets = boto3.client("glue"), boto3.client("secretsmanager")
    secrets.create_secret(Name="crm", SecretString=json.dumps({"username": "reader", "password": "right"}))
    glue.create_database(DatabaseInput={"Name": made.environment.databases["bronze"]})
    url = Source("h2", "127.0.0.1", server.port, crm.DATABASE).jdbc_url
    properties = {"JDBC_CONNECTION_URL": url, "SECRET_ID": "crm"}
    connection = {"Name": made.environment.connections["crm"], "ConnectionType": "JDBC"}
    glue.create_connection(ConnectionInput={**connection, "ConnectionProperties": properties})
    return made


def test_two_nights_of_marketing(spark: SparkSession, ledger: Ledger, lake: FolderLake, server: h2.Server) -> None:
    spark.sql(f"CREATE NAMESPACE IF NOT EXISTS lake.{lake.environment.databases['silver']}")

    def night(day: int) -> dict[str, Outcome]:
        run = RunId.parse(f"crm-202601{day:02}T0330-01")
        ledger.plan(str(run), 0, NAMES, [])
        job = Job(spark, lake, ledger, run, 0)
        work(job, "apply", NAMES, apply.apply)
        work(job, "ingest", ingest.pending(job), ingest.ingest)
        return {each.dataset: each for each in work(job, "refine", refine.pending(job), refine.refine)}

    first = night(1)
    for name, known in crm.expected(SCALE).items():
        told = first[name]
        assert (told.cause, told.read, told.superseded) == ("", known.read, known.superseded)
        assert dict(told.rules) == known.quarantined
        assert told.inserted == known.loaded

    with server.connect(crm.DATABASE) as connection:
        newest = '(SELECT max("UpdatedAt") FROM "Customers")'
        connection.execute(f'UPDATE "Customers" SET "Notes" = \'后来\', "UpdatedAt" = {newest} WHERE "CustomerId" = 7')
        connection.execute('DELETE FROM "Customers" WHERE "CustomerId" = 10')
        last = '(SELECT max("RespondedAt") FROM "Responses")'
        row = f'999999, "CampaignId", "CustomerId", "Kind", "Text", {last}'
        connection.execute(f'INSERT INTO "Responses" SELECT {row} FROM "Responses" WHERE "ResponseId" = 1')
    second = night(2)
    assert {name: each.cause for name, each in second.items()} == dict.fromkeys(NAMES, "")
    customers, campaigns, responses = (second[name] for name in ("crm.customers", "crm.campaigns", "crm.responses"))
    assert (customers.inserted, customers.updated, customers.deleted) == (0, 1, 1)
    assert (campaigns.inserted, campaigns.updated, campaigns.deleted) == (0, 0, 0)
    assert (responses.inserted, responses.updated, responses.deleted) == (1, 0, 0)
    assert customers.read < first["crm.customers"].read
    held = spark.table(lake.table(lake.dataset("crm.customers")))
    assert [row.notes for row in held.where("customer_id = 7").collect()] == ["后来"]
    assert held.where("customer_id = 10").count() == 0
