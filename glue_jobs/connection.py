"""A source as its Glue connection and secret describe it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import DecimalType

from glue_jobs.failures import DatasetError

FETCH_SIZE = "10000"
MAX_PRECISION = 38
# MySQL's driver would hold a whole table in memory, take a tinyint(1) for a bit, a year for a date, refuse the date
# 0000-00-00, and move times by the zones of the server and of this JVM. So: a cursor; whole numbers as they are; no
# date is null; the session's zone is UTC, and a time comes as it stands there.
MYSQL = {
    "useCursorFetch": "true",
    "tinyInt1isBit": "false",
    "yearIsDateType": "false",
    "zeroDateTimeBehavior": "CONVERT_TO_NULL",
    "connectionTimeZone": "UTC",
    "forceConnectionTimeZoneToSession": "true",
    "preserveInstants": "false",
    "connectTimeout": "10000",
}


@dataclass(frozen=True)
class Driver:
    """A JDBC driver and what it must be told to give every value as it is."""

    name: str
    options: Mapping[str, str] = field(default_factory=dict)


DRIVERS = {
    "jdbc:postgresql:": Driver("org.postgresql.Driver"),
    "jdbc:mysql:": Driver("com.mysql.cj.jdbc.Driver", MYSQL),
    "jdbc:sqlserver:": Driver("com.microsoft.sqlserver.jdbc.SQLServerDriver"),
    "jdbc:h2:": Driver("org.h2.Driver"),
}


class UnknownDriverError(DatasetError):
    """A JDBC address that no driver of ours fits."""


class ConnectionMissingError(DatasetError):
    """A source has no Glue connection, or one without address and secret."""


class SecretUnusableError(DatasetError):
    """A source's secret is gone, or does not hold a user name and password."""


@dataclass(frozen=True)
class Source:
    """Where a source is and how to get in; its password is never shown."""

    url: str
    user: str
    password: str = field(repr=False)

    def read(self, spark: SparkSession, **options: str) -> DataFrame:
        """What the options, `dbtable` among them, ask for; zone-less times come as such, not as the JVM's zone.

        Spark cuts decimals to 38 digits, so those that have as many or more come as text, and their contract judges.
        """
        found = driver(self.url)
        reader = spark.read.format("jdbc").options(**found.options).option("driver", found.name)
        reader = reader.option("url", self.url).option("user", self.user).option("password", self.password)
        reader = reader.options(fetchsize=FETCH_SIZE, preferTimestampNTZ="true", **options)
        rows = reader.load()
        wide = [
            f"`{each.name.replace('`', '``')}` STRING"
            for each in rows.schema.fields
            if isinstance(each.dataType, DecimalType) and each.dataType.precision == MAX_PRECISION
        ]
        return reader.option("customSchema", ", ".join(wide)).load() if wide else rows

    def quoted(self, spark: SparkSession, name: str) -> str:
        """A name, with its schema if it has one, in this database's own quotes."""
        return ".".join(self.quoted_column(spark, part) for part in name.split("."))

    def quoted_column(self, spark: SparkSession, name: str) -> str:
        """A name that may hold dots of its own."""
        jvm: Any = spark._jvm
        return str(jvm.org.apache.spark.sql.jdbc.JdbcDialects.get(self.url).quoteIdentifier(name))


def find_source(connection: str, glue: Any, secrets: Any) -> Source:
    """The source behind a Glue connection, whose password is in Secrets Manager."""
    try:
        properties = glue.get_connection(Name=connection)["Connection"]["ConnectionProperties"]
        url, secret = properties["JDBC_CONNECTION_URL"], properties["SECRET_ID"]
    except (ClientError, KeyError) as error:
        if isinstance(error, ClientError) and error.response["Error"]["Code"] != "EntityNotFoundException":
            raise
        raise ConnectionMissingError(
            f"The Glue connection '{connection}': expected one with an address and a secret.",
            "Deploy the environment's catalog stack, then redrive the execution.",
        ) from error
    return Source(url, *_login(secret, secrets))


def _login(secret: str, secrets: Any) -> tuple[str, str]:
    """User name and password; what the secret holds instead is not said."""
    try:
        text = secrets.get_secret_value(SecretId=secret)["SecretString"]
    except (ClientError, KeyError) as error:
        if isinstance(error, ClientError) and error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        raise SecretUnusableError(
            f"The secret '{secret}': expected one that is there and holds text.",
            "Deploy the environment's catalog stack, put user name and password into it, then redrive the execution.",
        ) from error
    try:
        held = json.loads(text)
    except ValueError:
        held = None
    login = (held.get("username"), held.get("password")) if isinstance(held, dict) else (None, None)
    if not all(isinstance(each, str) and each for each in login):
        raise SecretUnusableError(
            f'The secret \'{secret}\': expected JSON such as {{"username": "…", "password": "…"}}.',
            "Put user name and password into it in that form, then redrive the execution.",
        )
    return str(login[0]), str(login[1])


def driver(url: str) -> Driver:
    for start, found in DRIVERS.items():
        if url.startswith(start):
            return found
    told = url.split("//")[0]  # what follows may hold a password
    raise UnknownDriverError(
        f"The JDBC address '{told}': expected one of {', '.join(DRIVERS)}.", "Correct the Glue connection's URL."
    )
