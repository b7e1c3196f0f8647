"""Gold for measurements: the shipped models over the generated source rows, as Iceberg tables behind an endpoint."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet
from pyspark.sql import SparkSession

from benchmarks.folder_lake import dataset_of, folder, session_of
from glue_jobs import session
from glue_jobs.evolution import create
from lake.parts import Dataset, dataset_from_dict
from local import deploy, tickit
from local.engines import jars, spark_settings

ROOT = Path(__file__).parents[1]
BUCKET, DATABASE, CATALOG = "measured", "measured_gold", "spark.sql.catalog.lake"
MODELS = ("dim_event", "dim_seller", "sales_by_category", "sales_by_date")


@dataclass(frozen=True)
class Gold:
    """An endpoint with the gold tables, and the Spark session that wrote them."""

    url: str
    spark: SparkSession
    rows: dict[str, int]

    def client(self, service: str) -> Any:
        return boto3.client(service, endpoint_url=self.url, region_name=deploy.REGION, **deploy.CREDENTIALS)

    def metadata(self, table: str) -> str:
        found = self.client("glue").get_table(DatabaseName=DATABASE, Name=table)["Table"]
        return str(found["Parameters"]["metadata_location"])


@contextmanager
def gold_lake(times: int) -> Iterator[Gold]:
    """The sources' rows at their published sizes, every sale `times` times over."""
    with ExitStack() as stack:
        place = stack.enter_context(folder())
        url = stack.enter_context(endpoint(place))
        spark = stack.enter_context(spark_session(place, url))
        client = partial(boto3.client, endpoint_url=url, region_name=deploy.REGION, **deploy.CREDENTIALS)
        client("s3").create_bucket(Bucket=BUCKET)
        client("glue").create_database(DatabaseInput={"Name": DATABASE})
        sources(spark, place, times)
        yield Gold(url, spark, {name: build(spark, name) for name in MODELS})


@contextmanager
def endpoint(place: Path) -> Iterator[str]:
    """An endpoint of its own, as `headwater up` starts it, in a process of its own."""
    command = [sys.executable, "-m", "local.endpoint", "--port", "0", "--lazy", "--state", str(place / "state")]
    command += ["--parent-pid", str(os.getpid())]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().decode().split()[-1]  # it says so when it is ready
        finally:
            process.terminate()


@contextmanager
def spark_session(place: Path, url: str) -> Iterator[SparkSession]:
    keys = {"access-key-id": "headwater", "secret-access-key": "headwater"}
    common = {"endpoint": url, **keys}
    settings = {
        **spark_settings.settings(url, jars.fetch(), place / "spark", "4g"),
        **session.OURS,
        CATALOG: "org.apache.iceberg.spark.SparkCatalog",
        f"{CATALOG}.type": "glue",
        f"{CATALOG}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        f"{CATALOG}.client.region": deploy.REGION,
        **{f"{CATALOG}.{part}.{name}": value for part in ("glue", "s3") for name, value in common.items()},
        f"{CATALOG}.cache-enabled": "false",
    }
    (place / "spark").mkdir()
    user = {"AWS_ACCESS_KEY_ID": "headwater", "AWS_SECRET_ACCESS_KEY": "headwater", "AWS_REGION": deploy.REGION}
    with session_of(settings, user) as started:
        yield started


def sources(spark: SparkSession, place: Path, times: int) -> None:
    """Every source table as a view with the names and types of its contract, as silver has it."""
    for name, dataset in tickit.generate().items():
        path = place / f"{name}.parquet"
        pa.parquet.write_table(pa.table(dict(dataset.table)), path)
        columns = [f"try_cast(`{each.source}` AS {each.type}) AS `{each.name}`" for each in described(name).columns]
        rows = spark.read.parquet(str(path)).selectExpr(*columns)
        if name == "ecommerce.sales":
            largest = len(dataset)
            copies = spark.range(times).withColumnRenamed("id", "copy")
            rows = rows.crossJoin(copies).selectExpr(
                f"CAST(sale_id + copy * {largest} AS int) AS sale_id",
                *(each for each in rows.columns if each != "sale_id"),
            )
        rows.createOrReplaceTempView(name.replace(".", "_"))


def build(spark: SparkSession, model: str) -> int:
    """One gold table as its contract has it, one file for each partition; how many rows it has."""
    found = described(f"gold.{model}")
    table = f"lake.{DATABASE}.{model}"
    for statement in create(found, table, f"s3://{BUCKET}/gold/{model}"):
        spark.sql(statement)
    required = [each.name for each in found.columns if each.required]
    rows = spark.sql(found.sql or "").dropna(subset=required)  # of the faulty rows, which no gate keeps out here
    lineage = ["CAST(NULL AS timestamp) AS _version", "CAST(NULL AS string) AS _hash", "'measured' AS _run"]
    written = rows.selectExpr(*(each.name for each in found.columns), *lineage)
    written = written.repartition(*found.partition_by) if found.partition_by else written.coalesce(1)
    written.writeTo(table).append()
    return spark.table(table).count()


def described(dataset: str) -> Dataset:
    return dataset_from_dict(dataset_of(dataset))
