"""Statements of Athena's as a client sends them through boto3, in a database and a bucket of their own."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.table import Table

from tests.local.conftest import RunningEndpoint

Rows = list[list[str | None]]
FINAL = ("SUCCEEDED", "FAILED", "CANCELLED")
HELD_SECONDS = 30


@dataclass
class Analyst:
    """Somebody who sends statements to one database: `rows(sql)`, `run(sql)`, `fails(sql)`."""

    endpoint: RunningEndpoint
    database: str
    bucket: str
    options: dict[str, Any] = field(default_factory=dict)

    def prepare(self) -> Analyst:
        self.endpoint.client("s3").create_bucket(Bucket=self.bucket)
        self.endpoint.client("glue").create_database(DatabaseInput={"Name": self.database})
        return self

    def start(self, sql: str, **options: Any) -> str:
        request = {
            "QueryExecutionContext": {"Database": self.database, "Catalog": "AwsDataCatalog"},
            "ResultConfiguration": {"OutputLocation": f"s3://{self.bucket}/results/"},
            **self.options,
            **options,
        }
        started: str = self.endpoint.client("athena").start_query_execution(QueryString=sql, **request)[
            "QueryExecutionId"
        ]
        return started

    def ended(self, identity: str) -> dict[str, Any]:
        until = time.monotonic() + HELD_SECONDS
        while time.monotonic() < until:
            execution: dict[str, Any] = self.endpoint.client("athena").get_query_execution(QueryExecutionId=identity)[
                "QueryExecution"
            ]
            if execution["Status"]["State"] in FINAL:
                return execution
        raise TimeoutError(identity)

    def run(self, sql: str, **options: Any) -> dict[str, Any]:
        """The execution of a statement that succeeds."""
        execution = self.ended(self.start(sql, **options))
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
        return execution

    def fails(self, sql: str, **options: Any) -> str:
        """Why a statement fails."""
        status = self.ended(self.start(sql, **options))["Status"]
        assert status["State"] == "FAILED"
        return str(status["StateChangeReason"])

    def rows(self, sql: str, **options: Any) -> Rows:
        """The rows of a query without their header, or the lines of a listing."""
        execution = self.run(sql, **options)
        answer = self.results(execution["QueryExecutionId"])["ResultSet"]["Rows"]
        found = [[cell.get("VarCharValue") for cell in row["Data"]] for row in answer]
        return found[1:] if execution["ResultConfiguration"]["OutputLocation"].endswith(".csv") else found

    def results(self, identity: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.endpoint.client("athena").get_query_results(QueryExecutionId=identity)
        return answer

    def lines(self, location: str) -> list[str]:
        """The lines of a file in S3."""
        bucket, _, key = location.removeprefix("s3://").partition("/")
        body = self.endpoint.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return str(body.decode()).splitlines()

    def keys(self, prefix: str) -> list[str]:
        found = self.endpoint.client("s3").list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [each["Key"] for each in found.get("Contents", ())]

    def table(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.endpoint.client("glue").get_table(DatabaseName=self.database, Name=name)["Table"]
        return found

    def iceberg(self, name: str) -> Table:
        """A table as PyIceberg has it."""
        url, region = self.endpoint.url, self.endpoint.region
        common = {"endpoint": url, "region": region, "access-key-id": "headwater", "secret-access-key": "x"}
        told = {f"{service}.{key}": value for service in ("glue", "s3") for key, value in common.items()}
        return GlueCatalog("tests", **told).load_table((self.database, name))

    def names(self) -> list[str]:
        tables = self.endpoint.client("glue").get_tables(DatabaseName=self.database)["TableList"]
        return [table["Name"] for table in tables]
