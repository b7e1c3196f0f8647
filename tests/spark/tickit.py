"""The shipped lake on a folder: TICKIT's contracts and models, its sources in PostgreSQL, AWS by moto."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
from pyspark.sql import SparkSession

import config
from config.source import Source
from contracts import compile
from glue_jobs import apply, aws, refine
from glue_jobs.work import Job, Task
from lake.ledger import Ledger, Outcome
from lake.model import Pipeline
from lake.runs import RunId
from local.engines.postgres import Server
from tests.spark.shop import FolderLake


def compiled(folder: Path, warehouse: Path) -> FolderLake:
    """The shipped contracts, compiled as for the laptop."""
    compile.write(folder, replace(config.load("local"), governance="iam"))  # moto alone has no Lake Formation
    package = folder / "compiled"
    content: dict[str, Any] = {"environment": json.loads((package / "environment.json").read_text())}
    for part in ("datasets", "pipelines"):
        content[part] = [json.loads(each.read_text()) for each in sorted((package / part).iterdir())]
    return FolderLake.of(content, warehouse)


class Tickit:
    """The pipeline's jobs, one after another, as its state machine starts them."""

    def __init__(self, spark: SparkSession, ledger: Ledger, lake: FolderLake, server: Server) -> None:
        self.spark, self.ledger, self.lake, self.server = spark, ledger, lake, server
        aws.client.cache_clear()
        boto3.client("glue").create_database(DatabaseInput={"Name": lake.environment.databases["bronze"]})
        for layer in ("silver", "gold"):
            spark.sql(f"CREATE NAMESPACE IF NOT EXISTS lake.{lake.environment.databases[layer]}")
        self.set_password("right")

    @property
    def pipeline(self) -> Pipeline:
        return self.lake.pipeline("tickit")

    def set_password(self, password: str) -> None:
        """The password that the secret of saas holds; the server knows 'right' only."""
        secrets, glue = boto3.client("secretsmanager"), boto3.client("glue")
        self.server.let_read("saas", "headwater_saas", "right")
        text = json.dumps({"username": "headwater_saas", "password": password})
        if secrets.list_secrets()["SecretList"]:
            secrets.put_secret_value(SecretId="saas", SecretString=text)
            return
        secrets.create_secret(Name="saas", SecretString=text)
        url = Source("postgresql", "127.0.0.1", self.server.port, "saas").jdbc_url
        properties = {"JDBC_CONNECTION_URL": url, "SECRET_ID": "saas"}
        connection = self.lake.environment.connections["saas"]
        made = {"Name": connection, "ConnectionType": "JDBC", "ConnectionProperties": properties}
        glue.create_connection(ConnectionInput=made)

    def job(self, hour: int, attempt: int = 0) -> Job:
        run = RunId.parse(f"tickit-20260101T{hour:02}00-01")
        self.ledger.plan(str(run), attempt, self.pipeline.datasets, self.pipeline.models)
        return Job(self.spark, self.lake, self.ledger, run, attempt)

    def apply(self, task: Task) -> Outcome:
        return apply.apply(task)

    def refine(self, job: Job) -> list[Outcome]:
        return refine.refine_all(job)

    def drop(self) -> None:
        """Leaves no table to the next test."""
        for layer in ("silver", "gold"):
            database = f"lake.{self.lake.environment.databases[layer]}"
            for row in self.spark.sql(f"SHOW TABLES IN {database}").collect():
                self.spark.sql(f"DROP TABLE {database}.{row['tableName']}")
