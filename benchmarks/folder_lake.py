"""A lake on a folder for measurements: the laptop's Spark, a real PostgreSQL, AWS by moto; the jobs' own code."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
from moto import mock_aws
from pyspark.sql import SparkSession

import config
import contracts
from contracts import compile
from glue_jobs import apply, aws, ingest, refine, session
from glue_jobs.work import Job, work
from lake.ledger import Ledger, Outcome
from lake.runs import RunId
from local.engines import jars, java, postgres, spark_settings
from local.services import glue_rulesets
from tests.spark.shop import FolderLake

PIPELINE, SOURCE = "measured", "ecommerce"
CORES = 2


class MeasuredStepFailedError(RuntimeError):
    """A step that was to be measured did not succeed."""


@dataclass(frozen=True)
class Measured:
    """One dataset's way from its source to silver: `measured.run(hour)` is a run of apply, ingest and refine."""

    spark: SparkSession
    ledger: Ledger
    lake: FolderLake
    server: postgres.Server
    dataset: str

    @property
    def table(self) -> str:
        return self.lake.table(self.lake.dataset(self.dataset))

    def job(self, number: int) -> Job:
        day, hour = divmod(number, 24)
        run = RunId.parse(f"{PIPELINE}-202601{day + 1:02}T{hour:02}00-01")
        self.ledger.plan(str(run), 0, [self.dataset], [])
        return Job(self.spark, self.lake, self.ledger, run, 0)

    def apply(self, job: Job) -> None:
        _require(work(job, "apply", [self.dataset], apply.apply))

    def ingest(self, job: Job) -> Outcome:
        return _require(work(job, "ingest", [self.dataset], ingest.ingest))

    def refine(self, job: Job) -> Outcome:
        return _require(refine.refine_all(job))

    def execute(self, statement: str) -> None:
        with self.server.connect(SOURCE) as connection:
            connection.execute(statement)


@contextmanager
def spark_session(folder: Path, more_jars: Sequence[Path] = ()) -> Iterator[SparkSession]:
    """Spark as on the laptop, with an Iceberg catalog on the folder."""
    catalog = "spark.sql.catalog.lake"
    settings = {
        **spark_settings.settings("http://localhost:1", [*jars.fetch(), *more_jars], folder / "spark", "4g"),
        "spark.master": f"local[{CORES}]",
        **session.OURS,
        catalog: "org.apache.iceberg.spark.SparkCatalog",
        f"{catalog}.type": "hadoop",
        f"{catalog}.warehouse": f"file:{folder}",
        f"{catalog}.cache-enabled": "false",
    }
    (folder / "spark").mkdir()
    with session_of(settings) as started:
        yield started


@contextmanager
def session_of(settings: Mapping[str, str], environment: Mapping[str, str] | None = None) -> Iterator[SparkSession]:
    """A session in a JVM of its own, which has these variables."""
    ours = {"JAVA_HOME": str(java.find().home), "SPARK_LOCAL_IP": "127.0.0.1", **(environment or {})}
    with patch.dict("os.environ", ours):
        builder = SparkSession.builder
        for name, value in settings.items():
            builder = builder.config(name, value)
        started = builder.getOrCreate()
        started.sparkContext.setLogLevel("ERROR")
        try:
            yield started
        finally:
            started.stop()


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def dataset_of(shipped: str, **changed: Any) -> dict[str, Any]:
    """A shipped contract as it is compiled, with some of its fields changed."""
    made: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(contracts.load(shipped)), default=str))
    made |= {"references": [], **changed}  # its parents are not loaded here
    return {**made, "hash": json.dumps(made, sort_keys=True)}


@contextmanager
def measured_lake(dataset: dict[str, Any], *more: dict[str, Any], more_jars: Sequence[Path] = ()) -> Iterator[Measured]:
    """A lake of one dataset, whose table is still to be made in the source; `replace(it, dataset=ID)` is of another."""
    with ExitStack() as stack:
        place = stack.enter_context(folder())
        server = postgres.start(place / "postgres")
        stack.callback(server.stop)
        spark = stack.enter_context(spark_session(place, more_jars))
        keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
        stack.enter_context(patch.dict("os.environ", keys))
        stack.enter_context(mock_aws())
        aws.client.cache_clear()
        glue_rulesets.install()
        environment = json.loads(
            json.dumps(compile.describe(dataclasses.replace(config.load("local"), governance="iam")), default=vars)
        )
        pipeline = {"name": PIPELINE, "schedule": "", "interval_hours": 24, "datasets": [dataset["id"]]}
        content = {"environment": environment, "datasets": [dataset, *more], "pipelines": [pipeline]}
        lake = FolderLake.of(content, place)
        _make_aws(lake, server)
        for layer in ("silver", "gold"):
            spark.sql(f"CREATE NAMESPACE lake.{lake.environment.databases[layer]}")
        yield Measured(spark, Ledger(lake.environment.ledger), lake, server, dataset["id"])


def _make_aws(lake: FolderLake, server: postgres.Server) -> None:
    """The connection, its secret, the bronze database and the ledger's table."""
    server.create_database(SOURCE)
    server.let_read(SOURCE, f"headwater_{SOURCE}", "right")
    secret = json.dumps({"username": f"headwater_{SOURCE}", "password": "right"})
    boto3.client("secretsmanager").create_secret(Name=SOURCE, SecretString=secret)
    url = f"jdbc:postgresql://127.0.0.1:{server.port}/{SOURCE}"
    properties = {"JDBC_CONNECTION_URL": url, "SECRET_ID": SOURCE}
    connection = {"Name": lake.environment.connections[SOURCE], "ConnectionType": "JDBC"}
    glue = boto3.client("glue")
    glue.create_connection(ConnectionInput={**connection, "ConnectionProperties": properties})
    glue.create_database(DatabaseInput={"Name": lake.environment.databases["bronze"]})
    names = ("pk", "sk", "gsi_pk", "gsi_sk")
    index = {"IndexName": "by_pipeline", "KeySchema": _keys(*names[2:]), "Projection": {"ProjectionType": "ALL"}}
    boto3.client("dynamodb").create_table(
        TableName=lake.environment.ledger,
        KeySchema=_keys(*names[:2]),
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        GlobalSecondaryIndexes=[index],
        BillingMode="PAY_PER_REQUEST",
    )


def _keys(first: str, second: str) -> list[dict[str, str]]:
    return [{"AttributeName": first, "KeyType": "HASH"}, {"AttributeName": second, "KeyType": "RANGE"}]


def _require(outcomes: list[Outcome]) -> Outcome:
    (outcome,) = outcomes
    if outcome.status != "succeeded":
        raise MeasuredStepFailedError(f"{outcome.step} of {outcome.dataset}: {outcome.cause} {outcome.remedy}")
    return outcome
