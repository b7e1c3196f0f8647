"""A source as its Glue connection and secret describe it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from glue_jobs.failures import DatasetError

DRIVERS = {
    "jdbc:postgresql:": "org.postgresql.Driver",
    "jdbc:mysql:": "com.mysql.cj.jdbc.Driver",
    "jdbc:sqlserver:": "com.microsoft.sqlserver.jdbc.SQLServerDriver",
}
FETCH_SIZE = "10000"


class UnknownDriverError(DatasetError):
    """A JDBC address that no driver of ours fits."""


@dataclass(frozen=True)
class Source:
    """Where a source is and how to get in; its password is never shown."""

    url: str
    user: str
    password: str = field(repr=False)

    def read(self, spark: SparkSession, **options: str) -> DataFrame:
        """What the options, `dbtable` among them, ask for; zone-less times come as such, not as the JVM's zone."""
        reader = spark.read.format("jdbc").option("url", self.url).option("driver", driver(self.url))
        reader = reader.option("user", self.user).option("password", self.password)
        return reader.options(fetchsize=FETCH_SIZE, preferTimestampNTZ="true", **options).load()

    def quoted(self, spark: SparkSession, name: str) -> str:
        """A name, with its schema if it has one, in this database's own quotes."""
        return ".".join(self.quoted_column(spark, part) for part in name.split("."))

    def quoted_column(self, spark: SparkSession, name: str) -> str:
        """A name that may hold dots of its own."""
        jvm: Any = spark._jvm
        return str(jvm.org.apache.spark.sql.jdbc.JdbcDialects.get(self.url).quoteIdentifier(name))


def find_source(connection: str, glue: Any, secrets: Any) -> Source:
    """The source behind a Glue connection, whose password is in Secrets Manager."""
    properties = glue.get_connection(Name=connection)["Connection"]["ConnectionProperties"]
    secret = json.loads(secrets.get_secret_value(SecretId=properties["SECRET_ID"])["SecretString"])
    return Source(properties["JDBC_CONNECTION_URL"], secret["username"], secret["password"])


def driver(url: str) -> str:
    for start, name in DRIVERS.items():
        if url.startswith(start):
            return name
    told = url.split("//")[0]  # what follows may hold a password
    raise UnknownDriverError(
        f"The JDBC address '{told}': expected one of {', '.join(DRIVERS)}.", "Correct the Glue connection's URL."
    )
