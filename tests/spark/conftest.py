"""What the Spark tests share: one session with Iceberg on a folder, and a small lake to run jobs in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from pyspark.sql import SparkSession

from glue_jobs import session
from lake.ledger import Ledger
from local.engines import jars, java, spark_settings
from local.services import glue_rulesets
from tests.spark.kept import LEDGER, Kept
from tests.spark.shop import Shop


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("warehouse")


@pytest.fixture(scope="session")
def spark(warehouse: Path) -> Iterator[SparkSession]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_HOME", str(java.find().home))
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        builder = SparkSession.builder.master("local[2]").config("spark.jars", ",".join(map(str, jars.fetch())))
        for name, value in _settings(warehouse).items():
            builder = builder.config(name, value)
        started = builder.getOrCreate()
        started.sparkContext.setLogLevel("ERROR")
        session.remember_classes(started)
        yield started
        started.stop()


@pytest.fixture(scope="module")
def in_utc(spark: SparkSession) -> Iterator[SparkSession]:
    """The session with its JVM in UTC, as on Glue and on the laptop: the times of JDBC drivers are the JVM's."""
    jvm: Any = spark._jvm
    before = jvm.java.util.TimeZone.getDefault()

    def stand_in(zone: Any) -> None:
        jvm.java.util.TimeZone.setDefault(zone)
        jvm.org.h2.util.DateTimeUtils.resetCalendar()  # which remembers the zone of its first use

    stand_in(jvm.java.util.TimeZone.getTimeZone("UTC"))
    yield spark
    stand_in(before)


def _settings(warehouse: Path) -> dict[str, str]:
    catalog = "spark.sql.catalog.lake"
    return {
        # no time may depend on the zone
        "spark.driver.extraJavaOptions": f"-Duser.timezone=America/New_York {spark_settings.SMALL_MACHINE}",
        **session.OURS,
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.codegen.cache.maxEntries": str(spark_settings.CODE_KEPT),
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.warehouse.dir": str(warehouse / "spark"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        catalog: "org.apache.iceberg.spark.SparkCatalog",
        f"{catalog}.type": "hadoop",
        f"{catalog}.warehouse": f"file:{warehouse}",
        f"{catalog}.cache-enabled": "false",
    }


@pytest.fixture
def ledger() -> Iterator[Ledger]:
    with mocked_ledger() as made:
        yield made


@contextmanager
def mocked_ledger() -> Iterator[Ledger]:
    """An empty ledger in this process, and a Glue that keeps rulesets."""
    glue_rulesets.install()
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        client = boto3.client("dynamodb")
        names = ("pk", "sk", "gsi_pk", "gsi_sk")
        index = {"KeySchema": _keys("gsi_pk", "gsi_sk"), "Projection": {"ProjectionType": "ALL"}}
        client.create_table(
            TableName=LEDGER,
            KeySchema=_keys("pk", "sk"),
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
            GlobalSecondaryIndexes=[{"IndexName": "by_pipeline", **index}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield Ledger(LEDGER, client)


def _keys(first: str, second: str) -> list[dict[str, str]]:
    return [{"AttributeName": first, "KeyType": "HASH"}, {"AttributeName": second, "KeyType": "RANGE"}]


@pytest.fixture
def new_shop(spark: SparkSession, ledger: Ledger, warehouse: Path, request: pytest.FixtureRequest) -> Shop:
    """A lake without tables."""
    return Shop(spark, ledger, warehouse, name=f"t{abs(hash(request.node.nodeid)) % 10**8}")


@pytest.fixture(scope="session")
def applied(spark: SparkSession, warehouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    with mocked_ledger() as ledger:
        made = Shop(spark, ledger, warehouse, name="shop")
        assert {each.status for each in made.apply()} == {"succeeded"}
        return Kept(made, tmp_path_factory.mktemp("applied"))


@pytest.fixture
def shop(applied: Kept, ledger: Ledger) -> Shop:
    """A lake with its tables applied and nothing in them."""
    return applied.again(ledger)


@pytest.fixture(scope="session")
def with_customers(applied: Kept, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    with mocked_ledger() as ledger:
        made = applied.again(ledger)
        job = made.job()
        made.load(job, "shop.customers", [("1", "customer 1"), ("2", "customer 2")], "id string, name string")
        assert [each.inserted for each in made.refine(job)] == [2]
        return Kept(made, tmp_path_factory.mktemp("customers"))


@pytest.fixture
def stocked(with_customers: Kept, ledger: Ledger) -> Shop:
    """A lake with two customers in silver, so that a run may bring orders alone."""
    return with_customers.again(ledger)
